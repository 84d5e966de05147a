//! A pair of owner and holder processes, and the record of their reports.
//!
//! It must not know the faults, nor how records are evaluated.

use std::net::TcpListener;
use std::time::Duration;

use futures::future::try_join_all;
use tokio::time::{Instant, sleep};

use crate::Result;
use crate::contestant::Contestant;
use crate::outcome::Record;
use crate::process::Process;
use crate::report::Report;
use crate::role::Role;

/// The time limit for starting a process: many start at once.
const START: Duration = Duration::from_secs(60);

pub(crate) struct Pair {
    contestant: Contestant,
    lease: Duration,
    port: u16,
    pub(crate) owner: Process,
    pub(crate) holder: Process,
    /// Processes that were started later, and must keep running.
    others: Vec<Process>,
}

impl Pair {
    /// Starts `count` pairs of each contestant, in the order of the contestants. The starts are spread over half a lease, so that
    /// a fault hits the pairs at different times since their last renewal.
    pub(crate) async fn start_all(
        contestants: &[Contestant],
        count: usize,
        lease: Duration,
    ) -> Result<Vec<Pair>> {
        let mut ports = free_ports(contestants.len() * count)?.into_iter();
        let mut starts = Vec::new();
        for contestant in contestants {
            for (index, port) in (0..).zip(ports.by_ref().take(count)) {
                let wait = lease / 2 * index / u32::try_from(count)?;
                starts.push(async move {
                    sleep(wait).await;
                    Pair::start(*contestant, port, lease).await
                });
            }
        }
        try_join_all(starts).await
    }

    async fn start(contestant: Contestant, port: u16, lease: Duration) -> Result<Pair> {
        let owner = owner(contestant, port, lease, 1).await?;
        let holder = holder(contestant, port, lease).await?;
        holder.wait_for_report(START, |report| *report == Report::Alive).await?;
        Ok(Pair { contestant, lease, port, owner, holder, others: Vec::new() })
    }

    /// Kills the owner, and starts another one on its port, which creates as many objects as the first one had.
    pub(crate) async fn restart(&mut self) -> Result<()> {
        self.owner.kill().await?;
        self.owner = owner(self.contestant, self.port, self.lease, 2).await?;
        self.others.push(holder(self.contestant, self.port, self.lease).await?);
        Ok(())
    }

    /// Starts a third process that requests objects and drops them, for a time.
    pub(crate) async fn churn(&mut self, time: Duration) -> Result<()> {
        let role = Role::Churner { port: self.port, time };
        let churner = Process::start(self.contestant.command(&role, self.lease)?)?;
        churner.wait_for_report(START, |report| matches!(report, Report::Dropped(_))).await?;
        self.others.push(churner);
        Ok(())
    }

    /// Reindexs the record from `begin` to now.
    pub(crate) fn record(&self, begin: Instant) -> Record {
        Record {
            begin,
            end: Instant::now(),
            owner: self.owner.lines(),
            holder: self.holder.lines(),
        }
    }

    /// Ends all processes of the pair.
    pub(crate) async fn end(mut self) -> Result<()> {
        self.holder.kill().await?;
        self.owner.kill().await?;
        for mut other in self.others {
            other.kill().await?;
        }
        Ok(())
    }
}

async fn owner(contestant: Contestant, port: u16, lease: Duration, life: u32) -> Result<Process> {
    let owner = Process::start(contestant.command(&Role::Owner { port, life }, lease)?)?;
    owner.wait_for_report(START, |report| *report == Report::Ready).await?;
    Ok(owner)
}

async fn holder(contestant: Contestant, port: u16, lease: Duration) -> Result<Process> {
    let holder = Process::start(contestant.command(&Role::Holder { port }, lease)?)?;
    holder.wait_for_report(START, |report| matches!(report, Report::Holds(_))).await?;
    Ok(holder)
}

/// Returns different free ports of the loopback interface.
fn free_ports(count: usize) -> Result<Vec<u16>> {
    let listeners: Vec<TcpListener> =
        (0..count).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<std::io::Result<_>>()?;
    Ok(listeners
        .iter()
        .map(|listener| Ok(listener.local_addr()?.port()))
        .collect::<std::io::Result<_>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_ports_differ() {
        let mut ports = free_ports(20).expect("enough ports are free");
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), 20);
    }
}
