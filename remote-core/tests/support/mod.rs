//! Support for the tests: connected nodes, and waiting for an event with a time limit.
//!
//! It must not know the tests.
#![allow(dead_code, reason = "each test binary uses a part of it")]

pub(crate) mod address;
pub(crate) mod child;
pub(crate) mod relay;

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use remote_core::{Interface, Limits, Node, Ref, Session};

/// The time limit of a wait: longer than anything takes that does not hang.
pub(crate) const TIME_LIMIT: Duration = Duration::from_secs(120);

/// Returns the output of a future. Panics if it takes longer than the limit.
pub(crate) async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(TIME_LIMIT, future).await.expect("it ends within the generous limit")
}

/// Waits for a condition that nobody notifies.
pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < TIME_LIMIT, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Asserts that an operation always takes at least `least`, and at its fastest less than `limit`: the machine runs
/// other programs, too, but the latency of a link is constant.
pub(crate) async fn takes(least: Duration, limit: Duration, mut what: impl AsyncFnMut()) {
    let all = Instant::now();
    let mut best = Duration::MAX;
    while best >= limit {
        assert!(
            all.elapsed() < TIME_LIMIT,
            "{best:?} at best, where less than {limit:?} is allowed"
        );
        let begun = Instant::now();
        what().await;
        let taken = begun.elapsed();
        assert!(taken >= least, "{taken:?}, where it takes {least:?} at least");
        best = best.min(taken);
    }
}

/// Returns an address within the process that no other test uses.
pub(crate) fn fresh_address() -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    format!("memory://{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Two nodes, and a reference of the second to an object of the first.
pub(crate) struct Pair<T: ?Sized + Interface> {
    pub(crate) server: Node,
    pub(crate) client: Node,
    pub(crate) far: Ref<T>,
}

impl<T: ?Sized + Interface> Pair<T> {
    pub(crate) async fn new(object: Ref<T>) -> Pair<T> {
        Pair::limited(object, Limits::default(), Limits::default()).await
    }

    /// Connects the nodes by TCP, whose buffers the system sizes; the other constructors use `memory://`.
    pub(crate) async fn tcp(object: Ref<T>) -> Pair<T> {
        let server = Node::listen("tcp://127.0.0.1:0").await.unwrap();
        Pair::of(server, Node::new(), object).await
    }

    pub(crate) async fn limited(object: Ref<T>, server: Limits, client: Limits) -> Pair<T> {
        let server = Node::builder().listen(fresh_address()).limits(server).start().await.unwrap();
        let client = Node::builder().limits(client).start().await.unwrap();
        Pair::of(server, client, object).await
    }

    pub(crate) async fn of(server: Node, client: Node, object: Ref<T>) -> Pair<T> {
        server.publish("object", object).await.unwrap();
        let far = within(client.lookup(server.uri("object"))).await.unwrap();
        Pair { server, client, far }
    }

    /// Returns the session, as the server sees it.
    pub(crate) fn server_session(&self) -> Session {
        only_session(&self.server)
    }

    /// Returns the session, as the client sees it.
    pub(crate) fn client_session(&self) -> Session {
        only_session(&self.client)
    }
}

/// Returns the only session of a node.
pub(crate) fn only_session(node: &Node) -> Session {
    let sessions = node.sessions();
    assert_eq!(sessions.len(), 1, "{sessions:?}");
    sessions[0].clone()
}

/// Notifies its watch when it is dropped.
pub(crate) struct DropWitness(tokio::sync::watch::Sender<bool>);

/// Waits until its witness is dropped.
#[derive(Clone)]
pub(crate) struct DropWatch(tokio::sync::watch::Receiver<bool>);

pub(crate) fn drop_witness() -> (DropWitness, DropWatch) {
    let (sender, receiver) = tokio::sync::watch::channel(false);
    (DropWitness(sender), DropWatch(receiver))
}

impl Drop for DropWitness {
    fn drop(&mut self) {
        self.0.send_replace(true);
    }
}

impl DropWatch {
    pub(crate) async fn dropped(&mut self) {
        within(self.0.wait_for(|dropped| *dropped)).await.expect("it says so before it goes");
    }

    pub(crate) fn is_dropped(&self) -> bool {
        *self.0.borrow()
    }
}

/// Polls a future once.
pub(crate) async fn poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    let mut polled = std::pin::pin!(future);
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(match polled.as_mut().poll(context) {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        })
    })
    .await
}
