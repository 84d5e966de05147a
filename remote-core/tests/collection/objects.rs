//! The objects of the scenarios: things, counted while they live, and the objects that make and keep them.
//!
//! It must not know the scenarios.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use remote_core::{Ref, Remote, Result, remote};
use tokio::sync::Semaphore;

#[remote]
pub(crate) trait Thing {
    /// Returns a number that no other thing has, in any process.
    async fn number(&self) -> Result<u64>;
    /// Notes the execution of the call.
    async fn note(&self, call: u64) -> Result<u64>;
    /// Notes the begin of the call, and returns when the test permits it.
    async fn linger(&self, call: u64) -> Result<u64>;
}

#[remote]
pub(crate) trait Workshop {
    /// Returns new things.
    async fn make(&self, count: u64) -> Result<Vec<Ref<dyn Thing>>>;
    /// Returns its argument, and notes the call.
    async fn same(&self, thing: Ref<dyn Thing>, call: u64) -> Result<Ref<dyn Thing>>;
    async fn note(&self, call: u64) -> Result<()>;
}

#[remote]
pub(crate) trait Shelf {
    /// Keeps the thing.
    async fn put(&self, thing: Ref<dyn Thing>) -> Result<()>;
}

/// The state of the things that one process made.
pub(crate) struct Stock {
    made: AtomicU64,
    alive: AtomicU64,
    /// The calls that have begun, in order, and those that have ended.
    pub(crate) begun: Mutex<Vec<u64>>,
    pub(crate) ended: Mutex<Vec<u64>>,
    /// Each permit lets one call of `linger` end.
    pub(crate) permits: Semaphore,
}

impl Default for Stock {
    fn default() -> Stock {
        Stock {
            made: AtomicU64::new(0),
            alive: AtomicU64::new(0),
            begun: Mutex::default(),
            ended: Mutex::default(),
            permits: Semaphore::new(0),
        }
    }
}

impl Stock {
    pub(crate) fn alive(&self) -> u64 {
        self.alive.load(Ordering::SeqCst)
    }

    fn make(self: &Arc<Stock>) -> Ref<dyn Thing> {
        let number = self.made.fetch_add(1, Ordering::SeqCst);
        self.alive.fetch_add(1, Ordering::SeqCst);
        Ref::new(Piece {
            number: (u64::from(std::process::id()) << 32) + number,
            stock: Arc::clone(self),
        })
    }

    fn begin(&self, call: u64) {
        self.begun.lock().unwrap().push(call);
    }

    fn end(&self, call: u64) {
        self.ended.lock().unwrap().push(call);
    }
}

#[derive(Remote)]
#[remote(Thing)]
struct Piece {
    number: u64,
    stock: Arc<Stock>,
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.stock.alive.fetch_sub(1, Ordering::SeqCst);
    }
}

#[remote]
impl Thing for Piece {
    async fn number(&self) -> Result<u64> {
        Ok(self.number)
    }

    async fn note(&self, call: u64) -> Result<u64> {
        self.stock.begin(call);
        self.stock.end(call);
        Ok(self.number)
    }

    async fn linger(&self, call: u64) -> Result<u64> {
        self.stock.begin(call);
        self.stock.permits.acquire().await.unwrap().forget();
        self.stock.end(call);
        Ok(self.number)
    }
}

#[derive(Remote)]
#[remote(Workshop)]
pub(crate) struct Smithy(pub(crate) Arc<Stock>);

#[remote]
impl Workshop for Smithy {
    async fn make(&self, count: u64) -> Result<Vec<Ref<dyn Thing>>> {
        Ok((0..count).map(|_| self.0.make()).collect())
    }

    async fn same(&self, thing: Ref<dyn Thing>, call: u64) -> Result<Ref<dyn Thing>> {
        self.0.begin(call);
        Ok(thing)
    }

    async fn note(&self, call: u64) -> Result<()> {
        self.0.begin(call);
        Ok(())
    }
}

/// The things that a process keeps.
#[derive(Remote, Clone, Default)]
#[remote(Shelf)]
pub(crate) struct Kept(pub(crate) Arc<Mutex<Vec<Ref<dyn Thing>>>>);

#[remote]
impl Shelf for Kept {
    async fn put(&self, thing: Ref<dyn Thing>) -> Result<()> {
        self.0.lock().unwrap().push(thing);
        Ok(())
    }
}
