//! Owns what goes out: events for the driver, bytes for the peer, and when time matters next.
//!
//! It must not decide what is sent, only when: releases first, then chunks, then upkeep, in one write.

use std::time::Instant;

use super::event::Event;
use super::lease::{self, Reads};
use super::machine::Session;
use super::retained::Block;
use crate::id::FrameNumber;
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

    /// When `handle_timeout` is to be called next, if nothing happens before; never, if the session is over.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        if self.keeps_exports {
            return Some(self.lease.owner_end());
        }
        let lease = self.lease.next(self.holding());
        let mut next = lease;
        if !self.suspended {
            next = next.min(self.liveness.next());
            if !self.waiting.is_empty() {
                next = next.min(self.deadlock_timer.next());
            }
        }
        self.closed.is_none().then_some(next)
    }

    /// Whether there is something to be written.
    pub(crate) fn wants_transmit(&self) -> bool {
        if self.suspended || (self.closed.is_none() && self.lease.is_reading(self.holding())) {
            return false;
        }
        self.retained.wants_again()
            || (self.may_transmit() && !self.outgoing.is_empty())
            || (self.closed.is_none() && (self.owes_upkeep() || self.wants_more()))
    }

    /// Hands over the bytes to be written next, if there are any.
    pub(crate) fn poll_transmit(&mut self, now: Instant) -> Option<Block> {
        self.now = now;
        if self.suspended {
            return None;
        }
        if self.closed.is_none() {
            // Who was stopped itself may be here before its timer: nothing is asked of what it may have lost.
            match self.lease.due(now, self.holding(), Reads::Active) {
                lease::Due::Reading if self.lease.is_reading(self.holding()) => return None,
                lease::Due::End => self.expire(),
                lease::Due::Reading | lease::Due::Nothing | lease::Due::Renewal => {}
            }
        }
        let block = match self.retained.again() {
            Some(block) => {
                if self.closed.is_some() {
                    self.retained.keep_unwritten();
                }
                block
            }
            None if self.may_transmit() => self.transmit_all()?,
            None => self.transmit_upkeep()?,
        };
        self.liveness.sent(now);
        self.admit_waiting();
        Some(block)
    }

    /// Everything that is ready, and what is sent only when something can be: releases, chunks, credit.
    fn transmit_all(&mut self) -> Option<Block> {
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
            let rides = self.received > self.acknowledged && self.outgoing.has_frames();
            if rides || self.owes_acknowledgement() {
                self.acknowledge();
            }
            if std::mem::take(&mut self.owes_ping) {
                self.outgoing.frame(&Frame::Ping);
            }
        }
        if !self.outgoing.has_frames() {
            return None;
        }
        let bytes = self.outgoing.take(self.retained.buffer());
        let last = self.outgoing.last();
        if last == self.transmitted {
            return Some(Block::new(bytes));
        }
        self.transmitted = last;
        if self.closed.is_some() {
            return Some(Block::new(bytes));
        }
        Some(self.retained.keep(last, self.now, bytes))
    }

    /// Only what need not be kept: so much is not acknowledged that nothing else may be written.
    fn transmit_upkeep(&mut self) -> Option<Block> {
        if self.closed.is_some() || !self.owes_upkeep() {
            return None;
        }
        let (mut bytes, number) = (Vec::new(), FrameNumber(0));
        Frame::Acknowledge { number: self.received }.write(number, &mut bytes, |_| ());
        self.note_acknowledged();
        self.owes_ping = false;
        Some(Block::new(bytes))
    }

    /// Whether the peer waits for a sign of life.
    fn owes_upkeep(&self) -> bool {
        self.owes_ping || self.owes_acknowledgement()
    }

    fn owes_acknowledgement(&self) -> bool {
        self.owes_acknowledgement || self.received.0 - self.acknowledged.0 >= UNACKNOWLEDGED
    }

    fn wants_more(&self) -> bool {
        self.may_transmit() && (self.imports.has_releases() || self.answers.owes_credit())
    }

    /// Whether more may be written that is to be kept until it is acknowledged.
    fn may_transmit(&self) -> bool {
        self.closed.is_some() || self.retained.len() < self.limits.unacknowledged
    }
}
