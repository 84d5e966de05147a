//! An owner and a holder that play together, and what is recorded of them. It must not know what is done to them, nor what
//! it means.

use std::net::TcpListener;
use std::time::Duration;

use futures::future::try_join_all;
use tokio::time::{Instant, sleep};

use crate::Result;
use crate::contestant::Contestant;
use crate::outcome::Record;
use crate::process::Process;
use crate::report::Said;
use crate::role::Role;

/// How long a process may take to start: many do at once.
const START: Duration = Duration::from_secs(60);

pub(crate) struct Pair {
    contestant: Contestant,
    lease: Duration,
    port: u16,
    pub(crate) owner: Process,
    pub(crate) holder: Process,
    /// Whoever came later, and has to stay.
    others: Vec<Process>,
}

impl Pair {
    /// As many of each contestant, in the order of the contestants. They start one after the other within half a lease,
    /// so that a fault meets them at different times since they last renewed.
    pub(crate) async fn start_all(
        contestants: &[Contestant],
        count: usize,
        lease: Duration,
    ) -> Result<Vec<Pair>> {
        let mut ports = free_ports(contestants.len() * count)?.into_iter();
        let mut starts = Vec::new();
        for contestant in contestants {
            for (turn, port) in (0..).zip(ports.by_ref().take(count)) {
                let wait = lease / 2 * turn / u32::try_from(count)?;
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
        holder.says(START, |said| *said == Said::Alive).await?;
        Ok(Pair { contestant, lease, port, owner, holder, others: Vec::new() })
    }

    /// The owner dies, another one takes its port, and makes as many objects as the first had made.
    pub(crate) async fn restart(&mut self) -> Result<()> {
        self.owner.kill().await?;
        self.owner = owner(self.contestant, self.port, self.lease, 2).await?;
        self.others.push(holder(self.contestant, self.port, self.lease).await?);
        Ok(())
    }

    /// Somebody else has objects made and drops them, for that time.
    pub(crate) async fn churn(&mut self, time: Duration) -> Result<()> {
        let role = Role::Churner { port: self.port, time };
        let churner = Process::start(self.contestant.command(&role, self.lease)?)?;
        churner.says(START, |said| matches!(said, Said::Dropped(_))).await?;
        self.others.push(churner);
        Ok(())
    }

    /// What happened from that instant to this.
    pub(crate) fn record(&self, begin: Instant) -> Record {
        Record {
            begin,
            end: Instant::now(),
            owner: self.owner.lines(),
            holder: self.holder.lines(),
        }
    }

    /// Ends all of its processes.
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
    owner.says(START, |said| *said == Said::Ready).await?;
    Ok(owner)
}

async fn holder(contestant: Contestant, port: u16, lease: Duration) -> Result<Process> {
    let holder = Process::start(contestant.command(&Role::Holder { port }, lease)?)?;
    holder.says(START, |said| matches!(said, Said::Holds(_))).await?;
    Ok(holder)
}

/// Ports of the loopback interface that are free, all of them different.
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
        let mut ports = free_ports(20).expect("there are as many");
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), 20);
    }
}
