//! Publishing objects under names, looking them up, and the addresses of names.
//!
//! It must not know how sessions are made, nor how objects are stored.

use super::directory::Directory;
use super::node::Node;
use crate::error::{Error, Result};
use crate::reference::interface::Interface;
use crate::reference::object::Object;
use crate::reference::reference::Ref;
use crate::transport::nowhere;
use crate::transport::uri::Uri;

impl Node {
    /// Publishes an object under a name, so that others can look it up. The object lives at least until the name is
    /// unpublished.
    ///
    /// A name has 1 to 256 bytes, without `/` and control characters. An object can have several names. A far object can be
    /// published too: lookups then return references to it. If the reference is a promise, this waits until the promise is
    /// resolved.
    ///
    /// # Errors
    /// [`Error::NameInUse`]; [`Error::Refused`] for a name that cannot be part of an address; for a promise, the error of its
    /// call; [`Error::Ended`] after the node has begun to shut down.
    ///
    /// # Cancel safety
    /// Cancel safe: if the future is dropped before it resolves, nothing is published.
    ///
    /// ```
    /// # use remote_core::{Error, Node, Ref, Remote, Result, remote};
    /// # #[remote] trait Ping { async fn ping(&self) -> Result<u8>; }
    /// # #[derive(Remote)] #[remote(Ping)] struct Notice;
    /// # #[remote] impl Ping for Notice { async fn ping(&self) -> Result<u8> { Ok(1) } }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// let node = Node::listen("memory://publish-doc").await?;
    /// let object: Ref<dyn Ping> = Ref::new(Notice);
    /// node.publish("ping", object.clone()).await?;
    /// assert_eq!(node.publish("ping", object).await, Err(Error::NameInUse { name: "ping".into() }));
    /// # Ok(()) }
    /// ```
    pub async fn publish<T: ?Sized + Interface>(
        &self,
        name: impl AsRef<str>,
        reference: Ref<T>,
    ) -> Result<()> {
        let object = Ref::<dyn Object>::to(Ref::resolved(&reference).await?.receiver().clone());
        self.0.sessions.shared.check_open()?;
        self.0.published.publish(name.as_ref(), object)
    }

    /// Unpublishes a name. References that were looked up by it stay valid.
    ///
    /// # Errors
    /// [`Error::NameNotFound`].
    ///
    /// # Cancel safety
    /// The name is removed when the future is first polled.
    ///
    /// ```
    /// # use remote_core::{Error, Node, Ref, Remote, Result, remote};
    /// # #[remote] trait Ping { async fn ping(&self) -> Result<u8>; }
    /// # #[derive(Remote)] #[remote(Ping)] struct Poster;
    /// # #[remote] impl Ping for Poster { async fn ping(&self) -> Result<u8> { Ok(1) } }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// let node = Node::listen("memory://unpublish-doc").await?;
    /// node.publish("ping", Ref::<dyn Ping>::new(Poster)).await?;
    /// let found: Ref<dyn Ping> = Node::new().lookup(node.uri("ping")).await?;
    /// node.unpublish("ping").await?;
    /// assert_eq!(found.ping().await?, 1);
    /// assert_eq!(node.unpublish("ping").await, Err(Error::NameNotFound { name: "ping".into() }));
    /// # Ok(()) }
    /// ```
    pub async fn unpublish(&self, name: impl AsRef<str>) -> Result<()> {
        self.0.published.unpublish(name.as_ref())
    }

    /// Returns the names published by the node at an address, in alphabetical order. Connects to the node, unless there is a
    /// session with it.
    ///
    /// # Errors
    /// [`Error::InvalidUri`], [`Error::NotConnected`], those of a call, and [`Error::Ended`] if this node is shutting down.
    ///
    /// # Cancel safety
    /// Cancel safe: if the future is dropped, a session may remain that nothing uses.
    ///
    /// ```
    /// # use remote_core::{Node, Ref, Remote, Result, remote};
    /// # #[remote] trait Ping { async fn ping(&self) -> Result<u8>; }
    /// # #[derive(Remote)] #[remote(Ping)] struct Roster;
    /// # #[remote] impl Ping for Roster { async fn ping(&self) -> Result<u8> { Ok(1) } }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// let node = Node::listen("memory://names-doc").await?;
    /// node.publish("ping", Ref::<dyn Ping>::new(Roster)).await?;
    /// assert_eq!(Node::new().names("memory://names-doc").await?, ["ping"]);
    /// # Ok(()) }
    /// ```
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

    /// Looks up the object that is published at an address, such as `tcp://127.0.0.1:4096/transcript`. At an address of this
    /// node, it returns a reference to the near object.
    ///
    /// Connects to the node, unless there is a session with it. An attempt takes at most
    /// [`Limits::handshake_time`](crate::Limits::handshake_time), and is not repeated. Concurrent lookups at one address make
    /// their attempts one after another, until one succeeds.
    ///
    /// # By datagrams
    /// With an address such as `udp://127.0.0.1:4096/transcript`, nothing is sent and no connection is made: the reference
    /// consists of the address and the name, and each message to it is one datagram. Such messages must be sent with
    /// [`Call::oneway`](crate::Call::oneway), contain values only, and fit into [`Limits::datagram`](crate::Limits::datagram);
    /// any other is refused before it is sent. A message that was sent may be lost without an error: in the network, because
    /// the receiver has no room, or because no node listens at the address, publishes the name, or understands the message.
    /// Messages may arrive in another order. Each is executed at most once, unless a duplicate arrives after thousands of later
    /// datagrams.
    ///
    /// A node that listens at a `udp://` address cannot authenticate the senders: any process that can reach the address can
    /// send messages to the published objects under any identity. [`caller`](crate::caller) returns what the sender claims to
    /// be.
    ///
    /// The reference is equal only to its clones, since it is not known which object it designates. It cannot be monitored,
    /// linked to or cast. If it is passed to another node, this node sends the datagrams for it.
    ///
    /// # Errors
    /// [`Error::InvalidUri`], [`Error::NotConnected`], [`Error::NameNotFound`], [`Error::WrongInterface`], those of a call, and
    /// [`Error::Ended`] if this node is shutting down.
    ///
    /// # Cancel safety
    /// Cancel safe: if the future is dropped, a session may remain that nothing uses.
    ///
    /// ```
    /// # use remote_core::{Error, Node, Ref, Remote, Result, remote};
    /// # #[remote] trait Ping { async fn ping(&self) -> Result<u8>; }
    /// # #[derive(Remote)] #[remote(Ping)] struct Registry;
    /// # #[remote] impl Ping for Registry { async fn ping(&self) -> Result<u8> { Ok(1) } }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// let server = Node::listen("memory://lookup-doc").await?;
    /// server.publish("ping", Ref::<dyn Ping>::new(Registry)).await?;
    ///
    /// let client = Node::new();
    /// let found: Ref<dyn Ping> = client.lookup("memory://lookup-doc/ping").await?;
    /// assert_eq!(found.ping().await?, 1);
    /// let missing = client.lookup::<dyn Ping>("memory://lookup-doc/pong").await;
    /// assert_eq!(missing, Err(Error::NameNotFound { name: "pong".into() }));
    /// # Ok(()) }
    /// ```
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

    /// Returns the address of a name on this node, for lookups by others: at the first address at which the node listens. The
    /// name need not be published. If the node does not listen, a lookup of the address fails with [`Error::NotConnected`].
    ///
    /// ```
    /// # use remote_core::Node;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> remote_core::Result<()> {
    /// let node = Node::listen("memory://uri-doc").await?;
    /// assert_eq!(node.uri("printer"), "memory://uri-doc/printer");
    /// # Ok(()) }
    /// ```
    pub fn uri(&self, name: impl AsRef<str>) -> String {
        let uri = self.uris(name.as_ref()).into_iter().next();
        uri.unwrap_or_else(|| nowhere::uri(self.id(), name.as_ref()))
    }

    /// Returns the addresses of a name on this node: one for each address at which the node listens, in the order of the
    /// builder. Empty if the node does not listen.
    ///
    /// ```
    /// # use remote_core::Node;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> remote_core::Result<()> {
    /// let node = Node::builder().listen("memory://uris-1").listen("memory://uris-2").start().await?;
    /// assert_eq!(node.uris("x"), ["memory://uris-1/x", "memory://uris-2/x"]);
    /// # Ok(()) }
    /// ```
    pub fn uris(&self, name: impl AsRef<str>) -> Vec<String> {
        let name = name.as_ref();
        self.0.addresses().iter().map(|address| format!("{address}/{name}")).collect()
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
