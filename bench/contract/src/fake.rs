//! A connection without a server, for the tests of this crate. It answers rightly, or with one kind of fault.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use tokio::task::yield_now;

use crate::{Connection, Counter, Result};

/// A kind of wrong reply.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    SameSum,
    CountedTwice,
    WrongByte,
    UsedCounter,
    ShortChain,
}

#[derive(Clone)]
pub(crate) struct Fake {
    shared: FakeCounter,
    fault: Option<Fault>,
}

impl Fake {
    pub(crate) fn new(fault: Option<Fault>) -> Self {
        Self { shared: FakeCounter::starting_at(0, fault), fault }
    }

    fn corrupt(&self, bytes: &mut [u8]) {
        if let (Some(Fault::WrongByte), Some(last)) = (self.fault, bytes.last_mut()) {
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
        Ok(FakeCounter::starting_at(u64::from(self.fault == Some(Fault::UsedCounter)), self.fault))
    }

    async fn echo(&self, mut bytes: Vec<u8>) -> Result<Vec<u8>> {
        yield_now().await;
        self.corrupt(&mut bytes);
        Ok(bytes)
    }

    async fn echo_bytes(&self, bytes: Bytes) -> Result<Bytes> {
        Ok(self.echo(bytes.into()).await?.into())
    }

    async fn chain_pipelined(&self, steps: u32) -> Result<u64> {
        yield_now().await;
        Ok(u64::from(steps) - u64::from(self.fault == Some(Fault::ShortChain)))
    }

    async fn chain_awaited(&self, steps: u32) -> Result<u64> {
        self.chain_pipelined(steps).await
    }
}

#[derive(Clone)]
pub(crate) struct FakeCounter {
    sum: Arc<AtomicU64>,
    fault: Option<Fault>,
}

impl FakeCounter {
    fn starting_at(sum: u64, fault: Option<Fault>) -> Self {
        Self { sum: Arc::new(AtomicU64::new(sum)), fault }
    }
}

impl Counter for FakeCounter {
    async fn add(&self, amount: u64) -> Result<u64> {
        yield_now().await;
        let added = match self.fault {
            Some(Fault::SameSum) => 0,
            Some(Fault::CountedTwice) => amount * 2,
            _ => amount,
        };
        Ok(self.sum.fetch_add(added, Ordering::Relaxed) + added)
    }
}
