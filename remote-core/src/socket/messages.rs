//! Owns what is said to sockets and what they say: the interfaces of both sides.
//!
//! It must not know how anybody does what is asked. That nothing arrives without credit, and the words for it, are those of
//! Tony Garnock-Jones's "Actors for Squeak".

use remote_derive::remote;

use super::units::{WorkUnit, WorkUnits};
use crate::error::{Error, Result};
use crate::reference::reference::Ref;

/// What makes sockets on behalf of others, as far as its node's [`Policy`](super::Policy) goes:
/// [`Node::sockets`](crate::Node::sockets).
///
/// An address is `host:port`; a host name is looked up by the node that has the socket.
///
/// # Errors
/// [`Error::Refused`] for an address that the node does not allow, [`Error::Quota`] if it has as many sockets as it allows,
/// [`Error::Io`] if an address cannot be listened at, and [`Error::NotConnected`]. Those of a method arrive as
/// [`Error::Nested`].
///
/// ```
/// use remote_core::{Error, Node, Result};
/// # use remote_core::socket::{Socket, SocketController, WorkUnit};
/// # use remote_core::{Ref, Remote, remote};
/// # #[derive(Remote)] #[remote(SocketController)] struct Ear;
/// # #[remote] impl SocketController for Ear {
/// #     async fn data(&self, _: Ref<dyn Socket>, _: WorkUnit) -> Result<()> { Ok(()) }
/// # }
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
/// let node = Node::new(); // with default settings, which allow nothing
/// let refused = node.sockets().connect("127.0.0.1:80", Ref::new(Ear)).await.unwrap_err();
/// assert!(matches!(refused.root(), Error::Refused(_)));
/// # Ok(()) }
/// ```
#[remote(name = "remote.Sockets")]
pub trait Sockets {
    /// Listens at an address; port 0 takes a free one. Nothing is accepted before there is credit.
    async fn listen(
        &self,
        address: &str,
        controller: Ref<dyn ServerController>,
    ) -> Result<Ref<dyn ServerSocket>>;

    /// Connects to an address. Nothing is read before there is credit.
    async fn connect(
        &self,
        address: &str,
        controller: Ref<dyn SocketController>,
    ) -> Result<Ref<dyn Socket>>;
}

/// A socket that listens.
///
/// It listens until it is closed, nobody refers to it any more, or its controlling object is stopped or lost. What it has
/// accepted is not affected.
#[remote(name = "remote.ServerSocket")]
pub trait ServerSocket {
    /// Lets it accept so many connections more. Others wait, as many as the system lets wait.
    async fn issue_credit(&self, connections: u64) -> Result<()>;

    /// Where it listens, as `127.0.0.1:4096`.
    async fn address(&self) -> Result<String>;

    /// Stops listening; done when it has.
    async fn close(&self) -> Result<()>;
}

/// What a socket that listens tells the object that controls it. These are one-way messages, and all of one socket come in
/// order.
#[remote(name = "remote.ServerController")]
pub trait ServerController {
    /// It listens, at this address: the first that it tells.
    async fn ready(&self, server: Ref<dyn ServerSocket>, address: &str) -> Result<()> {
        let _ = (server, address);
        Ok(())
    }

    /// It has accepted a connection, which takes a unit of its credit. It is closed again if nobody keeps it.
    async fn accepted(
        &self,
        server: Ref<dyn ServerSocket>,
        connection: Ref<dyn Socket>,
    ) -> Result<()>;

    /// It has stopped listening, in good order or not: the last that it tells.
    async fn closed(&self, server: Ref<dyn ServerSocket>, failure: Option<Error>) -> Result<()> {
        let _ = (server, failure);
        Ok(())
    }
}

/// A socket that is connected.
///
/// It is connected until both sides have ended what they send, until it is closed, nobody refers to it any more, or its
/// controlling object is stopped or lost; what was sent before is still written. Then it is an object that was stopped:
/// calls fail with [`Error::Ended`], monitors and links are told.
///
/// It holds its controlling object, which mostly holds it: both stay as long as the connection does.
#[remote(name = "remote.Socket")]
pub trait Socket {
    /// Gives it another controlling object, which is told of it by [`SocketController::connected`] first.
    async fn controlled_by(&self, controller: Ref<dyn SocketController>) -> Result<()>;

    /// Sets what is a unit of what has not been told yet: lines, unless it is set.
    async fn work_units(&self, units: WorkUnits) -> Result<()>;

    /// Lets it read so many work units more.
    async fn issue_credit(&self, units: u64) -> Result<()>;

    /// Sends bytes as they are. Done when there is room for them among those that wait to be written: a peer that does not
    /// read holds up whoever sends.
    async fn send(&self, bytes: &[u8]) -> Result<()>;

    /// Sends a line, which must contain no line feed, and the line feed that ends it; otherwise like [`Socket::send`].
    async fn send_line(&self, line: &str) -> Result<()>;

    /// Sends the length of the bytes, as four bytes, the highest first, and then the bytes; otherwise like [`Socket::send`].
    async fn send_prefixed(&self, bytes: &[u8]) -> Result<()>;

    /// Ends what is sent, behind all that was sent before; what the peer sends is still read. Done when all is written.
    async fn end(&self) -> Result<()>;

    /// Closes it, behind all that was sent before, for which the peer has ten seconds. Done when it is closed; fails if not all
    /// could be written.
    async fn close(&self) -> Result<()>;

    /// The address of this end.
    async fn address(&self) -> Result<String>;

    /// The address of the other end.
    async fn peer(&self) -> Result<String>;
}

/// What a socket tells the object that controls it. These are one-way messages, and all of one socket come in order; an
/// object that is to *execute* them in order, too, is `serial`.
#[remote(name = "remote.SocketController")]
pub trait SocketController {
    /// The object controls this socket from now on: the first that it is told.
    async fn connected(&self, socket: Ref<dyn Socket>) -> Result<()> {
        let _ = socket;
        Ok(())
    }

    /// A work unit has arrived, which takes a unit of the socket's credit.
    async fn data(&self, socket: Ref<dyn Socket>, unit: WorkUnit) -> Result<()>;

    /// The peer sends no more, and may still read. This takes no credit. Unless the class says otherwise, the socket is
    /// closed.
    async fn ended(&self, socket: Ref<dyn Socket>) -> Result<()> {
        socket.close().await
    }

    /// It is closed, in good order or not: the last that it tells. What cannot be a work unit (a line that is too long or no
    /// UTF-8, an end within a unit) is [`Error::Decode`]; what the system says is [`Error::Io`].
    async fn closed(&self, socket: Ref<dyn Socket>, failure: Option<Error>) -> Result<()> {
        let _ = (socket, failure);
        Ok(())
    }
}
