//! Owns the frames that one side has sent and the other has not acknowledged, with their ages.
//!
//! It must not know what a frame means. It has its place in the state itself, because states are copied by the million.

use std::fmt;
use std::hash::{Hash, Hasher};

use crate::frame::Frame;

/// How many frames may be unacknowledged. Nothing of a program's is sent into the last places: they are for answers.
const CAPACITY: usize = 8;
const FOR_ANSWERS: usize = 2;

/// A frame, and how long ago it was first sent.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Sent {
    pub(crate) frame: Frame,
    pub(crate) age: u8,
}

const NOTHING: Sent = Sent { frame: Frame::Renew, age: 0 };

/// What is retained, oldest first. Empty places are all alike, so that equal queues are equal bit by bit.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Queue {
    places: [Sent; CAPACITY],
    length: u8,
}

impl Queue {
    pub(crate) const EMPTY: Queue = Queue { places: [NOTHING; CAPACITY], length: 0 };

    pub(crate) fn len(&self) -> u8 {
        self.length
    }

    /// Whether a program may send another one.
    pub(crate) fn has_room(&self) -> bool {
        usize::from(self.length) + FOR_ANSWERS < CAPACITY
    }

    pub(crate) fn push(&mut self, frame: Frame) {
        // A model that overflows is wrong, and has to be told so.
        self.places[usize::from(self.length)] = Sent { frame, age: 0 };
        self.length += 1;
    }

    pub(crate) fn at(&self, place: u8) -> Sent {
        self.sent()[usize::from(place)]
    }

    /// All of them, oldest first.
    pub(crate) fn sent(&self) -> &[Sent] {
        &self.places[..usize::from(self.length)]
    }

    /// Forgets the oldest ones.
    pub(crate) fn forget(&mut self, count: u8) {
        let rest = self.length - count;
        self.places.copy_within(usize::from(count)..usize::from(self.length), 0);
        self.places[usize::from(rest)..].fill(NOTHING);
        self.length = rest;
    }

    /// Time passes, as far as anybody cares.
    pub(crate) fn grow_older(&mut self, oldest: u8) {
        for sent in &mut self.places[..usize::from(self.length)] {
            sent.age = (sent.age + 1).min(oldest);
        }
    }
}

impl Hash for Queue {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.sent().hash(state);
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.sent().iter().map(|sent| (sent.frame, sent.age))).finish()
    }
}
