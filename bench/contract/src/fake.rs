//! A connection without a server, for the tests of this crate: it answers truly, or with one kind of lie. It must not
//! know which workload asks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use tokio::task::yield_now;

use crate::{Connection, Counter, Result};

/// One way to answer falsely.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Lie {
    SameSum,
    CountedTwice,
    FalseByte,
    UsedCounter,
    ShortChain,
}

#[derive(Clone)]
pub(crate) struct Fake {
    shared: FakeCounter,
    lie: Option<Lie>,
}

impl Fake {
    pub(crate) fn new(lie: Option<Lie>) -> Self {
        Self { shared: FakeCounter::starting_at(0, lie), lie }
    }

    fn spoil(&self, bytes: &mut [u8]) {
        if let (Some(Lie::FalseByte), Some(last)) = (self.lie, bytes.last_mut()) {
            *last ^= 1;
        }
    }
}

impl Connection for Fake {
    type Counter = FakeCounter;

    fn counter(&self) -> FakeCounter {
        self.shared.clone()
    }

    async fn make(&self) -> Result<FakeCounter> {
        yield_now().await;
        Ok(FakeCounter::starting_at(u64::from(self.lie == Some(Lie::UsedCounter)), self.lie))
    }

    async fn echo(&self, mut bytes: Vec<u8>) -> Result<Vec<u8>> {
        yield_now().await;
        self.spoil(&mut bytes);
        Ok(bytes)
    }

    async fn echo_bytes(&self, bytes: Bytes) -> Result<Bytes> {
        Ok(self.echo(bytes.into()).await?.into())
    }

    async fn chain_pipelined(&self, steps: u32) -> Result<u64> {
        yield_now().await;
        Ok(u64::from(steps) - u64::from(self.lie == Some(Lie::ShortChain)))
    }

    async fn chain_awaited(&self, steps: u32) -> Result<u64> {
        self.chain_pipelined(steps).await
    }
}

#[derive(Clone)]
pub(crate) struct FakeCounter {
    sum: Arc<AtomicU64>,
    lie: Option<Lie>,
}

impl FakeCounter {
    fn starting_at(sum: u64, lie: Option<Lie>) -> Self {
        Self { sum: Arc::new(AtomicU64::new(sum)), lie }
    }
}

impl Counter for FakeCounter {
    async fn add(&self, amount: u64) -> Result<u64> {
        yield_now().await;
        let added = match self.lie {
            Some(Lie::SameSum) => 0,
            Some(Lie::CountedTwice) => amount * 2,
            _ => amount,
        };
        Ok(self.sum.fetch_add(added, Ordering::Relaxed) + added)
    }
}
