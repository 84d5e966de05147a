//! Owns what is to happen and when: the next is taken out, and time jumps to it.
//!
//! It must not know what the happenings mean. Of two at one moment the one that was entered first comes first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

/// One node's side of a session.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct At {
    /// The node: one life of one machine.
    pub(super) life: usize,
    pub(super) link: usize,
}

/// One end of a connection; the one that dialled is end 0.
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

/// What happens.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Happening {
    /// Something arrives at one end of a connection.
    Arrive(End),
    /// One end notices that its connection was cut.
    Notice(End),
    /// Who dialled has waited long enough.
    GiveUp(End),
    /// Nobody was there to be dialled.
    Nobody(End),
    /// The writer of a session is at work.
    Write(At),
    /// The timer of a session goes off.
    Wake(At),
    /// The next call that arrived is begun.
    Begin(At),
    /// A session without connection is to get another one.
    Redial(At),
    /// A gift has had its time, or a claim has waited long enough for it.
    Gifts { life: usize },
    /// A proxy has waited long enough for a shorter way.
    Stay { life: usize, proxy: usize },
    /// One machine hears another again.
    Heal { from: usize, to: usize },
    /// A machine that was stopped goes on.
    Continue { life: usize },
    /// A machine whose process was killed runs another one.
    Restart { place: usize },
}

impl Happening {
    /// The node to which it happens, if it is one that can be stopped meanwhile.
    pub(super) fn life(self) -> Option<usize> {
        match self {
            Happening::Write(at)
            | Happening::Wake(at)
            | Happening::Begin(at)
            | Happening::Redial(at) => Some(at.life),
            Happening::Gifts { life } | Happening::Stay { life, .. } => Some(life),
            _ => None,
        }
    }
}

/// All that is to happen.
#[derive(Default)]
pub(super) struct Agenda {
    entries: BinaryHeap<Reverse<(Duration, u64, Happening)>>,
    entered: u64,
}

impl Agenda {
    pub(super) fn enter(&mut self, moment: Duration, happening: Happening) {
        self.entered += 1;
        self.entries.push(Reverse((moment, self.entered, happening)));
    }

    pub(super) fn next_moment(&self) -> Option<Duration> {
        self.entries.peek().map(|Reverse((moment, ..))| *moment)
    }

    pub(super) fn next(&mut self) -> Option<(Duration, Happening)> {
        self.entries.pop().map(|Reverse((moment, _, happening))| (moment, happening))
    }
}
