//! The baseline of a near call: a `dyn` trait whose methods return boxed futures, without the library.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use contract::{Contestant, Result, Workload};

use crate::in_process::{needs_no_connections, serve_nothing};

pub(crate) struct Boxed;

impl Contestant for Boxed {
    type Connection = Local;

    async fn serve(announce: impl FnOnce(u16) + Send) -> Result<()> {
        serve_nothing(announce).await
    }

    async fn connect(_: u16) -> Result<Local> {
        Ok(Local { counter: Arc::new(Tally::default()), root: Arc::new(Root) })
    }

    fn supports(workload: Workload) -> bool {
        needs_no_connections(workload) && !matches!(workload, Workload::Chain { .. })
    }
}

type Boxing<'a, V> = Pin<Box<dyn Future<Output = Result<V>> + Send + 'a>>;

/// The traits of `interfaces.rs`, as a program without the library would write them.
trait Counter: Send + Sync {
    fn add(&self, amount: u64) -> Boxing<'_, u64>;
}

trait Factory: Send + Sync {
    fn echo(&self, bytes: Vec<u8>) -> Boxing<'_, Vec<u8>>;
    fn echo_bytes(&self, bytes: Bytes) -> Boxing<'_, Bytes>;
    fn make(&self) -> Boxing<'_, Arc<dyn Counter>>;
    fn node(&self) -> Boxing<'_, Arc<dyn Link>>;
}

trait Link: Send + Sync {
    fn next(&self) -> Boxing<'_, Arc<dyn Link>>;
    fn value(&self) -> Boxing<'_, u64>;
}

#[derive(Default)]
struct Tally {
    sum: AtomicU64,
}

impl Counter for Tally {
    fn add(&self, amount: u64) -> Boxing<'_, u64> {
        Box::pin(async move { Ok(self.sum.fetch_add(amount, Ordering::Relaxed) + amount) })
    }
}

struct Root;

impl Factory for Root {
    fn echo(&self, bytes: Vec<u8>) -> Boxing<'_, Vec<u8>> {
        Box::pin(async move { Ok(bytes) })
    }

    fn echo_bytes(&self, bytes: Bytes) -> Boxing<'_, Bytes> {
        Box::pin(async move { Ok(bytes) })
    }

    fn make(&self) -> Boxing<'_, Arc<dyn Counter>> {
        Box::pin(async { Ok(Arc::new(Tally::default()) as Arc<dyn Counter>) })
    }

    fn node(&self) -> Boxing<'_, Arc<dyn Link>> {
        Box::pin(async { Ok(Arc::new(Step { before: 0 }) as Arc<dyn Link>) })
    }
}

struct Step {
    before: u64,
}

impl Link for Step {
    fn next(&self) -> Boxing<'_, Arc<dyn Link>> {
        Box::pin(async { Ok(Arc::new(Step { before: self.before + 1 }) as Arc<dyn Link>) })
    }

    fn value(&self) -> Boxing<'_, u64> {
        Box::pin(async { Ok(self.before) })
    }
}

#[derive(Clone)]
pub(crate) struct Local {
    counter: Arc<dyn Counter>,
    root: Arc<dyn Factory>,
}

#[derive(Clone)]
pub(crate) struct LocalCounter(Arc<dyn Counter>);

impl contract::Connection for Local {
    type Counter = LocalCounter;

    fn counter(&self) -> LocalCounter {
        LocalCounter(self.counter.clone())
    }

    async fn make(&self) -> Result<LocalCounter> {
        Ok(LocalCounter(self.root.make().await?))
    }

    async fn echo(&self, bytes: Vec<u8>) -> Result<Vec<u8>> {
        self.root.echo(bytes).await
    }

    async fn echo_bytes(&self, bytes: Bytes) -> Result<Bytes> {
        self.root.echo_bytes(bytes).await
    }

    async fn chain_pipelined(&self, _steps: u32) -> Result<u64> {
        Err("a boxed future is not pipelined".into())
    }

    async fn chain_awaited(&self, steps: u32) -> Result<u64> {
        let mut link = self.root.node().await?;
        for _ in 0..steps {
            link = link.next().await?;
        }
        link.value().await
    }
}

impl contract::Counter for LocalCounter {
    async fn add(&self, amount: u64) -> Result<u64> {
        self.0.add(amount).await
    }
}
