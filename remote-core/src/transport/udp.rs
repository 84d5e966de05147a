//! Owns `udp://host:port`: the sockets for datagrams, which need no connection.
//!
//! It must not listen beyond loopback, nor know what stands in a datagram.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;

use tokio::net::lookup_host;

use super::connection::{Registered, Scheme, not_connected, not_listening};
use super::loopback;
use super::uri::Uri;
use crate::error::{Error, Result};
use crate::mutex::Mutex;

struct Udp;

inventory::submit!(Registered::Datagrams(&Udp));

impl Scheme for Udp {
    fn name(&self) -> &'static str {
        "udp"
    }
}

/// Where datagrams arrive, and its address as others can use it.
pub(crate) async fn listen(uri: &Uri) -> Result<(tokio::net::UdpSocket, String)> {
    let addresses = loopback::addresses(uri).await?;
    let socket = tokio::net::UdpSocket::bind(addresses.as_slice()).await;
    let socket = socket.map_err(|error| not_listening(uri, &error))?;
    let address = socket.local_addr()?;
    Ok((socket, format!("udp://{address}")))
}

/// Whence datagrams are sent: a socket for each family of addresses, made when there is somewhere to send to.
#[derive(Default)]
pub(crate) struct Outlets {
    sockets: Mutex<[Option<Arc<UdpSocket>>; 2]>,
}

impl Outlets {
    /// The outlet towards a place. Nobody there is asked.
    pub(crate) async fn towards(&self, uri: &Uri) -> Result<Outlet> {
        let mut addresses =
            lookup_host(&uri.place).await.map_err(|error| not_connected(uri, &error))?;
        let target = addresses.next().ok_or_else(|| Error::NotConnected {
            address: uri.node(),
            reason: "the name of the host stands for no address".into(),
        })?;
        Ok(Outlet { socket: self.socket(target)?, target })
    }

    fn socket(&self, target: SocketAddr) -> io::Result<Arc<UdpSocket>> {
        let mut sockets = self.sockets.lock();
        let place = &mut sockets[usize::from(target.is_ipv6())];
        if let Some(socket) = place {
            return Ok(Arc::clone(socket));
        }
        let socket = match target {
            SocketAddr::V4(_) => UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?,
            SocketAddr::V6(_) => UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0))?,
        };
        // Who sends does not wait: there is no runtime needed for it, and what has no room is not sent.
        socket.set_nonblocking(true)?;
        Ok(Arc::clone(place.insert(Arc::new(socket))))
    }
}

/// The way to one place.
pub(crate) struct Outlet {
    socket: Arc<UdpSocket>,
    target: SocketAddr,
}

impl Outlet {
    /// Hands a datagram to the system.
    pub(crate) fn send(&self, datagram: &[u8]) -> io::Result<()> {
        self.socket.send_to(datagram, self.target).map(drop)
    }
}
