//! Counts the lines of each sender's series: those that were sent with `show --continue`. It must not know the lines.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The most series: it is unknown when one will not be continued.
const MOST: usize = 10_000;

/// The series of all senders.
#[derive(Default)]
pub(crate) struct Series(Mutex<HashMap<String, Arrived>>);

/// The number of lines of a series that have arrived. Locked while lines are added, in the order of the requests, so
/// that two processes of one sender do not interleave.
type Arrived = Arc<tokio::sync::Mutex<u64>>;

/// There is no room for another series.
#[derive(Debug, PartialEq)]
pub(crate) struct TooMany;

impl Series {
    /// Returns the series of this sender.
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
    fn the_number_of_series_is_bounded() {
        let series = Series::default();
        for number in 0..MOST {
            *series.of(&number.to_string()).unwrap().try_lock().unwrap() = 1;
        }
        assert_eq!(series.of("another").unwrap_err(), TooMany);
        assert_eq!(
            *series.of("7").unwrap().try_lock().unwrap(),
            1,
            "existing series can be continued"
        );
    }
}
