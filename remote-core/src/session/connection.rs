//! Suspending and resuming a session whose connection is lost.
//!
//! It must not know how connections are made, nor how the two sides prove that they resume this session. Frames that were
//! not acknowledged are retransmitted, and frames that had arrived are skipped, so that each frame is handled once.

use std::time::Instant;

use super::event::Event;
use super::machine::Session;
use crate::id::FrameNumber;
use crate::wire::breach::Breach;
use crate::wire::frame::Frame;

impl Session {
    /// Notes that the connection is lost. Calls in progress wait for the next one, as long as the lease lasts.
    pub(crate) fn suspend(&mut self, reason: &str) {
        if self.closed.is_none() && !self.suspended {
            self.suspended = true;
            self.events.push_back(Event::Suspended { reason: reason.to_owned() });
        }
    }

    /// Resumes the session on a new connection, which replaces the former one. `arrived` is the number of this side's last
    /// frame that the peer has received. If the peer has resumed already, in reply to a request of this side at `asked`,
    /// that renews the lease as of `asked`. Otherwise the peer may never learn that the session was resumed, so that the
    /// lease is renewed only by its acknowledgement.
    pub(crate) fn resume(&mut self, now: Instant, asked: Option<Instant>, arrived: FrameNumber) {
        if self.closed.is_some() {
            return;
        }
        self.now = now;
        self.suspended = false;
        self.liveness.note_input(now);
        // Also if the session ends below: the peer may consider it resumed, and rely on its lease from here.
        self.lease.note_input(now);
        self.events.push_back(Event::Resumed);
        if let Err(breach) = self.receive_acknowledgement(arrived) {
            return self.breach(breach);
        }
        // All frames on this connection, even a last one, follow the frames that were lost with the former connection.
        self.retained.rewind();
        if self.lease.is_over_for_holder(now, self.holding()) {
            // The lease had expired before the peer was asked: expired references do not become valid again.
            return self.expire();
        }
        // The last acknowledgement may be lost.
        self.acknowledgement_due = true;
        match asked {
            Some(asked) => self.lease.confirm(asked),
            None => {
                self.lease.renew(now);
                self.send(&Frame::Renew);
            }
        }
    }

    /// Handles an acknowledgement of all frames up to this number.
    pub(super) fn receive_acknowledgement(&mut self, number: FrameNumber) -> Result<(), Breach> {
        if number > self.transmitted {
            return Err(Breach::Acknowledgement);
        }
        if number > self.acknowledged_by_peer {
            self.acknowledged_by_peer = number;
            if let Some(sent) = self.retained.acknowledge(number) {
                self.lease.confirm(sent);
            }
            self.finish_flushes();
        }
        Ok(())
    }
}
