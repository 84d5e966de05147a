//! The times at which two places could not reach each other, so that it is known which leases may expire.
//!
//! It must not know the causes.

use std::time::Duration;

/// The times of outages.
#[derive(Default)]
pub(super) struct Outages {
    times: Vec<Outage>,
}

struct Outage {
    /// The two places; one place and all others, if it was stopped.
    places: (usize, Option<usize>),
    until: Duration,
}

impl Outages {
    /// Notes an outage that begins now.
    pub(super) fn note(&mut self, places: (usize, Option<usize>), until: Duration) {
        self.times.push(Outage { places, until });
    }

    /// Returns true if there was an outage between two places after this time.
    pub(super) fn any_since(&self, since: Duration, one: usize, other: usize) -> bool {
        self.times.iter().any(|trouble| {
            let concerns = match trouble.places {
                (place, None) => place == one || place == other,
                (place, Some(second)) => {
                    (place, second) == (one, other) || (second, place) == (one, other)
                }
            };
            concerns && trouble.until >= since
        })
    }
}
