//! The interfaces of a listening socket and of its controlling object, and of the object that makes sockets.
//!
//! It must not know the implementations.

use remote_derive::remote;

use super::connected::{Socket, SocketController};
use crate::error::{Error, Result};
use crate::reference::reference::Ref;

/// The object that makes sockets for other nodes, as far as the node's [`Policy`](super::Policy) allows. Returned by
/// [`Node::sockets`](crate::Node::sockets).
///
/// An address is `host:port`. The node that makes the socket resolves the host name.
///
/// # Errors
/// [`Error::Refused`] for an address that the policy does not allow, [`Error::Quota`] if the node has the maximum number of
/// sockets, [`Error::Io`] if it cannot listen at the address, [`Error::NotConnected`] if it cannot connect to it, and
/// [`Error::Ended`] if the node is shutting down. Each arrives as [`Error::Nested`], as all errors of methods do.
///
/// ```
/// # use remote_core::{Error, Node, Ref, Remote, Result, remote, socket::*};
/// # #[derive(Remote)] #[remote(SocketController)] struct Ear;
/// # #[remote] impl SocketController for Ear { async fn data(&self, _: Ref<dyn Socket>, _: WorkUnit) -> Result<()> { Ok(()) } }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let node = Node::new(); // with default settings, which allow nothing
/// let refused = node.sockets().connect("127.0.0.1:80", Ref::new(Ear)).await.unwrap_err();
/// assert!(matches!(&refused, Error::Nested(inner) if matches!(**inner, Error::Refused(_))));
/// # }
/// ```
#[remote(name = "remote.Sockets")]
pub trait Sockets {
    /// Listens at an address, and returns the socket. With port 0 the system chooses a free port. Connections are accepted as
    /// far as there is credit.
    ///
    /// ```
    /// # use remote_core::{Node, Ref, Remote, Result, remote, socket::*};
    /// # #[derive(Remote)] #[remote(ServerController)] struct Landing;
    /// # #[remote] impl ServerController for Landing {
    /// #     async fn accepted(&self, _: Ref<dyn ServerSocket>, _: Ref<dyn Socket>) -> Result<()> { Ok(()) }
    /// # }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// # let node = Node::builder().sockets(Policy::loopback()).start().await?;
    /// let server = node.sockets().listen("127.0.0.1:0", Ref::new(Landing)).await?;
    /// server.issue_credit(1).await?;
    /// assert!(server.address().await?.starts_with("127.0.0.1:"));
    /// # Ok(()) }
    /// ```
    async fn listen(
        &self,
        address: &str,
        controller: Ref<dyn ServerController>,
    ) -> Result<Ref<dyn ServerSocket>>;

    /// Connects to an address, and returns the socket. Bytes are read as far as there is credit.
    ///
    /// ```
    /// # use remote_core::{Node, Ref, Remote, Result, remote, socket::*};
    /// # #[derive(Remote)] #[remote(SocketController)] struct Skiff;
    /// # #[remote] impl SocketController for Skiff { async fn data(&self, _: Ref<dyn Socket>, _: WorkUnit) -> Result<()> { Ok(()) } }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// # let node = Node::builder().sockets(Policy::loopback()).start().await?;
    /// let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    /// let address = listener.local_addr()?.to_string();
    /// let socket = node.sockets().connect(&address, Ref::new(Skiff)).await?;
    /// assert_eq!(socket.peer().await?, address);
    /// # Ok(()) }
    /// ```
    async fn connect(
        &self,
        address: &str,
        controller: Ref<dyn SocketController>,
    ) -> Result<Ref<dyn Socket>>;
}

/// A listening socket.
///
/// It listens until it is closed, nothing refers to it, or its controlling object is stopped or its session ends. Then it is a
/// stopped object: calls fail with [`Error::Ended`]. The connections that it has accepted are not affected.
///
/// ```
/// # use remote_core::{Error, Node, Ref, Remote, Result, remote, socket::*};
/// # #[derive(Remote)] #[remote(ServerController)] struct Harbour;
/// # #[remote] impl ServerController for Harbour {
/// #     async fn accepted(&self, _: Ref<dyn ServerSocket>, _: Ref<dyn Socket>) -> Result<()> { Ok(()) }
/// # }
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
/// # let node = Node::builder().sockets(Policy::loopback()).start().await?;
/// let server = node.sockets().listen("127.0.0.1:0", Ref::new(Harbour)).await?;
/// server.issue_credit(1).await?; // for one connection
/// server.close().await?;
/// assert!(matches!(server.issue_credit(1).await, Err(Error::Ended(_))));
/// # Ok(()) }
/// ```
#[remote(name = "remote.ServerSocket")]
pub trait ServerSocket {
    /// Issues credit for this many more connections. Without credit, connections wait in the backlog of the system.
    ///
    /// ```
    /// # use remote_core::{Node, Ref, Remote, Result, remote, socket::*};
    /// # use tokio::{net::TcpStream, sync::mpsc};
    /// # #[derive(Remote)] #[remote(ServerController)] struct Pier(mpsc::UnboundedSender<Ref<dyn Socket>>);
    /// # #[remote] impl ServerController for Pier {
    /// #     async fn accepted(&self, _: Ref<dyn ServerSocket>, socket: Ref<dyn Socket>) -> Result<()> { let _ = self.0.send(socket); Ok(()) }
    /// # }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// # let node = Node::builder().sockets(Policy::loopback()).start().await?;
    /// # let (sender, mut accepted) = mpsc::unbounded_channel();
    /// # let server = node.sockets().listen("127.0.0.1:0", Ref::new(Pier(sender))).await?;
    /// // The controlling object sends each connection to `accepted`.
    /// let client = TcpStream::connect(server.address().await?).await?;
    /// assert!(accepted.try_recv().is_err());
    /// server.issue_credit(1).await?;
    /// assert!(accepted.recv().await.is_some());
    /// # drop(client);
    /// # Ok(()) }
    /// ```
    async fn issue_credit(&self, connections: u64) -> Result<()>;

    /// Returns the address at which it listens, such as `127.0.0.1:4096`.
    ///
    /// ```
    /// # use remote_core::{Node, Ref, Remote, Result, remote, socket::*};
    /// # #[derive(Remote)] #[remote(ServerController)] struct Marina;
    /// # #[remote] impl ServerController for Marina {
    /// #     async fn accepted(&self, _: Ref<dyn ServerSocket>, _: Ref<dyn Socket>) -> Result<()> { Ok(()) }
    /// # }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// # let node = Node::builder().sockets(Policy::loopback()).start().await?;
    /// # let server = node.sockets().listen("127.0.0.1:0", Ref::new(Marina)).await?;
    /// let client = tokio::net::TcpStream::connect(server.address().await?).await?;
    /// assert_eq!(client.peer_addr()?.to_string(), server.address().await?);
    /// # Ok(()) }
    /// ```
    async fn address(&self) -> Result<String>;

    /// Stops listening, and returns when that is done. Dropping the call does not revoke the close.
    ///
    /// ```
    /// # use remote_core::{Error, Node, Ref, Remote, Result, remote, socket::*};
    /// # #[derive(Remote)] #[remote(ServerController)] struct Dock;
    /// # #[remote] impl ServerController for Dock {
    /// #     async fn accepted(&self, _: Ref<dyn ServerSocket>, _: Ref<dyn Socket>) -> Result<()> { Ok(()) }
    /// # }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// # let node = Node::builder().sockets(Policy::loopback()).start().await?;
    /// # let server = node.sockets().listen("127.0.0.1:0", Ref::new(Dock)).await?;
    /// server.close().await?;
    /// assert!(matches!(server.address().await, Err(Error::Ended(_))));
    /// # Ok(()) }
    /// ```
    async fn close(&self) -> Result<()>;
}

/// The controlling object of a listening socket. The socket sends it a one-way message for each event, in order.
///
/// ```
/// use remote_core::socket::{ServerController, ServerSocket, Socket};
/// use remote_core::{Ref, Remote, Result, remote};
/// # use remote_core::{Node, socket::Policy};
/// # use tokio::{io::AsyncReadExt, net::TcpStream};
///
/// /// Sends each client a line, and closes the connection.
/// #[derive(Remote)]
/// #[remote(ServerController)]
/// struct Busy;
///
/// #[remote]
/// impl ServerController for Busy {
///     async fn accepted(&self, server: Ref<dyn ServerSocket>, socket: Ref<dyn Socket>) -> Result<()> {
///         socket.send_line("try again later").await?;
///         socket.close().await?;
///         server.issue_credit(1).await // for the next connection
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
/// # let node = Node::builder().sockets(Policy::loopback()).start().await?;
/// let server = node.sockets().listen("127.0.0.1:0", Ref::new(Busy)).await?;
/// server.issue_credit(1).await?;
/// let mut client = TcpStream::connect(server.address().await?).await?;
/// let mut text = String::new();
/// client.read_to_string(&mut text).await?;
/// assert_eq!(text, "try again later\n");
/// # Ok(()) }
/// ```
#[remote(name = "remote.ServerController")]
pub trait ServerController {
    /// The socket listens, at this address. It is the first message. The default does nothing.
    ///
    /// ```
    /// # use remote_core::{Error, Node, Ref, Remote, Result, remote, socket::*};
    /// # use tokio::sync::mpsc;
    /// #[derive(Remote)]
    /// #[remote(ServerController)]
    /// struct Beacon(mpsc::UnboundedSender<String>);
    ///
    /// #[remote]
    /// impl ServerController for Beacon {
    ///     async fn ready(&self, _server: Ref<dyn ServerSocket>, address: &str) -> Result<()> {
    ///         let _ = self.0.send(address.to_owned());
    ///         Ok(())
    ///     }
    /// #     async fn accepted(&self, _: Ref<dyn ServerSocket>, _: Ref<dyn Socket>) -> Result<()> { Ok(()) }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// # let node = Node::builder().sockets(Policy::loopback()).start().await?;
    /// let (sender, mut addresses) = mpsc::unbounded_channel();
    /// let server = node.sockets().listen("127.0.0.1:0", Ref::new(Beacon(sender))).await?;
    /// assert_eq!(addresses.recv().await, Some(server.address().await?));
    /// # Ok(()) }
    /// ```
    async fn ready(&self, server: Ref<dyn ServerSocket>, address: &str) -> Result<()> {
        let _ = (server, address);
        Ok(())
    }

    /// The socket has accepted a connection and spent one unit of credit. The connection is closed if no reference to it is
    /// kept. It has no controlling object before [`Socket::controlled_by`], and reads nothing.
    ///
    /// ```
    /// # use remote_core::{Error, Node, Ref, Remote, Result, remote, socket::*};
    /// # use tokio::sync::mpsc;
    /// #[derive(Remote)]
    /// #[remote(ServerController)]
    /// struct Quayside(mpsc::UnboundedSender<Ref<dyn Socket>>);
    ///
    /// #[remote]
    /// impl ServerController for Quayside {
    ///     async fn accepted(&self, _server: Ref<dyn ServerSocket>, socket: Ref<dyn Socket>) -> Result<()> {
    ///         let _ = self.0.send(socket);
    ///         Ok(())
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// # let node = Node::builder().sockets(Policy::loopback()).start().await?;
    /// let (sender, mut accepted) = mpsc::unbounded_channel();
    /// let server = node.sockets().listen("127.0.0.1:0", Ref::new(Quayside(sender))).await?;
    /// server.issue_credit(1).await?;
    /// let client = tokio::net::TcpStream::connect(server.address().await?).await?;
    /// let socket = accepted.recv().await.unwrap();
    /// assert_eq!(socket.peer().await?, client.local_addr()?.to_string());
    /// # Ok(()) }
    /// ```
    async fn accepted(
        &self,
        server: Ref<dyn ServerSocket>,
        connection: Ref<dyn Socket>,
    ) -> Result<()>;

    /// The socket has stopped listening, because of the failure if there is one. It is the last message. The default does
    /// nothing.
    ///
    /// ```
    /// # use remote_core::{Error, Node, Ref, Remote, Result, remote, socket::*};
    /// # use tokio::sync::mpsc;
    /// #[derive(Remote)]
    /// #[remote(ServerController)]
    /// struct Harbourmaster(mpsc::UnboundedSender<Option<Error>>);
    ///
    /// #[remote]
    /// impl ServerController for Harbourmaster {
    ///     async fn closed(&self, _server: Ref<dyn ServerSocket>, failure: Option<Error>) -> Result<()> {
    ///         let _ = self.0.send(failure);
    ///         Ok(())
    ///     }
    /// #     async fn accepted(&self, _: Ref<dyn ServerSocket>, _: Ref<dyn Socket>) -> Result<()> { Ok(()) }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// # let node = Node::builder().sockets(Policy::loopback()).start().await?;
    /// let (sender, mut closed) = mpsc::unbounded_channel();
    /// let server = node.sockets().listen("127.0.0.1:0", Ref::new(Harbourmaster(sender))).await?;
    /// server.close().await?;
    /// assert_eq!(closed.recv().await, Some(None)); // no failure
    /// # Ok(()) }
    /// ```
    async fn closed(&self, server: Ref<dyn ServerSocket>, failure: Option<Error>) -> Result<()> {
        let _ = (server, failure);
        Ok(())
    }
}
