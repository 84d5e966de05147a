//! The orderly end of a node: what was handed over is executed, calls in progress end, and peers are notified.
//!
//! It must not know how sessions do it.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};

use super::core::Core;
use super::datagram::listener::DatagramListener;
use super::session::shared::SharedSession;
use crate::id::NodeId;
use crate::object::execution;

/// The time after the limit in which sockets are closed, and in which peers take the last bytes.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// The numbers of operations that [`Node::shutdown`](crate::Node::shutdown) gave up when its limit had passed. All are zero if it
/// waited for everything.
///
/// ```
/// use std::time::Duration;
/// use remote_core::{Node, ShutdownReport};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> remote_core::Result<()> {
/// let node = Node::listen("memory://report-doc").await?;
/// let report: ShutdownReport = node.shutdown(Duration::from_secs(1)).await;
/// assert!(report.is_complete());
/// assert_eq!(report.calls, 0);
/// # Ok(()) }
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShutdownReport {
    /// Calls of this node that were not answered. They failed with [`Error::SessionLost`](crate::Error::SessionLost).
    pub calls: usize,
    /// Methods of this node's objects that were dropped before they returned, and calls whose method had not begun.
    pub methods: usize,
    /// One-way messages of this node that the peer did not report as executed. They may have been executed.
    pub messages: usize,
    /// Streams that were not at their end. They ended with an error.
    pub streams: usize,
}

impl ShutdownReport {
    /// Returns true if nothing was given up.
    ///
    /// ```
    /// assert!(remote_core::ShutdownReport::default().is_complete());
    /// ```
    pub fn is_complete(&self) -> bool {
        *self == ShutdownReport::default()
    }
}

/// The method that awaits a shutdown, for which the shutdown does not wait.
#[derive(Clone, Copy)]
pub(crate) struct Waiting {
    caller: Option<NodeId>,
}

impl Waiting {
    /// Returns the method that is being executed, if there is one.
    pub(crate) fn current() -> Option<Waiting> {
        execution::current(|context| Waiting {
            caller: context.caller.as_ref().map(|caller| caller.id()),
        })
    }

    /// Returns the number of running methods of a session that are not waited for.
    fn of(waiting: Option<Waiting>, session: &SharedSession) -> u64 {
        u64::from(waiting.is_some_and(|waiting| waiting.caller == Some(session.peer.id())))
    }
}

impl Core {
    /// Ends the node. It stops accepting connections, waits within a limit until all that was handed over is executed, and ends
    /// the sessions.
    pub(crate) async fn shut_down(
        self: Arc<Core>,
        limit: Duration,
        waiting: Option<Waiting>,
    ) -> ShutdownReport {
        let deadline = Instant::now().checked_add(limit);
        let shared = Arc::clone(&self.sessions.shared);
        shared.begin_closing();
        for session in self.sessions.all() {
            session.begin_closing();
        }
        for task in self.stop_listening() {
            // When the task has ended, its listener is dropped: a socket in the file system is removed by then.
            let _ = task.await;
        }
        let datagram_listeners = std::mem::take(&mut *self.datagram_listeners.lock());
        let mut datagram_listeners: Vec<_> =
            datagram_listeners.into_iter().map(DatagramListener::close).collect();
        let finished = async {
            self.wait_until(|session| session.is_drained(Waiting::of(waiting, session))).await;
            self.wait_for_detached(waiting).await;
            for listener in &mut datagram_listeners {
                let _ = listener.await;
            }
        };
        match deadline {
            Some(deadline) => drop(timeout_at(deadline, finished).await),
            None => finished.await,
        }
        let mut report = ShutdownReport::default();
        for session in self.sessions.all() {
            let left = session.in_progress();
            report.calls += left.calls;
            report.methods += left.methods.saturating_sub(Waiting::of(waiting, &session)) as usize;
            report.messages += left.messages as usize;
            report.streams += left.streams;
        }
        for session in self.sessions.detached() {
            let left = session.detached().saturating_sub(Waiting::of(waiting, &session));
            report.methods += left as usize;
            session.abort_detached();
        }
        datagram_listeners.iter().for_each(JoinHandle::abort);
        self.published.clear();
        // Limits the wait for peers that do not read.
        let _ = timeout(CLOSE_TIMEOUT, self.sockets.close()).await;
        for session in self.sessions.all() {
            session.update(|inner| inner.machine.close("the node was shut down"));
        }
        if timeout(CLOSE_TIMEOUT, self.wait_until(|_| false)).await.is_err() {
            for session in self.sessions.all() {
                session.update(|inner| inner.machine.abandon());
            }
        }
        self.closed.send_replace(true);
        report
    }

    /// Waits until all sessions satisfy a condition, or there are none.
    async fn wait_until(&self, is_done: impl Fn(&SharedSession) -> bool) {
        loop {
            // Created before the check, so that no notification is missed.
            let ended = self.sessions.shared.ended.notified();
            if self.sessions.all().iter().all(|session| is_done(session)) {
                return;
            }
            ended.await;
        }
    }

    /// Waits until the one-way messages are executed whose sessions are over.
    async fn wait_for_detached(&self, waiting: Option<Waiting>) {
        loop {
            let ended = self.sessions.shared.ended.notified();
            let is_done =
                |session: &Arc<SharedSession>| session.detached() <= Waiting::of(waiting, session);
            if self.sessions.detached().iter().all(is_done) {
                return;
            }
            ended.await;
        }
    }
}
