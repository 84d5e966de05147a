//! The end of a session: the last frame to the peer, and the outcome of each call in progress.
//!
//! It must not know the callers.

use super::event::{Cause, Event};
use super::incoming::Partials;
use super::machine::Session;
use super::questions::Progress;
use crate::error::Outcome;
use crate::wire::breach::Breach;
use crate::wire::frame::Frame;

impl Session {
    /// Ends the session in good order.
    pub(crate) fn close(&mut self, reason: &str) {
        self.send_close(0, reason);
        self.end(Cause::ClosedHere { reason: reason.to_owned() });
    }

    /// Ends the session after a failure, without notifying the peer.
    pub(crate) fn handle_failure(&mut self, reason: &str) {
        self.end(Cause::Lost { reason: reason.to_owned() });
    }

    /// Ends the session: another node answers at the peer's address, so the peer was restarted.
    pub(crate) fn handle_peer_restarted(&mut self) {
        self.end(Cause::Restarted);
    }

    /// Ends the session: the peer has ended it, and said so during a handshake.
    pub(crate) fn handle_peer_ended(&mut self, code: u64) {
        // A last frame with the peer's acknowledgement may be in transit on the connection. Without it, nothing is known
        // about the calls in progress.
        self.suspended = true;
        self.end_there(code, "the peer ended the session");
    }

    /// Ends the session because the peer has ended it. The peer then holds no references any more.
    pub(super) fn end_there(&mut self, code: u64, reason: &str) {
        let cause = match code {
            EXPIRED => Cause::Expired,
            _ => Cause::ClosedThere { reason: reason.to_owned() },
        };
        self.end(cause);
    }

    /// Ends the session because the lease has expired. Notifies the peer, if there is a connection.
    pub(super) fn expire(&mut self) {
        // A holder expires earlier than the owner: the peer may still rely on what this side exports.
        self.keeps_exports = self.now < self.lease.owner_end();
        self.send_close(EXPIRED, Cause::Expired.reason());
        self.end(Cause::Expired);
    }

    /// Releases all exports: the peer has ended the session, or its lease has expired.
    pub(super) fn unexport_all(&mut self) {
        self.keeps_exports = false;
        self.events.extend(self.exports.clear().map(|object| Event::Unexported { object }));
    }

    /// Gives up the connection after the end of the session: the peer does not take the last bytes.
    pub(crate) fn abandon(&mut self) {
        self.suspended = true;
        self.drop_unwritten();
        if self.keeps_exports {
            self.unexport_all();
        }
    }

    /// Drops the remaining output of an ended session, because it cannot be written.
    pub(crate) fn drop_unwritten(&mut self) {
        if self.closed.is_some() {
            self.outgoing.clear();
            self.retained.clear();
        }
    }

    /// Returns the code for a peer that tries to resume the session after its end.
    pub(crate) fn code(&self) -> u64 {
        if self.closed == Some(Cause::Expired) { EXPIRED } else { 0 }
    }

    /// Ends the session because the peer has violated the protocol.
    pub(super) fn breach(&mut self, breach: Breach) {
        let reason = breach.to_string();
        self.send_close(breach.code(), &reason);
        self.end(Cause::Breach { reason });
    }

    /// Appends a frame to the buffer. Does nothing after the end of the session: no frame follows `Close`.
    pub(super) fn send(&mut self, frame: &Frame<'_>) {
        if self.closed.is_none() {
            self.outgoing.frame(frame);
        }
    }

    /// Appends an acknowledgement of the frames that have arrived.
    pub(super) fn acknowledge(&mut self) {
        self.send(&Frame::Acknowledge { number: self.received });
        self.note_acknowledged();
    }

    pub(super) fn note_acknowledged(&mut self) {
        self.acknowledged = self.received;
        self.acknowledgement_due = false;
    }

    /// Ends the session: reports the outcome of each call in progress, and releases the exports.
    pub(super) fn end(&mut self, cause: Cause) {
        if self.closed.is_some() {
            return;
        }
        let has_unreceived = self.has_unreceived();
        for question in self.questions.clear() {
            if let (Some(token), Some(outcome)) =
                (question.token, self.outcome(question.progress, &cause))
            {
                self.events.push_back(Event::Lost { token, outcome });
            }
        }
        for token in self.flushes.take_all() {
            self.events.push_back(Event::Lost { token, outcome: Outcome::Unknown });
        }
        if !self.keeps_exports {
            self.unexport_all();
        }
        self.imports.clear();
        self.answers.clear();
        self.watches.clear();
        self.partial_calls = Partials::default();
        self.partial_answers = Partials::default();
        self.waiting.clear();
        self.withdrawn = 0;
        match cause {
            Cause::ClosedHere { .. } | Cause::Breach { .. } | Cause::Expired if !self.suspended => {
                self.outgoing.keep_what_is_ready();
                self.retained.keep_unwritten();
            }
            // A former connection may still transmit bytes: a call that is reported as not executed must not be among them.
            _ => {
                self.outgoing.clear();
                self.retained.clear();
            }
        }
        self.closed = Some(cause.clone());
        self.events.push_back(Event::Closed { cause, has_unreceived });
        if !self.keeps_exports {
            self.events.push_back(Event::PeerGone);
        }
    }

    /// Returns the outcome of a call that will not be answered; `None` if it was answered.
    fn outcome(&self, progress: Progress, cause: &Cause) -> Option<Outcome> {
        let last = match progress {
            Progress::Answered => return None,
            Progress::Waiting | Progress::Admitted | Progress::Sent(None) => {
                return Some(Outcome::NotExecuted);
            }
            Progress::Sent(Some(last)) => last,
        };
        let may_have_arrived = match cause {
            // The buffer is still written, before `Close`.
            Cause::ClosedHere { .. } | Cause::Breach { .. } | Cause::Expired if !self.suspended => {
                self.outgoing.last()
            }
            // Before `Close` the peer has acknowledged all frames that it has handled.
            Cause::ClosedThere { .. } if !self.suspended => self.acknowledged_by_peer,
            _ => self.transmitted,
        };
        Some(if last > may_have_arrived { Outcome::NotExecuted } else { Outcome::Unknown })
    }

    fn send_close(&mut self, code: u64, reason: &str) {
        // Acknowledges first: frames of the peer that are not acknowledged by now are not handled.
        self.acknowledge();
        self.send(&Frame::Close { code, reason: truncated(reason) });
    }
}

/// The code of a session whose lease has expired.
const EXPIRED: u64 = 32;

/// Returns the beginning of a text, so that it fits into a frame.
pub(super) fn truncated(text: &str) -> &str {
    const MAX_LENGTH: usize = 1024;
    let end = (0..=MAX_LENGTH.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}
