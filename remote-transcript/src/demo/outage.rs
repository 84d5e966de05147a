//! The option `--cut` of the demo: the network is cut, and a writer is killed. It must not know how lines are counted.

use std::time::Instant;

use tokio::sync::watch;

use super::process::{Console, Process, feed};
use super::relay::Relay;
use super::tally::Tally;
use super::{WRITERS, failed};
use crate::failure::Failure;

/// The lease of all processes, in seconds: a connection without input is closed after half of it, the session after
/// nine tenths.
pub(super) const LEASE: &str = "6";

/// The fewest lines of a writer: some must remain for each step.
pub(super) const FEWEST: u64 = 8;

/// An outage, and the processes that it affects.
pub(super) struct Outage<'d> {
    pub(super) console: &'d Console,
    pub(super) relay: &'d Relay,
    /// The number of lines that each writer sends.
    pub(super) lines: u64,
    /// The lines that the watcher has printed.
    pub(super) seen: watch::Receiver<Tally>,
    /// The arguments with which the second writer is started again.
    pub(super) again: &'d [&'d str],
}

impl Outage<'_> {
    /// Lets the writers send all lines. Meanwhile cuts the network until every connection is lost, restores it before the
    /// leases expire, kills the second writer, and starts it again.
    pub(super) async fn run(
        mut self,
        watcher: &mut Process,
        writers: &mut [Process; 2],
    ) -> Result<(), Failure> {
        let (console, lines, [ada, ben]) = (self.console, self.lines, writers);
        // The writers wait with the rest until the network is cut, so that lines are sent while it is.
        let (limit, limited) = watch::channel(lines / 4);
        let ada_fed = tokio::spawn(feed(ada.input()?, lines, limited.clone()));
        let ben_fed = tokio::spawn(feed(ben.input()?, lines, limited.clone()));
        for name in WRITERS {
            self.wait_for_lines(name, lines / 8).await?;
        }

        self.relay.cut();
        let cut = Instant::now();
        console.print("    the network is cut; no process is notified").await;
        // Not all, so that the second writer cannot finish before it is killed.
        limit.send_replace(lines * 7 / 8);
        for process in [&mut *watcher, ada, ben] {
            process.wait_for_note("connection lost", console).await?;
        }
        let (lost, took) = (self.relay.lost().await, cut.elapsed().as_secs_f32());
        console
            .print(format_args!(
                "    the network is restored, after {took:.1} s; {lost} bytes were lost"
            ))
            .await;
        self.relay.restore();
        for process in [watcher, ada, ben] {
            process.wait_for_note("connected again", console).await?;
        }

        let seen = self.wait_for_lines(WRITERS[1], lines * 3 / 4).await?;
        ben.kill().await?;
        ben_fed.abort();
        console
            .print(format_args!(
                "    {} is killed; {seen} of its lines have been printed",
                WRITERS[1]
            ))
            .await;
        *ben = console.start(WRITERS[1], self.again).await?;
        ben.wait_for_note("have arrived before", console).await?;
        // All lines again: the writer skips those that have arrived.
        let ben_fed = tokio::spawn(feed(ben.input()?, lines, limited));
        limit.send_replace(lines);
        for fed in [ada_fed, ben_fed] {
            fed.await.map_err(failed)??;
        }
        ada.wait(console).await?;
        ben.wait(console).await
    }

    /// Waits until the watcher has printed this many lines of a writer. Returns how many it has printed.
    async fn wait_for_lines(&mut self, name: &str, lines: u64) -> Result<u64, Failure> {
        let seen = self.seen.wait_for(|seen| seen.from(name) >= lines).await;
        seen.map(|seen| seen.from(name)).map_err(failed)
    }
}
