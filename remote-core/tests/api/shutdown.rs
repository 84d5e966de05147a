//! Tests of the orderly end of nodes: what was handed over is executed, whether a node is shut down, its handles are dropped,
//! or its process returns from `main`.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::support::child::{Child, report, setting};
use crate::support::relay::{BOTH, Relay};
use crate::support::{Pair, TIME_LIMIT, fresh_address, only_session, poll_once, until, within};
use remote_core::{
    Error, Limits, Node, Outcome, Ref, Remote, Result, SessionState, ShutdownReport, Stream, remote,
};
use tokio::io::AsyncReadExt;
use tokio::sync::Semaphore;

#[remote]
trait Counter {
    /// Counts, after some time.
    async fn count(&self, milliseconds: u64) -> Result<()>;
    /// Counts when the test permits it.
    async fn gated(&self) -> Result<()>;
    /// Counts, and calls back.
    async fn call_back(&self, other: Ref<dyn Counter>) -> Result<()>;
    /// Numbers from 0, until the stream is to end; or without end.
    async fn numbers(&self, is_endless: bool) -> Result<Stream<u64>>;
    /// Shuts down the node of the object.
    async fn shut_down(&self) -> Result<()>;
    async fn total(&self) -> Result<u64>;
}

#[derive(Remote)]
#[remote(Counter)]
struct Tally {
    counted: AtomicU64,
    begun: AtomicU64,
    gate: Semaphore,
    node: Mutex<Option<Node>>,
}

impl Tally {
    fn new() -> Arc<Tally> {
        Arc::new(Tally {
            counted: AtomicU64::new(0),
            begun: AtomicU64::new(0),
            gate: Semaphore::new(0),
            node: Mutex::default(),
        })
    }

    fn counted(&self) -> u64 {
        self.counted.load(Ordering::SeqCst)
    }

    fn begun(&self) -> u64 {
        self.begun.load(Ordering::SeqCst)
    }
}

#[remote]
impl Counter for Tally {
    async fn count(&self, milliseconds: u64) -> Result<()> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        if milliseconds > 0 {
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        }
        self.counted.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    async fn gated(&self) -> Result<()> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        self.gate.acquire().await.unwrap().forget();
        self.counted.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    async fn call_back(&self, other: Ref<dyn Counter>) -> Result<()> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        self.gate.acquire().await.unwrap().forget();
        other.count(0).await?;
        other.count(0).oneway().await?;
        self.counted.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    async fn numbers(&self, is_endless: bool) -> Result<Stream<u64>> {
        Ok(Stream::new(move |sink| async move {
            let mut closing = std::pin::pin!(sink.closing());
            for number in 0.. {
                sink.send(number).await?;
                if !is_endless && poll_once(&mut closing).await.is_some() {
                    break;
                }
            }
            Ok(())
        }))
    }

    async fn shut_down(&self) -> Result<()> {
        let node = self.node.lock().unwrap().clone().unwrap();
        node.shutdown(TIME_LIMIT).await;
        Ok(())
    }

    async fn total(&self) -> Result<u64> {
        Ok(self.counted())
    }
}

/// Returns a server and a client over TCP, and the server's object.
async fn pair() -> (Pair<dyn Counter>, Arc<Tally>) {
    let tally = Tally::new();
    let pair = Pair::tcp(Ref::from_arc(Arc::clone(&tally))).await;
    (pair, tally)
}

async fn hand_over(counter: &Ref<dyn Counter>, messages: u64, milliseconds: u64) {
    for _ in 0..messages {
        within(counter.count(milliseconds).oneway()).await.unwrap();
    }
}

// ---- one-way messages

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_that_were_handed_over_are_executed_before_the_sender_has_shut_down() {
    for (messages, milliseconds) in [(300, 10), (1_000, 0)] {
        let (pair, tally) = pair().await;
        hand_over(&pair.far, messages, milliseconds).await;
        let report = within(pair.client.shutdown(TIME_LIMIT)).await;
        assert_eq!(report, ShutdownReport::default());
        assert_eq!(tally.counted(), messages);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_that_were_handed_over_are_executed_before_the_receiver_has_shut_down() {
    for (messages, milliseconds) in [(300, 10), (1_000, 0)] {
        let (pair, tally) = pair().await;
        hand_over(&pair.far, messages, milliseconds).await;
        let report = within(pair.server.shutdown(TIME_LIMIT)).await;
        assert_eq!(report, ShutdownReport::default());
        assert_eq!(tally.counted(), messages);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_that_shut_down_at_once_execute_what_was_handed_over() {
    for _ in 0..20 {
        let (pair, tally) = pair().await;
        let own = Tally::new();
        pair.client.publish("own", Ref::<dyn Counter>::from_arc(Arc::clone(&own))).await.unwrap();
        hand_over(&pair.far, 100, 1).await;
        // The server calls back while both shut down.
        let called = Ref::<dyn Counter>::from_arc(Arc::clone(&own));
        let mut call = pair.far.call_back(called);
        assert!(poll_once(&mut call).await.is_none());
        until("the call runs", || tally.begun() == 101).await;
        let (server, client) = (pair.server.clone(), pair.client.clone());
        let both = tokio::spawn(async move {
            tokio::join!(server.shutdown(TIME_LIMIT), client.shutdown(TIME_LIMIT))
        });
        tally.gate.add_permits(1);
        assert_eq!(within(call).await, Ok(()));
        let reports = within(both).await.unwrap();
        assert_eq!(reports, (ShutdownReport::default(), ShutdownReport::default()));
        assert_eq!((tally.counted(), own.counted()), (101, 2));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_are_executed_after_the_handles_of_the_sender_are_dropped() {
    let (Pair { server, client, far }, tally) = pair().await;
    let mut session = only_session(&client).watch();
    hand_over(&far, 300, 10).await;
    drop((client, far));
    until("all are executed", || tally.counted() == 300).await;
    // Nobody needs the session then.
    within(session.wait_for(|state| *state == SessionState::Ended)).await.unwrap();
    until("the server has no session", || server.sessions().is_empty()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_are_executed_after_the_session_has_ended() {
    let (pair, tally) = pair().await;
    for _ in 0..10 {
        within(pair.far.gated().oneway()).await.unwrap();
    }
    let mut call = pair.far.gated();
    assert!(poll_once(&mut call).await.is_none());
    until("they run", || tally.begun() == 11).await;
    // At once: it does not wait for them, and says so.
    let report = within(pair.client.shutdown(Duration::ZERO)).await;
    assert_eq!((report.calls, report.messages), (1, 10));
    assert!(!report.is_complete());
    let error = within(call).await.unwrap_err();
    assert!(matches!(error, Error::SessionLost { outcome: Outcome::Unknown, .. }), "{error:?}");
    until("the session is over", || pair.server.sessions().is_empty()).await;
    let server = pair.server.clone();
    let shutdown = tokio::spawn(async move { server.shutdown(TIME_LIMIT).await });
    tally.gate.add_permits(11);
    assert!(within(shutdown).await.unwrap().is_complete());
    assert_eq!(tally.counted(), 10, "the call, for whose reply nobody waits, was dropped");
}

#[tokio::test]
async fn a_receiver_that_does_not_wait_reports_what_it_gave_up() {
    let (pair, tally) = pair().await;
    for _ in 0..3 {
        within(pair.far.gated().oneway()).await.unwrap();
    }
    let mut call = pair.far.gated();
    assert!(poll_once(&mut call).await.is_none());
    until("they run", || tally.begun() == 4).await;
    let report = within(pair.server.shutdown(Duration::from_millis(1))).await;
    assert_eq!((report.methods, report.calls, report.messages, report.streams), (4, 0, 0, 0));
    tally.gate.add_permits(4);
    assert!(within(call).await.is_err());
    assert_eq!(tally.counted(), 0);
}

#[tokio::test]
async fn a_flush_resolves_when_everything_has_been_received() {
    let (pair, tally) = pair().await;
    within(pair.client.flush()).await.unwrap(); // nothing
    for round in 1..=3 {
        for _ in 0..100 {
            within(pair.far.gated().oneway()).await.unwrap();
        }
        within(pair.client.flush()).await.unwrap();
        until("all have begun", || tally.begun() == round * 100).await;
    }
    assert_eq!(tally.counted(), 0, "receiving is not executing");
    // Several at once, of which one is dropped.
    within(pair.far.gated().oneway()).await.unwrap();
    let mut dropped = Box::pin(pair.client.flush());
    assert!(poll_once(&mut dropped).await.is_none());
    drop(dropped);
    let (one, other) =
        within(async { tokio::join!(pair.client.flush(), pair.client.flush()) }).await;
    assert_eq!((one, other), (Ok(()), Ok(())));
    assert_eq!(within(pair.far.total()).await, Ok(0));
}

#[tokio::test]
async fn a_flush_fails_when_the_session_ends() {
    let (pair, _) = pair().await;
    within(pair.far.gated().oneway()).await.unwrap();
    let mut flush = Box::pin(pair.client.flush());
    assert!(poll_once(&mut flush).await.is_none());
    within(pair.server.shutdown(Duration::ZERO)).await;
    // The acknowledgement may have come first.
    let flushed = within(flush).await;
    assert!(matches!(flushed, Ok(()) | Err(Error::SessionLost { .. })), "{flushed:?}");
}

#[tokio::test]
async fn a_flush_reports_messages_that_a_session_lost_before() {
    let server = Node::listen("tcp://127.0.0.1:0").await.unwrap();
    let relay =
        Relay::start(&server.uri("").replace('/', "").replace("tcp:", "tcp://"), Duration::ZERO)
            .await;
    let tally = Tally::new();
    server.publish("object", Ref::<dyn Counter>::from_arc(Arc::clone(&tally))).await.unwrap();
    let client = Node::builder().lease(Duration::from_secs(1)).start().await.unwrap();
    let far: Ref<dyn Counter> = within(client.lookup(relay.uri("object"))).await.unwrap();
    within(client.flush()).await.unwrap();
    relay.lose(BOTH);
    within(far.count(0).oneway()).await.unwrap();
    until("the session has ended", || client.sessions().is_empty()).await;
    assert_eq!(within(client.flush()).await, Err(Error::LeaseExpired));
    assert_eq!(within(client.flush()).await, Ok(()), "it is reported once");
    assert_eq!(tally.counted(), 0);
}

// ---- calls

#[tokio::test]
async fn methods_that_run_may_call_the_peer_while_it_shuts_down() {
    let (pair, tally) = pair().await;
    let own = Tally::new();
    let mut call = pair.far.call_back(Ref::from_arc(Arc::clone(&own)));
    assert!(poll_once(&mut call).await.is_none());
    until("it runs", || tally.begun() == 1).await;
    let client = pair.client.clone();
    let shutdown = tokio::spawn(async move { client.shutdown(TIME_LIMIT).await });
    tokio::task::yield_now().await;
    tally.gate.add_permits(1);
    assert_eq!(within(call).await, Ok(()));
    assert!(within(shutdown).await.unwrap().is_complete());
    assert_eq!(own.counted(), 2);
}

#[tokio::test]
async fn neither_side_begins_calls_during_a_shutdown() {
    let (pair, tally) = pair().await;
    let own: Ref<dyn Counter> = Ref::from_arc(Tally::new());
    pair.client.publish("own", own).await.unwrap();
    let mut call = pair.far.gated();
    assert!(poll_once(&mut call).await.is_none());
    until("it runs", || tally.begun() == 1).await;
    let client = pair.client.clone();
    let shutdown = tokio::spawn(async move { client.shutdown(TIME_LIMIT).await });
    tokio::task::yield_now().await;
    let error = within(pair.far.count(0)).await.unwrap_err();
    assert!(
        matches!(&error, Error::Ended(reason) if reason.contains("shutting down")),
        "{error:?}"
    );
    assert_eq!(error.outcome(), Outcome::NotExecuted);
    assert_eq!(within(pair.far.count(0).oneway()).await, Err(error));
    let error = within(pair.client.lookup::<dyn Counter>(pair.server.uri("object"))).await;
    assert!(matches!(error, Err(Error::Ended(_))), "{error:?}");
    tally.gate.add_permits(1);
    assert_eq!(within(call).await, Ok(()));
    assert!(within(shutdown).await.unwrap().is_complete());
}

#[tokio::test]
async fn a_method_may_await_the_shutdown_of_its_own_node() {
    let (pair, tally) = pair().await;
    *tally.node.lock().unwrap() = Some(pair.server.clone());
    let begun = Instant::now();
    let call = tokio::spawn({
        let far = pair.far.clone();
        async move { far.shut_down().await }
    });
    within(pair.server.closed()).await;
    assert!(begun.elapsed() < TIME_LIMIT / 2, "{:?}", begun.elapsed());
    let error = within(call).await.unwrap().unwrap_err();
    assert!(matches!(error, Error::SessionLost { .. }), "{error:?}");
}

#[tokio::test]
async fn a_one_way_method_may_await_the_shutdown_of_its_own_node() {
    let (pair, tally) = pair().await;
    *tally.node.lock().unwrap() = Some(pair.server.clone());
    let begun = Instant::now();
    within(pair.far.shut_down().oneway()).await.unwrap();
    within(pair.server.closed()).await;
    assert!(begun.elapsed() < TIME_LIMIT / 2, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_shutdown_continues_when_its_future_is_dropped() {
    let (pair, _) = pair().await;
    let mut shutdown = Box::pin(pair.server.shutdown(TIME_LIMIT));
    assert!(poll_once(&mut shutdown).await.is_none());
    drop(shutdown);
    within(pair.server.closed()).await;
}

#[tokio::test]
async fn nothing_is_published_on_a_node_that_was_shut_down() {
    let (pair, _) = pair().await;
    within(pair.server.shutdown(TIME_LIMIT)).await;
    let published = pair.server.publish("late", Ref::<dyn Counter>::from_arc(Tally::new())).await;
    assert!(matches!(published, Err(Error::Ended(_))), "{published:?}");
}

#[tokio::test]
async fn a_shutdown_closes_connections_that_never_became_sessions() {
    let server = Node::listen("tcp://127.0.0.1:0").await.unwrap();
    let address = server.uri("").replace("tcp://", "").replace('/', "");
    let mut stranger = tokio::net::TcpStream::connect(address).await.unwrap();
    let client = Node::new();
    within(client.names(server.uri("").trim_end_matches('/'))).await.unwrap();
    let begun = Instant::now();
    within(server.shutdown(TIME_LIMIT)).await;
    let read = within(stranger.read(&mut [0; 100])).await;
    assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
    // Earlier than the time limit of a handshake.
    assert!(begun.elapsed() < Limits::default().handshake_time, "{:?}", begun.elapsed());
}

// ---- destructors

#[remote]
trait Empty {}

/// Panics when it is dropped.
#[derive(Remote)]
#[remote(Empty)]
struct Explosive;

#[remote]
impl Empty for Explosive {}

impl Drop for Explosive {
    fn drop(&mut self) {
        panic!("the destructor of a published object");
    }
}

#[tokio::test]
async fn a_destructor_that_panics_does_not_keep_a_node_from_its_end() {
    let node = Node::listen(fresh_address()).await.unwrap();
    for name in ["one", "two", "three"] {
        node.publish(name, Ref::<dyn Empty>::new(Explosive)).await.unwrap();
    }
    assert_eq!(node.unpublish("one").await, Ok(()));
    assert!(within(node.shutdown(TIME_LIMIT)).await.is_complete());
    within(node.closed()).await;
    let other = Node::listen(fresh_address()).await.unwrap();
    other.publish("one", Ref::<dyn Empty>::new(Explosive)).await.unwrap();
    drop(other);
}

// ---- streams

#[tokio::test]
async fn a_producer_is_notified_of_a_shutdown_and_ends_its_stream() {
    for shuts_down_producer in [true, false] {
        let (pair, _) = pair().await;
        let mut numbers = within(pair.far.numbers(false)).await.unwrap().with_credit(8);
        assert_eq!(within(numbers.next()).await, Some(Ok(0)));
        let node = if shuts_down_producer { &pair.server } else { &pair.client };
        let node = node.clone();
        let shutdown = tokio::spawn(async move { node.shutdown(TIME_LIMIT).await });
        let mut next = 1;
        while let Some(number) = within(numbers.next()).await {
            assert_eq!(number, Ok(next));
            next += 1;
        }
        assert!(within(shutdown).await.unwrap().is_complete());
    }
}

#[tokio::test]
async fn a_stream_that_does_not_end_within_the_limit_ends_with_one_error() {
    let (pair, _) = pair().await;
    let mut numbers = within(pair.far.numbers(true)).await.unwrap();
    assert_eq!(within(numbers.next()).await, Some(Ok(0)));
    let server = pair.server.clone();
    let limit = Duration::from_millis(300);
    let begun = Instant::now();
    let shutdown = tokio::spawn(async move { server.shutdown(limit).await });
    let error = loop {
        match within(numbers.next()).await {
            Some(Ok(_)) => {}
            Some(Err(error)) => break error,
            None => panic!("the stream has no end"),
        }
    };
    assert!(begun.elapsed() >= limit, "{:?}", begun.elapsed());
    assert!(matches!(error, Error::SessionLost { .. }), "{error:?}");
    assert_eq!(within(numbers.next()).await, None);
    assert_eq!(within(shutdown).await.unwrap().streams, 1);
}

// ---- the end of a runtime

#[test]
fn a_peer_that_is_sending_sees_the_goodbye_of_a_runtime_that_is_dropped() {
    let client_runtime = tokio::runtime::Runtime::new().unwrap();
    for round in 0..60 {
        let server_runtime = match round % 2 {
            0 => tokio::runtime::Builder::new_current_thread().enable_all().build(),
            _ => tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build(),
        };
        let server_runtime = server_runtime.unwrap();
        let server = server_runtime.block_on(async {
            let server = Node::listen("tcp://127.0.0.1:0").await.unwrap();
            let tally = Ref::<dyn Counter>::from_arc(Tally::new());
            server.publish("counter", tally).await.unwrap();
            server
        });
        let uri = server.uri("counter");
        let client = Node::new();
        let looking = client_runtime.spawn({
            let client = client.clone();
            async move { within(client.lookup::<dyn Counter>(uri)).await.unwrap() }
        });
        let far = server_runtime.block_on(looking).unwrap();
        let session = only_session(&client);
        let sending =
            client_runtime.spawn(async move { while far.count(0).oneway().await.is_ok() {} });
        server_runtime
            .block_on(async { tokio::time::sleep(Duration::from_millis(round % 7)).await });
        drop(server_runtime);
        drop(server);
        let dropped = Instant::now();
        client_runtime.block_on(async {
            let mut state = session.watch();
            within(state.wait_for(|state| *state == SessionState::Ended)).await.unwrap();
            within(sending).await.unwrap();
        });
        // Not when the lease has ended.
        assert!(dropped.elapsed() < Duration::from_secs(5), "{round}: {:?}", dropped.elapsed());
    }
}

// ---- processes

/// Hands messages over to the object at an address, and returns from `main` without a shutdown.
pub(crate) fn send_and_return() {
    let threads = setting("THREADS").parse().unwrap();
    let runtime = match threads {
        1 => tokio::runtime::Builder::new_current_thread().enable_all().build(),
        _ => {
            tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()
        }
    };
    let keeps = setting("KEEPS") == "1";
    runtime.unwrap().block_on(async {
        let node = Node::new();
        let counter: Ref<dyn Counter> = node.lookup(setting("COUNTER")).await.unwrap();
        for _ in 0..100 {
            counter.count(1).oneway().await.unwrap();
        }
        if keeps {
            // A task has them when the runtime is dropped.
            tokio::spawn(async move {
                let _kept = (node, counter);
                std::future::pending::<()>().await;
            });
        }
        report("done");
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_returns_from_main_says_goodbye() {
    let tally = Tally::new();
    let server = Node::listen("tcp://127.0.0.1:0").await.unwrap();
    server.publish("counter", Ref::<dyn Counter>::from_arc(Arc::clone(&tally))).await.unwrap();
    let uri = server.uri("counter");
    let mut expected = 0;
    for round in 0..10 {
        let (threads, keeps) = (["1", "2"][round % 2], ["0", "1"][round / 2 % 2]);
        let settings = [("COUNTER", uri.as_str()), ("THREADS", threads), ("KEEPS", keeps)];
        let sender = Child::start("sender", &settings);
        assert_eq!(tokio::task::block_in_place(|| sender.receive()), "done");
        assert!(tokio::task::block_in_place(|| sender.join()));
        let returned = Instant::now();
        until("the session is over", || server.sessions().is_empty()).await;
        // Not when the lease has ended.
        assert!(returned.elapsed() < Duration::from_secs(10), "{:?}", returned.elapsed());
        expected += 100;
        until("all messages are executed", || tally.counted() == expected).await;
    }
}

#[tokio::test]
async fn a_node_is_idle_when_a_shutdown_has_no_effect() {
    let (pair, tally) = pair().await;
    let (server, client) = (pair.server.clone(), pair.client.clone());
    let is_idle = move || {
        for node in [&server, &client] {
            assert_eq!(node.exports(), node.snapshot().exports.len());
        }
        (server.is_idle(), client.is_idle())
    };
    assert_eq!(is_idle(), (false, false), "one exports what the other imports");
    within(pair.far.gated().oneway()).await.unwrap();
    drop(pair.far);
    until("the method runs", || tally.begun() == 1).await;
    assert!(!is_idle().0, "a method runs");
    tally.gate.add_permits(1);
    until("both are idle", || is_idle() == (true, true)).await;
    assert_eq!((pair.server.exports(), pair.client.exports()), (0, 0));
    // Published objects do not count, and a lookup makes one of them an export again.
    let far: Ref<dyn Counter> =
        within(pair.client.lookup(pair.server.uri("object"))).await.unwrap();
    assert_eq!(is_idle(), (false, false));
    drop(far);
    until("both are idle again", || is_idle() == (true, true)).await;
}
