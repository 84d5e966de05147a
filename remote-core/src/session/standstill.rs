//! Owns how long calls wait for room while none is made: those that a method makes, for a term.
//!
//! It must not know what they wait for. A call that a method makes may wait for room that only the end of this method
//! makes, by way of any number of nodes of which none sees the whole circle; in the end all of them would wait for each
//! other. So once nothing has moved for a term, such calls are refused. One that is made outside of any method holds nobody
//! up: it waits for as long as it takes.

use std::time::{Duration, Instant};

/// In how many parts a term is waited. Of a time in which this side was stopped itself only one counts.
const PARTS: u32 = 4;

/// Since when nothing has moved.
pub(super) struct Standstill {
    part: Duration,
    passed: u32,
    next: Instant,
}

impl Standstill {
    pub(super) fn new(term: Duration, now: Instant) -> Standstill {
        let part = term / PARTS;
        Standstill { part, passed: 0, next: now + part }
    }

    /// Something moves, or nothing waits.
    pub(super) fn moved(&mut self, now: Instant) {
        self.passed = 0;
        self.next = now + self.part;
    }

    /// Nothing has moved since it was last asked. Whether that has lasted for a term.
    pub(super) fn lasts(&mut self, now: Instant) -> bool {
        if now < self.next {
            return false;
        }
        self.passed += 1;
        self.next = now + self.part;
        self.passed >= PARTS
    }

    /// When to ask again, as long as something waits.
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
    fn it_lasts_when_nothing_has_moved_for_a_term() {
        let begin = Instant::now();
        let mut standstill = Standstill::new(TERM, begin);
        for part in 1..4 {
            assert!(!standstill.lasts(begin + part * PART), "{part}");
        }
        assert!(!standstill.lasts(begin + 4 * PART - PART / 2), "not yet");
        assert_eq!(standstill.next(), begin + 4 * PART);
        assert!(standstill.lasts(begin + 4 * PART));
        standstill.moved(begin + 4 * PART);
        assert!(!standstill.lasts(begin + 5 * PART), "it begins anew");
    }

    #[test]
    fn of_the_time_in_which_this_side_was_stopped_little_counts() {
        let begin = Instant::now();
        let mut standstill = Standstill::new(TERM, begin);
        let late = begin + 100 * TERM;
        assert!(!standstill.lasts(late));
        assert_eq!(standstill.next(), late + PART, "what has arrived meanwhile is read first");
    }
}
