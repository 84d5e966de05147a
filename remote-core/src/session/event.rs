//! The events of a session.
//!
//! Events are in the order in which their frames arrived, and must be handled in this order: a reference in one event must
//! be resolved before a later event releases it.

use super::header::CallHeader;
use crate::error::{Error, Outcome};
use crate::id::{CallToken, ObjectId, QuestionId, WatchId};
use crate::wire::content::Content;
use crate::wire::frame::{Status, Target};

/// An event for the driver.
#[derive(Debug)]
pub(crate) enum Event {
    /// A call has begun to arrive on whose answer the peer will pipeline.
    Promised { question: QuestionId },
    /// A call has arrived.
    Call(IncomingCall),
    /// The peer has cancelled its call.
    Cancelled { question: QuestionId },
    /// The peer will send no more messages to the answer.
    Finished { question: QuestionId },
    /// A call was answered. The token is that of the caller, unless the call was cancelled.
    Answered { token: Option<CallToken>, status: Status, content: Content },
    /// A one-way message has been admitted to the window and will be sent.
    HandedOver { token: CallToken },
    /// The peer has received the messages of a flush.
    Flushed { token: CallToken },
    /// The peer begins no more calls, and this side does not either.
    PeerClosing,
    /// A waiting call was refused by the deadlock timer.
    Refused { token: CallToken },
    /// A call will not be answered, because the session ended.
    Lost { token: CallToken, outcome: Outcome },
    /// The peer has released its last reference to an object.
    Unexported { object: ObjectId },
    /// The peer requests a notification of the end of an object.
    Watch { watch: WatchId, object: ObjectId },
    /// The peer has withdrawn such a request.
    Unwatch { watch: WatchId },
    /// An object that this side watches has ended.
    WatchEnded { watch: WatchId, stopped: bool, reason: String },
    /// The connection is lost. The session waits for another one.
    Suspended { reason: String },
    /// The session has resumed on another connection.
    Resumed,
    /// The session has ended. `has_unreceived` is true if the peer may not have received a message that was handed over.
    Closed { cause: Cause, has_unreceived: bool },
    /// The session has ended, and the peer's lease, too: it relies on nothing of this side any more.
    PeerGone,
}

/// The cause of the end of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// This side closed it.
    ClosedHere { reason: String },
    /// The peer closed it.
    ClosedThere { reason: String },
    /// The peer violated the protocol.
    Breach { reason: String },
    /// The session failed; no side closed it.
    Lost { reason: String },
    /// The lease expired, because for too long nothing arrived from the other side.
    Expired,
    /// The peer was restarted: another node answers at its address.
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

    /// Returns the error of a call with this outcome.
    pub(crate) fn error(&self, outcome: Outcome) -> Error {
        match (self, outcome) {
            (Cause::Expired, _) => Error::LeaseExpired,
            (Cause::Restarted, Outcome::NotExecuted) => Error::Stale,
            _ => Error::SessionLost { reason: self.reason().to_owned(), outcome },
        }
    }
}

/// A call that has arrived.
#[derive(Debug)]
pub(crate) struct IncomingCall {
    pub(crate) question: QuestionId,
    /// `None` if the peer named an object or an answer that it does not have.
    pub(crate) target: Option<Target>,
    pub(crate) header: CallHeader,
    pub(crate) content: Content,
}
