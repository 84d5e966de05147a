//! The number of methods that a thread is polling, each within the poll of the one before.
//!
//! It must not know methods.

use std::cell::Cell;

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    /// Counts how often the outermost method was left.
    static ROUND: Cell<u64> = const { Cell::new(0) };
}

/// Returns the number of methods that this thread is polling.
#[inline]
pub(super) fn depth() -> u32 {
    DEPTH.get()
}

/// Returns a number that is the same while the outermost of these methods is being polled.
pub(super) fn round() -> u64 {
    ROUND.get()
}

/// Counts a method that is being polled, until it is dropped.
pub(super) struct Level;

impl Level {
    #[inline]
    pub(super) fn enter() -> Level {
        DEPTH.set(DEPTH.get() + 1);
        Level
    }
}

impl Drop for Level {
    #[inline]
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
        if DEPTH.get() == 0 {
            ROUND.set(ROUND.get() + 1);
        }
    }
}
