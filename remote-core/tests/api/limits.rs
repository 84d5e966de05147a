//! Tests of the limits: whatever exceeds a limit waits or is refused, on its own session, and nobody else notices.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::relay::{BOTH, Direction, Relay};
use crate::support::{Pair, poll_once, until, within};
use remote_core::{Error, Limits, Node, Outcome, Ref, Remote, Result, SessionState, remote, this};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

#[typetag::serde]
trait Doll: Send + Sync {
    fn depth(&self) -> u32;
}

#[derive(Serialize, Deserialize)]
struct Matryoshka {
    inner: Option<Box<dyn Doll>>,
}

#[typetag::serde]
impl Doll for Matryoshka {
    fn depth(&self) -> u32 {
        1 + self.inner.as_ref().map_or(0, |inner| inner.depth())
    }
}

fn dolls(depth: u32) -> Box<dyn Doll> {
    (1..depth).fold(Box::new(Matryoshka { inner: None }), |inner, _| {
        Box::new(Matryoshka { inner: Some(inner) })
    })
}

#[derive(Serialize, Deserialize)]
struct Chain(Option<Box<Chain>>);

impl Chain {
    fn of(length: u32) -> Chain {
        (0..length).fold(Chain(None), |next, _| Chain(Some(Box::new(next))))
    }
}

impl Drop for Chain {
    fn drop(&mut self) {
        // One after another: a long chain must not overflow the stack of the test.
        let mut next = self.0.take();
        while let Some(mut link) = next {
            next = link.0.take();
        }
    }
}

#[remote]
trait Store {
    async fn note(&self, number: u64) -> Result<()>;
    async fn gated(&self, number: u64) -> Result<()>;
    async fn length(&self, bytes: Vec<u8>) -> Result<usize>;
    async fn bytes(&self, length: usize) -> Result<Vec<u8>>;
    async fn dolls(&self, doll: Box<dyn Doll>) -> Result<u32>;
    async fn make_dolls(&self, depth: u32) -> Result<Box<dyn Doll>>;
    async fn chain(&self, chain: Chain) -> Result<()>;
    async fn units(&self, units: Vec<()>) -> Result<usize>;
    async fn make_units(&self, count: usize) -> Result<Vec<()>>;
    async fn groups(&self, groups: Vec<Vec<()>>) -> Result<usize>;
    async fn keep(&self, others: Vec<Ref<dyn Store>>) -> Result<()>;
}

#[derive(Remote)]
#[remote(Store)]
struct Shelf {
    notes: Arc<Mutex<Vec<u64>>>,
    gate: Arc<Semaphore>,
}

#[remote]
impl Store for Shelf {
    async fn note(&self, number: u64) -> Result<()> {
        self.notes.lock().unwrap().push(number);
        Ok(())
    }

    async fn gated(&self, number: u64) -> Result<()> {
        self.note(number).await?;
        self.gate.acquire().await.unwrap().forget();
        Ok(())
    }

    async fn length(&self, bytes: Vec<u8>) -> Result<usize> {
        Ok(bytes.len())
    }

    async fn bytes(&self, length: usize) -> Result<Vec<u8>> {
        Ok(vec![7; length])
    }

    async fn dolls(&self, doll: Box<dyn Doll>) -> Result<u32> {
        Ok(doll.depth())
    }

    async fn make_dolls(&self, depth: u32) -> Result<Box<dyn Doll>> {
        Ok(dolls(depth))
    }

    async fn chain(&self, _chain: Chain) -> Result<()> {
        Ok(())
    }

    async fn units(&self, units: Vec<()>) -> Result<usize> {
        Ok(units.len())
    }

    async fn make_units(&self, count: usize) -> Result<Vec<()>> {
        Ok(vec![(); count])
    }

    async fn groups(&self, groups: Vec<Vec<()>>) -> Result<usize> {
        Ok(groups.iter().map(Vec::len).sum())
    }

    async fn keep(&self, _others: Vec<Ref<dyn Store>>) -> Result<()> {
        Ok(())
    }
}

struct Behind {
    notes: Arc<Mutex<Vec<u64>>>,
    gate: Arc<Semaphore>,
}

fn store() -> (Ref<dyn Store>, Behind) {
    let (notes, gate) = (Arc::default(), Arc::new(Semaphore::new(0)));
    let behind = Behind { notes: Arc::clone(&notes), gate: Arc::clone(&gate) };
    (Ref::new(Shelf { notes, gate }), behind)
}

/// Returns a pair whose server has these limits.
async fn limited(limits: Limits) -> (Pair<dyn Store>, Behind) {
    let (object, behind) = store();
    (Pair::limited(object, limits, Limits::default()).await, behind)
}

/// Asserts that a call failed because of this limit, and its outcome.
fn assert_quota<V: std::fmt::Debug>(result: Result<V>, limit: &str, outcome: Outcome) {
    let error = result.unwrap_err();
    assert!(matches!(error.root(), Error::Quota(text) if text.contains(limit)), "{error:?}");
    assert_eq!(error.outcome(), outcome, "{error:?}");
}

#[tokio::test]
async fn callers_wait_for_the_window_and_keep_their_place() {
    let (pair, behind) = limited(Limits { window_calls: 4, ..Limits::default() }).await;
    let mut calls: Vec<_> = (0..20).map(|number| pair.far.gated(number)).collect();
    for call in &mut calls {
        assert!(poll_once(call).await.is_none());
    }
    let mut oneway = pair.far.note(20).oneway();
    assert!(poll_once(&mut oneway).await.is_none(), "there is no room for it either");
    until("the window is full", || behind.notes.lock().unwrap().len() == 4).await;
    assert_eq!(pair.server_session().stats().calls_in, 4);
    // A waiting call is dropped: it never starts, and the others keep their order.
    drop(calls.remove(10));
    for ended in 1..=19 {
        behind.gate.add_permits(1);
        until("the next one starts", || behind.notes.lock().unwrap().len() >= (4 + ended).min(20))
            .await;
        assert!(pair.server_session().stats().calls_in <= 4);
    }
    for call in calls {
        within(call).await.unwrap();
    }
    within(oneway).await.unwrap();
    until("the last one starts", || behind.notes.lock().unwrap().len() == 20).await;
    assert!(
        behind.notes.lock().unwrap().iter().copied().eq((0..=20).filter(|number| *number != 10))
    );
}

#[tokio::test]
async fn the_window_bounds_bytes_too() {
    let limits = Limits { body: 100_000, window_bytes: 250_000, ..Limits::default() };
    let (pair, _) = limited(limits).await;
    let mut calls: Vec<_> = (0..10).map(|_| pair.far.length(vec![1; 90_000])).collect();
    for call in &mut calls {
        assert!(poll_once(call).await.is_none());
    }
    for call in calls {
        assert_eq!(within(call).await, Ok(90_000));
    }
}

#[remote]
trait Juggler {
    /// Calls back and forth this number of times.
    async fn throw(&self, weight: Vec<u8>, left: u32, to: Ref<dyn Juggler>) -> Result<u32>;
}

#[derive(Remote)]
#[remote(Juggler)]
struct Hands;

#[remote]
impl Juggler for Hands {
    async fn throw(&self, weight: Vec<u8>, left: u32, to: Ref<dyn Juggler>) -> Result<u32> {
        match left {
            0 => Ok(0),
            _ => Ok(1 + to.throw(weight, left - 1, this()).await?),
        }
    }
}

#[tokio::test]
async fn calls_that_wait_for_each_others_room_end() {
    let limits = Limits { body: 100_000, window_bytes: 250_000, ..Limits::default() };
    let builder = || Node::builder().limits(limits.clone()).lease(Duration::from_secs(4));
    let server = builder().listen(crate::support::fresh_address()).start().await.unwrap();
    let client = builder().start().await.unwrap();
    let pair = Pair::of(server, client, Ref::<dyn Juggler>::new(Hands)).await;
    let own = || Ref::<dyn Juggler>::new(Hands);
    // Two calls at once in each direction fit into the window; the third waits for the first, which waits for the
    // third.
    assert_eq!(within(pair.far.throw(vec![1; 90_000], 3, own())).await, Ok(3));
    let thrown = within(pair.far.throw(vec![1; 90_000], 9, own())).await;
    assert_quota(thrown, "Limits::window_bytes", Outcome::Failed);
    assert_eq!(within(pair.far.throw(vec![1; 9_000], 9, own())).await, Ok(9));
    until("nothing is in progress", || {
        let (server, client) = (pair.server_session().stats(), pair.client_session().stats());
        (server.calls_in, server.calls_out, client.calls_in, client.calls_out) == (0, 0, 0, 0)
    })
    .await;
}

#[tokio::test]
async fn a_body_that_is_too_large_fails_its_call_alone() {
    let (pair, _) = limited(Limits { body: 50_000, ..Limits::default() }).await;
    let error = within(pair.far.length(vec![1; 60_000])).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { size: 60_000.., limit: 50_000 }), "{error:?}");
    assert_eq!(error.outcome(), Outcome::NotExecuted);
    assert_eq!(within(pair.far.length(vec![1; 49_000])).await, Ok(49_000));
    // The smaller limit of the two applies, in both directions.
    let error = within(pair.far.bytes(60_000)).await.unwrap_err();
    assert!(matches!(error.root(), Error::TooLarge { limit: 50_000, .. }), "{error:?}");
    assert_eq!(error.outcome(), Outcome::Failed);
    assert_eq!(within(pair.far.bytes(49_000)).await.map(|bytes| bytes.len()), Ok(49_000));
    assert_eq!(pair.client.sessions().len(), 1);
}

#[tokio::test]
async fn values_nest_so_deep_and_no_deeper() {
    let (pair, _) = limited(Limits::default()).await;
    assert_eq!(within(pair.far.dolls(dolls(16))).await, Ok(16));
    for depth in [17, 20] {
        assert_quota(
            within(pair.far.dolls(dolls(depth))).await,
            "Limits::polymorphic_depth",
            Outcome::NotExecuted,
        );
    }
    assert_eq!(within(pair.far.make_dolls(16)).await.map(|doll| doll.depth()), Ok(16));
    let made = within(pair.far.make_dolls(17)).await.map(|doll| doll.depth());
    assert_quota(made, "Limits::polymorphic_depth", Outcome::Failed);
    assert_eq!(within(pair.far.chain(Chain::of(25))).await, Ok(()));
    for length in [65, 1_000, 100_000] {
        assert_quota(
            within(pair.far.chain(Chain::of(length))).await,
            "Limits::depth",
            Outcome::NotExecuted,
        );
    }
}

#[tokio::test]
async fn a_body_has_so_many_elements_and_no_more() {
    let (pair, _) = limited(Limits { elements: 1000, ..Limits::default() }).await;
    assert_eq!(within(pair.far.units(vec![(); 900])).await, Ok(900));
    assert_quota(
        within(pair.far.units(vec![(); 1001])).await,
        "Limits::elements",
        Outcome::NotExecuted,
    );
    // A byte string is one element.
    assert_eq!(within(pair.far.length(vec![0; 5000])).await, Ok(5000));
    // The default, for results.
    assert_quota(within(pair.far.make_units(1 << 22)).await, "Limits::elements", Outcome::Failed);
}

#[tokio::test]
async fn a_body_has_4096_elements_without_bytes_and_no_more() {
    let (near, _) = store();
    let pair = Pair::new(near.clone()).await;
    for object in [&near, &pair.far] {
        assert_eq!(within(object.units(vec![(); 4096])).await, Ok(4096));
        assert_eq!(within(object.make_units(4096)).await.map(|units| units.len()), Ok(4096));
        assert_eq!(within(object.groups(vec![vec![(); 2048]; 2])).await, Ok(4096));
        for count in [4097, 1 << 21, usize::MAX] {
            let arguments = within(object.units(vec![(); count])).await;
            assert_quota(arguments, "Limits::elements", Outcome::NotExecuted);
            let result = within(object.make_units(count)).await;
            assert_quota(result, "Limits::elements", Outcome::Failed);
        }
        let groups = within(object.groups(vec![vec![(); 2049]; 2])).await;
        assert_quota(groups, "Limits::elements", Outcome::NotExecuted);
    }
}

#[tokio::test]
async fn a_peer_is_given_so_many_references_and_no_more() {
    let (pair, _) = limited(Limits { references: 100, ..Limits::default() }).await;
    let many = |count| (0..count).map(|_| store().0).collect::<Vec<_>>();
    assert_eq!(within(pair.far.keep(many(100))).await, Ok(()));
    until("they are given back", || pair.client.exports() == 0).await;
    assert_quota(
        within(pair.far.keep(many(101))).await,
        "Limits::references",
        Outcome::NotExecuted,
    );
    assert_eq!(pair.client.exports(), 0);
    assert_eq!(within(pair.far.keep(many(100))).await, Ok(()));
}

#[tokio::test]
async fn calls_each_cancelled_at_once_leave_nothing_behind() {
    let count = if cfg!(debug_assertions) { 100_000 } else { 1_000_000 };
    let (pair, _) = limited(Limits::default()).await;
    for number in 0..count {
        let mut call = pair.far.gated(number);
        assert!(poll_once(&mut call).await.is_none());
        drop(call);
        if number % 1000 == 0 {
            assert!(pair.client_session().stats().held <= 32 << 20);
            tokio::task::yield_now().await;
        }
    }
    until("nothing is in progress", || {
        let (server, client) = (pair.server_session().stats(), pair.client_session().stats());
        (server.calls_in, client.calls_out, client.held) == (0, 0, 0)
    })
    .await;
    assert_eq!(within(pair.far.length(vec![0; 3])).await, Ok(3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_does_not_read_is_bounded_and_blocks_no_other() {
    const RESULT: usize = 1 << 20;
    let limits = Limits { queue: 4 << 20, unacknowledged: 2 << 20, ..Limits::default() };
    let server = Node::builder().listen("tcp://127.0.0.1:0").limits(limits).start().await.unwrap();
    server.publish("store", store().0).await.unwrap();
    let relay =
        Relay::start(server.uri("store").strip_suffix("/store").unwrap(), Duration::ZERO).await;
    let (slow, quick) = (Node::new(), Node::new());
    let far: Ref<dyn Store> = within(slow.lookup(relay.uri("store"))).await.unwrap();
    let other: Ref<dyn Store> = within(quick.lookup(server.uri("store"))).await.unwrap();
    relay.stall([Direction::ToClient]);
    let mut calls: Vec<_> = (0..100).map(|_| far.bytes(RESULT)).collect();
    for call in &mut calls {
        assert!(poll_once(call).await.is_none());
    }
    let of_slow =
        || server.sessions().into_iter().find(|session| session.peer().id() == slow.id()).unwrap();
    until("its answers fill the queue", || of_slow().stats().held >= 3 << 20).await;
    for _ in 0..1000 {
        assert_eq!(within(other.length(vec![0; 100])).await, Ok(100));
        let held = of_slow().stats().held;
        assert!(
            held <= (4 << 20) + (2 << 20) + 2 * RESULT,
            "{held} bytes are held for a peer that does not read"
        );
    }
    relay.heal();
    for call in calls {
        assert_eq!(within(call).await.map(|bytes| bytes.len()), Ok(RESULT));
    }
}

#[tokio::test]
async fn a_write_that_stalls_suspends_the_session_and_the_memory_limit_refuses_new_ones_meanwhile()
{
    let limits = Limits { stall: Duration::from_secs(1), memory: 1 << 20, ..Limits::default() };
    let server = Node::builder().listen("tcp://127.0.0.1:0").limits(limits);
    let server = server.lease(Duration::from_secs(5)).start().await.unwrap();
    server.publish("store", store().0).await.unwrap();
    let relay =
        Relay::start(server.uri("store").strip_suffix("/store").unwrap(), Duration::ZERO).await;
    let (slow, late) = (Node::new(), Node::new());
    let far: Ref<dyn Store> = within(slow.lookup(relay.uri("store"))).await.unwrap();
    relay.stall([Direction::ToClient]);
    let mut calls: Vec<_> = (0..100).map(|_| far.bytes(1 << 20)).collect();
    for call in &mut calls {
        assert!(poll_once(call).await.is_none());
    }
    let session = crate::support::only_session(&server);
    within(session.watch().wait_for(|state| *state == SessionState::Suspended)).await.unwrap();
    assert!(session.stats().held > 1 << 20, "what it does not read is kept for it");
    let error = within(late.lookup::<dyn Store>(server.uri("store"))).await.unwrap_err();
    // The kind of error depends on which of the two nodes decides about connections between them.
    assert!(matches!(error, Error::NotConnected { .. } | Error::SessionLost { .. }), "{error:?}");
    assert_eq!(error.outcome(), Outcome::NotExecuted);
    within(session.watch().wait_for(|state| *state == SessionState::Ended)).await.unwrap();
    until("nothing is held for it", || server.sessions().is_empty()).await;
    let found: Ref<dyn Store> = within(late.lookup(server.uri("store"))).await.unwrap();
    assert_eq!(within(found.length(vec![0; 3])).await, Ok(3));
}

#[tokio::test]
async fn a_silent_connection_is_replaced() {
    let limits = Limits {
        ping: Duration::from_millis(100),
        silence: Duration::from_millis(400),
        ..Limits::default()
    };
    let server = Node::listen("tcp://127.0.0.1:0").await.unwrap();
    let (store, behind) = store();
    server.publish("store", store).await.unwrap();
    let relay =
        Relay::start(server.uri("store").strip_suffix("/store").unwrap(), Duration::ZERO).await;
    let client = Node::builder().limits(limits).start().await.unwrap();
    let far: Ref<dyn Store> = within(client.lookup(relay.uri("store"))).await.unwrap();
    let mut call = far.gated(1);
    assert!(poll_once(&mut call).await.is_none());
    relay.stall(BOTH);
    let session = crate::support::only_session(&client);
    within(session.watch().wait_for(|state| *state == SessionState::Suspended)).await.unwrap();
    relay.heal();
    within(session.watch().wait_for(|state| *state == SessionState::Connected)).await.unwrap();
    assert!(session.stats().reconnects >= 1);
    behind.gate.add_permits(1);
    assert_eq!(within(call).await, Ok(()), "the call goes on where it was");
}
