//! Tests of deadlines: the default of a node, limits that no clock can represent, limits of zero, and a deadline that passes at
//! several places at once.

use std::time::Duration;

use crate::support::relay::{BOTH, Relay};
use crate::support::{DropWatch, DropWitness, Pair, TIME_LIMIT, drop_witness, poll_once, within};
use remote_core::{Error, Limits, Node, Outcome, Ref, Remote, Result, remote};
use tokio::sync::mpsc;

const SOON: Duration = Duration::from_millis(50);

#[remote]
trait Porter {
    async fn quick(&self) -> Result<u64>;
    /// Never returns.
    async fn hang(&self) -> Result<u64>;
    /// Calls `hang` of the other, with a limit or without.
    async fn hang_at(&self, other: Ref<dyn Porter>, limit: Option<Duration>) -> Result<u64>;
    async fn itself(&self) -> Result<Ref<dyn Porter>>;
}

#[derive(Remote)]
#[remote(Porter)]
struct Door {
    /// Receives, for each method that begins to hang, the watch for its end.
    hanging: mpsc::UnboundedSender<DropWatch>,
}

#[remote]
impl Porter for Door {
    async fn quick(&self) -> Result<u64> {
        Ok(7)
    }

    async fn hang(&self) -> Result<u64> {
        let (_witness, watch): (DropWitness, DropWatch) = drop_witness();
        let _ = self.hanging.send(watch);
        std::future::pending().await
    }

    async fn hang_at(&self, other: Ref<dyn Porter>, limit: Option<Duration>) -> Result<u64> {
        match limit {
            Some(limit) => other.hang().timeout(limit).await,
            None => other.hang().await,
        }
    }

    async fn itself(&self) -> Result<Ref<dyn Porter>> {
        Ok(remote_core::this())
    }
}

fn porter() -> (Ref<dyn Porter>, mpsc::UnboundedReceiver<DropWatch>) {
    let (hanging, watches) = mpsc::unbounded_channel();
    (Ref::new(Door { hanging }), watches)
}

/// Returns a pair whose client has a default for calls without a deadline.
async fn pair_with_default(limit: Duration) -> (Pair<dyn Porter>, Ref<dyn Porter>) {
    let (object, _) = porter();
    let server = Node::listen("tcp://127.0.0.1:0").await.unwrap();
    let client = Node::builder().call_timeout(limit).start().await.unwrap();
    (Pair::of(server, client, object.clone()).await, object)
}

#[tokio::test]
async fn a_call_without_a_deadline_has_the_default_of_its_node() {
    let (pair, near) = pair_with_default(SOON).await;
    let mut near_call = near.hang();
    assert!(poll_once(&mut near_call).await.is_none());
    assert_eq!(within(pair.far.hang()).await, Err(Error::Timeout));
    let promise = pair.far.itself().pipelined();
    assert_eq!(within(promise.hang()).await, Err(Error::Timeout));
    assert!(poll_once(&mut near_call).await.is_none(), "calls to near objects have none");
    // A limit of its own counts, whether longer or shorter.
    let far = pair.far.clone();
    let mut longer = Box::pin(async move { far.hang().timeout(TIME_LIMIT).await });
    assert!(poll_once(&mut longer).await.is_none());
    assert_eq!(within(pair.far.hang()).await, Err(Error::Timeout));
    assert!(poll_once(&mut longer).await.is_none());
    // The callee's node has no default.
    let (callee, mut hanging) = porter();
    let mut nested = pair.far.hang_at(callee, None).timeout(TIME_LIMIT);
    assert!(poll_once(&mut nested).await.is_none());
    let watch = within(hanging.recv()).await.unwrap();
    assert_eq!(within(pair.far.hang()).await, Err(Error::Timeout));
    assert!(!watch.is_dropped());
}

#[tokio::test]
async fn a_method_with_a_deadline_passes_it_on_in_place_of_the_default() {
    // Here the server has the default, and calls back.
    let server = Node::builder().listen("tcp://127.0.0.1:0").call_timeout(SOON);
    let server = server.start().await.unwrap();
    let pair = Pair::of(server, Node::new(), porter().0).await;
    let (callee, mut hanging) = porter();
    let error = within(pair.far.hang_at(callee.clone(), None)).await.unwrap_err();
    assert_eq!(error, Error::Nested(Box::new(Error::Timeout)));
    within(within(hanging.recv()).await.unwrap().dropped()).await;
    let mut longer = pair.far.hang_at(callee.clone(), None).timeout(TIME_LIMIT);
    assert!(poll_once(&mut longer).await.is_none());
    let watch = within(hanging.recv()).await.unwrap();
    assert!(within(pair.far.hang_at(callee, None)).await.is_err());
    assert!(!watch.is_dropped(), "what remains of the caller's deadline counts");
}

#[tokio::test]
async fn the_default_applies_to_lookups() {
    let server = Node::listen("tcp://127.0.0.1:0").await.unwrap();
    server.publish("porter", porter().0).await.unwrap();
    let relay = Relay::start(server.uri("").trim_end_matches('/'), Duration::ZERO).await;
    let client = Node::builder().call_timeout(Duration::from_secs(2)).start().await.unwrap();
    within(client.lookup::<dyn Porter>(relay.uri("porter"))).await.unwrap();
    relay.stall(BOTH);
    let lookup = within(client.lookup::<dyn Porter>(relay.uri("porter"))).await;
    assert_eq!(lookup.map(drop), Err(Error::Timeout));
}

#[tokio::test]
async fn a_default_of_zero_is_refused() {
    let error = Node::builder().call_timeout(Duration::ZERO).start().await.unwrap_err();
    assert!(error.to_string().contains("call_timeout"), "{error}");
}

#[tokio::test]
async fn a_limit_beyond_every_clock_is_none() {
    const MAX: Duration = Duration::MAX;
    let (pair, near) = pair_with_default(MAX).await;
    let promise = pair.far.itself().pipelined();
    let third = Node::listen(crate::support::fresh_address()).await.unwrap();
    third.publish("porter", porter().0).await.unwrap();
    for object in [&near, &pair.far, &promise] {
        assert_eq!(within(object.quick().timeout(MAX)).await, Ok(7));
        assert_eq!(within(object.quick().timeout(MAX).timeout(TIME_LIMIT)).await, Ok(7));
        within(object.quick().timeout(MAX).oneway()).await.unwrap();
        assert_eq!(within(object.itself().timeout(MAX).pipelined().quick()).await, Ok(7));
        let far: Ref<dyn Porter> = within(pair.client.lookup(third.uri("porter"))).await.unwrap();
        let nested = object.hang_at(far, Some(MAX)).timeout(SOON);
        assert_eq!(within(nested).await, Err(Error::Timeout));
        let (object, from_thread) = (object.clone(), std::thread::current().id());
        let waited = tokio::task::spawn_blocking(move || {
            assert_ne!(std::thread::current().id(), from_thread);
            object.quick().timeout(MAX).wait()
        });
        assert_eq!(within(waited).await.unwrap(), Ok(7));
    }
    drop((near, promise));
    assert!(within(third.shutdown(MAX)).await.is_complete());
    assert!(within(pair.client.shutdown(MAX)).await.is_complete());
    assert!(within(pair.server.shutdown(MAX)).await.is_complete());
}

#[tokio::test]
async fn limits_of_a_node_beyond_every_clock_are_none() {
    const MAX: Duration = Duration::MAX;
    let endless = Limits { handshake_time: MAX, stall: MAX, ..Limits::default() };
    let server = Node::builder().listen("tcp://127.0.0.1:0").limits(endless.clone());
    let client = Node::builder().limits(endless).lease(MAX);
    // A term of this length may be refused, but it must not panic.
    let Ok(server) = server.start().await else { return };
    let Ok(client) = client.start().await else { return };
    let pair = Pair::of(server, client, porter().0).await;
    assert_eq!(within(pair.far.quick()).await, Ok(7));
}

#[tokio::test]
async fn a_limit_of_zero_times_out_unsent() {
    let (object, mut hanging) = porter();
    let pair = Pair::new(object.clone()).await;
    for object in [&object, &pair.far] {
        assert_eq!(within(object.hang().timeout(Duration::ZERO)).await, Err(Error::Timeout));
        let one_way = object.hang().timeout(Duration::ZERO).oneway();
        assert_eq!(within(one_way).await, Err(Error::Timeout));
        let promise = object.itself().timeout(Duration::ZERO).pipelined();
        let error = within(promise.hang()).await.unwrap_err();
        assert_eq!(error.root(), &Error::Timeout);
    }
    within(pair.far.quick()).await.unwrap();
    assert!(hanging.try_recv().is_err(), "nothing was executed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadline_that_passes_at_several_places_is_the_callers_timeout() {
    let pair = Pair::tcp(porter().0).await;
    let (callee, _hanging) = porter();
    let calls = (0..50).map(|number| {
        let (far, callee) = (pair.far.clone(), callee.clone());
        // The callee has a deadline of the same length, or inherits what is left of it.
        let inner = (number % 2 == 0).then_some(SOON);
        tokio::spawn(async move { far.hang_at(callee, inner).timeout(SOON).await })
    });
    for call in calls.collect::<Vec<_>>() {
        let error = within(call).await.unwrap().unwrap_err();
        assert_eq!((&error, error.outcome()), (&Error::Timeout, Outcome::Unknown));
    }
}
