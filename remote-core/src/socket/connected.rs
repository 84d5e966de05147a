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
/// It is connected until both directions have ended, until it is closed, nothing refers to it any more, or its controlling
/// object is stopped or its session ends. What was sent before is still written. Then the socket is a stopped object: calls
/// fail with [`Error::Ended`], monitors resolve, and links act.
///
/// It keeps its controlling object alive, which usually keeps the socket alive: then both live as long as the connection.
#[remote(name = "remote.Socket")]
pub trait Socket {
    /// Replaces the controlling object. The new one gets [`SocketController::connected`] first.
    async fn controlled_by(&self, controller: Ref<dyn SocketController>) -> Result<()>;

    /// Sets the kind of work units for the bytes that are not delivered yet. Without it, units are lines.
    async fn work_units(&self, units: WorkUnits) -> Result<()>;

    /// Issues credit for this many more work units.
    async fn issue_credit(&self, units: u64) -> Result<()>;

    /// Sends bytes unchanged. Returns when they fit into the queue of bytes to be written: backpressure, if the peer does
    /// not read.
    async fn send(&self, bytes: &[u8]) -> Result<()>;

    /// Sends a line and the line feed that ends it. The line itself must not contain one. Otherwise like [`Socket::send`].
    async fn send_line(&self, line: &str) -> Result<()>;

    /// Sends the length of the bytes, as four bytes in big-endian order, and then the bytes. Otherwise like
    /// [`Socket::send`].
    async fn send_prefixed(&self, bytes: &[u8]) -> Result<()>;

    /// Ends the sending direction after all that was sent before, and returns when all is written. The socket still reads.
    async fn end(&self) -> Result<()>;

    /// Closes the socket after all that was sent before, which the peer must read within ten seconds. Returns when the
    /// socket is closed. Fails if not all could be written.
    async fn close(&self) -> Result<()>;

    /// Returns the local address.
    async fn address(&self) -> Result<String>;

    /// Returns the address of the peer.
    async fn peer(&self) -> Result<String>;
}

/// The controlling object of a connected socket. The socket sends it a one-way message for each event, in order. To
/// *execute* them in order, too, make its class `serial`.
#[remote(name = "remote.SocketController")]
pub trait SocketController {
    /// The object controls this socket from now on. It is the first message.
    async fn connected(&self, socket: Ref<dyn Socket>) -> Result<()> {
        let _ = socket;
        Ok(())
    }

    /// A work unit has arrived, which has spent one unit of the socket's credit.
    async fn data(&self, socket: Ref<dyn Socket>, unit: WorkUnit) -> Result<()>;

    /// The peer has ended its sending direction, and may still read. This takes no credit. The default closes the socket.
    async fn ended(&self, socket: Ref<dyn Socket>) -> Result<()> {
        socket.close().await
    }

    /// The socket is closed, because of the failure if there is one. It is the last message. Bytes that are not a work unit
    /// (a line that is too long or is not UTF-8, an end inside a unit) are [`Error::Decode`]; errors of the system are
    /// [`Error::Io`].
    async fn closed(&self, socket: Ref<dyn Socket>, failure: Option<Error>) -> Result<()> {
        let _ = (socket, failure);
        Ok(())
    }
}
