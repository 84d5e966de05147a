//! The rounds: which contestant plays which workload when, and the record of the figures.
//!
//! Contestants alternate workload by workload, so that a machine that is slow for a while is slow for all of them.

use std::time::Duration;

use contract::Workload;

use crate::contestant::Contestant;
use crate::figures::Figures;
use crate::placement::OneCore;
use crate::play::{Outcome, play};
use crate::progress::Progress;

/// The plays to run.
pub(crate) struct Rounds {
    pub(crate) contestants: Vec<Contestant>,
    pub(crate) workloads: Vec<Workload>,
    /// The name of the contestant that the others are compared with.
    pub(crate) baseline: String,
    pub(crate) rounds: u32,
    pub(crate) length: Duration,
    pub(crate) one_core: OneCore,
}

/// The results of the plays.
#[derive(Default)]
pub(crate) struct Record {
    pub(crate) plays: Vec<Played>,
    pub(crate) failures: Vec<String>,
}

/// A play that yielded figures. Contestant and workload are indices in [`Rounds`].
pub(crate) struct Played {
    pub(crate) round: u32,
    pub(crate) contestant: usize,
    pub(crate) workload: usize,
    pub(crate) figures: Figures,
}

impl Rounds {
    /// Plays everything. A failed play is recorded, and the others go on.
    pub(crate) async fn play(&self) -> Record {
        let mut record = Record::default();
        let per_round = self.workloads.len() * self.contestants.len();
        let mut progress = Progress::new(self.rounds, per_round);
        for round in 0..self.rounds {
            for (workload, what) in self.workloads.iter().enumerate() {
                for contestant in order(self.contestants.len(), round) {
                    let Contestant { name, command } = &self.contestants[contestant];
                    progress.begin(&format!("{what}, {name}"));
                    let placement = self.one_core.placement(*what);
                    match play(command, *what, self.length, placement).await {
                        Ok(Outcome::Played(figures)) => {
                            record.plays.push(Played { round, contestant, workload, figures });
                        }
                        Ok(Outcome::Unsupported) => {}
                        Err(error) => {
                            let failure = format!("round {}: {what}, {name}: {error}", round + 1);
                            progress.report(&format!("failed: {failure}"));
                            record.failures.push(failure);
                        }
                    }
                    progress.end();
                }
            }
        }
        record
    }
}

/// Returns the order of contestants in a round. Each round begins with another one.
fn order(contestants: usize, round: u32) -> impl Iterator<Item = usize> {
    (0..contestants).map(move |place| (place + round as usize) % contestants)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_round_begins_with_another_contestant() {
        let orders: Vec<Vec<usize>> = (0..4).map(|round| order(3, round).collect()).collect();
        assert_eq!(orders, [[0, 1, 2], [1, 2, 0], [2, 0, 1], [0, 1, 2]]);
        assert_eq!(order(0, 1).count(), 0);
    }
}
