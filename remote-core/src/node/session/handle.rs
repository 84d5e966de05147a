//! The public handle to a session.
//!
//! It must not change the session.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::shared::SharedSession;
use super::state::SessionState;
use crate::object::peer::Peer;

/// A session: the association of this node with another one. It outlives the connections beneath it.
///
/// [`Node::sessions`](crate::Node::sessions) lists the sessions. This is a handle to observe one; it does not keep the session
/// from ending. Cloning is cheap.
///
/// ```
/// use remote_core::{Node, SessionState};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> remote_core::Result<()> {
/// let server = Node::listen("memory://session-doc").await?;
/// let client = Node::new();
/// client.names("memory://session-doc").await?;
/// let [session] = client.sessions().try_into().unwrap();
/// assert_eq!(session.peer().id(), server.id());
/// assert_eq!(session.state(), SessionState::Connected);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Session(pub(crate) Arc<SharedSession>);

/// The statistics of a session at one moment; returned by [`Session::stats`].
///
/// ```
/// # use remote_core::{Node, SessionStats};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> remote_core::Result<()> {
/// let _server = Node::listen("memory://statistics-doc").await?;
/// let client = Node::new();
/// client.names("memory://statistics-doc").await?;
/// let stats: SessionStats = client.sessions()[0].stats();
/// assert_eq!((stats.calls_out, stats.calls_in, stats.reconnects), (0, 0, 0));
/// # Ok(()) }
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionStats {
    /// The number of objects of this node to which the peer refers.
    pub exports: usize,
    /// The number of objects of the peer to which this node refers.
    pub imports: usize,
    /// The number of calls of this node that are in progress at the peer.
    pub calls_out: usize,
    /// The number of calls of the peer that are in progress on this node.
    pub calls_in: u64,
    /// The number of bytes held for the peer: frames that wait to be written or acknowledged, and messages that have arrived in
    /// part.
    pub held: usize,
    /// The part of these bytes that was sent and not yet acknowledged.
    pub unacknowledged: usize,
    /// The number of times that the session was resumed on another connection.
    pub reconnects: u64,
    /// The time for which this node's references to the peer's objects remain valid if no further frame arrives from it.
    pub lease_left: Duration,
}

impl Session {
    /// Returns the node at the other side.
    ///
    /// ```
    /// # use remote_core::{Node, SessionState};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> remote_core::Result<()> {
    /// # let server = Node::listen("memory://session-peer-doc").await?;
    /// # let client = Node::new();
    /// # client.names("memory://session-peer-doc").await?;
    /// let session = client.sessions().remove(0);
    /// assert_eq!(session.peer().id(), server.id());
    /// # Ok(()) }
    /// ```
    pub fn peer(&self) -> Peer {
        self.0.peer.clone()
    }

    /// Returns the present state. [`Session::watch`] waits for changes.
    ///
    /// ```
    /// # use remote_core::{Node, SessionState};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> remote_core::Result<()> {
    /// # let server = Node::listen("memory://session-state-doc").await?;
    /// # let client = Node::new();
    /// # client.names("memory://session-state-doc").await?;
    /// let session = client.sessions().remove(0);
    /// assert_eq!(session.state(), SessionState::Connected);
    /// # Ok(()) }
    /// ```
    pub fn state(&self) -> SessionState {
        self.0.state.get()
    }

    /// Returns a receiver that observes changes of the state. The final state is [`SessionState::Ended`].
    ///
    /// ```
    /// # use remote_core::{Node, SessionState};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> remote_core::Result<()> {
    /// # let server = Node::listen("memory://session-watch-doc").await?;
    /// # let client = Node::new();
    /// # client.names("memory://session-watch-doc").await?;
    /// let session = client.sessions().remove(0);
    /// let mut state = session.watch();
    /// server.shutdown(std::time::Duration::from_secs(1)).await;
    /// let ended = state.wait_for(|state| *state == SessionState::Ended).await;
    /// assert!(ended.is_ok());
    /// # Ok(()) }
    /// ```
    pub fn watch(&self) -> watch::Receiver<SessionState> {
        self.0.state.subscribe()
    }

    /// Returns the present statistics.
    ///
    /// ```
    /// # use remote_core::{Node, SessionState};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> remote_core::Result<()> {
    /// # let server = Node::listen("memory://session-stats-doc").await?;
    /// # let client = Node::new();
    /// # client.names("memory://session-stats-doc").await?;
    /// let session = client.sessions().remove(0);
    /// assert_eq!(session.stats().reconnects, 0); // the connection was never lost
    /// # Ok(()) }
    /// ```
    pub fn stats(&self) -> SessionStats {
        let inner = self.0.lock();
        let machine = &inner.machine;
        SessionStats {
            exports: machine.export_count(),
            imports: machine.import_count(),
            calls_out: machine.question_count(),
            calls_in: machine.running(),
            held: machine.held(),
            unacknowledged: machine.unacknowledged(),
            reconnects: inner.tasks.reconnects(),
            lease_left: machine.lease_left(Instant::now()),
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("peer", &self.0.peer).field("state", &self.state()).finish()
    }
}
