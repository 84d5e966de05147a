//! A child process of a scenario: it makes objects, holds those of others, and executes the test's commands.
//!
//! The test sends its commands to a second node in the child. The session with that node outlives every pause, so that
//! the test can send commands while the node under test does not answer.

use std::sync::{Arc, Mutex};

use remote_core::{Error, Interface, Node, Ref, Remote, Result, SessionState, remote};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::objects::{Kept, Shelf, Smithy, Stock, Thing, Workshop};
use super::setup::{commands, under_test};
use super::support::child::report;

/// The commands of the test.
#[remote]
pub(crate) trait Control {
    async fn report(&self) -> Result<Report>;
    /// Looks up a workshop, has it make a number of objects, and keeps them.
    async fn fetch(&self, workshop: &str, count: u64) -> Result<()>;
    /// Asks a kept object for its number.
    async fn ask(&self, place: u64) -> Result<u64>;
    /// Makes these calls of `note` on a kept object, all at once.
    async fn note(&self, place: u64, calls: Vec<u64>) -> Result<()>;
    /// Makes these calls of `linger` on a kept object, all at once.
    async fn linger(&self, place: u64, calls: Vec<u64>) -> Result<()>;
    /// Looks up a workshop, for `exchange` and `knock`.
    async fn enter(&self, workshop: &str) -> Result<()>;
    /// Passes a kept object to the workshop and back, and keeps the reference that it gets.
    async fn exchange(&self, place: u64, call: u64) -> Result<()>;
    /// Sends the workshop a one-way message that notes a call.
    async fn knock(&self, call: u64) -> Result<()>;
    /// Looks up a shelf, for `give`.
    async fn meet(&self, shelf: &str) -> Result<()>;
    /// Passes the oldest kept object to the shelf, and drops its own reference as soon as the message is handed over.
    async fn give(&self) -> Result<()>;
    /// Drops all kept objects, and the shelf.
    async fn let_go(&self) -> Result<()>;
    /// Lets this number of calls of `linger` on objects of this process end.
    async fn permit(&self, calls: u64) -> Result<()>;
    /// Ends the process.
    async fn leave(&self) -> Result<()>;
}

/// The observable state of a participant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    /// The number of live objects of this process.
    pub(crate) alive: u64,
    /// The calls on objects of this process that have begun, and those that have ended.
    pub(crate) begun: Vec<u64>,
    pub(crate) ended: Vec<u64>,
    /// The kept references, in their debug format.
    pub(crate) kept: Vec<String>,
    /// The number of objects that the node under test exports.
    pub(crate) exports: usize,
    /// The exports and imports of each session that has not ended.
    pub(crate) sessions: Vec<(usize, usize)>,
    /// True if all of these sessions are connected.
    pub(crate) is_connected: bool,
    /// The wall clock, in seconds.
    pub(crate) wall_clock: u64,
}

#[derive(Remote)]
#[remote(Control)]
struct Participant {
    node: Node,
    stock: Arc<Stock>,
    kept: Kept,
    workshop: Mutex<Option<Ref<dyn Workshop>>>,
    shelf: Mutex<Option<Ref<dyn Shelf>>>,
    leaving: Arc<Notify>,
}

/// Runs a participant: reports the addresses of the node under test and of the node for commands, and runs until a command
/// ends it.
pub(crate) async fn serve() {
    let node = under_test().await;
    let (stock, kept, leaving) = (Arc::<Stock>::default(), Kept::default(), Arc::default());
    node.publish("workshop", Ref::<dyn Workshop>::new(Smithy(Arc::clone(&stock)))).await.unwrap();
    node.publish("shelf", Ref::<dyn Shelf>::new(kept.clone())).await.unwrap();
    let command_node = commands().listen("tcp://127.0.0.1:0").start().await.unwrap();
    report(node.uri("").trim_end_matches('/'));
    let participant = Participant {
        node,
        stock,
        kept,
        workshop: Mutex::default(),
        shelf: Mutex::default(),
        leaving: Arc::clone(&leaving),
    };
    command_node.publish("control", Ref::<dyn Control>::new(participant)).await.unwrap();
    report(&command_node.uri("control"));
    leaving.notified().await;
}

impl Participant {
    fn kept(&self, place: u64) -> Result<Ref<dyn Thing>> {
        let kept = self.kept.0.lock().unwrap();
        kept.get(place as usize).cloned().ok_or(Error::NoSuchObject)
    }
}

/// Returns the object that was looked up before.
fn known<T: ?Sized + Interface>(place: &Mutex<Option<Ref<T>>>) -> Result<Ref<T>> {
    place.lock().unwrap().clone().ok_or(Error::NoSuchObject)
}

/// Returns the answers of all calls, or the first failure.
async fn all(
    calls: impl Iterator<Item = impl Future<Output = Result<u64>> + Send + 'static>,
) -> Result<()> {
    let mut calls: JoinSet<_> = calls.collect();
    let mut failure = Ok(());
    while let Some(call) = calls.join_next().await {
        failure = failure.and(call.expect("nobody aborts it").map(drop));
    }
    failure
}

#[remote]
impl Control for Participant {
    async fn report(&self) -> Result<Report> {
        let kept = self.kept.0.lock().unwrap().iter().map(|thing| format!("{thing:?}")).collect();
        let mut sessions = self.node.sessions();
        sessions.retain(|session| session.state() != SessionState::Ended);
        #[expect(clippy::disallowed_methods, reason = "the test gets the result it was set")]
        let wall_clock = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let stats = sessions.iter().map(|session| session.stats());
        Ok(Report {
            alive: self.stock.alive(),
            begun: self.stock.begun.lock().unwrap().clone(),
            ended: self.stock.ended.lock().unwrap().clone(),
            kept,
            exports: self.node.exports(),
            sessions: stats.map(|stats| (stats.exports, stats.imports)).collect(),
            is_connected: sessions.iter().all(|session| session.state() == SessionState::Connected),
            wall_clock: wall_clock.unwrap().as_secs(),
        })
    }

    async fn fetch(&self, workshop: &str, count: u64) -> Result<()> {
        let workshop: Ref<dyn Workshop> = self.node.lookup(workshop).await?;
        let mut left = count;
        while left > 0 {
            let some = left.min(10_000);
            let things = workshop.make(some).await?;
            self.kept.0.lock().unwrap().extend(things);
            left -= some;
        }
        Ok(())
    }

    async fn ask(&self, place: u64) -> Result<u64> {
        self.kept(place)?.number().await
    }

    async fn note(&self, place: u64, calls: Vec<u64>) -> Result<()> {
        let thing = self.kept(place)?;
        all(calls.into_iter().map(|call| {
            let thing = thing.clone();
            async move { thing.note(call).await }
        }))
        .await
    }

    async fn linger(&self, place: u64, calls: Vec<u64>) -> Result<()> {
        let thing = self.kept(place)?;
        all(calls.into_iter().map(|call| {
            let thing = thing.clone();
            async move { thing.linger(call).await }
        }))
        .await
    }

    async fn enter(&self, workshop: &str) -> Result<()> {
        let workshop = self.node.lookup(workshop).await?;
        *self.workshop.lock().unwrap() = Some(workshop);
        Ok(())
    }

    async fn exchange(&self, place: u64, call: u64) -> Result<()> {
        let (workshop, thing) = (known(&self.workshop)?, self.kept(place)?);
        let again = workshop.same(thing, call).await?;
        self.kept.0.lock().unwrap().push(again);
        Ok(())
    }

    async fn knock(&self, call: u64) -> Result<()> {
        known(&self.workshop)?.note(call).oneway().await
    }

    async fn meet(&self, shelf: &str) -> Result<()> {
        let shelf = self.node.lookup(shelf).await?;
        *self.shelf.lock().unwrap() = Some(shelf);
        Ok(())
    }

    async fn give(&self) -> Result<()> {
        let shelf = known(&self.shelf)?;
        let thing = {
            let mut kept = self.kept.0.lock().unwrap();
            if kept.is_empty() {
                return Err(Error::NoSuchObject);
            }
            kept.remove(0)
        };
        shelf.put(thing).oneway().await
    }

    async fn let_go(&self) -> Result<()> {
        let kept = std::mem::take(&mut *self.kept.0.lock().unwrap());
        let shelf = self.shelf.lock().unwrap().take();
        drop((kept, shelf));
        Ok(())
    }

    async fn permit(&self, calls: u64) -> Result<()> {
        self.stock.permits.add_permits(calls as usize);
        Ok(())
    }

    async fn leave(&self) -> Result<()> {
        self.leaving.notify_one();
        Ok(())
    }
}
