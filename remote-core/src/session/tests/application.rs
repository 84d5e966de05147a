//! The application at one end of a session: what it has seen, and the check that it sees nothing twice.
//!
//! It must not know the other end.

use std::collections::{HashMap, HashSet};

use super::super::event::{Cause, Event, IncomingCall};
use crate::error::Outcome;
use crate::id::{CallToken, ObjectId, QuestionId, WatchId};
use crate::wire::body::Body;
use crate::wire::content::Content;
use crate::wire::descriptor::Descriptor;
use crate::wire::frame::{Status, Target};

/// The end of a call of this side.
#[derive(Debug, PartialEq)]
pub(super) enum End {
    Answered(Status, Content),
    HandedOver,
    Flushed,
    Refused,
    Lost(Outcome),
}

/// The events that one side has seen.
#[derive(Default)]
pub(super) struct Application {
    /// Calls of the peer that have arrived and are not yet taken, in order.
    pub(super) calls: Vec<IncomingCall>,
    /// Calls of this side that have ended, by their token.
    pub(super) ended: HashMap<usize, End>,
    /// Answers that arrived after their caller had cancelled the call.
    pub(super) unwanted: Vec<Content>,
    pub(super) promised: HashSet<QuestionId>,
    pub(super) finished: HashSet<QuestionId>,
    pub(super) cancelled: Vec<QuestionId>,
    pub(super) unexported: Vec<ObjectId>,
    pub(super) watched: HashMap<u64, ObjectId>,
    pub(super) watches_ended: HashSet<u64>,
    /// The reason why there is no connection.
    pub(super) suspended: Option<String>,
    pub(super) closed: Option<Cause>,
    pub(super) peer_is_closing: bool,
    pub(super) peer_is_gone: bool,
}

impl Application {
    pub(super) fn handle(&mut self, event: Event) {
        let is_release = match event {
            Event::Unexported { .. } => self.closed == Some(Cause::Expired),
            Event::PeerGone => self.closed.is_some(),
            _ => false,
        };
        assert!(self.closed.is_none() || is_release, "an event after the end: {event:?}");
        match event {
            Event::Promised { question } => assert!(self.promised.insert(question)),
            Event::Call(call) => {
                if let Some(Target::Answer(promise)) = call.target {
                    assert!(
                        self.promised.contains(&promise),
                        "pipelined on a call that is not a promise"
                    );
                    assert!(!self.finished.contains(&promise), "{promise:?} was finished before");
                }
                self.calls.push(call);
            }
            Event::Cancelled { question } => self.cancelled.push(question),
            Event::Finished { question } => {
                assert!(self.promised.contains(&question) && self.finished.insert(question));
            }
            Event::Answered { token: Some(CallToken(token)), status, content } => {
                self.end(token, End::Answered(status, content));
            }
            Event::Answered { token: None, content, .. } => self.unwanted.push(content),
            Event::Flushed { token: CallToken(token) } => self.end(token, End::Flushed),
            Event::PeerClosing => self.peer_is_closing = true,
            Event::PeerGone => assert!(!std::mem::replace(&mut self.peer_is_gone, true)),
            Event::HandedOver { token: CallToken(token) } => self.end(token, End::HandedOver),
            Event::Refused { token: CallToken(token) } => self.end(token, End::Refused),
            Event::Lost { token: CallToken(token), outcome } => self.end(token, End::Lost(outcome)),
            Event::Unexported { object } => self.unexported.push(object),
            Event::Watch { watch: WatchId(watch), object } => {
                assert_eq!(self.watched.insert(watch, object), None);
            }
            Event::Unwatch { watch: WatchId(watch) } => {
                assert!(self.watched.remove(&watch).is_some())
            }
            Event::WatchEnded { watch: WatchId(watch), .. } => {
                assert!(self.watches_ended.insert(watch))
            }
            Event::Suspended { reason } => {
                assert_eq!(self.suspended.replace(reason), None, "suspended twice");
            }
            Event::Resumed => self.suspended = None,
            Event::Closed { cause, .. } => self.closed = Some(cause),
        }
    }

    /// Invariant 4: each call ends exactly once.
    fn end(&mut self, token: usize, end: End) {
        let before = self.ended.insert(token, end);
        assert_eq!(before, None, "call {token} has ended before");
    }

    /// Takes the calls that have arrived, and returns their bodies.
    pub(super) fn bodies(&mut self) -> Vec<Vec<u8>> {
        self.calls.drain(..).map(|call| call.content.body.into_vec()).collect()
    }

    /// Returns the reason of a breach, if there was one.
    pub(super) fn breach(&self) -> Option<&str> {
        match &self.closed {
            Some(Cause::Breach { reason }) => Some(reason),
            _ => None,
        }
    }
}

/// Returns content without references.
pub(super) fn plain(body: &[u8]) -> Content {
    Content { body: Body::from_slice(body), references: Vec::new() }
}

/// Returns content of this size, in which a missing or misplaced part is detected.
pub(super) fn pattern(size: usize) -> Content {
    Content {
        body: Body::from_vec((0..size).map(|at| (at % 251) as u8).collect()),
        references: Vec::new(),
    }
}

/// Returns content with references.
pub(super) fn referring(body: &[u8], references: &[Descriptor]) -> Content {
    Content { references: references.to_vec(), ..plain(body) }
}
