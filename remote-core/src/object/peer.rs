//! The public handle to the other node of a session.
//!
//! It must not know the session.

use std::fmt;
use std::sync::{Arc, OnceLock};

use tokio::sync::watch;

use crate::id::NodeId;

/// A node as another one sees it: identity, name, address. Peers are equal if their identities are.
///
/// Inside a method, [`caller`](crate::caller) returns the node that sent the message; [`Session::peer`](crate::Session::peer)
/// returns the node at the other side of a session. Cloning is cheap. The node chose its identity and its name; they are not
/// authenticated.
///
/// ```
/// use remote_core::{Node, Peer, Ref, Remote, Result, caller, remote};
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
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
/// let server = Node::listen("memory://door-doc").await?;
/// server.publish("door", Ref::<dyn Door>::new(Front)).await?;
/// let client = Node::builder().name("the postman").start().await?;
/// let door: Ref<dyn Door> = client.lookup(server.uri("door")).await?;
/// assert_eq!(door.knock().await?, "who is there? the postman");
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Peer(Arc<Inner>);

struct Inner {
    id: NodeId,
    name: String,
    address: String,
    is_gone: watch::Sender<bool>,
}

impl Peer {
    pub(crate) fn new(id: NodeId, name: String, address: String) -> Peer {
        Peer(Arc::new(Inner { id, name, address, is_gone: watch::Sender::new(false) }))
    }

    /// Returns the peer that stands for this process, as the sender of near messages.
    pub(crate) fn here() -> Peer {
        static HERE: OnceLock<Peer> = OnceLock::new();
        HERE.get_or_init(|| Peer::new(NodeId::random(), "here".into(), String::new())).clone()
    }

    /// Notes that the session with the node has ended.
    pub(crate) fn set_gone(&self) {
        self.0.is_gone.send_replace(true);
    }

    /// Returns true if the session with the node has ended, so that no caller there waits for a reply. A method of a peer that
    /// was lost is not dropped before the lease of the peer ends, and one that executes a one-way message is not dropped at
    /// all.
    ///
    /// ```
    /// use remote_core::{Ref, Remote, Result, caller, remote};
    ///
    /// #[remote]
    /// trait Search {
    ///     async fn search(&self, word: &str) -> Result<Vec<u64>>;
    /// }
    ///
    /// #[derive(Remote)]
    /// #[remote(Search)]
    /// struct Index(Vec<String>);
    ///
    /// #[remote]
    /// impl Search for Index {
    ///     async fn search(&self, word: &str) -> Result<Vec<u64>> {
    ///         let mut found = Vec::new();
    ///         for (line, text) in self.0.iter().enumerate() {
    ///             if caller().is_gone() {
    ///                 break;
    ///             }
    ///             found.extend(text.contains(word).then_some(line as u64));
    ///         }
    ///         Ok(found)
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// let index: Ref<dyn Search> = Ref::new(Index(vec!["a tree".into(), "a house".into()]));
    /// assert_eq!(index.search("house").await?, [1]);
    /// # Ok(()) }
    /// ```
    pub fn is_gone(&self) -> bool {
        *self.0.is_gone.borrow()
    }

    /// Waits until [`is_gone`](Peer::is_gone) returns true. For the process itself, and for the sender of a datagram, it never
    /// does.
    ///
    /// # Cancel safety
    /// Cancel safe: dropping the future has no effect.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use remote_core::Node;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> remote_core::Result<()> {
    /// let server = Node::listen("memory://gone-doc").await?;
    /// let client = Node::new();
    /// client.names("memory://gone-doc").await?;
    /// let peer = server.sessions()[0].peer();
    /// assert!(!peer.is_gone());
    /// client.shutdown(Duration::from_secs(1)).await;
    /// peer.gone().await;
    /// assert!(peer.is_gone());
    /// # Ok(()) }
    /// ```
    pub async fn gone(&self) {
        // It cannot fail: the sender lives as long as `self`.
        let _ = self.0.is_gone.subscribe().wait_for(|gone| *gone).await;
    }

    /// Returns the identity of the node, which is new at each start.
    ///
    /// ```
    /// # use remote_core::Node;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> remote_core::Result<()> {
    /// # let server = Node::builder().name("printer").listen("memory://peer-id-doc").start().await?;
    /// # let client = Node::new();
    /// # client.names("memory://peer-id-doc").await?;
    /// let peer = client.sessions()[0].peer();
    /// assert_eq!(peer.id(), server.id());
    /// # Ok(()) }
    /// ```
    pub fn id(&self) -> NodeId {
        self.0.id
    }

    /// Returns the name that the node has chosen by [`NodeBuilder::name`](crate::NodeBuilder::name). It may be empty, and is
    /// not authenticated.
    ///
    /// ```
    /// # use remote_core::Node;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> remote_core::Result<()> {
    /// # let server = Node::builder().name("printer").listen("memory://peer-name-doc").start().await?;
    /// # let client = Node::new();
    /// # client.names("memory://peer-name-doc").await?;
    /// let peer = client.sessions()[0].peer();
    /// assert_eq!(peer.name(), "printer");
    /// # Ok(()) }
    /// ```
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Returns the address of the other end of the connection with which the session began; empty for the process itself. The
    /// peer listens there only if this side connected to it.
    ///
    /// ```
    /// # use remote_core::Node;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> remote_core::Result<()> {
    /// # let server = Node::builder().name("printer").listen("memory://peer-address-doc").start().await?;
    /// # let client = Node::new();
    /// # client.names("memory://peer-address-doc").await?;
    /// let peer = client.sessions()[0].peer();
    /// assert_eq!(peer.address(), "memory://peer-address-doc");
    /// # Ok(()) }
    /// ```
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
