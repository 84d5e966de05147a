//! The output of a session: events for the driver, bytes for the peer, and the next time at which something is due.
//!
//! It must not decide what is sent, only the order in one write: releases, chunks, credit, then acknowledgements and pings.

use std::time::Instant;

use super::event::Event;
use super::lease::{self, Reads};
use super::machine::Session;
use super::retained::Block;
use crate::id::FrameNumber;
use crate::wire::frame::Frame;

/// The number of frames after which an acknowledgement is sent, even if nothing else is.
const MAX_UNACKNOWLEDGED: u64 = 64;

impl Session {
    /// Returns the next event, in order.
    pub(crate) fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    pub(crate) fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// Returns the time at which to call `handle_timeout`, if nothing happens before; `None` after the end of the session.
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

    /// Returns true if there is something to be written.
    pub(crate) fn wants_transmit(&self) -> bool {
        if self.suspended || (self.closed.is_none() && self.lease.in_grace_period(self.holding())) {
            return false;
        }
        self.retained.needs_retransmit()
            || (self.may_transmit() && !self.outgoing.is_empty())
            || (self.closed.is_none() && (self.control_due() || self.wants_more()))
    }

    /// Returns the bytes to be written next, if there are any.
    pub(crate) fn poll_transmit(&mut self, now: Instant) -> Option<Block> {
        self.now = now;
        if self.suspended {
            return None;
        }
        if self.closed.is_none() {
            // After a stop of this side the check comes first: its lease may have expired before the timer fires.
            match self.lease.due(now, self.holding(), Reads::Active) {
                lease::Due::GracePeriod if self.lease.in_grace_period(self.holding()) => {
                    return None;
                }
                lease::Due::Expired => self.expire(),
                lease::Due::GracePeriod | lease::Due::Nothing | lease::Due::Renewal => {}
            }
        }
        let block = match self.retained.next_retransmit() {
            Some(block) => {
                if self.closed.is_some() {
                    self.retained.keep_unwritten();
                }
                block
            }
            None if self.may_transmit() => self.transmit_all()?,
            None => self.transmit_control()?,
        };
        self.liveness.note_output(now);
        self.admit_waiting();
        Some(block)
    }

    /// Returns the buffer, after adding what is only sent together with other frames: releases, chunks, credit.
    fn transmit_all(&mut self) -> Option<Block> {
        if self.closed.is_none() {
            self.imports.take_releases(|object, introductions| {
                self.outgoing.frame(&Frame::Release { object, introductions });
            });
            while let Some((message, last)) = self.outgoing.chunk(self.questions.granted().bytes) {
                self.complete(message, last);
            }
            self.announce_closing();
            if (self.credit_due() || self.outgoing.has_frames())
                && let Some((calls, bytes)) = self.answers.take_credit()
            {
                self.outgoing.frame(&Frame::Credit { calls, bytes });
            }
            let piggyback = self.received > self.acknowledged && self.outgoing.has_frames();
            if piggyback || self.acknowledgement_due() {
                self.acknowledge();
            }
            if std::mem::take(&mut self.ping_due) {
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

    /// Returns an acknowledgement only, which is not retained: the limit of unacknowledged bytes is reached.
    fn transmit_control(&mut self) -> Option<Block> {
        if self.closed.is_some() || !self.control_due() {
            return None;
        }
        let (mut bytes, number) = (Vec::new(), FrameNumber(0));
        Frame::Acknowledge { number: self.received }.write(number, &mut bytes, |_| ());
        self.note_acknowledged();
        self.ping_due = false;
        Some(Block::new(bytes))
    }

    /// Returns true if an acknowledgement or a ping is due.
    fn control_due(&self) -> bool {
        self.ping_due || self.acknowledgement_due()
    }

    fn acknowledgement_due(&self) -> bool {
        self.acknowledgement_due || self.received.0 - self.acknowledged.0 >= MAX_UNACKNOWLEDGED
    }

    fn wants_more(&self) -> bool {
        self.may_transmit()
            && (self.imports.has_releases() || self.credit_due() || self.closing_due())
    }

    /// Returns true if more may be written that is retained until it is acknowledged.
    fn may_transmit(&self) -> bool {
        self.closed.is_some() || self.retained.len() < self.limits.unacknowledged
    }
}
