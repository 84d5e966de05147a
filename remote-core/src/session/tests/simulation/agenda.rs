//! The agenda of the simulation: events with their times. The next one is taken out, and the time advances to it.
//!
//! It must not know what the events mean. Of two at one time, the one that was added first comes first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

/// One node's side of a session.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct At {
    /// The index of the node: one incarnation on one machine.
    pub(super) life: usize,
    pub(super) link: usize,
}

/// One end of a connection. End 0 has dialled.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct End {
    pub(super) connection: usize,
    pub(super) end: usize,
}

impl End {
    pub(super) fn other(self) -> End {
        End { end: 1 - self.end, ..self }
    }
}

/// An event of the simulation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum SimEvent {
    /// Bytes or a handshake message arrive at one end of a connection.
    Arrive(End),
    /// One end detects that its connection was cut.
    LossDetected(End),
    /// The handshake timeout of the side that dialled.
    DialTimeout(End),
    /// A connection is refused.
    DialRefused(End),
    /// The writer of a session runs.
    Write(At),
    /// The timer of a session fires.
    Wake(At),
    /// The next call that has arrived starts.
    StartCall(At),
    /// A session without a connection dials again.
    Redial(At),
    /// A gift expires, or a claim that waits for one does.
    Gifts { life: usize },
    /// The attempt to shorten a path has timed out.
    ShorteningTimeout { life: usize, proxy: usize },
    /// A partition in one direction heals.
    Heal { from: usize, to: usize },
    /// A stopped node continues.
    Continue { life: usize },
    /// A new process starts on a machine whose process was killed.
    Restart { place: usize },
}

impl SimEvent {
    /// Returns the node to which it happens, if that is one that can be stopped.
    pub(super) fn life(self) -> Option<usize> {
        match self {
            SimEvent::Write(at)
            | SimEvent::Wake(at)
            | SimEvent::StartCall(at)
            | SimEvent::Redial(at) => Some(at.life),
            SimEvent::Gifts { life } | SimEvent::ShorteningTimeout { life, .. } => Some(life),
            _ => None,
        }
    }
}

/// All events to come.
#[derive(Default)]
pub(super) struct Agenda {
    entries: BinaryHeap<Reverse<(Duration, u64, SimEvent)>>,
    entered: u64,
}

impl Agenda {
    pub(super) fn enter(&mut self, moment: Duration, event: SimEvent) {
        self.entered += 1;
        self.entries.push(Reverse((moment, self.entered, event)));
    }

    pub(super) fn next_moment(&self) -> Option<Duration> {
        self.entries.peek().map(|Reverse((moment, ..))| *moment)
    }

    pub(super) fn next(&mut self) -> Option<(Duration, SimEvent)> {
        self.entries.pop().map(|Reverse((moment, _, event))| (moment, event))
    }
}
