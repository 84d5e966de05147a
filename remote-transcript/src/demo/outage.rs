//! Owns what befalls the demo when it is asked for trouble: a network that is cut, and a writer that is killed. Knows
//! nothing of how lines are counted.

use std::time::Instant;

use tokio::sync::watch;

use super::player::{Player, Stage, feed};
use super::relay::Relay;
use super::tally::Tally;
use super::{WRITERS, failed};
use crate::failure::Failure;

/// The lease of all processes, in seconds: a silent connection is given up after half of it, and after nine tenths the
/// session.
pub(super) const LEASE: &str = "6";

/// How few lines a writer may send so that there is a middle to be troubled in.
pub(super) const FEWEST: u64 = 8;

/// What trouble needs.
pub(super) struct Trouble<'d> {
    pub(super) stage: &'d Stage,
    pub(super) relay: &'d Relay,
    /// How many lines each writer sends.
    pub(super) lines: u64,
    /// What the watcher has shown.
    pub(super) seen: watch::Receiver<Tally>,
    /// How the second writer is started once more.
    pub(super) again: &'d [&'d str],
}

impl Trouble<'_> {
    /// Lets the writers write to the end, cuts the network meanwhile for longer than a connection survives, heals it before
    /// the leases end, and kills the second writer, which then begins anew.
    pub(super) async fn befall(
        mut self,
        watcher: &mut Player,
        writers: &mut [Player; 2],
    ) -> Result<(), Failure> {
        let (stage, lines, [ada, ben]) = (self.stage, self.lines, writers);
        // The rest waits until the network is cut, so that there are lines for which it is.
        let (open, opened) = watch::channel(lines / 4);
        let ada_fed = tokio::spawn(feed(ada.input()?, lines, opened.clone()));
        let ben_fed = tokio::spawn(feed(ben.input()?, lines, opened.clone()));
        for name in WRITERS {
            self.sees(name, lines / 8).await?;
        }

        self.relay.cut();
        let cut = Instant::now();
        stage.tell("    the network is cut; nobody is told").await;
        // Not all, so that the second writer is not done before it is killed.
        open.send_replace(lines * 7 / 8);
        for player in [&mut *watcher, ada, ben] {
            player.notes("connection lost", stage).await?;
        }
        let (lost, took) = (self.relay.lost().await, cut.elapsed().as_secs_f32());
        stage
            .tell(format_args!(
                "    the network is healed, after {took:.1} s; {lost} bytes were lost"
            ))
            .await;
        self.relay.heal();
        for player in [watcher, ada, ben] {
            player.notes("connected again", stage).await?;
        }

        let seen = self.sees(WRITERS[1], lines * 3 / 4).await?;
        ben.kill().await?;
        ben_fed.abort();
        stage
            .tell(format_args!("    {} is killed; {seen} of its lines have been shown", WRITERS[1]))
            .await;
        *ben = stage.enter(WRITERS[1], self.again).await?;
        ben.notes("have arrived before", stage).await?;
        // All lines once more: it leaves out what has arrived.
        let ben_fed = tokio::spawn(feed(ben.input()?, lines, opened));
        open.send_replace(lines);
        for fed in [ada_fed, ben_fed] {
            fed.await.map_err(failed)??;
        }
        ada.ends(stage).await?;
        ben.ends(stage).await
    }

    /// Waits until the watcher has shown so many lines of a writer; how many it has.
    async fn sees(&mut self, name: &str, lines: u64) -> Result<u64, Failure> {
        let seen = self.seen.wait_for(|seen| seen.from(name) >= lines).await;
        seen.map(|seen| seen.from(name)).map_err(failed)
    }
}
