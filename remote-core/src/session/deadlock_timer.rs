//! The timer that ends distributed deadlocks: nested calls that wait for the peer's window while no call completes.
//!
//! It must not know what the calls wait for. A call that a method makes may wait for window that is freed only when this
//! method returns, through any number of nodes, none of which sees the whole cycle. So nested calls are refused when the
//! queue has not advanced for one term of the lease. A call that is made outside of any method blocks nothing and waits
//! without limit.

use std::time::{Duration, Instant};

/// The term is counted in this many parts. A stop of this process, however long, counts as one part.
const PARTS: u32 = 4;

/// Counts the parts of a term in which the queue of waiting calls has not advanced.
pub(super) struct DeadlockTimer {
    part: Duration,
    passed: u32,
    next: Instant,
}

impl DeadlockTimer {
    pub(super) fn new(term: Duration, now: Instant) -> DeadlockTimer {
        let part = term / PARTS;
        DeadlockTimer { part, passed: 0, next: now + part }
    }

    /// Restarts the timer: the queue has advanced, or is empty.
    pub(super) fn reset(&mut self, now: Instant) {
        self.passed = 0;
        self.next = now + self.part;
    }

    /// Returns true if the queue has not advanced for a term. To be called only if it has not advanced since the last call.
    pub(super) fn has_expired(&mut self, now: Instant) -> bool {
        if now < self.next {
            return false;
        }
        self.passed += 1;
        self.next = now + self.part;
        self.passed >= PARTS
    }

    /// Returns the time at which to call `has_expired` next, while calls wait.
    pub(super) fn next(&self) -> Instant {
        self.next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERM: Duration = Duration::from_secs(20);
    const PART: Duration = Duration::from_secs(5);

    #[test]
    fn it_expires_when_nothing_has_advanced_for_a_term() {
        let begin = Instant::now();
        let mut timer = DeadlockTimer::new(TERM, begin);
        for part in 1..4 {
            assert!(!timer.has_expired(begin + part * PART), "{part}");
        }
        assert!(!timer.has_expired(begin + 4 * PART - PART / 2), "not yet");
        assert_eq!(timer.next(), begin + 4 * PART);
        assert!(timer.has_expired(begin + 4 * PART));
        timer.reset(begin + 4 * PART);
        assert!(!timer.has_expired(begin + 5 * PART), "it begins anew");
    }

    #[test]
    fn a_stopped_process_counts_as_one_part() {
        let begin = Instant::now();
        let mut timer = DeadlockTimer::new(TERM, begin);
        let late = begin + 100 * TERM;
        assert!(!timer.has_expired(late));
        assert_eq!(timer.next(), late + PART, "input that has arrived meanwhile is handled first");
    }
}
