//! The node, as users hold it.
//!
//! It must not do anything itself that a part of the node can.

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
pub struct Node(pub(super) Arc<Core>);

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

    /// Returns the exports of the node with their holders, and its imports. It reads each entry of each table.
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
    /// client.flush().await?; // the server has them
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

    /// Waits until the node has shut down.
    pub async fn closed(&self) {
        self.0.closed().await;
    }

    /// Ends the node in good order, and returns what it gave up.
    ///
    /// The node accepts no more connections, and neither it nor its peers begin calls on its sessions: such a call fails with
    /// [`Error::Ended`](crate::Error::Ended). What was handed over before is executed: the shutdown waits until one-way messages are executed and calls
    /// are answered, in both directions, and until streams have ended, whose producers are notified by
    /// [`Sink::closing`](crate::Sink::closing). Methods that are running may still call their peers. After `limit` it gives up
    /// what is left. Then it closes the sockets that others use, and notifies its peers.
    ///
    /// A method may await the shutdown of its own node: the shutdown does not wait for this method, which is dropped with its
    /// session.
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
    /// Starts the node.
    ///
    /// # Errors
    /// [`Error::Refused`](crate::Error::Refused) if settings contradict each other or an address can be reached from outside;
    /// [`Error::InvalidUri`](crate::Error::InvalidUri); [`Error::Io`](crate::Error::Io) if an address is in use;
    /// [`Error::DuplicateClass`](crate::Error::DuplicateClass).
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
