//! What a record means: whether the reference lived, and what was freed. It must not know which fault it was, nor who played.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use crate::process::Line;
use crate::report::Said;

/// The first object of an owner's first life: the one that the holder has.
pub(crate) const OBJECT: &str = "1.1";

/// A holder that has said nothing for so long is in a call that does not end.
const SILENCE: Duration = Duration::from_secs(3);

/// What was heard of one pair.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    /// When the fault began.
    pub(crate) begin: Instant,
    /// When nobody listened any more.
    pub(crate) end: Instant,
    pub(crate) owner: Vec<Line>,
    pub(crate) holder: Vec<Line>,
}

/// How a reference stood at the end.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Standing {
    /// The object answers.
    Alive,
    /// Another object answers.
    Wrong,
    /// Calls fail, with this kind of error.
    Lost(String),
    /// A call neither answers nor fails.
    Hangs,
}

impl Record {
    pub(crate) fn standing(&self) -> Standing {
        match self.holder.last() {
            Some(line) if line.at + SILENCE >= self.end => match &line.said {
                Said::Failed(kind) => Standing::Lost(kind.clone()),
                Said::Wrong(_) => Standing::Wrong,
                _ => Standing::Alive,
            },
            _ => Standing::Hangs,
        }
    }

    /// From the fault until the held object was freed.
    pub(crate) fn freed(&self) -> Option<Duration> {
        let freed = Said::Freed(OBJECT.to_owned());
        self.owner.iter().find(|line| line.said == freed).map(|line| line.at - self.begin)
    }

    /// From the fault to the first call that failed.
    pub(crate) fn first_failure(&self) -> Option<Duration> {
        let failure = self.since_fault().find(|line| matches!(line.said, Said::Failed(_)));
        failure.map(|line| line.at - self.begin)
    }

    /// The calls that failed, by kind.
    pub(crate) fn failures(&self) -> BTreeMap<String, usize> {
        let mut failures = BTreeMap::new();
        for line in self.since_fault() {
            if let Said::Failed(kind) = &line.said {
                *failures.entry(kind.clone()).or_default() += 1;
            }
        }
        failures
    }

    /// The answers that another object gave.
    pub(crate) fn wrong(&self) -> usize {
        self.since_fault().filter(|line| matches!(line.said, Said::Wrong(_))).count()
    }

    /// The longest time without an answer, whatever came instead.
    pub(crate) fn pause(&self) -> Duration {
        let answers =
            self.holder.iter().filter(|line| line.said == Said::Alive).map(|line| line.at);
        let times: Vec<Instant> = answers.chain([self.end]).collect();
        times
            .windows(2)
            .filter(|gap| gap[1] >= self.begin)
            .map(|gap| gap[1] - gap[0])
            .max()
            .unwrap_or_default()
    }

    /// All objects but the held one: how many there were.
    pub(crate) fn dropped(&self) -> usize {
        self.others_made().count()
    }

    /// And how many of them are still there.
    pub(crate) fn leaked(&self) -> usize {
        let freed: BTreeSet<&String> = self
            .owner
            .iter()
            .filter_map(|line| if let Said::Freed(name) = &line.said { Some(name) } else { None })
            .collect();
        self.others_made().filter(|name| !freed.contains(name)).count()
    }

    fn others_made(&self) -> impl Iterator<Item = &String> {
        self.owner.iter().filter_map(|line| match &line.said {
            Said::Made(name) if name != OBJECT => Some(name),
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

    /// The fault is at second 10, the end at second 40. Each line is a second and what was said then.
    fn record(owner: &[(u64, &str)], holder: &[(u64, &str)]) -> Record {
        let zero = Instant::now();
        let second = |second| zero + Duration::from_secs(second);
        let lines = |lines: &[(u64, &str)]| {
            lines
                .iter()
                .map(|(at, said)| Line {
                    at: second(*at),
                    said: said.parse().expect("of the contract"),
                })
                .collect()
        };
        Record { begin: second(10), end: second(40), owner: lines(owner), holder: lines(holder) }
    }

    #[test]
    fn the_last_word_counts_if_it_is_recent() {
        let standing = |said| record(&[], &[(9, "alive"), (39, said)]).standing();
        assert_eq!(standing("alive"), Standing::Alive);
        assert_eq!(standing("wrong 2.1"), Standing::Wrong);
        assert_eq!(standing("failed Stale"), Standing::Lost("Stale".to_owned()));
        assert_eq!(record(&[], &[(9, "alive"), (30, "alive")]).standing(), Standing::Hangs);
        assert_eq!(record(&[], &[]).standing(), Standing::Hangs);
    }

    #[test]
    fn failures_count_from_the_fault_on() {
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
    fn a_pause_reaches_from_answer_to_answer_or_to_the_end() {
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
    fn what_is_freed_is_told_from_what_leaks() {
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
