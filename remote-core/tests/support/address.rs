//! Owns an address on loopback that nobody else is given: a server there may go and come back.
//!
//! It must not know who listens.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket};

/// An address kept for one server after another. The system refuses who connects while none listens.
pub(crate) struct Reserved {
    address: SocketAddr,
    /// Bound, and never listening: so long the system gives the port to nobody who asks for a free one.
    _kept: TcpSocket,
}

impl Reserved {
    pub(crate) fn new() -> Reserved {
        let kept = bound("127.0.0.1:0".parse().unwrap()).unwrap();
        Reserved { address: kept.local_addr().unwrap(), _kept: kept }
    }

    /// As a node listens there.
    pub(crate) fn uri(&self) -> String {
        format!("tcp://{}", self.address)
    }

    pub(crate) fn socket_address(&self) -> SocketAddr {
        self.address
    }

    /// Listens there, until the listener is dropped.
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
