//! The scenarios: the fault, and the time for which the pairs are watched.
//!
//! It must not know how a contestant works, nor how records are evaluated.

use std::time::Duration;

use clap::ValueEnum;
use futures::future::{join_all, try_join_all};
use tokio::time::{Instant, sleep};

use crate::Result;
use crate::contestant::Contestant;
use crate::network::{Fault, Network};
use crate::outcome::{OBJECT, Record};
use crate::pair::Pair;
use crate::report::Report;

/// A fault that is injected while references are live.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub(crate) enum Scenario {
    /// No fault, for as long as `loss`: the control experiment.
    Calm,
    /// The holder is killed with `kill -9`; the operating system closes its connections.
    Killed,
    /// The holder disappears without a packet, as when its machine loses power.
    Vanished,
    /// No packet arrives for half a lease.
    Silent,
    /// Connections are reset, and new ones refused, for half a lease.
    Reset,
    /// The owner is killed, and another one started on its port.
    Restarted,
    /// One packet in five is lost, for half a minute, or three leases if that is longer.
    Loss,
}

/// The parameters that all scenarios share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) lease: Duration,
    /// The number of pairs of each contestant.
    pub(crate) pairs: usize,
}

impl Terms {
    /// Returns the duration of an outage: less than a lease.
    pub(crate) fn cut(self) -> Duration {
        self.lease / 2
    }

    /// Returns the duration of packet loss: more than a lease.
    pub(crate) fn loss(self) -> Duration {
        (self.lease * 3).max(Duration::from_secs(30))
    }

    /// Returns the time that an owner has to free an object.
    pub(crate) fn free_limit(self) -> Duration {
        self.lease * 3
    }

    /// Returns the time for which a pair is watched after the fault. A lease that was not renewed has expired by then.
    fn aftermath(self) -> Duration {
        self.lease * 2
    }
}

/// The records of one scenario.
pub(crate) struct Played {
    pub(crate) scenario: Scenario,
    /// The records of each contestant, in the order of the contestants.
    pub(crate) records: Vec<Vec<Record>>,
    /// The number of packets that the fault hit; `None` if it is not a network fault.
    pub(crate) packets: Option<u64>,
}

impl Scenario {
    /// Returns the network fault of the scenario, if it has one.
    pub(crate) fn fault(self) -> Option<Fault> {
        match self {
            Scenario::Calm | Scenario::Killed | Scenario::Restarted => None,
            Scenario::Vanished | Scenario::Silent => Some(Fault::Silence),
            Scenario::Reset => Some(Fault::Reset),
            Scenario::Loss => Some(Fault::Loss),
        }
    }

    /// Runs all contestants at the same time, so that the same fault hits all of them.
    pub(crate) async fn play(
        self,
        contestants: &[Contestant],
        terms: Terms,
        network: Option<&Network>,
    ) -> Result<Played> {
        let fault = match self.fault() {
            None => None,
            Some(fault) => Some((fault, network.ok_or("this scenario needs a network namespace")?)),
        };
        let mut pairs = Pair::start_all(contestants, terms.pairs, terms.lease).await?;
        if matches!(self, Scenario::Calm | Scenario::Loss) {
            try_join_all(pairs.iter_mut().map(|pair| pair.churn(terms.loss()))).await?;
        }
        let begin = Instant::now();
        if let Some((fault, network)) = fault {
            network.inject(fault).await?;
        }
        self.happen(&mut pairs, terms).await?;
        let mut packets = None;
        if self.passes() {
            if let Some((_, network)) = fault {
                packets = Some(network.heal().await?);
            }
            sleep(terms.aftermath()).await;
        }
        let all: Vec<Record> = pairs.iter().map(|pair| pair.record(begin)).collect();
        try_join_all(pairs.into_iter().map(Pair::end)).await?;
        // A holder that vanished must not be reachable again before its processes have ended.
        if let (None, Some((_, network))) = (packets, fault) {
            packets = Some(network.heal().await?);
        }
        if packets == Some(0) {
            return Err("the rules hit no packet, so no fault was injected".into());
        }
        let records = all.chunks(terms.pairs).map(<[Record]>::to_vec).collect();
        Ok(Played { scenario: self, records, packets })
    }

    /// Returns true if the holders survive the fault.
    fn passes(self) -> bool {
        !matches!(self, Scenario::Killed | Scenario::Vanished)
    }

    /// Waits until the fault is over, or until the owners have freed their objects or exceeded the time limit.
    async fn happen(self, pairs: &mut [Pair], terms: Terms) -> Result<()> {
        match self {
            Scenario::Killed | Scenario::Vanished => {
                try_join_all(pairs.iter_mut().map(|pair| pair.holder.kill())).await?;
                freed(pairs, terms.free_limit()).await;
            }
            Scenario::Restarted => {
                try_join_all(pairs.iter_mut().map(Pair::restart)).await?;
            }
            Scenario::Silent | Scenario::Reset => sleep(terms.cut()).await,
            Scenario::Calm | Scenario::Loss => sleep(terms.loss()).await,
        }
        Ok(())
    }
}

/// Waits until all owners have freed the held objects, up to a time limit.
async fn freed(pairs: &[Pair], free_limit: Duration) {
    let freed = |report: &Report| matches!(report, Report::Freed(name) if name == OBJECT);
    // The record shows an owner that exceeds the limit.
    join_all(pairs.iter().map(|pair| pair.owner.wait_for_report(free_limit, freed))).await;
}
