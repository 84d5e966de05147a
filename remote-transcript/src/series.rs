//! Owns how far the numbered lines of each sender have arrived. Knows nothing of the lines.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How many there are at most: nobody says when a series will not go on.
const MOST: usize = 10_000;

/// The series of all senders.
#[derive(Default)]
pub(crate) struct Series(Mutex<HashMap<String, Arrived>>);

/// How many lines of a series have arrived. Locked by whoever adds to them, first come, first served: so lines of two lives
/// of one sender are in one order.
type Arrived = Arc<tokio::sync::Mutex<u64>>;

/// There is no room for another series.
#[derive(Debug, PartialEq)]
pub(crate) struct TooMany;

impl Series {
    /// The series of this sender.
    pub(crate) fn of(&self, sender: &str) -> Result<Arrived, TooMany> {
        let mut series = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(arrived) = series.get(sender) {
            return Ok(Arc::clone(arrived));
        }
        if series.len() >= MOST {
            return Err(TooMany);
        }
        Ok(Arc::clone(series.entry(sender.to_owned()).or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_cannot_fill_the_memory_with_names() {
        let series = Series::default();
        for number in 0..MOST {
            *series.of(&number.to_string()).unwrap().try_lock().unwrap() = 1;
        }
        assert_eq!(series.of("another").unwrap_err(), TooMany);
        assert_eq!(*series.of("7").unwrap().try_lock().unwrap(), 1, "those that are there go on");
    }
}
