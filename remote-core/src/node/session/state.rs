//! The public state of a session, and how its changes are published.
//!
//! It must not know the session. Changes are numbered under the session's lock and published after it is released: if two are
//! published at the same time, the later one remains.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::watch;

/// The state of a session; returned by [`Session::state`](crate::Session::state).
///
/// ```
/// use remote_core::{Node, SessionState};
///
/// /// Returns true if all sessions of the node have a connection.
/// fn is_connected(node: &Node) -> bool {
///     node.sessions().iter().all(|session| session.state() == SessionState::Connected)
/// }
/// assert!(is_connected(&Node::new()));
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionState {
    /// There is a connection.
    Connected,
    /// The connection is lost, and a new one is being made. Calls wait for it until the lease ends.
    Suspended,
    /// The session has ended, and with it all references of this node to objects of the peer.
    Ended,
}

/// A change of the state, with its number.
pub(crate) struct StateChange {
    number: u64,
    state: SessionState,
}

impl StateChange {
    /// Returns true if this is the last change.
    pub(crate) fn is_end(&self) -> bool {
        self.state == SessionState::Ended
    }
}

/// Numbers the changes.
#[derive(Default)]
pub(crate) struct StateChanges(u64);

impl StateChanges {
    pub(crate) fn to(&mut self, state: SessionState) -> StateChange {
        self.0 += 1;
        StateChange { number: self.0, state }
    }
}

/// The published state.
pub(crate) struct PublishedState {
    sender: watch::Sender<SessionState>,
    /// The number of the newest change that was published.
    newest: AtomicU64,
}

impl PublishedState {
    pub(crate) fn new() -> PublishedState {
        PublishedState {
            sender: watch::Sender::new(SessionState::Connected),
            newest: AtomicU64::new(0),
        }
    }

    /// Publishes a change, unless a later one was published before.
    pub(crate) fn publish(&self, change: StateChange) {
        let StateChange { number, state } = change;
        self.sender.send_if_modified(|published| {
            let is_newest = self.newest.fetch_max(number, Ordering::Relaxed) < number;
            if is_newest {
                *published = state;
            }
            is_newest
        });
    }

    pub(crate) fn get(&self) -> SessionState {
        *self.sender.borrow()
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<SessionState> {
        self.sender.subscribe()
    }

    /// Waits until the session has ended.
    pub(crate) async fn ended(&self) {
        // Cannot fail: the sender lives as long as `self`.
        let _ = self.subscribe().wait_for(|state| *state == SessionState::Ended).await;
    }
}
