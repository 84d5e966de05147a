//! Owns the scene of a test: a node that is attacked, and a good client beside the attacker that never stops calling.
//!
//! It must not know what the attack is.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use remote_core::{Limits, Node, Ref, Result, Session};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::target::{Butt, Target};

/// How long anything may take that is not itself a matter of time.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);
/// The lease of a node under attack, so long that on a busy machine neither a lease ends nor a silent connection is dropped, which
/// happens after a third of it.
pub(crate) const LEASE: Duration = Duration::from_secs(180);
/// The lease where a test waits for its end: the node keeps what a vanished peer has for it and a quarter more.
pub(crate) const SHORT_LEASE: Duration = Duration::from_secs(5);
/// Limits of time that a busy machine does not come to. A test of such a limit sets its own.
pub(crate) fn patient() -> Limits {
    Limits { handshake_time: LIMIT, silence: LIMIT, ..Limits::default() }
}

/// Calls of the good client that must succeed after an attack.
const CALLS: u64 = 3;

/// Runs a test on threads with 2 MiB of stack, which is what the limits of depth are made for.
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

/// Waits for something that must happen soon.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(LIMIT, future).await {
        Ok(value) => value,
        Err(_) => panic!("{what}: not within {LIMIT:?}"),
    }
}

/// Waits until something holds that nobody tells of.
pub(crate) async fn until(what: &str, holds: impl Fn() -> bool) {
    soon(what, async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
}

/// A node under attack, and a good client of its.
pub(crate) struct Stage {
    pub(crate) server: Node,
    /// Executions of `never` that are in progress.
    pub(crate) running: Arc<AtomicU64>,
    good: Good,
}

impl Stage {
    pub(crate) async fn new() -> Stage {
        Stage::with(patient()).await
    }

    pub(crate) async fn with(limits: Limits) -> Stage {
        Stage::leasing(limits, LEASE).await
    }

    /// For a test that waits for the end of a lease.
    pub(crate) async fn brief(limits: Limits) -> Stage {
        Stage::leasing(limits, SHORT_LEASE).await
    }

    async fn leasing(limits: Limits, lease: Duration) -> Stage {
        let server = serve(limits, lease).await.expect("a node starts");
        let butt = Butt::default();
        let running = Arc::clone(&butt.running);
        server.publish("target", Ref::<dyn Target>::new(butt)).await.expect("the name is free");
        let good = Good::at(&server.uri("target")).await;
        Stage { server, running, good }
    }

    /// Host and port of the node.
    pub(crate) fn address(&self) -> String {
        let uri = self.server.uri("");
        uri.trim_start_matches("tcp://").trim_end_matches('/').to_owned()
    }

    /// How many executions of `never` are in progress.
    pub(crate) fn running(&self) -> u64 {
        self.running.load(Ordering::SeqCst)
    }

    /// The good client's calls have all succeeded, and go on.
    pub(crate) async fn goes_on(&self) {
        self.good.goes_on().await;
    }

    /// All that hostile peers brought about is over: the good client's session alone is left.
    pub(crate) async fn is_alone_again(&self) {
        self.has_no_other_session().await;
        until("what hostile peers began ends", || self.running() == 0).await;
    }

    /// The good client's session alone is left. What peers had begun that vanished may go on: they did not say that they
    /// do not want it.
    pub(crate) async fn has_no_other_session(&self) {
        until("hostile sessions end", || self.server.sessions().len() == 1).await;
        self.goes_on().await;
    }

    /// The session of a hostile peer.
    pub(crate) fn hostile(&self) -> Session {
        let sessions = self.server.sessions();
        let hostile = sessions.into_iter().find(|session| session.peer().name() == "raw");
        hostile.expect("a hostile peer has a session")
    }
}

/// Bytes that wait for a peer to read them.
pub(crate) fn waiting(session: &Session) -> usize {
    let stats = session.stats();
    stats.held - stats.unacknowledged
}

/// A peer that does not read costs what waits for it, and what it did not acknowledge; either is exceeded by what was
/// under way at most.
#[track_caller]
pub(crate) fn is_held_back(session: &Session, limits: &Limits) {
    let (waiting, unacknowledged) = (waiting(session), session.stats().unacknowledged);
    assert!(waiting < 2 * limits.queue, "{waiting} bytes wait to be read");
    let most = limits.unacknowledged + 2 * limits.queue;
    assert!(unacknowledged < most, "{unacknowledged} bytes wait to be acknowledged");
}

/// A node that listens on a free port.
pub(crate) async fn serve(limits: Limits, lease: Duration) -> Result<Node> {
    Node::builder().listen("tcp://127.0.0.1:0").limits(limits).lease(lease).start().await
}

/// A client that calls all the time.
pub(crate) struct Good {
    calls: watch::Receiver<Progress>,
    calling: JoinHandle<()>,
    _node: Node,
}

#[derive(Clone, Default)]
struct Progress {
    succeeded: u64,
    failed: Option<String>,
}

impl Good {
    /// Begins to call what is published at an address.
    pub(crate) async fn at(uri: &str) -> Good {
        Good::of(&Node::new(), uri).await
    }

    /// The same, as this node.
    pub(crate) async fn of(node: &Node, uri: &str) -> Good {
        let node = node.clone();
        let target: Ref<dyn Target> = node.lookup(uri).await.expect("the target is published");
        let progress = watch::Sender::new(Progress::default());
        let calls = progress.subscribe();
        let calling = tokio::spawn(async move {
            // Often enough to notice, and not so often as to take the machine for itself: some of these tests run at once.
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
        Good { calls, calling, _node: node }
    }

    pub(crate) async fn goes_on(&self) {
        let mut calls = self.calls.clone();
        let before = calls.borrow().succeeded;
        let enough =
            |progress: &Progress| progress.failed.is_some() || progress.succeeded >= before + CALLS;
        let progress = soon("the good client's calls", calls.wait_for(enough)).await;
        let progress = progress.expect("it tells of its end").clone();
        assert_eq!(progress.failed, None, "the good client was harmed");
    }
}

impl Drop for Good {
    fn drop(&mut self) {
        self.calling.abort();
    }
}
