//! The outcome of a record: the state of the reference, and the objects that were freed.
//!
//! It must not know the fault, nor the contestant.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use crate::process::Line;
use crate::report::Report;

/// The first object of an owner's first incarnation: the one that the holder has.
pub(crate) const OBJECT: &str = "1.1";

/// A holder that has reported nothing for this time is in a call that hangs.
const SILENCE: Duration = Duration::from_secs(3);

/// The reports of one pair.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    /// The time at which the fault began.
    pub(crate) begin: Instant,
    /// The time at which the recording ended.
    pub(crate) end: Instant,
    pub(crate) owner: Vec<Line>,
    pub(crate) holder: Vec<Line>,
}

/// The state of a reference at the end.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum FinalState {
    /// Calls succeed.
    Alive,
    /// Calls reach another object.
    Wrong,
    /// Calls fail, with this kind of error.
    Lost(String),
    /// A call neither returns nor fails.
    Hangs,
}

impl Record {
    pub(crate) fn final_state(&self) -> FinalState {
        match self.holder.last() {
            Some(line) if line.at + SILENCE >= self.end => match &line.report {
                Report::Failed(kind) => FinalState::Lost(kind.clone()),
                Report::Wrong(_) => FinalState::Wrong,
                _ => FinalState::Alive,
            },
            _ => FinalState::Hangs,
        }
    }

    /// Returns the time from the fault until the held object was freed.
    pub(crate) fn freed(&self) -> Option<Duration> {
        let freed = Report::Freed(OBJECT.to_owned());
        self.owner.iter().find(|line| line.report == freed).map(|line| line.at - self.begin)
    }

    /// Returns the time from the fault to the first failed call.
    pub(crate) fn first_failure(&self) -> Option<Duration> {
        let failure = self.since_fault().find(|line| matches!(line.report, Report::Failed(_)));
        failure.map(|line| line.at - self.begin)
    }

    /// Returns the number of failed calls, by kind.
    pub(crate) fn failures(&self) -> BTreeMap<String, usize> {
        let mut failures = BTreeMap::new();
        for line in self.since_fault() {
            if let Report::Failed(kind) = &line.report {
                *failures.entry(kind.clone()).or_default() += 1;
            }
        }
        failures
    }

    /// Returns the number of calls that reached another object.
    pub(crate) fn wrong(&self) -> usize {
        self.since_fault().filter(|line| matches!(line.report, Report::Wrong(_))).count()
    }

    /// Returns the longest time without a successful call.
    pub(crate) fn pause(&self) -> Duration {
        let successes =
            self.holder.iter().filter(|line| line.report == Report::Alive).map(|line| line.at);
        let times: Vec<Instant> = successes.chain([self.end]).collect();
        times
            .windows(2)
            .filter(|gap| gap[1] >= self.begin)
            .map(|gap| gap[1] - gap[0])
            .max()
            .unwrap_or_default()
    }

    /// Returns the number of objects that were created, apart from the held one.
    pub(crate) fn dropped(&self) -> usize {
        self.others_made().count()
    }

    /// Returns the number of these that were not freed.
    pub(crate) fn leaked(&self) -> usize {
        let freed: BTreeSet<&String> = self
            .owner
            .iter()
            .filter_map(
                |line| if let Report::Freed(name) = &line.report { Some(name) } else { None },
            )
            .collect();
        self.others_made().filter(|name| !freed.contains(name)).count()
    }

    fn others_made(&self) -> impl Iterator<Item = &String> {
        self.owner.iter().filter_map(|line| match &line.report {
            Report::Made(name) if name != OBJECT => Some(name),
            _ => None,
        })
    }

    fn since_fault(&self) -> impl Iterator<Item = &Line> {
        self.holder.iter().filter(|line| line.at >= self.begin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes a record with the fault at second 10 and the end at second 40. Each line is a second and a report.
    fn record(owner: &[(u64, &str)], holder: &[(u64, &str)]) -> Record {
        let zero = Instant::now();
        let second = |second| zero + Duration::from_secs(second);
        let lines = |lines: &[(u64, &str)]| {
            lines
                .iter()
                .map(|(at, report)| Line {
                    at: second(*at),
                    report: report.parse().expect("a valid report"),
                })
                .collect()
        };
        Record { begin: second(10), end: second(40), owner: lines(owner), holder: lines(holder) }
    }

    #[test]
    fn the_last_report_counts_if_it_is_recent() {
        let final_state = |report| record(&[], &[(9, "alive"), (39, report)]).final_state();
        assert_eq!(final_state("alive"), FinalState::Alive);
        assert_eq!(final_state("wrong 2.1"), FinalState::Wrong);
        assert_eq!(final_state("failed Stale"), FinalState::Lost("Stale".to_owned()));
        assert_eq!(record(&[], &[(9, "alive"), (30, "alive")]).final_state(), FinalState::Hangs);
        assert_eq!(record(&[], &[]).final_state(), FinalState::Hangs);
    }

    #[test]
    fn failures_are_counted_after_the_fault() {
        let record = record(
            &[],
            &[
                (8, "failed Early"),
                (12, "failed Lost"),
                (13, "wrong 2.1"),
                (14, "failed Lost"),
                (20, "failed Stale"),
            ],
        );
        let expected = [("Lost".to_owned(), 2), ("Stale".to_owned(), 1)];
        assert_eq!(record.failures(), BTreeMap::from(expected));
        assert_eq!(record.first_failure(), Some(Duration::from_secs(2)));
        assert_eq!(record.wrong(), 1);
    }

    #[test]
    fn a_pause_lasts_until_the_next_success_or_the_end() {
        let pause = |holder: &[(u64, &str)]| record(&[], holder).pause().as_secs();
        assert_eq!(
            pause(&[(1, "alive"), (9, "alive"), (15, "failed Lost"), (22, "alive"), (39, "alive")]),
            17
        );
        assert_eq!(pause(&[(0, "alive"), (9, "alive"), (10, "alive")]), 30);
        assert_eq!(
            pause(&[(0, "alive"), (9, "alive"), (11, "alive"), (38, "alive"), (40, "alive")]),
            27
        );
    }

    #[test]
    fn leaked_objects_are_counted() {
        let record = record(
            &[
                (1, "ready"),
                (2, "made 1.1"),
                (3, "made 1.2"),
                (4, "made 1.3"),
                (5, "freed 1.2"),
                (25, "freed 1.1"),
            ],
            &[],
        );
        assert_eq!(record.freed(), Some(Duration::from_secs(15)));
        assert_eq!((record.dropped(), record.leaked()), (2, 1));
    }
}
