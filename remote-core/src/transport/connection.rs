//! Owns what a scheme of addresses is, and what a transport: how connections are made and awaited, and what one consists
//! of.
//!
//! It must not know which transports there are, nor frames. Each registers itself, in its own file.

use std::future::Future;
use std::io;
use std::pin::Pin;

use tokio::io::{AsyncRead, AsyncWrite};

use super::uri::{Uri, invalid};
use crate::error::{Error, Result};

/// A future of a transport's.
pub(crate) type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A kind of address.
pub(crate) trait Scheme: Sync {
    /// What its addresses begin with, before `://`.
    fn name(&self) -> &'static str;

    /// Parts an address, without its scheme, into the place of the node and the name of an object there.
    fn part<'u>(&self, address: &'u str) -> (&'u str, &'u str) {
        address.split_once('/').unwrap_or((address, ""))
    }

    /// Whether a place is on this machine, so that whoever answers there is no stranger from outside.
    fn is_local(&self, _place: &str) -> bool {
        false
    }
}

/// A kind of connection.
pub(crate) trait Transport: Scheme {
    /// Waits for connections at a place.
    fn listen<'a>(&'a self, uri: &'a Uri) -> Pending<'a, Result<Box<dyn Listener>>>;

    /// Connects to a place.
    fn connect<'a>(&'a self, uri: &'a Uri) -> Pending<'a, Result<Connection>>;
}

/// What waits for connections.
pub(crate) trait Listener: Send {
    /// The address at which it does, as others can use it.
    fn uri(&self) -> String;

    /// The next connection.
    fn accept(&mut self) -> Pending<'_, std::io::Result<Connection>>;
}

/// The reading end of a stream of bytes.
pub(crate) trait ReadHalf: AsyncRead + Send + Unpin {
    /// Reads what is there, without waiting and without the runtime: its threads may all be blocked.
    fn read_now(&mut self, _into: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::WouldBlock.into())
    }
}

/// The writing end of a stream of bytes.
pub(crate) trait WriteHalf: AsyncWrite + Send + Unpin {
    /// Whether who writes wakes who reads: both are in this process.
    fn wakes_reader(&self) -> bool {
        false
    }
}

/// Two ends of a stream of bytes, and where it leads.
pub(crate) struct Connection {
    pub(crate) reader: Box<dyn ReadHalf>,
    pub(crate) writer: Box<dyn WriteHalf>,
    pub(crate) address: String,
}

/// What the addresses of a scheme are for.
pub(crate) enum Registered {
    /// Connections, which the transport makes.
    Connections(&'static dyn Transport),
    /// Datagrams, for which none is made.
    Datagrams(&'static dyn Scheme),
}

inventory::collect!(Registered);

impl Registered {
    pub(crate) fn scheme(&self) -> &'static dyn Scheme {
        match *self {
            Registered::Connections(transport) => transport,
            Registered::Datagrams(scheme) => scheme,
        }
    }
}

/// What a scheme is for.
pub(crate) fn find(scheme: &str) -> Option<&'static Registered> {
    inventory::iter::<Registered>.into_iter().find(|known| known.scheme().name() == scheme)
}

/// What is said where nobody listens.
pub(crate) const NOBODY: &str = "nobody listens there";

/// Nobody answers at an address.
pub(crate) fn not_connected(uri: &Uri, error: &std::io::Error) -> Error {
    let reason = match error.kind() {
        std::io::ErrorKind::InvalidInput => return invalid(&uri.node(), &error.to_string()),
        std::io::ErrorKind::ConnectionRefused | std::io::ErrorKind::NotFound => NOBODY.into(),
        _ => error.to_string(),
    };
    Error::NotConnected { address: uri.node(), reason }
}

/// An address cannot be listened on.
pub(crate) fn not_listening(uri: &Uri, error: &std::io::Error) -> Error {
    let reason = match error.kind() {
        std::io::ErrorKind::InvalidInput => return invalid(&uri.node(), &error.to_string()),
        std::io::ErrorKind::AddrInUse => {
            "somebody listens there already; choose another address".into()
        }
        _ => error.to_string(),
    };
    Error::Io(format!("cannot listen on {}: {reason}", uri.node()))
}
