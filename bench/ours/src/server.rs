//! The objects of the server.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use remote_core::{Node, Ref, Remote, Result, remote};

use crate::interfaces::{self, Counter, Link};

pub(crate) const COUNTER: &str = "counter";
pub(crate) const ROOT: &str = "root";

/// Publishes the objects that a client looks up.
pub(crate) async fn publish(node: &Node) -> Result<()> {
    node.publish(COUNTER, Ref::<dyn Counter>::new(Tally::default())).await?;
    node.publish(ROOT, Ref::<dyn interfaces::Root>::new(Root)).await
}

#[derive(Default, Remote)]
#[remote(Counter)]
pub(crate) struct Tally {
    sum: AtomicU64,
}

#[remote]
impl Counter for Tally {
    async fn add(&self, amount: u64) -> Result<u64> {
        Ok(self.sum.fetch_add(amount, Ordering::Relaxed) + amount)
    }
}

#[derive(Remote)]
#[remote(interfaces::Root)]
pub(crate) struct Root;

#[remote]
impl interfaces::Root for Root {
    async fn echo(&self, bytes: Vec<u8>) -> Result<Vec<u8>> {
        Ok(bytes)
    }

    async fn echo_bytes(&self, bytes: Bytes) -> Result<Bytes> {
        Ok(bytes)
    }

    async fn make(&self) -> Result<Ref<dyn Counter>> {
        Ok(Ref::<dyn Counter>::new(Tally::default()))
    }

    async fn node(&self) -> Result<Ref<dyn Link>> {
        Ok(Ref::<dyn Link>::new(Step { before: 0 }))
    }
}

#[derive(Remote)]
#[remote(Link)]
struct Step {
    before: u64,
}

#[remote]
impl Link for Step {
    async fn next(&self) -> Result<Ref<dyn Link>> {
        Ok(Ref::<dyn Link>::new(Step { before: self.before + 1 }))
    }

    async fn value(&self) -> Result<u64> {
        Ok(self.before)
    }
}
