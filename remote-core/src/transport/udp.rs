//! The sockets of `udp://host:port`, for datagrams.
//!
//! It must not listen beyond loopback, nor know what a datagram contains.

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

/// Binds the socket on which datagrams arrive, and returns it with its address for others to send to.
pub(crate) async fn listen(uri: &Uri) -> Result<(tokio::net::UdpSocket, String)> {
    let addresses = loopback::addresses(uri).await?;
    let socket = tokio::net::UdpSocket::bind(addresses.as_slice()).await;
    let socket = socket.map_err(|error| not_listening(uri, &error))?;
    let address = socket.local_addr()?;
    Ok((socket, format!("udp://{address}")))
}

/// The sockets from which datagrams are sent: one for each family of addresses, made when it is first needed.
#[derive(Default)]
pub(crate) struct Outlets {
    sockets: Mutex<[Option<Arc<UdpSocket>>; 2]>,
}

impl Outlets {
    /// Returns the outlet for a place. Sends nothing.
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
        // Sending does not wait, so that it needs no runtime; a datagram for which the system has no room is not sent.
        socket.set_nonblocking(true)?;
        Ok(Arc::clone(place.insert(Arc::new(socket))))
    }
}

/// A socket, and the address to which this outlet sends.
pub(crate) struct Outlet {
    socket: Arc<UdpSocket>,
    target: SocketAddr,
}

impl Outlet {
    /// Sends a datagram. Does not wait.
    pub(crate) fn send(&self, datagram: &[u8]) -> io::Result<()> {
        self.socket.send_to(datagram, self.target).map(drop)
    }
}
