//! Owns what a child process of a scenario does: it makes things, holds those of others, and does what the test says.
//!
//! The test speaks to a node of its own in the child, whose session outlasts every pause, so that it can ask when the
//! node under test cannot be asked.

use std::sync::{Arc, Mutex};

use remote_core::{Error, Interface, Node, Ref, Remote, Result, SessionState, remote};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::stage::{directing, under_test};
use super::support::child::say;
use super::things::{Kept, Shelf, Smithy, Stock, Thing, Workshop};

/// What an actor is told to do by the test.
#[remote]
pub(crate) trait Part {
    async fn report(&self) -> Result<Report>;
    /// Looks a workshop up, has it make so many things, and keeps them.
    async fn fetch(&self, workshop: &str, count: u64) -> Result<()>;
    /// Asks a kept thing for its number.
    async fn ask(&self, place: u64) -> Result<u64>;
    /// Has a kept thing note these calls, all at once.
    async fn note(&self, place: u64, calls: Vec<u64>) -> Result<()>;
    /// Has these calls linger at a kept thing, all at once.
    async fn linger(&self, place: u64, calls: Vec<u64>) -> Result<()>;
    /// Looks a workshop up, for what follows.
    async fn enter(&self, workshop: &str) -> Result<()>;
    /// Has the workshop give back a kept thing, and keeps it once more.
    async fn exchange(&self, place: u64, call: u64) -> Result<()>;
    /// Has the workshop note a call, and waits for no answer.
    async fn knock(&self, call: u64) -> Result<()>;
    /// Looks a shelf up, for `give`.
    async fn meet(&self, shelf: &str) -> Result<()>;
    /// Hands the oldest kept thing to the shelf, and has it no more as soon as the message is handed over.
    async fn give(&self) -> Result<()>;
    /// Drops all things that are kept, and the shelf that was met.
    async fn let_go(&self) -> Result<()>;
    /// Lets so many lingering calls on things made here end.
    async fn permit(&self, calls: u64) -> Result<()>;
    /// Ends the process, with all that it has.
    async fn leave(&self) -> Result<()>;
}

/// What there is to see of an actor.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    /// The things made here that live.
    pub(crate) alive: u64,
    /// The calls on things made here that have begun, and those that have ended.
    pub(crate) begun: Vec<u64>,
    pub(crate) ended: Vec<u64>,
    /// The kept things, as references show themselves.
    pub(crate) kept: Vec<String>,
    /// The objects that the node under test shows.
    pub(crate) exports: usize,
    /// Exports and imports of each session that is not over.
    pub(crate) sessions: Vec<(usize, usize)>,
    /// Whether all of these are connected.
    pub(crate) is_connected: bool,
    /// The wall clock, in seconds.
    pub(crate) wall_clock: u64,
}

#[derive(Remote)]
#[remote(Part)]
struct Actor {
    node: Node,
    stock: Arc<Stock>,
    kept: Kept,
    workshop: Mutex<Option<Ref<dyn Workshop>>>,
    shelf: Mutex<Option<Ref<dyn Shelf>>>,
    leaving: Arc<Notify>,
}

/// Plays an actor: says where the node under test and the test's own listen, and lives until it is told to leave.
pub(crate) async fn play() {
    let node = under_test().await;
    let (stock, kept, leaving) = (Arc::<Stock>::default(), Kept::default(), Arc::default());
    node.publish("workshop", Ref::<dyn Workshop>::new(Smithy(Arc::clone(&stock)))).await.unwrap();
    node.publish("shelf", Ref::<dyn Shelf>::new(kept.clone())).await.unwrap();
    let director = directing().listen("tcp://127.0.0.1:0").start().await.unwrap();
    say(node.uri("").trim_end_matches('/'));
    let part = Actor {
        node,
        stock,
        kept,
        workshop: Mutex::default(),
        shelf: Mutex::default(),
        leaving: Arc::clone(&leaving),
    };
    director.publish("part", Ref::<dyn Part>::new(part)).await.unwrap();
    say(&director.uri("part"));
    leaving.notified().await;
}

impl Actor {
    fn kept(&self, place: u64) -> Result<Ref<dyn Thing>> {
        let kept = self.kept.0.lock().unwrap();
        kept.get(place as usize).cloned().ok_or(Error::NoSuchObject)
    }
}

/// What was looked up before.
fn known<T: ?Sized + Interface>(place: &Mutex<Option<Ref<T>>>) -> Result<Ref<T>> {
    place.lock().unwrap().clone().ok_or(Error::NoSuchObject)
}

/// Every call's answer, or the first failure.
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
impl Part for Actor {
    async fn report(&self) -> Result<Report> {
        let kept = self.kept.0.lock().unwrap().iter().map(|thing| format!("{thing:?}")).collect();
        let mut sessions = self.node.sessions();
        sessions.retain(|session| session.state() != SessionState::Ended);
        #[expect(clippy::disallowed_methods, reason = "the test is told whether it was set")]
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
