//! The load of the tests with lost connections: one process whose tills note every call by its number, and one that
//! calls, is called back, exchanges large bodies, and makes and drops references in both directions.
//!
//! It must not know the state of the network.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use remote_core::{Error, Node, Ref, Remote, Result, SessionState, remote};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex as Turn;
use tokio::task::JoinSet;

use super::setup::{commands, under_test};
use super::support::child::report;

/// Each method notes the call by its lane and number.
#[remote]
pub(crate) trait Till {
    async fn add(&self, lane: u64, number: u64) -> Result<()>;
    /// The other till notes the same before this returns.
    async fn add_both(&self, lane: u64, number: u64, other: Ref<dyn Till>) -> Result<()>;
    /// Returns the goods.
    async fn weigh(&self, lane: u64, number: u64, goods: Vec<u8>) -> Result<Vec<u8>>;
    /// Returns a new till with the same books.
    async fn lend(&self, lane: u64, number: u64) -> Result<Ref<dyn Till>>;
    /// Keeps the till for some time.
    async fn keep(&self, lane: u64, number: u64, till: Ref<dyn Till>) -> Result<()>;
}

/// The commands of the test.
#[remote]
pub(crate) trait Work {
    /// Calls the till continuously.
    async fn begin(&self, till: &str) -> Result<()>;
    /// Stops calling, and returns when every call has ended.
    async fn rest(&self) -> Result<()>;
    /// Drops every reference.
    async fn forget(&self) -> Result<()>;
    async fn books(&self) -> Result<Books>;
}

/// The observable state of a worker.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Books {
    /// The number of calls made by this process, by lane. They are numbered from 0.
    pub(crate) made: BTreeMap<u64, u64>,
    /// The calls that were noted here, by lane.
    pub(crate) noted: BTreeMap<u64, Noted>,
    /// The calls that failed.
    pub(crate) failures: Vec<String>,
    /// The number of live tills of this process.
    pub(crate) tills: u64,
    /// The number of objects that the node exports, and the exports and imports of each of its sessions.
    pub(crate) exports: usize,
    pub(crate) sessions: Vec<(usize, usize)>,
}

/// The calls that were noted in one lane.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Noted {
    pub(crate) distinct: u64,
    pub(crate) twice: u64,
    /// One more than the greatest number.
    pub(crate) end: u64,
}

#[derive(Default)]
struct Lane {
    noted: Noted,
    /// A bit for each number.
    seen: Vec<u64>,
}

impl Lane {
    fn note(&mut self, number: u64) {
        let (word, bit) = (number as usize / 64, 1 << (number % 64));
        if self.seen.len() <= word {
            self.seen.resize(word + 1, 0);
        }
        if self.seen[word] & bit == 0 {
            self.noted.distinct += 1;
        } else {
            self.noted.twice += 1;
        }
        self.seen[word] |= bit;
        self.noted.end = self.noted.end.max(number + 1);
    }
}

#[derive(Default)]
struct Shop {
    lanes: Mutex<BTreeMap<u64, Lane>>,
    tills: AtomicU64,
    kept: Mutex<VecDeque<Ref<dyn Till>>>,
}

#[derive(Remote)]
#[remote(Till)]
struct Drawer(Arc<Shop>);

impl Drawer {
    fn open(shop: &Arc<Shop>) -> Ref<dyn Till> {
        shop.tills.fetch_add(1, Ordering::SeqCst);
        Ref::new(Drawer(Arc::clone(shop)))
    }

    fn note(&self, lane: u64, number: u64) {
        self.0.lanes.lock().unwrap().entry(lane).or_default().note(number);
    }
}

impl Drop for Drawer {
    fn drop(&mut self) {
        self.0.tills.fetch_sub(1, Ordering::SeqCst);
    }
}

#[remote]
impl Till for Drawer {
    async fn add(&self, lane: u64, number: u64) -> Result<()> {
        self.note(lane, number);
        Ok(())
    }

    async fn add_both(&self, lane: u64, number: u64, other: Ref<dyn Till>) -> Result<()> {
        self.note(lane, number);
        other.add(lane, number).await
    }

    async fn weigh(&self, lane: u64, number: u64, goods: Vec<u8>) -> Result<Vec<u8>> {
        self.note(lane, number);
        Ok(goods)
    }

    async fn lend(&self, lane: u64, number: u64) -> Result<Ref<dyn Till>> {
        self.note(lane, number);
        Ok(Drawer::open(&self.0))
    }

    async fn keep(&self, lane: u64, number: u64, till: Ref<dyn Till>) -> Result<()> {
        self.note(lane, number);
        till.add(lane, number).await?;
        let mut kept = self.0.kept.lock().unwrap();
        kept.push_back(till);
        let oldest = if kept.len() > 16 { kept.pop_front() } else { None };
        drop(kept);
        drop(oldest);
        Ok(())
    }
}

/// The operation that a lane repeats.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Add,
    AddBoth,
    Weigh,
    Lend,
    Keep,
}

/// The lanes by number, each with its number of concurrent callers.
const LANES: [(Kind, usize); 6] = [
    (Kind::Add, 8),
    (Kind::Add, 8),
    (Kind::AddBoth, 4),
    (Kind::Weigh, 3),
    (Kind::Lend, 4),
    (Kind::Keep, 4),
];
/// The lane of calls on tills that `lend` returned.
const LENT: u64 = LANES.len() as u64;

/// Returns true for a lane in which the calling worker is called back with each number.
pub(crate) fn is_noted_at_both(lane: u64) -> bool {
    matches!(LANES.get(lane as usize), Some((Kind::AddBoth | Kind::Keep, _)))
}

#[derive(Remote)]
#[remote(Work)]
struct Worker {
    node: Node,
    shop: Arc<Shop>,
    calls: Arc<Calls>,
    running: Turn<JoinSet<()>>,
}

#[derive(Default)]
struct Calls {
    made: Mutex<BTreeMap<u64, u64>>,
    failures: Mutex<Vec<String>>,
    is_resting: AtomicBool,
}

/// Runs a worker: reports the addresses of the node under test and of the node for commands.
pub(crate) async fn work() {
    let node = under_test().await;
    let shop = Arc::<Shop>::default();
    node.publish("till", Drawer::open(&shop)).await.unwrap();
    let command_node = commands().listen("tcp://127.0.0.1:0").start().await.unwrap();
    report(node.uri("").trim_end_matches('/'));
    let worker = Worker { node, shop, calls: Arc::default(), running: Turn::default() };
    command_node.publish("work", Ref::<dyn Work>::new(worker)).await.unwrap();
    report(&command_node.uri("work"));
    command_node.closed().await;
}

impl Calls {
    fn next(&self, lane: u64) -> u64 {
        let mut made = self.made.lock().unwrap();
        let next = made.entry(lane).or_default();
        *next += 1;
        *next - 1
    }

    /// Makes one call after another until it is stopped or a call fails.
    async fn go_on(self: Arc<Calls>, lane: u64, kind: Kind, till: Ref<dyn Till>, shop: Arc<Shop>) {
        while !self.is_resting.load(Ordering::SeqCst) {
            let number = self.next(lane);
            if let Err(error) = self.call(lane, number, kind, &till, &shop).await {
                let failure = format!("{kind:?} {number}: {error:?}");
                return self.failures.lock().unwrap().push(failure);
            }
        }
    }

    async fn call(
        &self,
        lane: u64,
        number: u64,
        kind: Kind,
        till: &Ref<dyn Till>,
        shop: &Arc<Shop>,
    ) -> Result<()> {
        match kind {
            Kind::Add => till.add(lane, number).await,
            Kind::AddBoth => till.add_both(lane, number, Drawer::open(shop)).await,
            Kind::Weigh => {
                let size = 50_000 + (number as usize * 7919) % 200_000;
                let goods: Vec<u8> = (0..size).map(|at| (at as u64 ^ number) as u8).collect();
                if till.weigh(lane, number, goods.clone()).await? != goods {
                    return Err(Error::Decode("these are not the goods".into()));
                }
                Ok(())
            }
            Kind::Lend => {
                let lent = till.lend(lane, number).pipelined();
                lent.add(LENT, self.next(LENT)).await
            }
            Kind::Keep => till.keep(lane, number, Drawer::open(shop)).await,
        }
    }
}

#[remote]
impl Work for Worker {
    async fn begin(&self, till: &str) -> Result<()> {
        let till: Ref<dyn Till> = self.node.lookup(till).await?;
        self.calls.is_resting.store(false, Ordering::SeqCst);
        let mut running = self.running.lock().await;
        for (lane, (kind, at_once)) in LANES.into_iter().enumerate() {
            for _ in 0..at_once {
                let (calls, shop) = (Arc::clone(&self.calls), Arc::clone(&self.shop));
                running.spawn(calls.go_on(lane as u64, kind, till.clone(), shop));
            }
        }
        Ok(())
    }

    async fn rest(&self) -> Result<()> {
        self.calls.is_resting.store(true, Ordering::SeqCst);
        let mut running = self.running.lock().await;
        while let Some(ended) = running.join_next().await {
            ended.expect("nobody aborts it");
        }
        Ok(())
    }

    async fn forget(&self) -> Result<()> {
        let kept = std::mem::take(&mut *self.shop.kept.lock().unwrap());
        drop(kept);
        Ok(())
    }

    async fn books(&self) -> Result<Books> {
        let lanes = self.shop.lanes.lock().unwrap();
        let noted = lanes.iter().map(|(lane, notes)| (*lane, notes.noted.clone())).collect();
        drop(lanes);
        let mut sessions = self.node.sessions();
        sessions.retain(|session| session.state() != SessionState::Ended);
        let stats = sessions.iter().map(|session| session.stats());
        Ok(Books {
            made: self.calls.made.lock().unwrap().clone(),
            noted,
            failures: self.calls.failures.lock().unwrap().clone(),
            tills: self.shop.tills.load(Ordering::SeqCst),
            exports: self.node.exports(),
            sessions: stats.map(|stats| (stats.exports, stats.imports)).collect(),
        })
    }
}
