//! Tests of promise pipelining: a chain of calls takes one round trip, keeps its order, and fails with the first
//! failure.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::support::relay::{Direction, Relay};
use crate::support::{Pair, TIME_LIMIT, fresh_address, poll_once, takes, until, within};
use remote_core::{Error, Node, Outcome, Ref, Remote, Result, remote};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

/// An error whose first variant has the shape of the first variant of `remote_core::Error`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Mistake {
    Refused { by: String, why: String },
    Remote(Error),
}

impl From<Error> for Mistake {
    fn from(error: Error) -> Mistake {
        Mistake::Remote(error)
    }
}

fn mistake() -> Mistake {
    Mistake::Refused { by: "step".into(), why: "it is the last".into() }
}

#[remote]
trait Step {
    async fn value(&self) -> Result<u64>;
    async fn checked_value(&self) -> Result<u64, Mistake>;
    /// Returns a new object with the next number.
    async fn next(&self) -> Result<Ref<dyn Step>>;
    /// Does the same when the test permits it.
    async fn gated_next(&self) -> Result<Ref<dyn Step>>;
    /// Returns the kept reference, when the test permits it.
    async fn gated_kept(&self) -> Result<Ref<dyn Step>>;
    async fn failing_next(&self) -> Result<Ref<dyn Step>>;
    async fn mistaken_next(&self) -> Result<Ref<dyn Step>, Mistake>;
    async fn panicking_next(&self) -> Result<Ref<dyn Step>>;
    /// Returns its argument.
    async fn same(&self, step: Ref<dyn Step>) -> Result<Ref<dyn Step>>;
    async fn value_of(&self, step: Ref<dyn Step>) -> Result<u64>;
    async fn note(&self, number: u64) -> Result<()>;
}

#[derive(Remote, Clone, Default)]
#[remote(Step)]
struct Stair {
    height: u64,
    shared: Arc<Shared>,
}

struct Shared {
    gate: Semaphore,
    notes: Mutex<Vec<u64>>,
    kept: Mutex<Option<Ref<dyn Step>>>,
}

impl Default for Shared {
    fn default() -> Shared {
        Shared { gate: Semaphore::new(0), notes: Mutex::default(), kept: Mutex::default() }
    }
}

#[remote]
impl Step for Stair {
    async fn value(&self) -> Result<u64> {
        Ok(self.height)
    }

    async fn checked_value(&self) -> Result<u64, Mistake> {
        Ok(self.height)
    }

    async fn next(&self) -> Result<Ref<dyn Step>> {
        Ok(Ref::new(Stair { height: self.height + 1, shared: Arc::clone(&self.shared) }))
    }

    async fn gated_next(&self) -> Result<Ref<dyn Step>> {
        self.shared.gate.acquire().await.unwrap().forget();
        self.next().await
    }

    async fn gated_kept(&self) -> Result<Ref<dyn Step>> {
        self.shared.gate.acquire().await.unwrap().forget();
        Ok(self.shared.kept.lock().unwrap().take().unwrap())
    }

    async fn failing_next(&self) -> Result<Ref<dyn Step>> {
        Err(Error::Refused("no further".into()))
    }

    async fn mistaken_next(&self) -> Result<Ref<dyn Step>, Mistake> {
        Err(mistake())
    }

    async fn panicking_next(&self) -> Result<Ref<dyn Step>> {
        panic!("stumbled")
    }

    async fn same(&self, step: Ref<dyn Step>) -> Result<Ref<dyn Step>> {
        Ok(step)
    }

    async fn value_of(&self, step: Ref<dyn Step>) -> Result<u64> {
        step.value().await
    }

    async fn note(&self, number: u64) -> Result<()> {
        self.shared.notes.lock().unwrap().push(number);
        Ok(())
    }
}

fn stair() -> (Ref<dyn Step>, Arc<Shared>) {
    let stair = Stair::default();
    let shared = Arc::clone(&stair.shared);
    (Ref::new(stair), shared)
}

#[tokio::test]
async fn a_chain_takes_one_round_trip() {
    const DELAY: Duration = Duration::from_millis(200);
    let server = Node::listen("tcp://127.0.0.1:0").await.unwrap();
    server.publish("stair", stair().0).await.unwrap();
    let relay = Relay::start(server.uri("stair").strip_suffix("/stair").unwrap(), DELAY).await;
    let client = Node::new();
    let root: Ref<dyn Step> = within(client.lookup(relay.uri("stair"))).await.unwrap();
    let chain = async || {
        let mut last = root.next().pipelined();
        for _ in 1..12 {
            last = last.next().pipelined();
        }
        assert_eq!(within(last.value()).await, Ok(12));
    };
    takes(2 * DELAY, 4 * DELAY, chain).await;
    // Awaiting each call takes a round trip for each.
    let begun = Instant::now();
    within(within(root.next()).await.unwrap().next()).await.unwrap();
    assert!(begun.elapsed() >= 4 * DELAY);
}

#[tokio::test]
async fn four_calls_that_depend_on_each_other_take_less_than_120_ms_on_a_link_of_100() {
    let server = Node::listen("tcp://127.0.0.1:0").await.unwrap();
    server.publish("stair", stair().0).await.unwrap();
    let server = server.uri("stair");
    let relay =
        Relay::start(server.strip_suffix("/stair").unwrap(), Duration::from_millis(50)).await;
    let root: Ref<dyn Step> = within(Node::new().lookup(relay.uri("stair"))).await.unwrap();
    let chain = async || {
        let third = root.next().pipelined().next().pipelined().next().pipelined();
        assert_eq!(within(third.value()).await, Ok(3));
    };
    takes(Duration::from_millis(100), Duration::from_millis(120), chain).await;
}

#[tokio::test]
async fn a_chain_continues_after_its_first_promises_are_dropped() {
    let (root, shared) = stair();
    let pair = Pair::new(root.clone()).await;
    for reference in [&pair.far, &root] {
        let third =
            reference.gated_next().pipelined().gated_next().pipelined().gated_next().pipelined();
        let mut value = third.value();
        assert!(poll_once(&mut value).await.is_none());
        shared.gate.add_permits(3);
        assert_eq!(within(value).await, Ok(3));
    }
}

#[tokio::test]
async fn a_chain_in_one_expression() {
    let pair = Pair::new(stair().0).await;
    let value =
        within(async { pair.far.next().pipelined().next().pipelined().value().await }).await;
    assert_eq!(value, Ok(2));
    until("no answer is kept", || pair.server.exports() == 1).await;
}

#[tokio::test]
async fn pipelined_calls_fail_with_the_original_error() {
    let (root, _) = stair();
    let pair = Pair::new(root.clone()).await;
    for reference in [&pair.far, &root] {
        let failed = reference.failing_next().pipelined();
        let further = failed.next().pipelined();
        let original = Error::Nested(Box::new(Error::Refused("no further".into())));
        let broken = Error::Broken(Box::new(original.clone()));
        assert_eq!(broken.outcome(), Outcome::NotExecuted, "unlike the call that failed");
        assert_eq!(within(failed.value()).await, Err(broken.clone()));
        assert_eq!(within(further.value()).await, Err(broken.clone()));
        assert_eq!(within(further.checked_value()).await, Err(Mistake::Remote(broken)));
        assert_eq!(within(Ref::resolved(&failed)).await.unwrap_err(), original);
    }
}

#[tokio::test]
async fn a_user_error_arrives_as_itself_where_types_agree() {
    let (root, _) = stair();
    let pair = Pair::new(root.clone()).await;
    for reference in [&pair.far, &root] {
        let mistaken = reference.mistaken_next().pipelined();
        let further = mistaken.next().pipelined();
        assert_eq!(within(mistaken.checked_value()).await, Err(mistake()));
        assert_eq!(within(further.checked_value()).await, Err(mistake()));
        // Where the error type differs, it is not decoded as that type.
        let error = within(further.value()).await.unwrap_err();
        assert!(matches!(error, Error::Broken(_)), "{error:?}");
        assert!(!matches!(error.root(), Error::NotConnected { .. }), "{error:?}");
        assert_eq!(error.outcome(), Outcome::NotExecuted);
    }
}

#[tokio::test]
async fn a_panic_breaks_what_was_pipelined_on_it() {
    let (root, _) = stair();
    let pair = Pair::new(root.clone()).await;
    for reference in [&pair.far, &root] {
        let promise = reference.panicking_next().pipelined();
        let error = within(promise.value()).await.unwrap_err();
        assert_eq!(error, Error::Broken(Box::new(Error::Panicked("stumbled".into()))));
        assert_eq!(within(reference.value()).await, Ok(0));
    }
}

#[tokio::test]
async fn a_promise_that_resolves_to_a_near_object_keeps_the_order() {
    const DELAY: Duration = Duration::from_millis(100);
    let server = Node::listen("tcp://127.0.0.1:0").await.unwrap();
    server.publish("stair", stair().0).await.unwrap();
    let relay = Relay::start(server.uri("stair").strip_suffix("/stair").unwrap(), DELAY).await;
    let client = Node::new();
    let root: Ref<dyn Step> = within(client.lookup(relay.uri("stair"))).await.unwrap();
    let (mine, shared) = stair();
    let promise = root.same(mine.clone()).pipelined();
    // The answer stays in transit until all have been sent: some messages reach the server before it has answered, some
    // after.
    relay.stall([Direction::ToClient]);
    let mut early = Vec::new();
    for number in 0..50 {
        let mut call = promise.note(number);
        assert!(poll_once(&mut call).await.is_none(), "it takes the long path");
        early.push(call);
        tokio::time::sleep(DELAY / 40).await;
    }
    relay.heal();
    let resolved = within(Ref::resolved(&promise)).await.unwrap();
    assert_eq!(resolved, mine);
    assert!(Ref::is_near(&resolved));
    // On the short path, which has no latency: nothing may arrive on the long path after it.
    within(resolved.note(50)).await.unwrap();
    let notes = shared.notes.lock().unwrap().clone();
    assert!(notes.iter().copied().eq(0..=50), "{notes:?}");
    for call in early {
        within(call).await.unwrap();
    }
    within(promise.note(51)).await.unwrap();
    assert_eq!(shared.notes.lock().unwrap().len(), 52);
}

#[tokio::test]
async fn a_promise_equals_only_its_clones() {
    let (root, shared) = stair();
    let pair = Pair::new(root.clone()).await;
    for reference in [&pair.far, &root] {
        let (one, other) = (reference.gated_next().pipelined(), reference.next().pipelined());
        assert_eq!(one, one.clone());
        assert_ne!(one, other);
        shared.gate.add_permits(1);
        let resolved = within(Ref::resolved(&one)).await.unwrap();
        assert_ne!(one, resolved);
        assert_eq!(one, one.clone());
        assert_eq!(resolved, within(Ref::resolved(&one)).await.unwrap());
        assert_eq!(Ref::is_near(&resolved), Ref::is_near(reference));
    }
}

#[tokio::test]
async fn a_promise_travels_as_an_argument() {
    let (root, shared) = stair();
    let pair = Pair::new(root).await;
    let promise = pair.far.gated_next().pipelined();
    let mut value = pair.far.value_of(promise);
    assert!(poll_once(&mut value).await.is_none());
    shared.gate.add_permits(1);
    assert_eq!(within(value).await, Ok(1));
    let near = stair().0.next().pipelined();
    assert_eq!(within(pair.far.value_of(near)).await, Ok(1));
}

#[tokio::test]
async fn pipelined_calls_through_a_third_node_leave_no_state() {
    let (root, shared) = stair();
    let owner = Pair::new(root).await;
    let middle = Node::listen(fresh_address()).await.unwrap();
    // The middle forwards messages to an object of the owner that it publishes.
    middle
        .publish(
            "stair",
            within(middle.lookup::<dyn Step>(owner.server.uri("object"))).await.unwrap(),
        )
        .await
        .unwrap();
    let client = Node::new();
    let forwarded: Ref<dyn Step> = within(client.lookup(middle.uri("stair"))).await.unwrap();
    for _ in 0..50 {
        let promise = forwarded.gated_next().pipelined().next().pipelined();
        let mut value = promise.value();
        assert!(poll_once(&mut value).await.is_none());
        shared.gate.add_permits(1);
        assert_eq!(within(value).await, Ok(2));
    }
    until("the middle has forgotten the calls", || {
        middle
            .sessions()
            .iter()
            .all(|session| (session.stats().calls_out, session.stats().calls_in) == (0, 0))
    })
    .await;
    // By now the client refers to the first object directly.
    until("and the objects", || (middle.exports(), owner.server.exports()) == (0, 1)).await;
}

#[tokio::test]
async fn a_near_promise_can_resolve_to_a_far_object() {
    let pair = Pair::new(stair().0).await;
    let (near, shared) = stair();
    let promise = near.same(pair.far.clone()).pipelined();
    assert_eq!(within(promise.next().pipelined().value()).await, Ok(1));
    assert_eq!(within(promise.value()).await, Ok(0));
    within(promise.note(7).oneway()).await.unwrap();
    assert_eq!(within(promise.value().timeout(TIME_LIMIT)).await, Ok(0));
    assert!(shared.notes.lock().unwrap().is_empty(), "it went to the far one");
    // On the other side: a promise of the server that resolves to an object of a third node.
    let third = Node::listen(fresh_address()).await.unwrap();
    third.publish("stair", stair().0).await.unwrap();
    let elsewhere: Ref<dyn Step> = within(pair.client.lookup(third.uri("stair"))).await.unwrap();
    let promise = pair.far.same(elsewhere).pipelined();
    assert_eq!(within(promise.next().pipelined().value()).await, Ok(1));
    assert_eq!(within(promise.value()).await, Ok(0));
}

/// Sends numbers in turn to a promise and to the reference that it resolved to, one-way or awaited, and asserts that they
/// arrive in order.
async fn assert_order(promise: &Ref<dyn Step>, shared: &Shared, is_one_way: bool) {
    for number in 0..5 {
        within(promise.note(number).oneway()).await.unwrap();
    }
    let resolved = within(Ref::resolved(promise)).await.unwrap();
    let mut awaited = Vec::new();
    for number in 5..200 {
        let object = if number % 2 == 0 { promise } else { &resolved };
        if is_one_way {
            within(object.note(number).oneway()).await.unwrap();
        } else {
            let mut call = Box::pin(object.note(number));
            if let Some(result) = poll_once(&mut call).await {
                result.unwrap();
            } else {
                awaited.push(call);
            }
        }
    }
    for call in awaited {
        within(call).await.unwrap();
    }
    until("all have arrived", || shared.notes.lock().unwrap().len() >= 200).await;
    let notes = std::mem::take(&mut *shared.notes.lock().unwrap());
    assert!(notes.iter().copied().eq(0..200), "{notes:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_to_a_promise_and_to_its_resolution_keep_their_order() {
    let (root, shared) = stair();
    let pair = Pair::tcp(root).await;
    let third = Node::listen("tcp://127.0.0.1:0").await.unwrap();
    let (object, of_third) = stair();
    third.publish("stair", object).await.unwrap();
    let (mine, of_mine) = stair();
    let elsewhere: Ref<dyn Step> = within(pair.client.lookup(third.uri("stair"))).await.unwrap();
    for is_one_way in [true, false].repeat(5) {
        // The promise of a far object, of one's own, of one of a third node; and a near promise.
        assert_order(&pair.far.next().pipelined(), &shared, is_one_way).await;
        assert_order(&pair.far.same(mine.clone()).pipelined(), &of_mine, is_one_way).await;
        assert_order(&pair.far.same(elsewhere.clone()).pipelined(), &of_third, is_one_way).await;
        assert_order(&mine.next().pipelined(), &of_mine, is_one_way).await;
        assert_order(&mine.same(pair.far.clone()).pipelined(), &shared, is_one_way).await;
    }
}

#[tokio::test]
async fn a_chain_of_promises_can_be_longer_than_the_stack_is_deep() {
    let (root, shared) = stair();
    let pair = Pair::new(root.clone()).await;
    // A message to a promise of the peer that resolves to one of this node is nested once more at each of them.
    for (object, length) in [(&root, 20_000), (&pair.far, 10)] {
        // Each promise resolves to the one before, and the first one is pending.
        let mut promise = object.gated_next().pipelined();
        for _ in 0..length {
            promise = object.same(promise).pipelined();
        }
        let monitor = Ref::monitor(&promise);
        let mut early = Box::pin(promise.value());
        assert!(poll_once(&mut early).await.is_none());
        shared.gate.add_permits(1);
        assert_eq!(within(early).await, Ok(1));
        assert_eq!(within(promise.value()).await, Ok(1));
        let resolved = within(Ref::resolved(&promise)).await.unwrap();
        assert_eq!(within(resolved.value()).await, Ok(1));
        drop((promise, resolved, monitor));
        // Each call is pipelined on the one before, and all of them are kept when the first one fails.
        let mut promises = vec![object.mistaken_next().pipelined()];
        for _ in 0..1_000.max(length) {
            promises.push(promises.last().unwrap().next().pipelined());
        }
        let last = promises.last().unwrap();
        assert_eq!(within(last.checked_value()).await, Err(mistake()));
    }
}

#[tokio::test]
async fn a_promise_that_resolves_to_itself_fails() {
    let (root, shared) = stair();
    let promise = root.gated_kept().pipelined();
    *shared.kept.lock().unwrap() = Some(root.same(promise.clone()).pipelined());
    let mut early = Box::pin(promise.value());
    assert!(poll_once(&mut early).await.is_none());
    shared.gate.add_permits(1);
    for error in [within(early).await.unwrap_err(), within(promise.value()).await.unwrap_err()] {
        assert!(error.root().to_string().contains("itself"), "{error}");
    }
}
