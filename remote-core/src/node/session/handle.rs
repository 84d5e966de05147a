//! The session, as users hold it.
//!
//! It must not change a session.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::shared::SharedSession;
use super::state::SessionState;
use crate::object::peer::Peer;

/// The association with one other node.
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

/// Statistics of a session.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionStats {
    /// Objects that the peer refers to.
    pub exports: usize,
    /// Objects of the peer's that this node refers to.
    pub imports: usize,
    /// Calls of this node's in progress at the peer.
    pub calls_out: usize,
    /// Calls of the peer's in progress here.
    pub calls_in: u64,
    /// Bytes held for the peer.
    pub held: usize,
    /// Bytes of these that were sent and not yet acknowledged.
    pub unacknowledged: usize,
    /// The number of times that the session was resumed on another connection.
    pub reconnects: u64,
    /// The time for which this node's references to the peer's objects remain valid if nothing more arrives from it.
    pub lease_left: Duration,
}

impl Session {
    /// Returns the node at the other side.
    pub fn peer(&self) -> Peer {
        self.0.peer.clone()
    }

    /// Returns the state.
    pub fn state(&self) -> SessionState {
        self.0.state.get()
    }

    /// Returns a receiver that observes changes of the state. The last state is [`SessionState::Ended`].
    pub fn watch(&self) -> watch::Receiver<SessionState> {
        self.0.state.subscribe()
    }

    /// Returns statistics.
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
