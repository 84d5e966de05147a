//! Owns the end of a session: what the peer is told last, and what is known about each call in progress.
//!
//! It must not know who waits for them.

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
        self.say_goodbye(0, reason);
        self.end(Cause::ClosedHere { reason: reason.to_owned() });
    }

    /// Ends a session that cannot go on, without a word to the peer.
    pub(crate) fn handle_failure(&mut self, reason: &str) {
        self.end(Cause::Lost { reason: reason.to_owned() });
    }

    /// Ends the session: another node answers at the peer's address, so the peer was restarted.
    pub(crate) fn handle_peer_restarted(&mut self) {
        self.end(Cause::Restarted);
    }

    /// Ends the session: the peer has ended it, and said so during a handshake.
    pub(crate) fn handle_peer_ended(&mut self, code: u64) {
        // If it has a connection, its last word may be on its way there, and with it how far this side's frames had come:
        // without that nothing is known of them.
        self.suspended = true;
        self.end_there(code, "the peer ended the session");
    }

    /// The peer has ended it: so it holds nothing any more.
    pub(super) fn end_there(&mut self, code: u64, reason: &str) {
        let cause = match code {
            EXPIRED => Cause::Expired,
            _ => Cause::ClosedThere { reason: reason.to_owned() },
        };
        self.end(cause);
    }

    /// The lease ended. A peer that can still hear is told.
    pub(super) fn expire(&mut self) {
        // As a holder this side gives up sooner than the peer may rely on what this side has.
        self.keeps_exports = self.now < self.lease.owner_end();
        self.say_goodbye(EXPIRED, Cause::Expired.reason());
        self.end(if self.missed {
            Cause::Lost { reason: "nobody listens at the peer's address any more".into() }
        } else {
            Cause::Expired
        });
    }

    /// The peer holds nothing of this side's any more: it has said so, or its lease is over.
    pub(super) fn unexport_all(&mut self) {
        self.keeps_exports = false;
        self.events.extend(self.exports.clear().map(|object| Event::Unexported { object }));
    }

    /// What is written last cannot be written: nobody takes it.
    pub(crate) fn keep_last_word(&mut self) {
        if self.closed.is_some() {
            self.outgoing.clear();
            self.retained.clear();
        }
    }

    /// The code by which a peer that asks is told that the session is over.
    pub(crate) fn code(&self) -> u64 {
        if self.closed == Some(Cause::Expired) { EXPIRED } else { 0 }
    }

    /// The peer broke a rule.
    pub(super) fn breach(&mut self, breach: Breach) {
        let reason = breach.to_string();
        self.say_goodbye(breach.code(), &reason);
        self.end(Cause::Breach { reason });
    }

    /// Makes a frame ready, unless the session is over: nothing follows the last word.
    pub(super) fn send(&mut self, frame: &Frame<'_>) {
        if self.closed.is_none() {
            self.outgoing.frame(frame);
        }
    }

    /// Tells the peer how far its frames have arrived.
    pub(super) fn acknowledge(&mut self) {
        self.send(&Frame::Acknowledge { number: self.received });
        self.note_acknowledged();
    }

    pub(super) fn note_acknowledged(&mut self) {
        self.acknowledged = self.received;
        self.owes_acknowledgement = false;
    }

    /// Ends the session: every call in progress is told what is known, every export is given back.
    pub(super) fn end(&mut self, cause: Cause) {
        if self.closed.is_some() {
            return;
        }
        for question in self.questions.clear() {
            if let (Some(token), Some(outcome)) =
                (question.token, self.outcome(question.progress, &cause))
            {
                self.events.push_back(Event::Lost { token, outcome });
            }
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
            // A connection given up may still carry bytes: what is told to be not executed must not go out after all.
            _ => {
                self.outgoing.clear();
                self.retained.clear();
            }
        }
        self.closed = Some(cause.clone());
        self.events.push_back(Event::Closed { cause });
    }

    /// What is known about a call that will not be answered; nothing if it was.
    fn outcome(&self, progress: Progress, cause: &Cause) -> Option<Outcome> {
        let last = match progress {
            Progress::Answered => return None,
            Progress::Waiting | Progress::Admitted | Progress::Sent(None) => {
                return Some(Outcome::NotExecuted);
            }
            Progress::Sent(Some(last)) => last,
        };
        let may_have_arrived = match cause {
            // What was ready goes out before the last word.
            Cause::ClosedHere { .. } | Cause::Breach { .. } | Cause::Expired if !self.suspended => {
                self.outgoing.last()
            }
            // Before its last word the peer told how far it had come; it looks at nothing later.
            Cause::ClosedThere { .. } if !self.suspended => self.acknowledged_by_peer,
            _ => self.transmitted,
        };
        Some(if last > may_have_arrived { Outcome::NotExecuted } else { Outcome::Unknown })
    }

    fn say_goodbye(&mut self, code: u64, reason: &str) {
        // What the peer has of ours in progress is over: what was not acknowledged by now was not executed.
        self.acknowledge();
        self.send(&Frame::Close { code, reason: shortened(reason) });
    }
}

/// The code of a session that ended with its lease.
const EXPIRED: u64 = 32;

/// Text for the peer that fits into a frame.
pub(super) fn shortened(text: &str) -> &str {
    const LONGEST: usize = 1024;
    let end = (0..=LONGEST.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}
