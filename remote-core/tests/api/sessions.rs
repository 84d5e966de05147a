//! Tests of nodes and sessions: every transport, names, several nodes at once, one session for each pair, and the
//! orderly end.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::support::{Pair, TIME_LIMIT, fresh_address, only_session, poll_once, until, within};
use remote_core::{
    Error, Limits, Node, Outcome, Ref, Remote, Result, SessionState, caller, remote,
};
use tokio::sync::Semaphore;

#[remote]
trait Bell {
    async fn ring(&self) -> Result<u64>;
    /// Rings when the test permits it.
    async fn gated(&self) -> Result<u64>;
    /// Rings the other.
    async fn pass_on(&self, other: Ref<dyn Bell>) -> Result<u64>;
    async fn who(&self) -> Result<(String, String)>;
}

#[remote]
trait Other {
    async fn other(&self) -> Result<()>;
}

#[derive(Remote)]
#[remote(Bell)]
struct Brass {
    rung: Mutex<u64>,
    gate: Arc<Semaphore>,
}

#[remote]
impl Bell for Brass {
    async fn ring(&self) -> Result<u64> {
        let mut rung = self.rung.lock().unwrap();
        *rung += 1;
        Ok(*rung)
    }

    async fn gated(&self) -> Result<u64> {
        self.gate.acquire().await.unwrap().forget();
        self.ring().await
    }

    async fn pass_on(&self, other: Ref<dyn Bell>) -> Result<u64> {
        other.gated().await
    }

    async fn who(&self) -> Result<(String, String)> {
        Ok((caller().id().to_string(), caller().name().to_owned()))
    }
}

fn gated_bell() -> (Ref<dyn Bell>, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    (Ref::new(Brass { rung: Mutex::default(), gate: Arc::clone(&gate) }), gate)
}

fn bell() -> Ref<dyn Bell> {
    gated_bell().0
}

/// Returns an address for each transport.
fn addresses() -> Vec<String> {
    let memory = fresh_address();
    let socket = std::env::temp_dir().join(memory.replace("memory://", "remote-") + ".sock");
    vec![
        "tcp://127.0.0.1:0".into(),
        "tcp://[::1]:0".into(),
        format!("unix://{}", socket.display()),
        memory,
    ]
}

#[tokio::test]
async fn names_on_every_transport() {
    for address in addresses() {
        let server = Node::listen(&address).await.unwrap();
        let client = Node::new();
        let at = server.uri("bell");
        let node = at.strip_suffix("/bell").unwrap();
        assert_eq!(within(client.names(node)).await, Ok(vec![]), "{address}");
        server.publish("bell", bell()).await.unwrap();
        server.publish("another", bell()).await.unwrap();
        let in_use = server.publish("bell", bell()).await;
        assert_eq!(in_use, Err(Error::NameInUse { name: "bell".into() }));
        assert_eq!(within(client.names(node)).await, Ok(vec!["another".into(), "bell".into()]));
        let far: Ref<dyn Bell> = within(client.lookup(&at)).await.unwrap();
        assert_eq!(within(far.ring()).await, Ok(1));
        let Err(Error::WrongInterface { wanted, .. }) =
            within(client.lookup::<dyn Other>(&at)).await
        else {
            panic!("a bell is nothing else")
        };
        assert_eq!(wanted, "Other");
        server.unpublish("bell").await.unwrap();
        let not_found = Error::NameNotFound { name: "bell".into() };
        assert_eq!(server.unpublish("bell").await, Err(not_found.clone()));
        assert_eq!(within(client.lookup::<dyn Bell>(&at)).await.unwrap_err(), not_found);
        // References that were passed out stay valid.
        assert_eq!(within(far.ring()).await, Ok(2));
        assert_eq!((client.sessions().len(), server.sessions().len()), (1, 1));
        within(server.shutdown(TIME_LIMIT)).await;
    }
}

#[tokio::test]
async fn an_unreachable_address_is_named() {
    let node = Node::new();
    let refused = |uri: &'static str| {
        let node = node.clone();
        async move { within(node.lookup::<dyn Bell>(uri)).await.unwrap_err() }
    };
    for uri in ["bell", "http://127.0.0.1:1/bell", "tcp://127.0.0.1:1", "tcp:///bell"] {
        assert!(matches!(refused(uri).await, Error::InvalidUri { .. }), "{uri}");
    }
    for uri in
        ["tcp://127.0.0.1:1/bell", "memory://nobody-is-here/bell", "unix:///nowhere/at-all/bell"]
    {
        let error = refused(uri).await;
        assert!(matches!(error, Error::NotConnected { .. }), "{uri}: {error:?}");
        assert_eq!(error.outcome(), Outcome::NotExecuted);
    }
    let unreachable = Node::new().uri("bell");
    let error = within(node.lookup::<dyn Bell>(&unreachable)).await.unwrap_err();
    assert!(matches!(error, Error::NotConnected { .. }), "{unreachable}: {error:?}");
    for name in ["", "a/b", "line\n", &"x".repeat(300)] {
        assert!(matches!(node.publish(name, bell()).await, Err(Error::Refused(_))), "{name:?}");
    }
}

#[tokio::test]
async fn a_node_does_not_listen_beyond_loopback() {
    for address in ["tcp://0.0.0.0:0", "tcp://[::]:0", "tcp://192.0.2.1:0"] {
        let error = Node::listen(address).await.unwrap_err();
        assert!(matches!(error, Error::Refused(_)), "{address}: {error:?}");
        assert!(
            !error.to_string().contains('\n') && error.to_string().contains("127.0.0.1"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn an_address_in_use_is_refused_and_free_again_after_the_shutdown() {
    for address in addresses() {
        let first = Node::listen(&address).await.unwrap();
        let taken = first.uri("x").strip_suffix("/x").unwrap().to_owned();
        let error = Node::listen(&taken).await.unwrap_err();
        assert!(
            matches!(&error, Error::Io(text) if text.contains("somebody listens there")),
            "{taken}: {error:?}"
        );
        within(first.shutdown(TIME_LIMIT)).await;
        let second = Node::listen(&taken).await.unwrap();
        assert_eq!(second.uri("x"), first.uri("x"));
        within(second.shutdown(TIME_LIMIT)).await;
    }
}

#[tokio::test]
async fn limits_that_contradict_each_other_are_refused() {
    type Change = fn(&mut Limits);
    let contradictions: [(&str, Change); 4] = [
        ("ping", |limits| limits.ping = limits.silence),
        ("queue", |limits| limits.queue = limits.body - 1),
        ("window_bytes", |limits| limits.window_bytes = 1),
        ("nesting", |limits| limits.nesting = 0),
    ];
    for (named, change) in contradictions {
        let mut limits = Limits::default();
        change(&mut limits);
        let started = Node::builder().limits(limits).start().await;
        assert!(
            matches!(&started, Err(Error::Refused(reason)) if reason.contains(named)),
            "{named}: {started:?}"
        );
    }
    let lease = Node::builder().lease(Duration::from_millis(1)).start().await;
    assert!(matches!(lease, Err(Error::Refused(reason)) if reason.contains("lease")));
}

#[tokio::test]
async fn a_node_that_looks_itself_up_has_the_near_object() {
    for address in addresses() {
        let node = Node::listen(&address).await.unwrap();
        let near = bell();
        node.publish("bell", near.clone()).await.unwrap();
        let found: Ref<dyn Bell> = within(node.lookup(node.uri("bell"))).await.unwrap();
        assert_eq!(found, near);
        assert!(Ref::is_near(&found));
        assert!(node.sessions().is_empty(), "{address}");
        within(node.shutdown(TIME_LIMIT)).await;
    }
}

#[tokio::test]
async fn several_nodes_in_one_process_all_know_each_other() {
    let mut nodes = Vec::new();
    for number in 0..5 {
        let name = format!("node {number}");
        let node = Node::builder().name(&name).listen(fresh_address()).start().await.unwrap();
        node.publish("bell", bell()).await.unwrap();
        nodes.push(node);
    }
    for (number, caller) in nodes.iter().enumerate() {
        for called in &nodes {
            let far: Ref<dyn Bell> = within(caller.lookup(called.uri("bell"))).await.unwrap();
            assert_eq!(Ref::is_near(&far), caller.id() == called.id());
            if !Ref::is_near(&far) {
                let expected = (caller.id().to_string(), format!("node {number}"));
                assert_eq!(within(far.who()).await, Ok(expected));
            }
        }
    }
    for node in &nodes {
        let mut peers: Vec<_> = node.sessions().iter().map(|session| session.peer().id()).collect();
        peers.sort();
        let mut others: Vec<_> = nodes.iter().map(Node::id).filter(|id| *id != node.id()).collect();
        others.sort();
        assert_eq!(peers, others, "one session with each other node");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_nodes_that_connect_to_each_other_at_the_same_moment_have_one_session() {
    for round in 0..300 {
        let address = || if round % 10 == 0 { "tcp://127.0.0.1:0".into() } else { fresh_address() };
        let (one, other) =
            (Node::listen(address()).await.unwrap(), Node::listen(address()).await.unwrap());
        one.publish("bell", bell()).await.unwrap();
        other.publish("bell", bell()).await.unwrap();
        let meet = Arc::new(tokio::sync::Barrier::new(2));
        let dial = |from: &Node, to: &Node| {
            let (from, uri, meet) = (from.clone(), to.uri("bell"), Arc::clone(&meet));
            tokio::spawn(async move {
                meet.wait().await;
                let bell: Ref<dyn Bell> = from.lookup(uri).await?;
                bell.ring().await.map(|rung| (rung, bell))
            })
        };
        let (there, back) = (dial(&one, &other), dial(&other, &one));
        let (there, back) = (within(there).await.unwrap(), within(back).await.unwrap());
        let ((rung_there, _held), (rung_back, _also_held)) = (there.unwrap(), back.unwrap());
        assert_eq!((rung_there, rung_back), (1, 1));
        let session = only_session(&one);
        assert_eq!((session.peer().id(), session.state()), (other.id(), SessionState::Connected));
        assert_eq!(only_session(&other).peer().id(), one.id());
    }
}

#[tokio::test]
async fn shutdown_finishes_calls_in_progress_and_refuses_new_ones() {
    let (object, gate) = gated_bell();
    let pair = Pair::tcp(object).await;
    let mut session = pair.client_session().watch();
    let mut call = pair.far.gated();
    assert!(poll_once(&mut call).await.is_none());
    until("it runs", || pair.server_session().stats().calls_in == 1).await;
    let server = pair.server.clone();
    let begun = Instant::now();
    let shutdown = tokio::spawn(async move { server.shutdown(TIME_LIMIT).await });
    let address = pair.server.uri("object");
    until("nobody listens any more", || std::net::TcpStream::connect(tcp(&address)).is_err()).await;
    let error = within(pair.far.ring()).await.unwrap_err();
    assert!(
        matches!(&error, Error::Ended(reason) if reason.contains("shutting down")),
        "{error:?}"
    );
    assert_eq!(error.outcome(), Outcome::NotExecuted);
    assert!(!shutdown.is_finished());
    gate.add_permits(1);
    assert_eq!(within(call).await, Ok(1));
    within(shutdown).await.unwrap();
    assert!(
        begun.elapsed() < TIME_LIMIT / 2,
        "it waits for the calls, and no longer: {:?}",
        begun.elapsed()
    );
    within(session.wait_for(|state| *state == SessionState::Ended)).await.unwrap();
    assert!(pair.server.sessions().is_empty());
    within(pair.server.closed()).await;
    let after = within(pair.far.ring()).await.unwrap_err();
    assert!(matches!(after, Error::SessionLost { outcome: Outcome::NotExecuted, .. }), "{after:?}");
}

fn tcp(uri: &str) -> String {
    uri.strip_prefix("tcp://").unwrap().split('/').next().unwrap().to_owned()
}

#[tokio::test]
async fn shutdown_of_the_caller_waits_for_its_calls_too() {
    let (object, gate) = gated_bell();
    let pair = Pair::new(object).await;
    let mut call = pair.far.gated();
    assert!(poll_once(&mut call).await.is_none());
    let client = pair.client.clone();
    let begun = Instant::now();
    let shutdown = tokio::spawn(async move { client.shutdown(TIME_LIMIT).await });
    until("it runs", || pair.server_session().stats().calls_in == 1).await;
    assert!(!shutdown.is_finished());
    gate.add_permits(1);
    assert_eq!(within(call).await, Ok(1));
    within(shutdown).await.unwrap();
    assert!(
        begun.elapsed() < TIME_LIMIT / 2,
        "it waits for the calls, and no longer: {:?}",
        begun.elapsed()
    );
    let error =
        within(pair.client.lookup::<dyn Bell>(pair.server.uri("object"))).await.unwrap_err();
    assert!(matches!(error, Error::Ended(_)), "{error:?}");
}

#[tokio::test]
async fn a_promise_that_is_kept_does_not_hold_a_shutdown_up() {
    let far_bell = gated_bell().0;
    let pair = Pair::<dyn Tower>::new(Ref::new(Church { bell: far_bell })).await;
    let promise = pair.far.bell().pipelined();
    assert_eq!(within(promise.ring()).await, Ok(1));
    let begun = Instant::now();
    within(pair.client.shutdown(TIME_LIMIT)).await;
    assert!(begun.elapsed() < TIME_LIMIT / 2, "{:?}", begun.elapsed());
    assert!(within(promise.ring()).await.is_err());
}

#[remote]
trait Tower {
    async fn bell(&self) -> Result<Ref<dyn Bell>>;
}

#[derive(Remote)]
#[remote(Tower)]
struct Church {
    bell: Ref<dyn Bell>,
}

#[remote]
impl Tower for Church {
    async fn bell(&self) -> Result<Ref<dyn Bell>> {
        Ok(self.bell.clone())
    }
}

#[tokio::test]
async fn shutdown_does_not_wait_beyond_its_limit() {
    let pair = Pair::new(bell()).await;
    let mut call = pair.far.gated();
    assert!(poll_once(&mut call).await.is_none());
    until("it runs", || pair.server_session().stats().calls_in == 1).await;
    within(pair.server.shutdown(Duration::from_millis(50))).await;
    let error = within(call).await.unwrap_err();
    assert!(matches!(error, Error::SessionLost { outcome: Outcome::Unknown, .. }), "{error:?}");
    assert!(error.to_string().contains("the node was shut down"), "{error}");
}

#[tokio::test]
async fn a_dropped_node_lives_on_in_its_references_alone() {
    let (object, gate) = gated_bell();
    let Pair { server, client, far } = Pair::new(object).await;
    drop(client);
    let mut call = far.gated();
    assert!(poll_once(&mut call).await.is_none());
    gate.add_permits(1);
    assert_eq!(within(call).await, Ok(1));
    assert_eq!(server.sessions().len(), 1);
    drop(far);
    until("the session has ended", || server.sessions().is_empty()).await;
    // The other way round: the last handle of the server is dropped, and with it what it published, but not what others
    // refer to.
    let (object, gate) = gated_bell();
    let Pair { server, client, far } = Pair::new(object).await;
    let address = server.uri("object");
    drop(server);
    until("nobody listens any more", || !client.sessions().is_empty()).await;
    let mut call = far.gated();
    assert!(poll_once(&mut call).await.is_none());
    gate.add_permits(1);
    assert_eq!(within(call).await, Ok(1));
    drop(far);
    until("the session has ended", || client.sessions().is_empty()).await;
    let error = within(client.lookup::<dyn Bell>(address)).await.unwrap_err();
    assert!(matches!(error, Error::NotConnected { .. }), "{error:?}");
}

#[tokio::test]
async fn a_node_dropped_during_a_call_ends_after_the_call() {
    let Pair { server, client, far } = Pair::new(bell()).await;
    let (mine, gate) = gated_bell();
    let mut call = Box::pin(async move { far.pass_on(mine).await });
    assert!(poll_once(&mut call).await.is_none());
    until("it calls back", || {
        server.sessions().iter().any(|session| session.stats().calls_out == 1)
    })
    .await;
    drop(client);
    gate.add_permits(1);
    assert_eq!(within(call).await, Ok(1));
    until("the session has ended", || server.sessions().is_empty()).await;
}
