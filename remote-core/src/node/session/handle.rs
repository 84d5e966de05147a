//! Owns what users see of a session.
//!
//! It must not change one.

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

/// Figures of a session.
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
    /// How often the session went on with another connection.
    pub reconnects: u64,
    /// For how long this node's references to the peer's objects are good, if nothing more is heard of it.
    pub lease_left: Duration,
}

impl Session {
    /// The node at the other side.
    pub fn peer(&self) -> Peer {
        self.0.peer.clone()
    }

    /// What it is up to.
    pub fn state(&self) -> SessionState {
        *self.0.state().borrow()
    }

    /// Tells each change of state; the last is [`SessionState::Ended`].
    pub fn watch(&self) -> watch::Receiver<SessionState> {
        self.0.state().subscribe()
    }

    /// Its figures.
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
            reconnects: inner.slot.reconnects,
            lease_left: machine.lease_left(Instant::now()),
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("peer", &self.0.peer).field("state", &self.state()).finish()
    }
}
