//! The service and its transport, which client and server share.

use std::io;

use bytes::Bytes;
use tarpc::tokio_serde::formats::Bincode;
use tarpc::{serde, serde_transport};
use tokio::net::TcpStream;

/// The service.
#[tarpc::service]
pub(crate) trait Peer {
    /// Adds to the one counter, and returns the sum.
    async fn add(amount: u64) -> u64;

    /// Returns its argument.
    async fn echo(bytes: Vec<u8>) -> Vec<u8>;

    /// Returns its argument.
    async fn echo_bytes(bytes: Bytes) -> Bytes;
}

/// Frames and encodes what travels over the socket: length-delimited frames, bincode.
pub(crate) fn transport<Received, Sent>(
    socket: TcpStream,
) -> io::Result<serde_transport::Transport<TcpStream, Received, Sent, Bincode<Received, Sent>>>
where
    Received: for<'de> serde::Deserialize<'de>,
    Sent: serde::Serialize,
{
    socket.set_nodelay(true)?;
    Ok(serde_transport::Transport::from((socket, Bincode::default())))
}
