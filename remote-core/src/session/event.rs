//! Owns what a session tells its driver.
//!
//! Events come in the order in which their frames arrived, and are to be acted on in that order: a reference in one
//! must be resolved before a later one says that it was given back.

use std::sync::Arc;
use std::time::Duration;

use super::names::Name;
use crate::error::{Error, Outcome};
use crate::id::{CallToken, ObjectId, QuestionId, WatchId};
use crate::wire::content::Content;
use crate::wire::frame::{Manner, Status, Target};

/// What happened.
#[derive(Debug)]
pub(crate) enum Event {
    /// A call whose answer the peer will pipeline on has begun to arrive.
    Promised { question: QuestionId },
    /// A call arrived.
    Call(IncomingCall),
    /// The peer wants no answer to its call any more.
    Cancelled { question: QuestionId },
    /// The peer will pipeline nothing more on the answer.
    Finished { question: QuestionId },
    /// A call was answered; the token is the caller's, unless it gave up.
    Answered { token: Option<CallToken>, status: Status, content: Content },
    /// A message without answer has found room, and is on its way.
    HandedOver { token: CallToken },
    /// A call that waited for room was refused: none was made for a whole term.
    Refused { token: CallToken },
    /// A call will never be answered, because the session ended.
    Lost { token: CallToken, outcome: Outcome },
    /// The peer gave back its last reference to an object.
    Unexported { object: ObjectId },
    /// The peer asks to be told when an object ends.
    Watch { watch: WatchId, object: ObjectId },
    /// The peer does not ask any more.
    Unwatch { watch: WatchId },
    /// An object that this side watches has ended.
    WatchEnded { watch: WatchId, stopped: bool, reason: String },
    /// The connection is lost; the session waits for another.
    Suspended { reason: String },
    /// There is another connection.
    Resumed,
    /// The session is over.
    Closed { cause: Cause },
}

/// Why a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// This side closed it.
    ClosedHere { reason: String },
    /// The peer closed it.
    ClosedThere { reason: String },
    /// The peer broke a rule.
    Breach { reason: String },
    /// It cannot go on, though no side closed it.
    Lost { reason: String },
    /// The lease ended: for too long one side did not hear the other.
    Expired,
    /// The peer was restarted: what answers at its address is another node.
    Restarted,
}

impl Cause {
    pub(crate) fn reason(&self) -> &str {
        match self {
            Cause::ClosedHere { reason }
            | Cause::ClosedThere { reason }
            | Cause::Breach { reason }
            | Cause::Lost { reason } => reason,
            Cause::Expired => "the lease ended before a connection came back",
            Cause::Restarted => "the peer was restarted",
        }
    }

    /// What a caller is told of whose call this much is known.
    pub(crate) fn error(&self, outcome: Outcome) -> Error {
        match (self, outcome) {
            (Cause::Expired, _) => Error::LeaseExpired,
            (Cause::Restarted, Outcome::NotExecuted) => Error::Stale,
            _ => Error::SessionLost { reason: self.reason().to_owned(), outcome },
        }
    }
}

/// A call as it arrived.
#[derive(Debug)]
pub(crate) struct IncomingCall {
    pub(crate) question: QuestionId,
    /// `None` if the peer named what it was never given.
    pub(crate) target: Option<Target>,
    pub(crate) selector: Arc<Name>,
    pub(crate) manner: Manner,
    pub(crate) nesting: u8,
    /// Time left when it was sent.
    pub(crate) deadline: Option<Duration>,
    pub(crate) content: Content,
}
