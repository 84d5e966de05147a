//! Identifiers: one newtype for each kind, so that they cannot be confused.
//!
//! It must not know what the identifiers name. An identifier that is sent is never reused: each comes from a counter that only
//! grows.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use crate::random;

/// The identity of a node: 128 random bits, new at each start.
///
/// A restarted node has a new identity, so that a reference to an object from before the restart never refers to another
/// object.
///
/// ```
/// # use remote_core::Node;
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let (one, other) = (Node::new(), Node::new());
/// assert_ne!(one.id(), other.id());
/// assert_eq!(one.id().to_string().len(), 32);
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeId([u8; 16]);

impl NodeId {
    /// Returns a new identity from the system's random generator.
    pub(crate) fn random() -> NodeId {
        NodeId(random::bytes())
    }

    pub(crate) const fn from_bytes(bytes: [u8; 16]) -> NodeId {
        NodeId(bytes)
    }

    pub(crate) const fn bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeId({self})")
    }
}

/// The right to claim a gift from its owner: 128 random bits, valid once.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Token([u8; 16]);

impl Token {
    pub(crate) fn random() -> Token {
        Token(random::bytes())
    }

    pub(crate) const fn from_bytes(bytes: [u8; 16]) -> Token {
        Token(bytes)
    }

    pub(crate) const fn bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)") // A reader of the token could use it.
    }
}

macro_rules! numbered {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub(crate) struct $name(pub(crate) u64);
    )*};
}

numbered! {
    /// The number of an object in its process. Together with the node's identity it is globally unique.
    ObjectId,
    /// The number of a call, chosen by the calling side.
    QuestionId,
    /// The number of an announced name of a message or an interface, which replaces the name in frames.
    NameId,
    /// The number of a frame, chosen by the sender.
    FrameNumber,
    /// The number of a watch on an object of the peer, chosen by the watching side.
    WatchId,
    /// The number of a connection of a session, the same on both sides. A greater number is a newer connection.
    ConnectionId,
}

/// The number that the system assigns to a process.
pub(crate) type ProcessId = NonZeroU32;

/// The index of a caller that waits for a reply. It is reused after the call has ended, so that it is compared together with
/// the [`QuestionId`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct CallToken(pub(crate) usize);

impl ObjectId {
    /// The directory, which every node exports to every peer.
    pub(crate) const DIRECTORY: ObjectId = ObjectId(0);

    /// Returns the next id of this process. Invariant 2: an id is never reused.
    pub(crate) fn fresh() -> ObjectId {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        ObjectId(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

impl NameId {
    /// No name: the interface of the reference is not known.
    pub(crate) const NONE: NameId = NameId(0);
}

/// The identity of an object: the node that owns it, and its number there.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Identity {
    pub(crate) node: NodeId,
    pub(crate) object: ObjectId,
}
