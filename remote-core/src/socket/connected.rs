//! The interfaces of a connected socket and of its controlling object.
//!
//! It must not know the implementations. The flow control by credit, and its terms, are those of Tony Garnock-Jones's
//! "Actors for Squeak".

use remote_derive::remote;

use super::units::{WorkUnit, WorkUnits};
use crate::error::{Error, Result};
use crate::reference::reference::Ref;

/// A connected socket.
///
/// It is connected until both directions have ended, until it is closed, nothing refers to it, or its controlling object is
/// stopped or its session ends. What was sent before is still written. Then the socket is a stopped object: calls fail with
/// [`Error::Ended`], monitors resolve, and links stop their objects.
///
/// It keeps its controlling object alive, which usually keeps the socket alive: then both live as long as the connection.
///
/// ```
/// # use remote_core::{Error, Node, Ref, Remote, Result, remote, socket::*};
/// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// # #[derive(Remote)] #[remote(SocketController)] struct Quay;
/// # #[remote] impl SocketController for Quay { async fn data(&self, _: Ref<dyn Socket>, _: WorkUnit) -> Result<()> { Ok(()) } }
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
/// # let node = Node::builder().sockets(Policy::loopback()).start().await?;
/// # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// # let socket = node.sockets().connect(&listener.local_addr()?.to_string(), Ref::new(Quay)).await?;
/// # let mut other = listener.accept().await?.0;
/// // `socket` is connected to `other`, which is a `TcpStream` of tokio.
/// socket.send_line("hello").await?;
/// socket.close().await?;
/// let mut text = String::new();
/// other.read_to_string(&mut text).await?;
/// assert_eq!(text, "hello\n");
/// assert!(matches!(socket.send_line("again").await, Err(Error::Ended(_))));
/// # Ok(()) }
/// ```
#[remote(name = "remote.Socket")]
pub trait Socket {
    /// Replaces the controlling object. The new one gets [`SocketController::connected`] first, and all later events.
    ///
    /// ```
    /// # use remote_core::{Node, Ref, Remote, Result, remote, socket::*};
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # #[derive(Remote)] #[remote(SocketController)] struct Former;
    /// # #[remote] impl SocketController for Former { async fn data(&self, _: Ref<dyn Socket>, _: WorkUnit) -> Result<()> { Ok(()) } }
    /// # #[derive(Remote)] #[remote(SocketController)] struct Latter(tokio::sync::mpsc::UnboundedSender<WorkUnit>);
    /// # #[remote] impl SocketController for Latter {
    /// #     async fn data(&self, _: Ref<dyn Socket>, unit: WorkUnit) -> Result<()> { let _ = self.0.send(unit); Ok(()) }
    /// # }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// # let node = Node::builder().sockets(Policy::loopback()).start().await?;
    /// # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let socket = node.sockets().connect(&listener.local_addr()?.to_string(), Ref::new(Former)).await?;
    /// # let mut other = listener.accept().await?.0;
    /// // `socket` is connected to `other`, which is a `TcpStream` of tokio.
    /// let (sender, mut units) = tokio::sync::mpsc::unbounded_channel();
    /// socket.controlled_by(Ref::new(Latter(sender))).await?; // it sends each unit to `units`
    /// socket.issue_credit(1).await?;
    /// other.write_all(b"hello\n").await?;
    /// assert_eq!(units.recv().await, Some(WorkUnit::Line("hello".into())));
    /// # Ok(()) }
    /// ```
    async fn controlled_by(&self, controller: Ref<dyn SocketController>) -> Result<()>;

    /// Sets the kind of work units for the bytes that are not delivered yet; [`WorkUnits::lines`] unless set. Fails with
    /// [`Error::Refused`] if the maximum length of a unit is 0 or over 1 MiB.
    ///
    /// ```
    /// # use remote_core::{Node, Ref, Remote, Result, remote, socket::*};
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # #[derive(Remote)] #[remote(SocketController)] struct Splitter(tokio::sync::mpsc::UnboundedSender<WorkUnit>);
    /// # #[remote] impl SocketController for Splitter {
    /// #     async fn data(&self, _: Ref<dyn Socket>, unit: WorkUnit) -> Result<()> { let _ = self.0.send(unit); Ok(()) }
    /// # }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// # let node = Node::builder().sockets(Policy::loopback()).start().await?;
    /// # let (sender, mut units) = tokio::sync::mpsc::unbounded_channel();
    /// # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let socket = node.sockets().connect(&listener.local_addr()?.to_string(), Ref::new(Splitter(sender))).await?;
    /// # let mut other = listener.accept().await?.0;
    /// // `socket` is connected to `other`, which is a `TcpStream` of tokio.
    /// socket.work_units(WorkUnits::prefixed()).await?;
    /// socket.issue_credit(1).await?;
    /// other.write_all(b"\0\0\0\x05hello").await?;
    /// assert_eq!(units.recv().await.unwrap().as_bytes(), b"hello");
    /// # Ok(()) }
    /// ```
    async fn work_units(&self, units: WorkUnits) -> Result<()>;

    /// Issues credit for this many more work units. Without credit, bytes wait in the buffers of the system.
    ///
    /// ```
    /// # use remote_core::{Node, Ref, Remote, Result, remote, socket::*};
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # #[derive(Remote)] #[remote(SocketController)] struct Taker(tokio::sync::mpsc::UnboundedSender<WorkUnit>);
    /// # #[remote] impl SocketController for Taker {
    /// #     async fn data(&self, _: Ref<dyn Socket>, unit: WorkUnit) -> Result<()> { let _ = self.0.send(unit); Ok(()) }
    /// # }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// # let node = Node::builder().sockets(Policy::loopback()).start().await?;
    /// # let (sender, mut units) = tokio::sync::mpsc::unbounded_channel();
    /// # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let socket = node.sockets().connect(&listener.local_addr()?.to_string(), Ref::new(Taker(sender))).await?;
    /// # let mut other = listener.accept().await?.0;
    /// // `socket` is connected to `other`, which is a `TcpStream` of tokio.
    /// other.write_all(b"one\ntwo\n").await?;
    /// socket.issue_credit(1).await?;
    /// assert_eq!(units.recv().await, Some(WorkUnit::Line("one".into())));
    /// assert!(units.try_recv().is_err());
    /// socket.issue_credit(1).await?;
    /// assert_eq!(units.recv().await, Some(WorkUnit::Line("two".into())));
    /// # Ok(()) }
    /// ```
    async fn issue_credit(&self, units: u64) -> Result<()>;

    /// Sends bytes unchanged. Returns when they fit into the queue of 64 KiB of bytes to be written: backpressure, if the peer
    /// does not read. If the call is dropped before, all of the bytes are sent or none.
    ///
    /// ```
    /// # use remote_core::{Node, Ref, Remote, Result, remote, socket::*};
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # #[derive(Remote)] #[remote(SocketController)] struct Bytes;
    /// # #[remote] impl SocketController for Bytes { async fn data(&self, _: Ref<dyn Socket>, _: WorkUnit) -> Result<()> { Ok(()) } }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// # let node = Node::builder().sockets(Policy::loopback()).start().await?;
    /// # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let socket = node.sockets().connect(&listener.local_addr()?.to_string(), Ref::new(Bytes)).await?;
    /// # let mut other = listener.accept().await?.0;
    /// // `socket` is connected to `other`, which is a `TcpStream` of tokio.
    /// socket.send(b"hello").await?;
    /// let mut bytes = [0; 5];
    /// other.read_exact(&mut bytes).await?;
    /// assert_eq!(&bytes, b"hello");
    /// # Ok(()) }
    /// ```
    async fn send(&self, bytes: &[u8]) -> Result<()>;

    /// Sends a line and the line feed that ends it. A line that contains a line feed is refused. Otherwise like
    /// [`Socket::send`].
    ///
    /// ```
    /// # use remote_core::{Node, Ref, Remote, Result, remote, socket::*};
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # #[derive(Remote)] #[remote(SocketController)] struct Lines;
    /// # #[remote] impl SocketController for Lines { async fn data(&self, _: Ref<dyn Socket>, _: WorkUnit) -> Result<()> { Ok(()) } }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// # let node = Node::builder().sockets(Policy::loopback()).start().await?;
    /// # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let socket = node.sockets().connect(&listener.local_addr()?.to_string(), Ref::new(Lines)).await?;
    /// # let mut other = listener.accept().await?.0;
    /// // `socket` is connected to `other`, which is a `TcpStream` of tokio.
    /// socket.send_line("hello").await?;
    /// let mut bytes = [0; 6];
    /// other.read_exact(&mut bytes).await?;
    /// assert_eq!(&bytes, b"hello\n");
    /// assert!(socket.send_line("two\nlines").await.is_err());
    /// # Ok(()) }
    /// ```
    async fn send_line(&self, line: &str) -> Result<()>;

    /// Sends the length of the bytes, as four bytes in big-endian order, and then the bytes. Otherwise like [`Socket::send`].
    ///
    /// ```
    /// # use remote_core::{Node, Ref, Remote, Result, remote, socket::*};
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # #[derive(Remote)] #[remote(SocketController)] struct Strings;
    /// # #[remote] impl SocketController for Strings { async fn data(&self, _: Ref<dyn Socket>, _: WorkUnit) -> Result<()> { Ok(()) } }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// # let node = Node::builder().sockets(Policy::loopback()).start().await?;
    /// # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let socket = node.sockets().connect(&listener.local_addr()?.to_string(), Ref::new(Strings)).await?;
    /// # let mut other = listener.accept().await?.0;
    /// // `socket` is connected to `other`, which is a `TcpStream` of tokio.
    /// socket.send_prefixed(b"hello").await?;
    /// let mut bytes = [0; 9];
    /// other.read_exact(&mut bytes).await?;
    /// assert_eq!(&bytes, b"\0\0\0\x05hello");
    /// # Ok(()) }
    /// ```
    async fn send_prefixed(&self, bytes: &[u8]) -> Result<()>;

    /// Ends the sending direction after all that was sent before, and returns when all is written. The socket still reads.
    /// Dropping the call does not revoke the end.
    ///
    /// ```
    /// # use remote_core::{Node, Ref, Remote, Result, remote, socket::*};
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # #[derive(Remote)] #[remote(SocketController)] struct Half;
    /// # #[remote] impl SocketController for Half { async fn data(&self, _: Ref<dyn Socket>, _: WorkUnit) -> Result<()> { Ok(()) } }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// # let node = Node::builder().sockets(Policy::loopback()).start().await?;
    /// # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let socket = node.sockets().connect(&listener.local_addr()?.to_string(), Ref::new(Half)).await?;
    /// # let mut other = listener.accept().await?.0;
    /// // `socket` is connected to `other`, which is a `TcpStream` of tokio.
    /// socket.send(b"the end").await?;
    /// socket.end().await?;
    /// let mut text = String::new();
    /// other.read_to_string(&mut text).await?;
    /// assert_eq!(text, "the end");
    /// assert!(socket.send(b"more").await.is_err());
    /// # Ok(()) }
    /// ```
    async fn end(&self) -> Result<()>;

    /// Closes the socket after all that was sent before, which the peer must read within ten seconds. Returns when the socket
    /// is closed. Fails if not all could be written. Dropping the call does not revoke the close.
    ///
    /// ```
    /// # use remote_core::{Error, Node, Ref, Remote, Result, remote, socket::*};
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # #[derive(Remote)] #[remote(SocketController)] struct Closer;
    /// # #[remote] impl SocketController for Closer { async fn data(&self, _: Ref<dyn Socket>, _: WorkUnit) -> Result<()> { Ok(()) } }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// # let node = Node::builder().sockets(Policy::loopback()).start().await?;
    /// # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let socket = node.sockets().connect(&listener.local_addr()?.to_string(), Ref::new(Closer)).await?;
    /// # let mut other = listener.accept().await?.0;
    /// // `socket` is connected to `other`, which is a `TcpStream` of tokio.
    /// socket.close().await?;
    /// assert!(matches!(socket.send(b"more").await, Err(Error::Ended(_))));
    /// assert_eq!(other.read(&mut [0]).await?, 0); // the end of the stream
    /// # Ok(()) }
    /// ```
    async fn close(&self) -> Result<()>;

    /// Returns the local address, such as `127.0.0.1:4096`.
    ///
    /// ```
    /// # use remote_core::{Node, Ref, Remote, Result, remote, socket::*};
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # #[derive(Remote)] #[remote(SocketController)] struct Local;
    /// # #[remote] impl SocketController for Local { async fn data(&self, _: Ref<dyn Socket>, _: WorkUnit) -> Result<()> { Ok(()) } }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// # let node = Node::builder().sockets(Policy::loopback()).start().await?;
    /// # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let socket = node.sockets().connect(&listener.local_addr()?.to_string(), Ref::new(Local)).await?;
    /// # let mut other = listener.accept().await?.0;
    /// // `socket` is connected to `other`, which is a `TcpStream` of tokio.
    /// assert_eq!(socket.address().await?, other.peer_addr()?.to_string());
    /// # Ok(()) }
    /// ```
    async fn address(&self) -> Result<String>;

    /// Returns the address of the peer, such as `127.0.0.1:4096`.
    ///
    /// ```
    /// # use remote_core::{Node, Ref, Remote, Result, remote, socket::*};
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # #[derive(Remote)] #[remote(SocketController)] struct Opposite;
    /// # #[remote] impl SocketController for Opposite { async fn data(&self, _: Ref<dyn Socket>, _: WorkUnit) -> Result<()> { Ok(()) } }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// # let node = Node::builder().sockets(Policy::loopback()).start().await?;
    /// # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let socket = node.sockets().connect(&listener.local_addr()?.to_string(), Ref::new(Opposite)).await?;
    /// # let mut other = listener.accept().await?.0;
    /// // `socket` is connected to `other`, which is a `TcpStream` of tokio.
    /// assert_eq!(socket.peer().await?, other.local_addr()?.to_string());
    /// # Ok(()) }
    /// ```
    async fn peer(&self) -> Result<String>;
}

/// The controlling object of a connected socket. The socket sends it a one-way message for each event, in order. To *execute*
/// them in order, too, make its class `serial`.
///
/// ```
/// use remote_core::socket::{Socket, SocketController, WorkUnit};
/// use remote_core::{Ref, Remote, Result, remote};
/// # use remote_core::{Node, socket::Policy};
/// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
///
/// /// Sends each line back.
/// #[derive(Remote)]
/// #[remote(SocketController, serial)]
/// struct Parrot;
///
/// #[remote]
/// impl SocketController for Parrot {
///     async fn data(&self, socket: Ref<dyn Socket>, unit: WorkUnit) -> Result<()> {
///         if let WorkUnit::Line(line) = unit {
///             socket.send_line(&line).await?;
///         }
///         socket.issue_credit(1).await // for the next line
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
/// # let node = Node::builder().sockets(Policy::loopback()).start().await?;
/// # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// # let socket = node.sockets().connect(&listener.local_addr()?.to_string(), Ref::new(Parrot)).await?;
/// # let mut other = listener.accept().await?.0;
/// // `socket` is connected to `other`, which is a `TcpStream` of tokio.
/// socket.issue_credit(1).await?;
/// other.write_all(b"hello\n").await?;
/// let mut line = [0; 6];
/// other.read_exact(&mut line).await?;
/// assert_eq!(&line, b"hello\n");
/// # Ok(()) }
/// ```
#[remote(name = "remote.SocketController")]
pub trait SocketController {
    /// The object controls this socket from now on. It is the first message. The default does nothing.
    ///
    /// ```
    /// # use remote_core::{Node, Ref, Remote, Result, remote, socket::*};
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// #[derive(Remote)]
    /// #[remote(SocketController)]
    /// struct Welcome;
    ///
    /// #[remote]
    /// impl SocketController for Welcome {
    ///     async fn connected(&self, socket: Ref<dyn Socket>) -> Result<()> {
    ///         socket.send_line("welcome").await
    ///     }
    /// #     async fn data(&self, _: Ref<dyn Socket>, _: WorkUnit) -> Result<()> { Ok(()) }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// # let node = Node::builder().sockets(Policy::loopback()).start().await?;
    /// # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let socket = node.sockets().connect(&listener.local_addr()?.to_string(), Ref::new(Welcome)).await?;
    /// # let mut other = listener.accept().await?.0;
    /// // `socket` is connected to `other`, which is a `TcpStream` of tokio.
    /// let mut line = [0; 8];
    /// other.read_exact(&mut line).await?;
    /// assert_eq!(&line, b"welcome\n");
    /// # Ok(()) }
    /// ```
    async fn connected(&self, socket: Ref<dyn Socket>) -> Result<()> {
        let _ = socket;
        Ok(())
    }

    /// A work unit has arrived, which has spent one unit of the socket's credit.
    ///
    /// ```
    /// # use remote_core::{Node, Ref, Remote, Result, remote, socket::*};
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// #[derive(Remote)]
    /// #[remote(SocketController)]
    /// struct Mailbox(tokio::sync::mpsc::UnboundedSender<WorkUnit>);
    ///
    /// #[remote]
    /// impl SocketController for Mailbox {
    ///     async fn data(&self, _socket: Ref<dyn Socket>, unit: WorkUnit) -> Result<()> {
    ///         let _ = self.0.send(unit);
    ///         Ok(())
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// # let node = Node::builder().sockets(Policy::loopback()).start().await?;
    /// # let (sender, mut units) = tokio::sync::mpsc::unbounded_channel();
    /// # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let socket = node.sockets().connect(&listener.local_addr()?.to_string(), Ref::new(Mailbox(sender))).await?;
    /// # let mut other = listener.accept().await?.0;
    /// // `socket` is connected to `other`, which is a `TcpStream` of tokio.
    /// socket.issue_credit(1).await?;
    /// other.write_all(b"hello\r\n").await?;
    /// assert_eq!(units.recv().await, Some(WorkUnit::Line("hello".into())));
    /// # Ok(()) }
    /// ```
    async fn data(&self, socket: Ref<dyn Socket>, unit: WorkUnit) -> Result<()>;

    /// The peer has ended its sending direction, and may still read. This takes no credit. The default closes the socket.
    ///
    /// ```
    /// # use remote_core::{Node, Ref, Remote, Result, remote, socket::*};
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// #[derive(Remote)]
    /// #[remote(SocketController)]
    /// struct Courteous;
    ///
    /// #[remote]
    /// impl SocketController for Courteous {
    ///     async fn ended(&self, socket: Ref<dyn Socket>) -> Result<()> {
    ///         socket.send_line("goodbye").await?;
    ///         socket.close().await
    ///     }
    /// #     async fn data(&self, _: Ref<dyn Socket>, _: WorkUnit) -> Result<()> { Ok(()) }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// # let node = Node::builder().sockets(Policy::loopback()).start().await?;
    /// # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let socket = node.sockets().connect(&listener.local_addr()?.to_string(), Ref::new(Courteous)).await?;
    /// # let mut other = listener.accept().await?.0;
    /// // `socket` is connected to `other`, which is a `TcpStream` of tokio.
    /// other.shutdown().await?;
    /// let mut text = String::new();
    /// other.read_to_string(&mut text).await?;
    /// assert_eq!(text, "goodbye\n");
    /// # Ok(()) }
    /// ```
    async fn ended(&self, socket: Ref<dyn Socket>) -> Result<()> {
        socket.close().await
    }

    /// The socket is closed, because of the failure if there is one. It is the last message. The default does nothing.
    ///
    /// Bytes that are not a work unit (a line that is too long or is not UTF-8, an end inside a unit) are [`Error::Decode`];
    /// errors of the system are [`Error::Io`].
    ///
    /// ```
    /// # use remote_core::{Error, Node, Ref, Remote, Result, remote, socket::*};
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// #[derive(Remote)]
    /// #[remote(SocketController)]
    /// struct Obituary(tokio::sync::mpsc::UnboundedSender<Option<Error>>);
    ///
    /// #[remote]
    /// impl SocketController for Obituary {
    ///     async fn closed(&self, _socket: Ref<dyn Socket>, failure: Option<Error>) -> Result<()> {
    ///         let _ = self.0.send(failure);
    ///         Ok(())
    ///     }
    /// #     async fn data(&self, _: Ref<dyn Socket>, _: WorkUnit) -> Result<()> { Ok(()) }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// # let node = Node::builder().sockets(Policy::loopback()).start().await?;
    /// # let (sender, mut closed) = tokio::sync::mpsc::unbounded_channel();
    /// # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let socket = node.sockets().connect(&listener.local_addr()?.to_string(), Ref::new(Obituary(sender))).await?;
    /// # let mut other = listener.accept().await?.0;
    /// // `socket` is connected to `other`, which is a `TcpStream` of tokio.
    /// socket.issue_credit(1).await?;
    /// other.write_all(b"caf\xe9\n").await?; // not UTF-8
    /// assert!(matches!(closed.recv().await, Some(Some(Error::Decode(_)))));
    /// # Ok(()) }
    /// ```
    async fn closed(&self, socket: Ref<dyn Socket>, failure: Option<Error>) -> Result<()> {
        let _ = (socket, failure);
        Ok(())
    }
}
