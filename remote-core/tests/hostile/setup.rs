//! The setting of a test: a node that is attacked, and an honest client that calls it continuously.
//!
//! It must not know the attacks.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use remote_core::{Limits, Node, Ref, Result, Session};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::target::{Target, TargetObject};

/// The time limit of whatever should happen at once.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);
/// The lease of a node under attack, so long that on a busy machine neither a lease ends nor a silent connection is dropped, which
/// happens after a third of it.
pub(crate) const LEASE: Duration = Duration::from_secs(180);
/// The lease where a test waits for its end: the node keeps what a lost peer holds for a quarter longer.
pub(crate) const SHORT_LEASE: Duration = Duration::from_secs(5);
/// Returns time limits that are not reached on a busy machine. A test of such a limit sets its own.
pub(crate) fn patient() -> Limits {
    Limits { handshake_time: LIMIT, silence: LIMIT, ..Limits::default() }
}

/// The number of calls of the honest client that must succeed after an attack.
const CALLS: u64 = 3;

/// Runs a test on threads with 2 MiB of stack, for which the limits of depth are made.
pub(crate) fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_stack_size(2 << 20)
        .enable_all()
        .build()
        .expect("a runtime can be built");
    let result = runtime.block_on(test);
    runtime.shutdown_background();
    result
}

/// Waits for a future, within the time limit.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(LIMIT, future).await {
        Ok(value) => value,
        Err(_) => panic!("{what}: not within {LIMIT:?}"),
    }
}

/// Waits for a condition that nobody notifies.
pub(crate) async fn until(what: &str, holds: impl Fn() -> bool) {
    soon(what, async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
}

/// A node that is attacked, and an honest client of it.
pub(crate) struct Setup {
    pub(crate) server: Node,
    /// The executions of `never` that are in progress.
    pub(crate) running: Arc<AtomicU64>,
    honest: HonestClient,
}

impl Setup {
    pub(crate) async fn new() -> Setup {
        Setup::with(patient()).await
    }

    pub(crate) async fn with(limits: Limits) -> Setup {
        Setup::leasing(limits, LEASE).await
    }

    /// Makes a setup with a short lease, for a test that waits for its end.
    pub(crate) async fn brief(limits: Limits) -> Setup {
        Setup::leasing(limits, SHORT_LEASE).await
    }

    async fn leasing(limits: Limits, lease: Duration) -> Setup {
        let server = serve(limits, lease).await.expect("a node starts");
        let object = TargetObject::default();
        let running = Arc::clone(&object.running);
        server.publish("target", Ref::<dyn Target>::new(object)).await.expect("the name is free");
        let honest = HonestClient::at(&server.uri("target")).await;
        Setup { server, running, honest }
    }

    /// Returns host and port of the node.
    pub(crate) fn address(&self) -> String {
        let uri = self.server.uri("");
        uri.trim_start_matches("tcp://").trim_end_matches('/').to_owned()
    }

    /// Returns the number of executions of `never` that are in progress.
    pub(crate) fn running(&self) -> u64 {
        self.running.load(Ordering::SeqCst)
    }

    /// Asserts that the calls of the honest client have all succeeded, and still do.
    pub(crate) async fn assert_served(&self) {
        self.honest.assert_served().await;
    }

    /// Waits until nothing is left of hostile peers: only the session of the honest client, and no method.
    pub(crate) async fn is_alone_again(&self) {
        self.has_no_other_session().await;
        until("what hostile peers began ends", || self.running() == 0).await;
    }

    /// Waits until only the session of the honest client is left. Methods of peers that were lost may go on: those
    /// peers did not cancel their calls.
    pub(crate) async fn has_no_other_session(&self) {
        until("hostile sessions end", || self.server.sessions().len() == 1).await;
        self.assert_served().await;
    }

    /// Returns the session of the hostile peer.
    pub(crate) fn hostile(&self) -> Session {
        let sessions = self.server.sessions();
        let hostile = sessions.into_iter().find(|session| session.peer().name() == "raw");
        hostile.expect("a hostile peer has a session")
    }
}

/// Returns the number of bytes that wait for the peer to read them.
pub(crate) fn waiting(session: &Session) -> usize {
    let stats = session.stats();
    stats.held - stats.unacknowledged
}

/// Asserts the cost of a peer that does not read: the bytes that wait for it, and those that it has not acknowledged;
/// each exceeds its limit at most by one message.
#[track_caller]
pub(crate) fn is_held_back(session: &Session, limits: &Limits) {
    let (waiting, unacknowledged) = (waiting(session), session.stats().unacknowledged);
    assert!(waiting < 2 * limits.queue, "{waiting} bytes wait to be read");
    let most = limits.unacknowledged + 2 * limits.queue;
    assert!(unacknowledged < most, "{unacknowledged} bytes wait to be acknowledged");
}

/// Starts a node that listens on a free port.
pub(crate) async fn serve(limits: Limits, lease: Duration) -> Result<Node> {
    Node::builder().listen("tcp://127.0.0.1:0").limits(limits).lease(lease).start().await
}

/// An honest client, which calls continuously.
pub(crate) struct HonestClient {
    calls: watch::Receiver<Progress>,
    calling: JoinHandle<()>,
    _node: Node,
}

#[derive(Clone, Default)]
struct Progress {
    succeeded: u64,
    failed: Option<String>,
}

impl HonestClient {
    /// Starts to call the object at an address.
    pub(crate) async fn at(uri: &str) -> HonestClient {
        HonestClient::of(&Node::new(), uri).await
    }

    /// Does the same with this node.
    pub(crate) async fn of(node: &Node, uri: &str) -> HonestClient {
        let node = node.clone();
        let target: Ref<dyn Target> = node.lookup(uri).await.expect("the target is published");
        let progress = watch::Sender::new(Progress::default());
        let calls = progress.subscribe();
        let calling = tokio::spawn(async move {
            // Often enough to notice a failure, and not so often that it uses the whole machine: several of these tests
            // run at once.
            let mut pace = tokio::time::interval(Duration::from_millis(10));
            loop {
                pace.tick().await;
                match target.add(1).timeout(LIMIT / 2).await {
                    Ok(_) => progress.send_modify(|progress| progress.succeeded += 1),
                    Err(error) => {
                        progress.send_modify(|progress| progress.failed = Some(error.to_string()));
                        return;
                    }
                }
            }
        });
        HonestClient { calls, calling, _node: node }
    }

    pub(crate) async fn assert_served(&self) {
        let mut calls = self.calls.clone();
        let before = calls.borrow().succeeded;
        let enough =
            |progress: &Progress| progress.failed.is_some() || progress.succeeded >= before + CALLS;
        let progress = soon("the honest client's calls", calls.wait_for(enough)).await;
        let progress = progress.expect("it messages of its end").clone();
        assert_eq!(progress.failed, None, "the honest client was harmed");
    }
}

impl Drop for HonestClient {
    fn drop(&mut self) {
        self.calling.abort();
    }
}
