//! The public handle to a node.
//!
//! It must not do anything itself that a part of the node can do.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::builder::NodeBuilder;
use super::connect::registry::Sessions;
use super::core::Core;
use super::session::handle::Session;
use super::shutdown::{ShutdownReport, Waiting};
use super::snapshot::{Snapshot, snapshot};
use crate::error::Result;
use crate::id::NodeId;
use crate::reference::reference::Ref;
use crate::socket::listening::Sockets;
use crate::transport::uri::Uri;

/// A node: an identity, an object table, and sessions with other nodes.
///
/// A process usually has one node, and may have many. It is a handle, and cloning it is cheap. When the last handle is dropped,
/// the node stops listening, its published names are removed, and its sessions end as soon as no reference needs them.
/// [`Node::shutdown`] ends it in good order.
///
/// ```
/// use remote_core::{Node, Ref, Remote, Result, remote};
///
/// #[remote]
/// trait Greeter {
///     async fn greet(&self, name: &str) -> Result<String>;
/// }
///
/// #[derive(Remote)]
/// #[remote(Greeter)]
/// struct Concierge;
///
/// #[remote]
/// impl Greeter for Concierge {
///     async fn greet(&self, name: &str) -> Result<String> {
///         Ok(format!("hello, {name}"))
///     }
/// }
///
/// #[tokio::main(flavor = "current_thread")]
/// async fn main() -> Result<()> {
///     let server = Node::listen("tcp://127.0.0.1:0").await?;
///     server.publish("greeter", Ref::<dyn Greeter>::new(Concierge)).await?;
///     let client = Node::new(); // here in the same process; in another one it is the same
///     let greeter: Ref<dyn Greeter> = client.lookup(server.uri("greeter")).await?;
///     assert_eq!(greeter.greet("world").await?, "hello, world");
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct Node(pub(super) Arc<Core>);

impl Node {
    /// Returns a node that does not listen, with default settings.
    ///
    /// # Panics
    /// Panics if two classes of the program have the same name; [`NodeBuilder::start`] returns an error instead.
    ///
    /// ```
    /// use remote_core::Node;
    /// let (one, other) = (Node::new(), Node::new());
    /// assert_ne!(one.id(), other.id());
    /// ```
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

    /// Returns a builder, for a node with other settings.
    ///
    /// ```
    /// # use remote_core::Node;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> remote_core::Result<()> {
    /// let node = Node::builder().name("printer").listen("memory://settings-doc").start().await?;
    /// assert_eq!(node.uri("queue"), "memory://settings-doc/queue");
    /// # Ok(()) }
    /// ```
    pub fn builder() -> NodeBuilder {
        NodeBuilder::default()
    }

    /// Starts a node that listens at an address, such as `tcp://127.0.0.1:0`, with default settings. With port 0 the system
    /// chooses a free port.
    ///
    /// # Errors
    /// Those of [`NodeBuilder::start`].
    ///
    /// # Panics
    /// As [`NodeBuilder::start`].
    ///
    /// # Cancel safety
    /// If the future is dropped, no node is started.
    ///
    /// ```
    /// # use remote_core::Node;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> remote_core::Result<()> {
    /// let node = Node::listen("tcp://127.0.0.1:0").await?;
    /// assert!(node.uri("printer").starts_with("tcp://127.0.0.1:"));
    /// assert!(!node.uri("printer").contains(":0/")); // with the port that the system has chosen
    /// # Ok(()) }
    /// ```
    pub async fn listen(uri: impl Into<String>) -> Result<Node> {
        Node::builder().listen(uri).start().await
    }

    /// Returns the identity of the node: random, and new at each start. All handles of a node return the same.
    ///
    /// ```
    /// let node = remote_core::Node::new();
    /// assert_eq!(node.id(), node.clone().id());
    /// ```
    pub fn id(&self) -> NodeId {
        self.0.sessions.shared.id
    }

    /// Returns the sessions with other nodes, suspended ones included, in no particular order. There is at most one with each
    /// node.
    ///
    /// ```
    /// # use remote_core::Node;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> remote_core::Result<()> {
    /// let server = Node::listen("memory://sessions-doc").await?;
    /// let client = Node::new();
    /// assert!(client.sessions().is_empty());
    /// client.names("memory://sessions-doc").await?; // connects
    /// assert_eq!(client.sessions()[0].peer().id(), server.id());
    /// # Ok(()) }
    /// ```
    pub fn sessions(&self) -> Vec<Session> {
        self.0.sessions.all().into_iter().map(Session).collect()
    }

    /// Returns the object that makes TCP sockets on this machine, as far as [`NodeBuilder::sockets`] allows. It can be
    /// published, or passed to the nodes that may use it. See [`socket`](crate::socket).
    ///
    /// ```
    /// # use remote_core::{Node, Ref, socket::Policy};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> remote_core::Result<()> {
    /// let gateway = Node::builder().sockets(Policy::loopback()).start().await?;
    /// gateway.publish("sockets", gateway.sockets()).await?;
    /// assert_eq!(gateway.sockets(), gateway.sockets()); // one object
    /// assert!(Ref::is_near(&gateway.sockets()));
    /// # Ok(()) }
    /// ```
    pub fn sockets(&self) -> Ref<dyn Sockets> {
        Ref::from_arc(Arc::clone(&self.0.sockets))
    }

    /// Returns the number of exports: objects to which peers refer. An object to which several peers refer counts once.
    /// [`Snapshot::exports`] lists them.
    ///
    /// ```
    /// # use remote_core::{Node, Ref, Remote, Result, remote};
    /// # #[remote] trait Ping { async fn ping(&self) -> Result<u8>; }
    /// # #[derive(Remote)] #[remote(Ping)] struct Counted;
    /// # #[remote] impl Ping for Counted { async fn ping(&self) -> Result<u8> { Ok(1) } }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// let server = Node::listen("memory://exports-doc").await?;
    /// server.publish("ping", Ref::<dyn Ping>::new(Counted)).await?;
    /// assert_eq!(server.exports(), 0); // published, and not yet looked up
    /// let found: Ref<dyn Ping> = Node::new().lookup(server.uri("ping")).await?;
    /// assert_eq!(server.exports(), 1);
    /// # drop(found);
    /// # Ok(()) }
    /// ```
    pub fn exports(&self) -> usize {
        self.0.sessions.shared.table.len()
    }

    /// Returns true if the node exports and imports nothing, no method runs for a peer, and nothing waits to be sent: it can be
    /// shut down without any effect on its peers. Published objects that nobody refers to do not count.
    ///
    /// ```
    /// # use remote_core::{Node, Ref, Remote, Result, remote};
    /// # #[remote] trait Empty {}
    /// # #[derive(Remote)] #[remote(Empty)] struct Pebble;
    /// # #[remote] impl Empty for Pebble {}
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// let server = Node::listen("memory://idle-doc").await?;
    /// server.publish("stone", Ref::<dyn Empty>::new(Pebble)).await?;
    /// let client = Node::new();
    /// let far: Ref<dyn Empty> = client.lookup(server.uri("stone")).await?;
    /// assert!(!client.is_idle());
    /// drop(far);
    /// while !client.is_idle() {
    ///     tokio::task::yield_now().await; // the release is being sent
    /// }
    /// # Ok(()) }
    /// ```
    pub fn is_idle(&self) -> bool {
        let sessions = &self.0.sessions;
        self.0.desk.len() == 0
            && sessions.detached().is_empty()
            && sessions.all().iter().all(|session| session.is_idle())
    }

    /// Returns the exports of the node with their holders, and its imports. Reads all entries of all tables. [`Snapshot`] has
    /// an example with entries.
    ///
    /// ```
    /// let snapshot = remote_core::Node::new().snapshot();
    /// assert!(snapshot.exports.is_empty() && snapshot.imports.is_empty());
    /// ```
    pub fn snapshot(&self) -> Snapshot {
        snapshot(&self.0.sessions, self.0.desk.len())
    }

    /// Waits until the peers have received all one-way messages that have been handed over by now. Receiving is not executing.
    ///
    /// # Errors
    /// [`Error::SessionLost`](crate::Error::SessionLost) or [`Error::LeaseExpired`](crate::Error::LeaseExpired) if a session has
    /// ended, since the last flush or before this one resolves, and the peer may not have received everything.
    ///
    /// # Cancel safety
    /// Cancel safe: the messages are sent in any case.
    ///
    /// ```
    /// # use remote_core::{Node, Ref, Remote, Result, remote};
    /// # #[remote] trait Log { async fn line(&self, text: &str) -> Result<()>; }
    /// # #[derive(Remote)] #[remote(Log)] struct Printer;
    /// # #[remote] impl Log for Printer { async fn line(&self, _: &str) -> Result<()> { Ok(()) } }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// # let server = Node::listen("memory://flush-doc").await?;
    /// # server.publish("log", Ref::<dyn Log>::new(Printer)).await?;
    /// let client = Node::new();
    /// let log: Ref<dyn Log> = client.lookup(server.uri("log")).await?;
    /// for line in 0..100 {
    ///     log.line(&format!("line {line}")).oneway().await?;
    /// }
    /// assert_eq!(client.flush().await, Ok(())); // the server has them
    /// # Ok(()) }
    /// ```
    pub async fn flush(&self) -> Result<()> {
        let Sessions { shared, .. } = &*self.0.sessions;
        let sessions = self.0.sessions.all();
        let flushes: Vec<_> = sessions.iter().filter_map(|session| session.flush()).collect();
        for flush in flushes {
            if flush.await.is_err() {
                break; // The session has ended.
            }
        }
        shared.unreceived.take()
    }

    /// Waits until [`Node::shutdown`] has finished, which this or another handle of the node has called.
    ///
    /// # Cancel safety
    /// Cancel safe: dropping the future has no effect.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use remote_core::Node;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> remote_core::Result<()> {
    /// let node = Node::listen("memory://closed-doc").await?;
    /// let other = node.clone();
    /// tokio::spawn(async move { other.shutdown(Duration::from_secs(1)).await });
    /// node.closed().await;
    /// assert!(Node::new().names("memory://closed-doc").await.is_err());
    /// # Ok(()) }
    /// ```
    pub async fn closed(&self) {
        self.0.closed().await;
    }

    /// Ends the node in good order, and returns what it gave up.
    ///
    /// The node accepts no more connections, and neither it nor its peers begin calls on its sessions: such a call fails with
    /// [`Error::Ended`](crate::Error::Ended). What was handed over before is executed: the shutdown waits until one-way
    /// messages are executed and calls are answered, in both directions, and until streams have ended, whose producers are
    /// notified by [`Sink::closing`](crate::Sink::closing). Methods that are running may still call their peers. After `limit`
    /// it gives up what is left. Then it closes the sockets that others use, and notifies its peers. It returns within `limit`
    /// and 2 s.
    ///
    /// A method may await the shutdown of its own node: the shutdown does not wait for this method, which is dropped with its
    /// session.
    ///
    /// # Panics
    /// Panics outside a tokio runtime.
    ///
    /// # Cancel safety
    /// Dropping the future does not stop the shutdown.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use remote_core::{Node, Ref, Remote, Result, remote};
    /// # #[remote] trait Log { async fn line(&self, text: &str) -> Result<()>; }
    /// # #[derive(Remote)] #[remote(Log)] struct LinePrinter;
    /// # #[remote] impl Log for LinePrinter { async fn line(&self, _: &str) -> Result<()> { Ok(()) } }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// # let server = Node::listen("memory://shutdown-doc").await?;
    /// # server.publish("log", Ref::<dyn Log>::new(LinePrinter)).await?;
    /// let client = Node::new();
    /// let log: Ref<dyn Log> = client.lookup(server.uri("log")).await?;
    /// log.line("the last line").oneway().await?;
    /// let report = client.shutdown(Duration::from_secs(5)).await;
    /// assert!(report.is_complete()); // the line was executed
    /// # Ok(()) }
    /// ```
    pub async fn shutdown(&self, limit: Duration) -> ShutdownReport {
        let shutdown = Arc::clone(&self.0).shut_down(limit, Waiting::current());
        // In a task of its own: it goes on if this future is dropped, for example because the method that awaits it is.
        match tokio::spawn(shutdown).await {
            Ok(report) => report,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => ShutdownReport::default(), // The runtime ends.
        }
    }
}

impl NodeBuilder {
    /// Starts the node. When this returns, the node listens at all its addresses.
    ///
    /// # Errors
    /// - [`Error::Refused`](crate::Error::Refused) if the limits contradict each other, if the name, the lease or the call
    ///   timeout is out of range, or if an address can be reached from outside this machine.
    /// - [`Error::InvalidUri`](crate::Error::InvalidUri) for a text that is not the address of a node.
    /// - [`Error::Io`](crate::Error::Io) if the node cannot listen at an address, for example because it is in use.
    /// - [`Error::DuplicateClass`](crate::Error::DuplicateClass) if two classes of the program have the same name.
    ///
    /// # Panics
    /// Panics outside a tokio runtime, if the node has an address.
    ///
    /// # Cancel safety
    /// If the future is dropped, no node is started.
    ///
    /// ```
    /// # use remote_core::{Error, Node};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> remote_core::Result<()> {
    /// let node = Node::builder().listen("memory://start-doc").start().await?;
    /// let second = Node::builder().listen("memory://start-doc").start().await;
    /// assert!(matches!(second, Err(Error::Io(_)))); // the address is in use
    /// let open = Node::builder().listen("tcp://0.0.0.0:0").start().await;
    /// assert!(matches!(open, Err(Error::Refused(_)))); // it can be reached from outside
    /// # drop(node);
    /// # Ok(()) }
    /// ```
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
