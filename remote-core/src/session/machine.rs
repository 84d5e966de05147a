//! Owns the state of one session and what can be asked of it.
//!
//! It must not know tasks, sockets, objects or users' types. Every method of a session is one of four kinds, each in a
//! file of its own: getters, here; `handle_input`, `suspend`, `resume` and `handle_timeout` for what comes in; commands of the
//! application; and `poll_*` for what goes out. Invariant 6: after a mutation, drain: transmit, timeout, event.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::answers::Answers;
use super::deadlock_timer::DeadlockTimer;
use super::event::{Cause, Event};
use super::exports::Exports;
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
use crate::wire::frame::{Manner, Status, Target};
use crate::wire::hello::Grant;

/// What a session is made of.
pub(crate) struct Settings {
    pub(crate) limits: Limits,
    /// What the peer lets this side have in progress.
    pub(crate) granted: Grant,
    /// For how long each side counts on the other after it was last heard.
    pub(crate) term: Duration,
}

/// One session, from the verdict to the end.
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
    pub(super) partial_calls: Partials<CallHead>,
    pub(super) partial_answers: Partials<Status>,
    pub(super) outgoing: Outgoing,
    /// Calls for which there is no room yet, in order. The first of them was not withdrawn.
    pub(super) waiting: VecDeque<Queued>,
    /// How many of them were withdrawn meanwhile.
    pub(super) withdrawn: usize,
    /// Expires when none of them has advanced for a term.
    pub(super) deadlock_timer: DeadlockTimer,
    pub(super) events: VecDeque<Event>,
    pub(super) liveness: Liveness,
    pub(super) lease: Lease,
    /// What was written and not yet acknowledged.
    pub(super) retained: Retained,
    /// Whether there is no connection at present.
    pub(super) suspended: bool,
    /// Whether nobody was found when another one was to be made.
    pub(super) missed: bool,
    pub(super) received: FrameNumber,
    pub(super) acknowledged: FrameNumber,
    /// Whether the peer waits to be told how far its frames have arrived.
    pub(super) owes_acknowledgement: bool,
    /// Whether the peer is to be told that this side lives.
    pub(super) owes_ping: bool,
    pub(super) transmitted: FrameNumber,
    pub(super) acknowledged_by_peer: FrameNumber,
    pub(super) closed: Option<Cause>,
    /// The session is over, and still the peer may rely on what this side exported to it.
    pub(super) keeps_exports: bool,
}

/// All of a call but its content.
pub(super) struct CallHead {
    pub(super) target: Target,
    pub(super) selector: Arc<Name>,
    pub(super) manner: Manner,
    pub(super) nesting: u8,
    pub(super) deadline: Option<Duration>,
    /// Whether the peer gave up while the content was still arriving.
    pub(super) cancelled: bool,
}

impl Session {
    pub(crate) fn new(settings: Settings, now: Instant) -> Session {
        let Settings { limits, granted, term } = settings;
        let own = Grant::of(&limits);
        // A connection that has died must be noticed while there is time to make another.
        let (ping, silence) = (limits.ping.min(term / 9), limits.silence.min(term / 3));
        Session {
            liveness: Liveness::new(ping, silence, now),
            lease: Lease::new(term, now),
            retained: Retained::default(),
            suspended: false,
            missed: false,
            owes_acknowledgement: false,
            owes_ping: false,
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
            closed: None,
            keeps_exports: false,
            limits,
        }
    }

    pub(crate) fn closed(&self) -> Option<&Cause> {
        self.closed.as_ref()
    }

    /// Whether the session is over, and all that belonged to it is let go.
    pub(crate) fn is_done(&self) -> bool {
        self.closed.is_some() && !self.keeps_exports
    }

    /// The name of an interface in a descriptor, if the sender knew one.
    pub(crate) fn name(&self, id: NameId) -> Option<&Arc<Name>> {
        self.peer_names.get(id).ok()
    }

    /// Whether answers may be made: past the limit of the queue they wait.
    pub(crate) fn has_room(&self) -> bool {
        self.outgoing.len() < self.limits.queue
    }

    /// The largest answer that the peer takes.
    pub(super) fn largest_answer(&self) -> u64 {
        self.questions.granted().body
    }

    /// Whether messages to this answer still wait to be sent.
    pub(crate) fn is_behind(&self, question: QuestionId) -> bool {
        self.outgoing.is_blocked(self.outgoing.lane(Target::Answer(question)))
            || self.waiting.iter().any(|call| call.target == Target::Answer(question))
    }

    pub(crate) fn export_count(&self) -> usize {
        self.exports.len()
    }

    pub(crate) fn import_count(&self) -> usize {
        self.imports.len()
    }

    /// Each object that the peer refers to, and how often it was introduced and not given back.
    pub(crate) fn exported(&self) -> impl Iterator<Item = (ObjectId, u64)> + '_ {
        self.exports.iter()
    }

    /// Each object of the peer's that this side refers to, and how often it was introduced and not given back.
    pub(crate) fn imported(&self) -> impl Iterator<Item = (ObjectId, u64)> + '_ {
        self.imports.iter()
    }

    /// For how long the peer's references to this side's objects are kept, if nothing more is heard.
    pub(crate) fn kept_for(&self, now: Instant) -> Duration {
        self.lease.owner_end().saturating_duration_since(now)
    }

    /// How many objects of the peer's are in use here.
    pub(crate) fn held_count(&self) -> usize {
        self.imports.held()
    }

    pub(crate) fn question_count(&self) -> usize {
        self.questions.len()
    }

    pub(crate) fn running(&self) -> u64 {
        self.answers.running()
    }

    /// Bytes held for the peer.
    pub(crate) fn held(&self) -> usize {
        self.underway() + self.retained.len()
    }

    /// Bytes that wait to be written, or belong to messages of which a part has arrived.
    pub(crate) fn underway(&self) -> usize {
        self.outgoing.len() + self.partial_calls.held() + self.partial_answers.held()
    }

    /// Bytes written and not yet acknowledged.
    pub(crate) fn unacknowledged(&self) -> usize {
        self.retained.len()
    }

    /// For how long the references that this side holds are good, if nothing more is heard.
    pub(crate) fn lease_left(&self, now: Instant) -> Duration {
        self.lease.left(now)
    }

    /// Whether this side relies on anything of the peer's.
    pub(super) fn holding(&self) -> Holding {
        match self.imports.len() + self.questions.len() {
            0 => Holding::Nothing,
            _ => Holding::Something,
        }
    }

    /// How many calls the peer takes at once.
    pub(crate) fn most_calls(&self) -> u64 {
        self.questions.granted().calls
    }

    /// The term of the lease.
    pub(crate) fn term(&self) -> Duration {
        self.lease.term()
    }

    /// Whether the connection is lost unless something waits to be read.
    pub(crate) fn is_silent(&self, now: Instant) -> bool {
        self.closed.is_none() && !self.suspended && self.liveness.due(now) == liveness::Due::Lost
    }

    pub(crate) fn is_suspended(&self) -> bool {
        self.suspended
    }

    /// The number of the last frame that has arrived.
    pub(crate) fn received(&self) -> FrameNumber {
        self.received
    }
}
