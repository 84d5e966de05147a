//! Owns what goes out: events for the driver, bytes for the peer, and when time matters next.
//!
//! It must not decide what is sent, only when: releases first, then chunks, then upkeep, in one write.

use std::time::Instant;

use super::event::Event;
use super::machine::Session;
use crate::wire::frame::Frame;

/// Acknowledge at the latest after so many frames, if nothing else is sent meanwhile.
const UNACKNOWLEDGED: u64 = 64;

impl Session {
    /// What happened, in the order in which it did.
    pub(crate) fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    pub(crate) fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// When `time_out` is to be called next, if nothing happens before.
    pub(crate) fn poll_timeout(&self) -> Instant {
        self.liveness.next()
    }

    /// Whether there is something to be written.
    pub(crate) fn wants_transmit(&self) -> bool {
        !self.outgoing.is_empty()
            || (self.closed.is_none()
                && (self.imports.has_releases()
                    || self.answers.owes_credit()
                    || self.received.0 - self.acknowledged.0 >= UNACKNOWLEDGED))
    }

    /// Hands over the bytes to be written next, and takes an empty buffer for them.
    pub(crate) fn poll_transmit(&mut self, now: Instant, empty: &mut Vec<u8>) {
        self.now = now;
        if self.closed.is_none() {
            self.imports.take_releases(|object, introductions| {
                self.outgoing.frame(&Frame::Release { object, introductions });
            });
            while let Some((whose, last)) = self.outgoing.chunk(self.questions.granted().bytes) {
                self.complete(whose, last);
            }
            if (self.answers.owes_credit() || self.outgoing.has_frames())
                && let Some((calls, bytes)) = self.answers.take_credit()
            {
                self.outgoing.frame(&Frame::Credit { calls, bytes });
            }
            let unacknowledged = self.received.0 - self.acknowledged.0;
            if unacknowledged >= UNACKNOWLEDGED
                || (unacknowledged > 0 && self.outgoing.has_frames())
            {
                self.acknowledge();
            }
        }
        self.outgoing.take(empty);
        self.transmitted = self.outgoing.last();
        if !empty.is_empty() {
            self.liveness.sent(now);
        }
        self.admit_waiting();
    }
}
