//! The comparison of contestants: medians of a record, and medians of its same-round ratios.

use contract::Workload;

use crate::figures::Measure;
use crate::placement::Placement;
use crate::rounds::{Record, Rounds};
use crate::statistics::{median, median_ratio};

/// A record together with what was to be played. Contestants and workloads are indices in [`Rounds`].
#[derive(Clone, Copy)]
pub(crate) struct Comparison<'a> {
    pub(crate) title: &'a str,
    pub(crate) rounds: &'a Rounds,
    pub(crate) record: &'a Record,
}

impl<'a> Comparison<'a> {
    /// Returns the contestant that the others are compared with, if it plays.
    pub(crate) fn baseline(self) -> Option<usize> {
        self.contestants().find(|contestant| self.name(*contestant) == self.rounds.baseline)
    }

    pub(crate) fn contestants(self) -> std::ops::Range<usize> {
        0..self.rounds.contestants.len()
    }

    pub(crate) fn workloads(self) -> std::ops::Range<usize> {
        0..self.rounds.workloads.len()
    }

    pub(crate) fn name(self, contestant: usize) -> &'a str {
        &self.rounds.contestants[contestant].name
    }

    pub(crate) fn workload(self, workload: usize) -> Workload {
        self.rounds.workloads[workload]
    }

    /// Returns the notation of a workload, and its placement if that is special.
    pub(crate) fn label(self, workload: usize) -> String {
        let workload = self.workload(workload);
        match self.rounds.one_core.placement(workload) {
            Placement::OneCore => format!("{workload}, one core"),
            Placement::Anywhere => workload.to_string(),
        }
    }

    /// Returns the measure of speed: bytes per second where the payload counts, otherwise operations per second.
    pub(crate) fn speed(self, workload: usize) -> Measure {
        if self.workload(workload).payload().is_some() { Measure::Volume } else { Measure::Rate }
    }

    /// Returns the median of a contestant's figures.
    pub(crate) fn median(
        self,
        contestant: usize,
        workload: usize,
        measure: Measure,
    ) -> Option<f64> {
        let values = self.values(contestant, workload, measure);
        median(values.into_iter().map(|(_, value)| value).collect())
    }

    /// Returns the median of the same-round ratios to the baseline.
    pub(crate) fn ratio(self, contestant: usize, workload: usize, measure: Measure) -> Option<f64> {
        let baseline = self.values(self.baseline()?, workload, measure);
        median_ratio(&self.values(contestant, workload, measure), &baseline)
    }

    /// Returns the median of the same-round ratios of a contestant's rate to its rate in another workload.
    pub(crate) fn growth(self, contestant: usize, workload: usize, first: usize) -> Option<f64> {
        let first = self.values(contestant, first, Measure::Rate);
        median_ratio(&self.values(contestant, workload, Measure::Rate), &first)
    }

    fn values(self, contestant: usize, workload: usize, measure: Measure) -> Vec<(u32, f64)> {
        let plays = self.record.plays.iter();
        plays
            .filter(|play| play.contestant == contestant && play.workload == workload)
            .filter_map(|play| Some((play.round, *play.figures.get(&measure)?)))
            .collect()
    }

    /// Returns the growth workloads in groups: those with objects, those with connections. Groups of fewer than two
    /// are left out.
    pub(crate) fn growth_groups(self) -> Vec<Vec<usize>> {
        let of = |has: fn(&Workload) -> bool| -> Vec<usize> {
            self.workloads().filter(|workload| has(&self.workload(*workload))).collect()
        };
        let groups = [
            of(|workload| matches!(workload, Workload::Table { .. })),
            of(|workload| matches!(workload, Workload::Idle { .. })),
        ];
        groups.into_iter().filter(|group| group.len() > 1).collect()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::Duration;

    use super::*;
    use crate::contestant::{CommandLine, Contestant};
    use crate::figures::Figures;
    use crate::placement::OneCore;
    use crate::rounds::Played;

    /// Rounds in which nothing is started.
    pub(crate) fn rounds(names: &[&str], workloads: &[&str]) -> Rounds {
        let contestant = |name: &&str| Contestant {
            name: (*name).into(),
            command: CommandLine::new("", [""; 0]),
        };
        Rounds {
            contestants: names.iter().map(contestant).collect(),
            workloads: workloads.iter().map(|text| text.parse().expect("known")).collect(),
            baseline: "raw".into(),
            rounds: 2,
            length: Duration::from_millis(500),
            one_core: OneCore::Latency,
        }
    }

    pub(crate) fn played(
        round: u32,
        contestant: usize,
        workload: usize,
        figures: &[(Measure, f64)],
    ) -> Played {
        let figures = figures.iter().copied().collect::<Figures>();
        Played { round, contestant, workload, figures }
    }

    #[test]
    fn growth_is_relative_to_the_same_round() {
        let rounds = rounds(&["ours"], &["table:10", "lat", "table:100", "idle:0"]);
        let mut record = Record::default();
        for (round, slower) in [(0, 1.0), (1, 10.0)] {
            record.plays.push(played(round, 0, 0, &[(Measure::Rate, 100.0 / slower)]));
            record.plays.push(played(round, 0, 2, &[(Measure::Rate, 90.0 / slower)]));
        }
        let comparison = Comparison { title: "", rounds: &rounds, record: &record };
        assert_eq!(comparison.growth_groups(), [vec![0, 2]]);
        assert_eq!(comparison.growth(0, 2, 0), Some(0.9));
        assert_eq!(comparison.growth(0, 3, 0), None);
        assert_eq!(comparison.baseline(), None);
    }
}
