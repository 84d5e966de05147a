//! Counts the entries of a remote log that did not arrive, from the numbers of those that did. It must not know the
//! log.

use std::sync::{Mutex, PoisonError};

/// The entries that have arrived so far.
#[derive(Default)]
pub(crate) struct GapCounter(Mutex<Count>);

#[derive(Default)]
struct Count {
    /// The number of the next entry; none before the first.
    next: Option<u64>,
    missed: u64,
}

impl GapCounter {
    /// Counts entries that have arrived, the first of them number `first`. Returns how many are missing before it.
    pub(crate) fn count(&self, first: u64, entries: usize) -> u64 {
        let mut count = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let gap = count.next.map_or(0, |next| first.saturating_sub(next));
        *count = Count { next: Some(first + entries as u64), missed: count.missed + gap };
        gap
    }

    /// Returns how many entries are missing in total.
    pub(crate) fn missed(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).missed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_counted_after_the_first_entry() {
        let gaps = GapCounter::default();
        assert_eq!(
            [gaps.count(7, 3), gaps.count(10, 1), gaps.count(15, 2), gaps.count(20, 1)],
            [0, 0, 4, 3]
        );
        assert_eq!(gaps.missed(), 7);
    }
}
