//! Keepalive of a connection: when a ping is due, and when the peer has been silent for too long.
//!
//! It must not read a clock: the time is an argument, and is monotonic.

use std::time::{Duration, Instant};

/// The times of the last input and output.
pub(crate) struct Liveness {
    ping: Duration,
    silence: Duration,
    last_output: Instant,
    last_input: Instant,
}

/// The next action.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Due {
    Nothing,
    Ping,
    Lost,
}

impl Liveness {
    pub(crate) fn new(ping: Duration, silence: Duration, now: Instant) -> Liveness {
        Liveness { ping, silence, last_output: now, last_input: now }
    }

    pub(crate) fn note_input(&mut self, now: Instant) {
        self.last_input = now;
    }

    pub(crate) fn note_output(&mut self, now: Instant) {
        self.last_output = now;
    }

    pub(crate) fn due(&self, now: Instant) -> Due {
        if now >= self.last_input + self.silence {
            Due::Lost
        } else if now >= self.last_output + self.ping {
            Due::Ping
        } else {
            Due::Nothing
        }
    }

    /// Returns true if the check is so late that this side was probably stopped: then the peer's input waits to be read.
    pub(crate) fn is_late(&self, now: Instant) -> bool {
        now >= self.next() + self.silence / 4
    }

    /// Returns the time of the next check.
    pub(crate) fn next(&self) -> Instant {
        (self.last_output + self.ping).min(self.last_input + self.silence)
    }

    pub(crate) fn silence(&self) -> Duration {
        self.silence
    }
}
