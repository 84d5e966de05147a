//! A queue of the frames that one side has sent and the other has not acknowledged, with their ages.
//!
//! It must not know what a frame means. It is stored inline in the state, because states are copied millions of times.

use std::fmt;
use std::hash::{Hash, Hasher};

use crate::frame::Frame;

/// The maximum number of unacknowledged frames. The last places are reserved for replies.
const CAPACITY: usize = 8;
const FOR_ANSWERS: usize = 2;

/// A frame, and the time since it was first sent.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Sent {
    pub(crate) frame: Frame,
    pub(crate) age: u8,
}

const NOTHING: Sent = Sent { frame: Frame::Renew, age: 0 };

/// The retained frames, oldest first. Empty places have a fixed value, so that equal queues are bitwise equal.
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

    /// Returns true if a program may send another frame.
    pub(crate) fn has_room(&self) -> bool {
        usize::from(self.length) + FOR_ANSWERS < CAPACITY
    }

    pub(crate) fn push(&mut self, frame: Frame) {
        // An overflow is a mistake in the model, and panics.
        self.places[usize::from(self.length)] = Sent { frame, age: 0 };
        self.length += 1;
    }

    pub(crate) fn at(&self, place: u8) -> Sent {
        self.sent()[usize::from(place)]
    }

    /// Returns the frames, oldest first.
    pub(crate) fn sent(&self) -> &[Sent] {
        &self.places[..usize::from(self.length)]
    }

    /// Removes the oldest frames.
    pub(crate) fn forget(&mut self, count: u8) {
        let rest = self.length - count;
        self.places.copy_within(usize::from(count)..usize::from(self.length), 0);
        self.places[usize::from(rest)..].fill(NOTHING);
        self.length = rest;
    }

    /// Ages all frames by one step, up to a maximum that no rule tells apart from more.
    pub(crate) fn advance(&mut self, oldest: u8) {
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
