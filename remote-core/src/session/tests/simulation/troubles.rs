//! Owns when two places could not hear each other as they should, so that it is known which leases may end.
//!
//! It must not know why they could not.

use std::time::Duration;

/// Times of trouble.
#[derive(Default)]
pub(super) struct Troubles {
    times: Vec<Trouble>,
}

struct Trouble {
    /// With whom; everybody has it with a place that stopped.
    places: (usize, Option<usize>),
    until: Duration,
}

impl Troubles {
    /// There is trouble between two places, or one and all others, from now.
    pub(super) fn note(&mut self, places: (usize, Option<usize>), until: Duration) {
        self.times.push(Trouble { places, until });
    }

    /// Whether there was any between two places at some time after this.
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
