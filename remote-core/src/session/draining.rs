//! Waiting for what was handed over: the orderly end of a session, and flushes.
//!
//! It must not decide when the session ends.

use super::closing::SHUTTING_DOWN;
use super::event::Event;
use super::header::CallHeader;
use super::machine::Session;
use super::questions::Progress;
use crate::error::Error;
use crate::id::{CallToken, FrameNumber, QuestionId};
use crate::wire::frame::{Frame, Manner};

impl Session {
    /// Begins no more calls, and asks the peer for the same. Calls that continue a method or a stream are still sent.
    pub(crate) fn begin_closing(&mut self) {
        self.closing.begin();
        self.announce_closing();
    }

    /// Returns true if this side begins no more calls.
    pub(crate) fn is_closing(&self) -> bool {
        self.closing.has_begun()
    }

    /// Returns true if both sides begin no more calls, all that either handed over has arrived, and nothing is in progress, except
    /// for so many calls of the peer.
    pub(crate) fn is_drained(&self, own: u64) -> bool {
        self.closing.is_announced_by_peer()
            && self.questions.uncredited() == (0, 0)
            && self.answers.running() <= own
            && self.waiting.is_empty()
            && self.underway() == 0
    }

    /// Returns an error for a call that this side must not begin any more.
    pub(super) fn admit_new<S>(&self, header: &CallHeader<S>) -> Result<(), Error> {
        if self.is_closing() && header.is_new() {
            return Err(Error::Ended(SHUTTING_DOWN.into()));
        }
        Ok(())
    }

    /// Returns true if the announcement is to be sent: the calls that this side has begun precede it.
    pub(super) fn closing_due(&self) -> bool {
        self.closing.is_due() && self.waiting.is_empty() && self.outgoing.is_unblocked()
    }

    pub(super) fn announce_closing(&mut self) {
        if self.closing_due() {
            self.closing.note_announced();
            self.send(&Frame::Closing);
        }
    }

    /// Handles the announcement of the peer.
    pub(super) fn receive_closing(&mut self) {
        if self.closing.note_announced_by_peer() {
            self.events.push_back(Event::PeerClosing);
            self.begin_closing();
        }
    }

    /// Returns true if credit is to be sent: the peer may soon wait for it, or waits for all of it.
    pub(super) fn credit_due(&self) -> bool {
        self.answers.credit_due()
            || (self.closing.is_announced_by_peer() && self.answers.has_credit())
    }

    /// Requests an event when the peer has received all messages that were handed over before. Returns false if the session has
    /// ended.
    pub(crate) fn flush(&mut self, token: CallToken) -> bool {
        if self.closed.is_some() {
            return false;
        }
        let unsent = self.unsent().collect();
        self.flushes.add(token, unsent);
        self.finish_flushes();
        if !self.flushes.is_empty() {
            self.send(&Frame::Renew);
        }
        true
    }

    /// Withdraws a request. Returns false if it is complete.
    pub(crate) fn cancel_flush(&mut self, token: CallToken) -> bool {
        self.flushes.cancel(token)
    }

    /// Notes that a one-way message was admitted to the window. Its sender is notified; while the session closes, only when the
    /// peer has received the message, which may cross the end of the session.
    pub(super) fn hand_over(&mut self, message: QuestionId, token: CallToken) {
        if self.is_closing() {
            self.flushes.add_sender(token, message);
        } else {
            self.events.push_back(Event::HandedOver { token });
        }
    }

    /// Notes that a one-way message is sent in full, up to this frame.
    pub(super) fn note_one_way_sent(&mut self, message: QuestionId, last: FrameNumber) {
        if self.flushes.note_sent(message, last) {
            self.send(&Frame::Renew);
        }
    }

    /// Reports the requests for which everything is acknowledged.
    pub(super) fn finish_flushes(&mut self) {
        if !self.flushes.is_empty() {
            let done = self.flushes.take_done(self.acknowledged_by_peer);
            self.events.extend(done.into_iter().map(|token| Event::Flushed { token }));
        }
    }

    /// Returns true if the peer has not reported the receipt of all messages that were handed over.
    pub(super) fn has_unreceived(&self) -> bool {
        let is_executed = self.questions.uncredited() == (0, 0);
        let is_received = is_executed || self.flushes.last_sent() <= self.acknowledged_by_peer;
        !is_received || self.unsent().next().is_some()
    }

    /// Returns the one-way messages that were handed over and are not sent in full.
    fn unsent(&self) -> impl Iterator<Item = QuestionId> + '_ {
        let is_unsent = |progress| matches!(progress, Progress::Admitted | Progress::Sent(None));
        self.questions
            .iter()
            .filter(move |(_, open)| open.manner == Manner::OneWay && is_unsent(open.progress))
            .map(|(question, _)| question)
    }
}
