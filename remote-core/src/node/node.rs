//! The node, as users hold it.
//!
//! It must not do anything itself that a part of the node can.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::builder::NodeBuilder;
use super::core::Core;
use super::directory::Directory;
use super::session::handle::Session;
use super::snapshot::{Snapshot, snapshot};
use crate::error::{Error, Result};
use crate::id::NodeId;
use crate::reference::interface::Interface;
use crate::reference::object::Object;
use crate::reference::reference::Ref;
use crate::socket::messages::Sockets;
use crate::transport::nowhere;
use crate::transport::uri::Uri;

/// A node: an identity, an object table, and sessions with other nodes.
///
/// Usually there is one in a process; there may be many. Cheap to clone. When the last handle is dropped the node
/// listens no more, and its sessions end as soon as no reference needs them.
///
/// ```standalone_crate
/// use remote_core::{Node, Ref, Remote, Result, remote};
///
/// #[remote]
/// trait Greeter {
///     async fn greet(&self, name: &str) -> Result<String>;
/// }
///
/// #[derive(Remote)]
/// #[remote(Greeter)]
/// struct English;
///
/// #[remote]
/// impl Greeter for English {
///     async fn greet(&self, name: &str) -> Result<String> {
///         Ok(format!("hello, {name}"))
///     }
/// }
///
/// #[tokio::main(flavor = "current_thread")]
/// async fn main() -> Result<()> {
///     let server = Node::listen("tcp://127.0.0.1:0").await?;
///     server.publish("greeter", Ref::<dyn Greeter>::new(English)).await?;
///     let client = Node::new(); // as well in another process
///     let greeter: Ref<dyn Greeter> = client.lookup(server.uri("greeter")).await?;
///     assert_eq!(greeter.greet("world").await?, "hello, world");
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct Node(Arc<Core>);

impl Node {
    /// Makes a node that listens nowhere, with default settings.
    ///
    /// # Panics
    /// If two classes of the program have one name; [`NodeBuilder::start`] says so by an error.
    #[allow(
        clippy::new_without_default,
        reason = "each is another node: a default would hide that"
    )]
    pub fn new() -> Node {
        match NodeBuilder::default().make() {
            Ok((core, _)) => Node(core),
            Err(error) => panic!("{error}"),
        }
    }

    /// Returns a builder for a node with other settings.
    pub fn builder() -> NodeBuilder {
        NodeBuilder::default()
    }

    /// Starts a node that listens at an address, as `tcp://127.0.0.1:0` (port 0 takes a free one).
    ///
    /// # Errors
    /// Those of [`NodeBuilder::start`].
    pub async fn listen(uri: impl Into<String>) -> Result<Node> {
        Node::builder().listen(uri).start().await
    }

    /// Publishes an object under a name, so that others can look it up. The object lives at least until it is unpublished.
    ///
    /// # Errors
    /// [`Error::NameInUse`]; [`Error::Refused`] for a name that cannot stand in an address; for a promise, what its
    /// call failed with.
    pub async fn publish<T: ?Sized + Interface>(
        &self,
        name: impl AsRef<str>,
        reference: Ref<T>,
    ) -> Result<()> {
        let object = Ref::<dyn Object>::to(Ref::resolved(&reference).await?.receiver().clone());
        self.0.published.publish(name.as_ref(), object)
    }

    /// Unpublishes a name. References that were looked up by it stay valid.
    ///
    /// # Errors
    /// [`Error::NameNotFound`].
    pub async fn unpublish(&self, name: impl AsRef<str>) -> Result<()> {
        self.0.published.unpublish(name.as_ref())
    }

    /// Returns the names published by the node at an address.
    ///
    /// # Errors
    /// [`Error::InvalidUri`], [`Error::NotConnected`], and those of a call.
    pub async fn names(&self, node_uri: impl AsRef<str>) -> Result<Vec<String>> {
        let uri = Uri::of_node(node_uri.as_ref())?;
        let directory = Ref::<dyn Directory>::to(self.0.directory(&uri).await?);
        match directory.names().await {
            Err(error) if is_over(&error) => {
                let directory = Ref::<dyn Directory>::to(self.0.directory(&uri).await?);
                directory.names().await.map_err(own)
            }
            names => names.map_err(own),
        }
    }

    /// Looks up the object published at an address, as `tcp://127.0.0.1:4096/transcript`. Looked up on the node itself, it is
    /// the near object.
    ///
    /// # By datagrams
    /// With an address as `udp://127.0.0.1:4096/transcript`, nobody is asked, and no connection is made: the reference is
    /// the address and the name, and each message to it is one datagram. Such messages must be sent with
    /// [`Call::oneway`](crate::Call::oneway), pass values alone, and fit into
    /// [`Limits::datagram`](crate::Limits::datagram); any other is refused, and nothing is sent of it. What is sent may
    /// be lost without a word: by the network, by a receiver that has no room, or because nobody listens there, publishes
    /// the name, or understands the message. It may arrive in another order. It is executed at most once, as long as it
    /// does not arrive again after thousands of others.
    ///
    /// The other way round, nothing proves who sent a datagram: whoever can reach the address can send the published
    /// objects messages, and say to be any node, so that [`caller`](crate::caller) is only what the sender says.
    ///
    /// The reference equals only its clones, since nobody knows which object it means. It cannot be monitored, linked to
    /// or cast. It can be passed on, and then this node sends the datagrams for whoever received it.
    ///
    /// # Errors
    /// [`Error::InvalidUri`], [`Error::NotConnected`], [`Error::NameNotFound`], [`Error::WrongInterface`], and those
    /// of a call.
    pub async fn lookup<T: ?Sized + Interface>(&self, uri: impl AsRef<str>) -> Result<Ref<T>> {
        let uri = Uri::of_object(uri.as_ref())?;
        if uri.is_for_datagrams() {
            return Ok(Ref::to(self.0.datagram_target(uri).await?));
        }
        let directory = Ref::<dyn Directory>::to(self.0.directory(&uri).await?);
        let found = match directory.lookup(&uri.name, T::NAME).await {
            Err(error) if is_over(&error) => {
                let directory = Ref::<dyn Directory>::to(self.0.directory(&uri).await?);
                directory.lookup(&uri.name, T::NAME).await
            }
            found => found,
        };
        Ok(Ref::to(found.map_err(own)?.receiver().clone()))
    }

    /// Returns the address of an object published here, for others to look up: at the first address at which the node listens.
    /// If it listens nowhere, a lookup of the address fails with [`Error::NotConnected`].
    pub fn uri(&self, name: impl AsRef<str>) -> String {
        let uri = self.uris(name.as_ref()).into_iter().next();
        uri.unwrap_or_else(|| nowhere::uri(self.id(), name.as_ref()))
    }

    /// Returns the addresses of an object published here: one for each address at which the node listens, in the order of the
    /// builder.
    pub fn uris(&self, name: impl AsRef<str>) -> Vec<String> {
        let name = name.as_ref();
        self.0.addresses().iter().map(|address| format!("{address}/{name}")).collect()
    }

    /// Returns the identity of the node, new at each start.
    pub fn id(&self) -> NodeId {
        self.0.sessions.shared.id
    }

    /// Returns the sessions with other nodes.
    pub fn sessions(&self) -> Vec<Session> {
        self.0.sessions.all().into_iter().map(Session).collect()
    }

    /// Returns the object that makes sockets on this machine, as far as [`NodeBuilder::sockets`] allows: an object to be published,
    /// or passed to those who may. See [`socket`](crate::socket).
    pub fn sockets(&self) -> Ref<dyn Sockets> {
        Ref::from_arc(Arc::clone(&self.0.sockets))
    }

    /// Returns the number of objects that the node exports.
    pub fn exports(&self) -> usize {
        self.0.sessions.shared.table.len()
    }

    /// Returns the exports of the node with their holders, and its imports. It reads each entry of each table.
    pub fn snapshot(&self) -> Snapshot {
        snapshot(&self.0.sessions, self.0.desk.len())
    }

    /// Waits until the node has shut down.
    pub async fn closed(&self) {
        self.0.closed().await;
    }

    /// Ends the node in good order: it takes no more connections and calls, finishes the calls in progress in either
    /// direction for at most `limit`, closes the sockets that others use, and tells its peers.
    pub async fn shutdown(&self, limit: Duration) {
        self.0.shut_down(limit).await;
    }
}

impl NodeBuilder {
    /// Starts the node.
    ///
    /// # Errors
    /// [`Error::Refused`] if settings contradict each other or an address can be reached from outside;
    /// [`Error::InvalidUri`]; [`Error::Io`] if an address is in use; [`Error::DuplicateClass`].
    pub async fn start(self) -> Result<Node> {
        let (core, addresses) = self.make()?;
        for address in addresses {
            core.listen(&Uri::of_node(&address)?).await?;
        }
        Ok(Node(core))
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node")
            .field("id", &self.id())
            .field("addresses", &self.0.addresses())
            .finish_non_exhaustive()
    }
}

/// Returns true if the session turned out to be over: another one may answer at its address by now, so it is tried once more.
fn is_over(error: &Error) -> bool {
    matches!(error, Error::SessionLost { .. } | Error::LeaseExpired | Error::Stale)
}

/// Unwraps an error that the directory's method returned: the lookup fails with it.
fn own(error: Error) -> Error {
    match error {
        Error::Nested(inner) => *inner,
        other => other,
    }
}
