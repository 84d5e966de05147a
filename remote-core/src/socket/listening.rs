//! The interfaces of a listening socket and of its controlling object, and of the object that makes sockets.
//!
//! It must not know the implementations.

use remote_derive::remote;

use super::connected::{Socket, SocketController};
use crate::error::{Error, Result};
use crate::reference::reference::Ref;

/// Makes sockets for other nodes, as far as the node's [`Policy`](super::Policy) allows. Returned by
/// [`Node::sockets`](crate::Node::sockets).
///
/// An address is `host:port`. The node that makes the socket resolves the host name.
///
/// # Errors
/// [`Error::Refused`] for an address that the policy does not allow, [`Error::Quota`] if the node has the maximum number of
/// sockets, [`Error::Io`] if it cannot listen at the address, and [`Error::NotConnected`]. From a far node each arrives as
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
    /// Listens at an address; with port 0 the system chooses a free port. Connections are accepted as far as there is
    /// credit.
    async fn listen(
        &self,
        address: &str,
        controller: Ref<dyn ServerController>,
    ) -> Result<Ref<dyn ServerSocket>>;

    /// Connects to an address. Bytes are read as far as there is credit.
    async fn connect(
        &self,
        address: &str,
        controller: Ref<dyn SocketController>,
    ) -> Result<Ref<dyn Socket>>;
}

/// A listening socket.
///
/// It listens until it is closed, nothing refers to it any more, or its controlling object is stopped or its session ends.
/// The connections that it has accepted are not affected.
#[remote(name = "remote.ServerSocket")]
pub trait ServerSocket {
    /// Issues credit for this many more connections. Without credit, connections wait in the backlog of the system.
    async fn issue_credit(&self, connections: u64) -> Result<()>;

    /// Returns the address at which it listens, as `127.0.0.1:4096`.
    async fn address(&self) -> Result<String>;

    /// Stops listening, and returns when that is done.
    async fn close(&self) -> Result<()>;
}

/// The controlling object of a listening socket. The socket sends it a one-way message for each event, in order.
#[remote(name = "remote.ServerController")]
pub trait ServerController {
    /// The socket listens, at this address. It is the first message.
    async fn ready(&self, server: Ref<dyn ServerSocket>, address: &str) -> Result<()> {
        let _ = (server, address);
        Ok(())
    }

    /// The socket has accepted a connection and spent one unit of credit. The connection is closed if no reference to it is
    /// kept.
    async fn accepted(
        &self,
        server: Ref<dyn ServerSocket>,
        connection: Ref<dyn Socket>,
    ) -> Result<()>;

    /// The socket has stopped listening, because of the failure if there is one. It is the last message.
    async fn closed(&self, server: Ref<dyn ServerSocket>, failure: Option<Error>) -> Result<()> {
        let _ = (server, failure);
        Ok(())
    }
}
