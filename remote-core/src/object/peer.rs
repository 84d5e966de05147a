//! The other node of a session, as users see it.
//!
//! It must not know the session.

use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::id::NodeId;

/// The other node of a session: identity, name, address.
///
/// Inside a method, [`caller`](crate::caller) returns the node that sent the message. Cloning is cheap.
///
/// ```
/// use remote_core::{Peer, Remote, Result, caller, remote};
///
/// #[remote]
/// trait Door {
///     async fn knock(&self) -> Result<String>;
/// }
///
/// #[derive(Remote)]
/// #[remote(Door)]
/// struct Front;
///
/// #[remote]
/// impl Door for Front {
///     async fn knock(&self) -> Result<String> {
///         let peer: Peer = caller();
///         Ok(format!("who is there? {}", peer.name()))
///     }
/// }
/// ```
#[derive(Clone)]
pub struct Peer(Arc<Inner>);

struct Inner {
    id: NodeId,
    name: String,
    address: String,
}

impl Peer {
    pub(crate) fn new(id: NodeId, name: String, address: String) -> Peer {
        Peer(Arc::new(Inner { id, name, address }))
    }

    /// Returns the peer that stands for this process, as the sender of near messages.
    pub(crate) fn here() -> Peer {
        static HERE: OnceLock<Peer> = OnceLock::new();
        HERE.get_or_init(|| Peer::new(NodeId::random(), "here".into(), String::new())).clone()
    }

    /// Returns the identity of the node, which is new at each start.
    pub fn id(&self) -> NodeId {
        self.0.id
    }

    /// Returns the name that the node has chosen. It may be empty, and proves nothing.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Returns the address of the connection; empty for this process.
    pub fn address(&self) -> &str {
        &self.0.address
    }
}

impl PartialEq for Peer {
    fn eq(&self, other: &Peer) -> bool {
        self.0.id == other.0.id
    }
}

impl Eq for Peer {}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer")
            .field("id", &self.0.id)
            .field("name", &self.0.name)
            .field("address", &self.0.address)
            .finish()
    }
}
