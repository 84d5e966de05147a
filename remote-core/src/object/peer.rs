//! Owns what is known of a node at the other side of a session.
//!
//! It must not know the session.

use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::id::NodeId;

/// A node as its peer sees it: identity, name, address.
///
/// Inside a method, [`caller`](crate::caller) gives the node that sent the message. Cheap to clone.
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

    /// Who sends the messages that never leave this process.
    pub(crate) fn here() -> Peer {
        static HERE: OnceLock<Peer> = OnceLock::new();
        HERE.get_or_init(|| Peer::new(NodeId::random(), "here".into(), String::new())).clone()
    }

    /// The identity of the node, new at each of its starts.
    pub fn id(&self) -> NodeId {
        self.0.id
    }

    /// The name that the node gave itself; may be empty, and proves nothing.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Where the connection leads; empty for messages that never leave this process.
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
