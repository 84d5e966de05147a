//! The clock of one node: monotonic, and a little faster or slower than true time.
//!
//! It must not know other clocks. True time is a `Duration` since the begin of the simulation, which nodes cannot read.

use std::time::{Duration, Instant};

/// The clock of one node.
pub(super) struct Clock {
    /// The time that it showed at the begin.
    start: Instant,
    /// The nanoseconds that it gains in a million.
    gain: i128,
}

const MILLION: i128 = 1_000_000;

impl Clock {
    pub(super) fn new(start: Instant, gain: i64) -> Clock {
        Clock { start, gain: gain.into() }
    }

    /// Returns the time that it shows at a moment.
    pub(super) fn shows(&self, moment: Duration) -> Instant {
        let nanoseconds = moment.as_nanos() as i128;
        let shown = nanoseconds + (nanoseconds * self.gain).div_euclid(MILLION);
        self.start + Duration::from_nanos(shown as u64)
    }

    /// Returns the first moment at which it shows this time.
    pub(super) fn moment(&self, shown: Instant) -> Duration {
        let shown = shown.saturating_duration_since(self.start).as_nanos() as i128;
        let mut moment = (shown * MILLION / (MILLION + self.gain) - 1).max(0) as u64;
        while self.shows(Duration::from_nanos(moment))
            < self.start + Duration::from_nanos(shown as u64)
        {
            moment += 1;
        }
        Duration::from_nanos(moment)
    }
}

#[test]
fn a_timer_fires_when_the_clock_shows_its_time() {
    let start = super::super::pair::epoch();
    for gain in [-10_000, -1, 0, 7, 10_000] {
        let clock = Clock::new(start, gain);
        for nanoseconds in [0, 1, 999, 1_000_003, 30_000_000_001, 3_600_000_000_007] {
            let shown = start + Duration::from_nanos(nanoseconds);
            let moment = clock.moment(shown);
            assert!(clock.shows(moment) >= shown);
            let before = moment.checked_sub(Duration::from_nanos(1));
            assert!(before.is_none_or(|before| clock.shows(before) < shown));
        }
    }
}
