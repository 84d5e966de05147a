//! The rounds: who plays what when, and the record of it. It owns the order, which interleaves the contestants so that
//! the machine's moods strike all of them, and must not know how a play is played.

use std::time::Duration;

use contract::{Result, Workload};

use crate::contestant::Contestant;
use crate::figures::Figures;
use crate::placement::OneCore;
use crate::play::{Outcome, play};

pub(crate) struct Rounds {
    pub(crate) contestants: Vec<Contestant>,
    pub(crate) workloads: Vec<Workload>,
    pub(crate) rounds: u32,
    pub(crate) length: Duration,
    pub(crate) one_core: OneCore,
}

/// What came of it.
#[derive(Default)]
pub(crate) struct Record {
    pub(crate) plays: Vec<Played>,
    pub(crate) failures: Vec<String>,
}

/// One play that yielded figures. Contestant and workload are their places in [`Rounds`].
pub(crate) struct Played {
    pub(crate) round: u32,
    pub(crate) contestant: usize,
    pub(crate) workload: usize,
    pub(crate) figures: Figures,
}

impl Rounds {
    /// Plays all of it. What fails is recorded, and the others go on.
    pub(crate) async fn play(&self) -> Result<Record> {
        let mut record = Record::default();
        for round in 0..self.rounds {
            for (workload, what) in self.workloads.iter().enumerate() {
                for contestant in order(self.contestants.len(), round) {
                    let who = &self.contestants[contestant];
                    eprintln!("round {} of {}: {what}, {}", round + 1, self.rounds, who.name);
                    match play(&who.binary, *what, self.length, self.one_core.placement(*what))
                        .await
                    {
                        Ok(Outcome::Played(figures)) => {
                            record.plays.push(Played { round, contestant, workload, figures });
                        }
                        Ok(Outcome::Unsupported) => {}
                        Err(error) => record.failures.push(format!(
                            "round {}: {what}, {}: {error}",
                            round + 1,
                            who.name
                        )),
                    }
                }
            }
        }
        Ok(record)
    }
}

/// Each round begins with another one.
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
