//! The state of a session, and its getters.
//!
//! It must not know tasks, sockets, objects or users' types. The methods of a session are of four kinds, each in its own
//! file: getters, here; input, by `handle_input`, `suspend`, `resume` and `handle_timeout`; commands of the application;
//! and output, by `poll_*`. Invariant 6: after a mutation, all output is drained: transmit, timeout, event.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::answers::Answers;
use super::closing::Closing;
use super::deadlock_timer::DeadlockTimer;
use super::event::{Cause, Event};
use super::exports::Exports;
use super::flushes::Flushes;
use super::header::CallHeader;
use super::imports::Imports;
use super::incoming::Partials;
use super::lease::{Holding, Lease};
use super::liveness::{self, Liveness};
use super::names::{Announced, Name, PeerNames};
use super::outgoing::{Outgoing, Queued};
use super::questions::Questions;
use super::retained::Retained;
use super::watches::Watches;
use crate::id::{FrameNumber, NameId, ObjectId, QuestionId};
use crate::limits::Limits;
use crate::wire::frame::{Status, Target};
use crate::wire::hello::Grant;

/// The parameters of a session.
pub(crate) struct Settings {
    pub(crate) limits: Limits,
    /// The limits that the peer grants to this side.
    pub(crate) granted: Grant,
    /// The term of the lease.
    pub(crate) term: Duration,
}

/// A session, from the verdict to the end.
pub(crate) struct Session {
    pub(super) limits: Limits,
    pub(super) now: Instant,
    pub(super) exports: Exports,
    pub(super) imports: Imports,
    pub(super) questions: Questions,
    pub(super) answers: Answers,
    pub(super) watches: Watches,
    pub(super) announced: Announced,
    pub(super) peer_names: PeerNames,
    pub(super) partial_calls: Partials<PartialCall>,
    pub(super) partial_answers: Partials<Status>,
    pub(super) outgoing: Outgoing,
    /// Calls that wait for room, in order. The first one is not withdrawn.
    pub(super) waiting: VecDeque<Queued>,
    /// The number of withdrawn calls in `waiting`.
    pub(super) withdrawn: usize,
    /// Expires when no call of `waiting` has advanced for a term.
    pub(super) deadlock_timer: DeadlockTimer,
    pub(super) events: VecDeque<Event>,
    pub(super) liveness: Liveness,
    pub(super) lease: Lease,
    /// The frames that were written and not yet acknowledged.
    pub(super) retained: Retained,
    /// True if there is no connection.
    pub(super) suspended: bool,
    pub(super) received: FrameNumber,
    pub(super) acknowledged: FrameNumber,
    /// True if an acknowledgement must be sent.
    pub(super) acknowledgement_due: bool,
    /// True if a ping must be sent.
    pub(super) ping_due: bool,
    pub(super) transmitted: FrameNumber,
    pub(super) acknowledged_by_peer: FrameNumber,
    pub(super) closing: Closing,
    pub(super) flushes: Flushes,
    pub(super) closed: Option<Cause>,
    /// True if the session has ended, and the peer may still rely on the exports.
    pub(super) keeps_exports: bool,
}

/// A call whose content is still arriving.
pub(super) struct PartialCall {
    pub(super) target: Target,
    /// Without its deadline.
    pub(super) header: CallHeader,
    /// The time left until the deadline, from when the call has arrived.
    pub(super) left: Option<Duration>,
    /// True if the call was cancelled while its content was still arriving.
    pub(super) cancelled: bool,
}

impl Session {
    pub(crate) fn new(settings: Settings, now: Instant) -> Session {
        let Settings { limits, granted, term } = settings;
        let own = Grant::of(&limits);
        // The loss of a connection must be detected while there is time to make another one.
        let (ping, silence) = (limits.ping.min(term / 9), limits.silence.min(term / 3));
        Session {
            liveness: Liveness::new(ping, silence, now),
            lease: Lease::new(term, now),
            retained: Retained::default(),
            suspended: false,
            acknowledgement_due: false,
            ping_due: false,
            now,
            exports: Exports::default(),
            imports: Imports::default(),
            questions: Questions::new(granted),
            answers: Answers::new(own),
            watches: Watches::default(),
            announced: Announced::default(),
            peer_names: PeerNames::default(),
            partial_calls: Partials::default(),
            partial_answers: Partials::default(),
            outgoing: Outgoing::default(),
            waiting: VecDeque::new(),
            withdrawn: 0,
            deadlock_timer: DeadlockTimer::new(term, now),
            events: VecDeque::new(),
            received: FrameNumber(0),
            acknowledged: FrameNumber(0),
            transmitted: FrameNumber(0),
            acknowledged_by_peer: FrameNumber(0),
            closing: Closing::default(),
            flushes: Flushes::new(),
            closed: None,
            keeps_exports: false,
            limits,
        }
    }

    pub(crate) fn closed(&self) -> Option<&Cause> {
        self.closed.as_ref()
    }

    /// Returns true if the session has ended and has released all exports.
    pub(crate) fn is_done(&self) -> bool {
        self.closed.is_some() && !self.keeps_exports
    }

    /// Returns the name of an interface in a descriptor, if the sender knew it.
    pub(crate) fn name(&self, id: NameId) -> Option<&Arc<Name>> {
        self.peer_names.get(id).ok()
    }

    /// Returns true if the queue of output is below its limit, so that answers may be added.
    pub(crate) fn has_room(&self) -> bool {
        self.outgoing.len() < self.limits.queue
    }

    /// Returns the size of the largest answer that the peer accepts.
    pub(super) fn largest_answer(&self) -> u64 {
        self.questions.granted().body
    }

    /// Returns true if messages to this answer still wait to be sent.
    pub(crate) fn is_behind(&self, question: QuestionId) -> bool {
        self.outgoing.is_blocked(self.outgoing.lane(Target::Answer(question)))
            || self.waiting.iter().any(|call| call.target == Target::Answer(question))
    }

    /// Returns true if the peer refers to an object of this side.
    pub(crate) fn is_exported(&self, object: ObjectId) -> bool {
        self.exports.contains(object)
    }

    pub(crate) fn export_count(&self) -> usize {
        self.exports.len()
    }

    pub(crate) fn import_count(&self) -> usize {
        self.imports.len()
    }

    /// Returns each object that the peer holds, with its count of introductions.
    pub(crate) fn exported(&self) -> impl Iterator<Item = (ObjectId, u64)> + '_ {
        self.exports.iter()
    }

    /// Returns each object of the peer that this side holds, with its introductions.
    pub(crate) fn imported(&self) -> impl Iterator<Item = (ObjectId, u64)> + '_ {
        self.imports.iter()
    }

    /// Returns how long the exports are kept, if no further input arrives.
    pub(crate) fn export_lease_left(&self, now: Instant) -> Duration {
        self.lease.owner_end().saturating_duration_since(now)
    }

    /// Returns the number of the peer's objects that have a proxy here.
    pub(crate) fn held_count(&self) -> usize {
        self.imports.held()
    }

    pub(crate) fn question_count(&self) -> usize {
        self.questions.len()
    }

    pub(crate) fn running(&self) -> u64 {
        self.answers.running()
    }

    /// Returns the bytes of the peer's calls that were in progress when the session ended.
    pub(crate) fn detached_bytes(&self) -> u64 {
        self.answers.detached_bytes()
    }

    /// Returns the number of one-way messages that the peer may not have executed yet.
    pub(crate) fn uncredited(&self) -> u64 {
        self.questions.uncredited().0
    }

    /// Returns the number of bytes that are held for the peer.
    pub(crate) fn held(&self) -> usize {
        self.underway() + self.retained.len()
    }

    /// Returns the number of bytes that wait to be written, or belong to messages that have arrived in part.
    pub(crate) fn underway(&self) -> usize {
        self.outgoing.len() + self.partial_calls.held() + self.partial_answers.held()
    }

    /// Returns the number of bytes that were written and not yet acknowledged.
    pub(crate) fn unacknowledged(&self) -> usize {
        self.retained.len()
    }

    /// Returns how long the references that this side holds are valid, if no further acknowledgement arrives.
    pub(crate) fn lease_left(&self, now: Instant) -> Duration {
        self.lease.left(now)
    }

    /// Says if this side relies on objects or answers of the peer.
    pub(super) fn holding(&self) -> Holding {
        match self.imports.len() + self.questions.len() {
            0 => Holding::Nothing,
            _ => Holding::Something,
        }
    }

    /// Returns the number of calls that the peer accepts at once.
    pub(crate) fn max_calls(&self) -> u64 {
        self.questions.granted().calls
    }

    /// Returns the term of the lease.
    pub(crate) fn term(&self) -> Duration {
        self.lease.term()
    }

    /// Returns true if the peer has been silent for too long, unless input waits to be read.
    pub(crate) fn is_silent(&self, now: Instant) -> bool {
        self.closed.is_none() && !self.suspended && self.liveness.due(now) == liveness::Due::Lost
    }

    pub(crate) fn is_suspended(&self) -> bool {
        self.suspended
    }

    /// Returns the number of the last frame that has arrived.
    pub(crate) fn received(&self) -> FrameNumber {
        self.received
    }
}
