//! Owns what a session makes of its connection: lost, it waits; given another one, it goes on where it was.
//!
//! It must not know how connections are made, nor how both sides have proved that they mean this session. What was not
//! acknowledged is sent again, and what had arrived is not looked at again: so each frame counts once.

use std::time::Instant;

use super::event::Event;
use super::machine::Session;
use crate::id::FrameNumber;
use crate::wire::breach::Breach;
use crate::wire::frame::Frame;

impl Session {
    /// The connection is lost. Calls in progress wait for the next one, as long as the lease runs.
    pub(crate) fn suspend(&mut self, reason: &str) {
        if self.closed.is_none() && !self.suspended {
            self.suspended = true;
            self.events.push_back(Event::Suspended { reason: reason.to_owned() });
        }
    }

    /// Notes that nobody listens at the peer's address. If no connection comes back, the session ends with this reason.
    pub(crate) fn handle_unreachable(&mut self) {
        self.missed = true;
    }

    /// There is another connection, on which the peer has said how far this side's frames had arrived. A connection that
    /// was there is over. If the peer has resumed already, and not before `asked`, it counts from then at the earliest.
    /// Otherwise it may never learn of the resumption: that it was there is no promise to wait, so it is asked.
    pub(crate) fn resume(&mut self, now: Instant, asked: Option<Instant>, arrived: FrameNumber) {
        if self.closed.is_some() {
            return;
        }
        self.now = now;
        self.suspended = false;
        self.missed = false;
        self.liveness.heard(now);
        // Also if this is the end: the peer may take it for a resumption, and count on what it holds from here.
        self.lease.heard(now);
        self.events.push_back(Event::Resumed);
        if let Err(breach) = self.receive_acknowledgement(arrived) {
            return self.breach(breach);
        }
        // Whatever is said on this connection, also if it is the last word, follows what was lost of the former one.
        self.retained.rewind();
        if self.lease.is_over_for_holder(now, self.holding()) {
            // It was over before the peer was asked: what a side relies on does not come back to it from the dead.
            return self.expire();
        }
        // The peer may have lost what it was told last.
        self.owes_acknowledgement = true;
        match asked {
            Some(asked) => self.lease.confirm(asked),
            None => {
                self.lease.renew(now);
                self.send(&Frame::Renew);
            }
        }
    }

    /// Everything up to this number has arrived there.
    pub(super) fn receive_acknowledgement(&mut self, number: FrameNumber) -> Result<(), Breach> {
        if number > self.transmitted {
            return Err(Breach::Acknowledgement);
        }
        if number > self.acknowledged_by_peer {
            self.acknowledged_by_peer = number;
            if let Some(sent) = self.retained.acknowledge(number) {
                self.lease.confirm(sent);
            }
        }
        Ok(())
    }
}
