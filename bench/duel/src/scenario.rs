//! What is done to the pairs, and for how long they are watched. It must not know how a contestant works, nor what is made of
//! the records.

use std::time::Duration;

use clap::ValueEnum;
use futures::future::{join_all, try_join_all};
use tokio::time::{Instant, sleep};

use crate::Result;
use crate::contestant::Contestant;
use crate::network::{Fault, Network};
use crate::outcome::{OBJECT, Record};
use crate::pair::Pair;
use crate::report::Said;

/// One fault under a live reference.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub(crate) enum Scenario {
    /// Nothing, for as long as `loss`: what is lost here was lost to something else.
    Calm,
    /// The holder is killed with `kill -9`; its system closes its connections.
    Killed,
    /// The holder is gone, and no packet says so, as when its machine loses power.
    Vanished,
    /// No packet arrives for half a lease.
    Silent,
    /// Connections are reset, and cannot be made anew, for half a lease.
    Reset,
    /// The owner is killed, and another one started on its port.
    Restarted,
    /// One packet in five is lost, for half a minute, or three leases if that is longer.
    Loss,
}

/// How the play goes, whatever the scenario.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) lease: Duration,
    /// How many pairs of each contestant.
    pub(crate) pairs: usize,
}

impl Terms {
    /// Shorter than a lease.
    pub(crate) fn cut(self) -> Duration {
        self.lease / 2
    }

    /// Longer than a lease.
    pub(crate) fn loss(self) -> Duration {
        (self.lease * 3).max(Duration::from_secs(30))
    }

    /// How long an owner is given to free an object.
    pub(crate) fn patience(self) -> Duration {
        self.lease * 3
    }

    /// How long a pair is watched after the fault: every lease that was not renewed has ended by then.
    fn aftermath(self) -> Duration {
        self.lease * 2
    }
}

/// What came of one scenario.
pub(crate) struct Played {
    pub(crate) scenario: Scenario,
    /// By contestant, in their order.
    pub(crate) records: Vec<Vec<Record>>,
    /// Packets that the fault hit; none where it is not one of the network's.
    pub(crate) packets: Option<u64>,
}

impl Scenario {
    /// What it does to the network, if it does.
    pub(crate) fn fault(self) -> Option<Fault> {
        match self {
            Scenario::Calm | Scenario::Killed | Scenario::Restarted => None,
            Scenario::Vanished | Scenario::Silent => Some(Fault::Silence),
            Scenario::Reset => Some(Fault::Reset),
            Scenario::Loss => Some(Fault::Loss),
        }
    }

    /// All contestants at once, so that the same fault hits all of them.
    pub(crate) async fn play(
        self,
        contestants: &[Contestant],
        terms: Terms,
        network: Option<&Network>,
    ) -> Result<Played> {
        let fault = match self.fault() {
            None => None,
            Some(fault) => Some((fault, network.ok_or("it needs a network of its own")?)),
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
        // What vanished must not come back before all of it has ended.
        if let (None, Some((_, network))) = (packets, fault) {
            packets = Some(network.heal().await?);
        }
        if packets == Some(0) {
            return Err("the rules hit no packet, so there was no fault".into());
        }
        let records = all.chunks(terms.pairs).map(<[Record]>::to_vec).collect();
        Ok(Played { scenario: self, records, packets })
    }

    /// Whether the holders are there afterwards, and worth watching.
    fn passes(self) -> bool {
        !matches!(self, Scenario::Killed | Scenario::Vanished)
    }

    /// Returns when it is over, or when nobody waits any longer for what comes of it.
    async fn happen(self, pairs: &mut [Pair], terms: Terms) -> Result<()> {
        match self {
            Scenario::Killed | Scenario::Vanished => {
                try_join_all(pairs.iter_mut().map(|pair| pair.holder.kill())).await?;
                freed(pairs, terms.patience()).await;
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

/// Until all owners have freed what was held, or for as long as they are given.
async fn freed(pairs: &[Pair], patience: Duration) {
    let freed = |said: &Said| matches!(said, Said::Freed(name) if name == OBJECT);
    // Who does not say so in time shows in the record.
    join_all(pairs.iter().map(|pair| pair.owner.says(patience, freed))).await;
}
