//! Owns when a ping is due, and when the peer has been silent for too long.
//!
//! It must not read a clock: time is passed in, and is monotonic.

use std::time::{Duration, Instant};

/// When each side was last heard.
pub(crate) struct Liveness {
    ping: Duration,
    silence: Duration,
    sent: Instant,
    heard: Instant,
}

/// What is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Due {
    Nothing,
    Ping,
    Lost,
}

impl Liveness {
    pub(crate) fn new(ping: Duration, silence: Duration, now: Instant) -> Liveness {
        Liveness { ping, silence, sent: now, heard: now }
    }

    pub(crate) fn heard(&mut self, now: Instant) {
        self.heard = now;
    }

    pub(crate) fn sent(&mut self, now: Instant) {
        self.sent = now;
    }

    pub(crate) fn due(&self, now: Instant) -> Due {
        if now >= self.heard + self.silence {
            Due::Lost
        } else if now >= self.sent + self.ping {
            Due::Ping
        } else {
            Due::Nothing
        }
    }

    /// Whether this side comes so late that it was stopped itself: what the peer said meanwhile waits to be read.
    pub(crate) fn is_late(&self, now: Instant) -> bool {
        now >= self.next() + self.silence / 4
    }

    /// When to ask again.
    pub(crate) fn next(&self) -> Instant {
        (self.sent + self.ping).min(self.heard + self.silence)
    }

    pub(crate) fn silence(&self) -> Duration {
        self.silence
    }
}
