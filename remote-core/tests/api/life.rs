//! Tests of the life of an object: it ends promptly after the last release by any holder; and each watcher is
//! notified once, with the reason.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::{
    DropWitness, Pair, TIME_LIMIT, drop_witness, fresh_address, only_session, poll_once, until,
    within,
};
use remote_core::{Ended, Error, Monitor, Node, Ref, Remote, Result, remote};

#[remote]
trait Holder {
    async fn put(&self, things: Vec<Ref<dyn Holder>>) -> Result<usize>;
    async fn take(&self) -> Result<Vec<Ref<dyn Holder>>>;
    /// Returns this number of new objects.
    async fn make(&self, count: usize) -> Result<Vec<Ref<dyn Holder>>>;
    async fn count(&self) -> Result<usize>;
    /// Stops another object of the same node.
    async fn stop_first(&self, reason: &str) -> Result<()>;
    async fn hang(&self) -> Result<()>;
}

#[derive(Remote, Default)]
#[remote(Holder)]
struct Chest {
    things: Mutex<Vec<Ref<dyn Holder>>>,
    #[allow(dead_code, reason = "it is there to be dropped")]
    witness: Option<DropWitness>,
    living: Option<Living>,
}

/// Counts the live objects.
struct Living(Arc<AtomicUsize>);

impl Living {
    fn new(count: &Arc<AtomicUsize>) -> Living {
        count.fetch_add(1, Ordering::SeqCst);
        Living(Arc::clone(count))
    }
}

impl Drop for Living {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[remote]
impl Holder for Chest {
    async fn put(&self, things: Vec<Ref<dyn Holder>>) -> Result<usize> {
        let mut held = self.things.lock().unwrap();
        held.extend(things);
        Ok(held.len())
    }

    async fn take(&self) -> Result<Vec<Ref<dyn Holder>>> {
        Ok(std::mem::take(&mut *self.things.lock().unwrap()))
    }

    async fn make(&self, count: usize) -> Result<Vec<Ref<dyn Holder>>> {
        let living = |living: &Living| Living::new(&living.0);
        let one =
            || Ref::new(Chest { living: self.living.as_ref().map(living), ..Chest::default() });
        Ok((0..count).map(|_| one()).collect())
    }

    async fn count(&self) -> Result<usize> {
        Ok(self.things.lock().unwrap().len())
    }

    async fn stop_first(&self, reason: &str) -> Result<()> {
        Ref::stop(&self.things.lock().unwrap()[0], reason)
    }

    async fn hang(&self) -> Result<()> {
        std::future::pending().await
    }
}

fn chest() -> Ref<dyn Holder> {
    Ref::new(Chest::default())
}

fn witnessed() -> (Ref<dyn Holder>, crate::support::DropWatch) {
    let (witness, watch) = drop_witness();
    (Ref::new(Chest { witness: Some(witness), ..Chest::default() }), watch)
}

/// Returns the report of a monitor, and asserts that it was not there before `end`.
async fn report(mut monitor: Monitor, end: impl AsyncFnOnce()) -> Ended {
    assert!(poll_once(&mut monitor).await.is_none(), "it has not ended yet");
    end().await;
    within(monitor).await
}

#[tokio::test]
async fn an_object_is_dropped_with_its_last_reference() {
    let pair = Pair::new(chest()).await;
    let (object, mut watch) = witnessed();
    assert_eq!(within(pair.far.put(vec![object.clone(), object.clone()])).await, Ok(2));
    assert_eq!(pair.client.exports(), 1);
    drop(object);
    // The references of the other node keep it, however often it is passed back and forth.
    for _ in 0..100 {
        let back = within(pair.far.take()).await.unwrap();
        assert!(back.iter().all(Ref::is_near));
        assert_eq!(within(pair.far.put(back)).await, Ok(2));
    }
    assert!(!watch.is_dropped());
    drop(within(pair.far.take()).await.unwrap());
    watch.dropped().await;
    until("the table is empty", || pair.client.exports() == 0).await;
    until("and the other's", || pair.server_session().stats().imports == 0).await;
}

#[tokio::test]
async fn a_running_call_keeps_its_object() {
    let (object, mut watch) = witnessed();
    let Pair { server, client, far } = Pair::new(object).await;
    // It runs until its deadline, and nobody waits for it. Before that, all references are dropped.
    within(far.hang().timeout(Duration::from_secs(5)).oneway()).await.unwrap();
    drop(far);
    server.unpublish("object").await.unwrap();
    until("nobody refers to it", || server.exports() == 0).await;
    assert_eq!(only_session(&server).stats().calls_in, 1);
    assert!(!watch.is_dropped());
    watch.dropped().await;
    assert_eq!(client.sessions().len(), 1);
}

#[tokio::test]
async fn a_published_object_lives_until_it_is_unpublished() {
    let (object, mut watch) = witnessed();
    let pair = Pair::new(object).await;
    drop(pair.far);
    until("nobody refers to it", || pair.server.exports() == 0).await;
    assert!(!watch.is_dropped());
    pair.server.unpublish("object").await.unwrap();
    watch.dropped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_objects_are_created_and_released() {
    const COUNT: usize = 100_000;
    let living = Arc::new(AtomicUsize::new(0));
    let root = Chest { living: Some(Living::new(&living)), ..Chest::default() };
    let pair = Pair::<dyn Holder>::new(Ref::new(root)).await;
    // To the client, in results; and back, where they become the objects again.
    let mut held = Vec::new();
    for _ in 0..10 {
        held.extend(within(pair.far.make(COUNT / 10)).await.unwrap());
    }
    assert_eq!(living.load(Ordering::SeqCst), COUNT + 1);
    assert_eq!(pair.server.exports(), COUNT + 1);
    assert_eq!(pair.client_session().stats().imports, COUNT + 1);
    // From the client, in arguments.
    let local = Arc::new(AtomicUsize::new(0));
    for _ in 0..10 {
        let one = || {
            Ref::<dyn Holder>::new(Chest { living: Some(Living::new(&local)), ..Chest::default() })
        };
        within(pair.far.put((0..COUNT / 10).map(|_| one()).collect())).await.unwrap();
    }
    assert_eq!((pair.client.exports(), local.load(Ordering::SeqCst)), (COUNT, COUNT));
    drop(held);
    drop(within(pair.far.take()).await.unwrap());
    until("all objects are gone", || {
        (living.load(Ordering::SeqCst), local.load(Ordering::SeqCst)) == (1, 0)
    })
    .await;
    until("both tables are empty but for the root", || {
        (pair.server.exports(), pair.client.exports()) == (1, 0)
    })
    .await;
    let (server, client) = (pair.server_session(), pair.client_session());
    until("the sessions agree", || {
        let (server, client) = (server.stats(), client.stats());
        (server.exports, server.imports, client.exports, client.imports) == (1, 0, 0, 1)
    })
    .await;
    drop(pair.far);
    until("nothing is left", || (pair.server.exports(), client.stats().imports) == (0, 0)).await;
}

#[tokio::test]
async fn the_objects_of_a_vanished_peer_are_released() {
    let (object, mut watch) = witnessed();
    let pair = Pair::new(chest()).await;
    within(pair.far.put(vec![object])).await.unwrap();
    assert!(!watch.is_dropped());
    // The client holds only what it exported to the server.
    within(pair.server.shutdown(TIME_LIMIT)).await;
    watch.dropped().await;
    until("the table is empty", || pair.client.exports() == 0).await;
    let error = within(pair.far.count()).await.unwrap_err();
    assert!(matches!(error, Error::SessionLost { .. }), "{error:?}");
}

#[tokio::test]
async fn a_monitor_reports_the_release() {
    let near = chest();
    let monitor = Ref::monitor(&near);
    assert_eq!(report(monitor, async || drop(near)).await, Ended::Released);
    // A far object that only its owner holds, and drops.
    let pair = Pair::new(chest()).await;
    let far = within(pair.far.make(1)).await.unwrap().remove(0);
    let (one, two) = (Ref::monitor(&far), Ref::monitor(&far));
    assert_eq!(report(one, async || drop(far)).await, Ended::Released);
    assert_eq!(within(two).await, Ended::Released);
}

#[tokio::test]
async fn a_monitor_reports_the_reason_of_a_stop() {
    let pair = Pair::new(chest()).await;
    let object = chest();
    let near_monitor = Ref::monitor(&object);
    let holder = Pair::new(object.clone()).await;
    let far_monitor = Ref::monitor(&holder.far);
    // A monitor of a node that got the reference from a third node.
    let third = Node::listen(fresh_address()).await.unwrap();
    third.publish("chest", holder.far.clone()).await.unwrap();
    let forwarded: Ref<dyn Holder> = within(pair.client.lookup(third.uri("chest"))).await.unwrap();
    assert_eq!(within(forwarded.count()).await, Ok(0));
    let third_monitor = Ref::monitor(&forwarded);
    let dropped = Ref::monitor(&holder.far);
    drop(dropped);
    assert!(matches!(Ref::stop(&holder.far, "no"), Err(Error::Refused(_))));
    let end = async || Ref::stop(&object, "worn out").unwrap();
    let stopped = Ended::Stopped("worn out".into());
    assert_eq!(report(near_monitor, end).await, stopped);
    assert_eq!(within(far_monitor).await, stopped);
    assert_eq!(within(third_monitor).await, stopped);
    // It is stopped once, and a later monitor gets the first reason.
    Ref::stop(&object, "again").unwrap();
    assert_eq!(within(Ref::monitor(&object)).await, stopped);
    assert_eq!(within(Ref::monitor(&holder.far)).await, stopped);
    for reference in [&object, &holder.far, &forwarded] {
        assert_eq!(within(reference.count()).await, Err(Error::Ended("worn out".into())));
    }
}

#[tokio::test]
async fn a_monitor_reports_the_end_of_the_session() {
    let pair = Pair::new(chest()).await;
    let far = within(pair.far.make(1)).await.unwrap().remove(0);
    let monitor = Ref::monitor(&far);
    let server = pair.server.clone();
    let ended = report(monitor, async || {
        server.shutdown(TIME_LIMIT).await;
    })
    .await;
    assert!(
        matches!(&ended, Ended::SessionEnded(reason) if reason.contains("shut down")),
        "{ended:?}"
    );
    // Also for a monitor that is made after the end.
    assert!(matches!(within(Ref::monitor(&far)).await, Ended::SessionEnded(_)));
}

#[tokio::test]
async fn a_monitor_does_not_keep_the_object() {
    let pair = Pair::new(chest()).await;
    let (object, mut watch) = witnessed();
    within(pair.far.put(vec![object.clone()])).await.unwrap();
    let near = Ref::monitor(&object);
    drop(object);
    assert!(!watch.is_dropped());
    drop(within(pair.far.take()).await.unwrap());
    watch.dropped().await;
    assert_eq!(within(near).await, Ended::Released);
}

#[tokio::test]
async fn a_stopped_object_lets_running_calls_go_on() {
    let object = chest();
    let pair = Pair::new(object.clone()).await;
    let mut call = pair.far.hang().timeout(Duration::from_secs(3));
    assert!(poll_once(&mut call).await.is_none());
    until("it runs", || pair.server_session().stats().calls_in == 1).await;
    Ref::stop(&object, "enough").unwrap();
    assert_eq!(within(pair.far.hang()).await, Err(Error::Ended("enough".into())));
    assert_eq!(within(call).await, Err(Error::Timeout), "it was not ended by the stop");
    // A method can stop objects of its own node, and its call is answered.
    let pair = Pair::new(chest()).await;
    let made = within(pair.far.make(1)).await.unwrap();
    within(pair.far.put(made.clone())).await.unwrap();
    within(pair.far.stop_first("by message")).await.unwrap();
    assert_eq!(within(made[0].count()).await, Err(Error::Ended("by message".into())));
}
