//! A loopback address that is reserved for one test: a server can stop listening there, and another can start.
//!
//! It must not know the servers.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket};

/// A reserved address. Connections are refused while no server listens.
pub(crate) struct Reserved {
    address: SocketAddr,
    /// Bound, and never listening: while it exists, the system does not assign the port to others.
    _kept: TcpSocket,
}

impl Reserved {
    pub(crate) fn new() -> Reserved {
        let kept = bound("127.0.0.1:0".parse().unwrap()).unwrap();
        Reserved { address: kept.local_addr().unwrap(), _kept: kept }
    }

    /// Returns the address for a node.
    pub(crate) fn uri(&self) -> String {
        format!("tcp://{}", self.address)
    }

    pub(crate) fn socket_address(&self) -> SocketAddr {
        self.address
    }

    /// Listens at the address until the listener is dropped.
    pub(crate) fn listen(&self) -> io::Result<TcpListener> {
        bound(self.address)?.listen(1024)
    }
}

fn bound(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}
