//! Owns how far somebody has heard a log that is kept elsewhere, and how much of it was missed. Knows nothing of the log.

use std::sync::{Mutex, PoisonError};

/// What was heard so far.
#[derive(Default)]
pub(crate) struct Heard(Mutex<Count>);

#[derive(Default)]
struct Count {
    /// The number that should come next; none before the first.
    next: Option<u64>,
    missed: u64,
}

impl Heard {
    /// Counts entries that came, the first of them number `first`; gives how many are missing before it.
    pub(crate) fn count(&self, first: u64, entries: usize) -> u64 {
        let mut count = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let gap = count.next.map_or(0, |next| first.saturating_sub(next));
        *count = Count { next: Some(first + entries as u64), missed: count.missed + gap };
        gap
    }

    /// How many entries were missed.
    pub(crate) fn missed(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).missed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_counted_and_where_one_begins_is_no_gap() {
        let heard = Heard::default();
        assert_eq!(
            [heard.count(7, 3), heard.count(10, 1), heard.count(15, 2), heard.count(20, 1)],
            [0, 0, 4, 3]
        );
        assert_eq!(heard.missed(), 7);
    }
}
