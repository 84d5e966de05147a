//! The traits of schemes and transports, and the connection: two halves of a byte stream.
//!
//! It must not know which transports there are, nor frames. Each transport registers itself, in its own file.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite};

use super::peer_process::PeerProcess;
use super::uri::{Uri, invalid};
use crate::error::{Error, Result};

/// The boxed future of a transport's method.
pub(crate) type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A scheme of addresses.
pub(crate) trait Scheme: Sync {
    /// Returns the text before `://`.
    fn name(&self) -> &'static str;

    /// Splits an address, without its scheme, into the place of the node and the name of an object there.
    fn part<'u>(&self, address: &'u str) -> (&'u str, &'u str) {
        address.split_once('/').unwrap_or((address, ""))
    }

    /// Returns false if no node can be reached at an address of this scheme. Error texts do not offer such a scheme.
    fn can_be_reached(&self) -> bool {
        true
    }

    /// Returns true if a place is on this machine, so that no peer outside of it can answer there.
    fn is_local(&self, _place: &str) -> bool {
        false
    }
}

/// A scheme whose places are connected to.
pub(crate) trait Transport: Scheme {
    /// Listens at a place.
    fn listen<'a>(&'a self, uri: &'a Uri) -> Pending<'a, Result<Box<dyn Listener>>>;

    /// Connects to a place.
    fn connect<'a>(&'a self, uri: &'a Uri) -> Pending<'a, Result<Connection>>;
}

/// A place at which a node listens, until this is dropped.
pub(crate) trait Listener: Send {
    /// Returns its address, for others to connect to.
    fn uri(&self) -> String;

    /// Polls for the next connection.
    fn poll_accept(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Connection>>;
}

/// The reading half of a byte stream.
pub(crate) trait ReadHalf: AsyncRead + Send + Unpin {
    /// Reads what has arrived, without waiting and without the runtime, whose workers may all be blocked.
    fn read_now(&mut self, _into: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::WouldBlock.into())
    }
}

/// The writing half of a byte stream.
pub(crate) trait WriteHalf: AsyncWrite + Send + Unpin {
    /// Writes as much as there is room for, without waiting and without the runtime, which may be being dropped.
    fn write_now(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match Pin::new(self).poll_write(&mut Context::from_waker(Waker::noop()), bytes) {
            Poll::Ready(written) => written,
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    /// Returns true if a write wakes the reader, because both are in this process.
    fn wakes_reader(&self) -> bool {
        false
    }
}

/// The two halves of a byte stream, the address of the peer, and its process.
pub(crate) struct Connection {
    pub(crate) reader: Box<dyn ReadHalf>,
    pub(crate) writer: Box<dyn WriteHalf>,
    pub(crate) address: String,
    /// The process at the other end, if the transport knows it. It may only relay what the peer sends.
    pub(crate) process: Option<PeerProcess>,
}

/// A registered scheme, for connections or for datagrams.
pub(crate) enum Registered {
    /// A scheme for connections, which its transport makes.
    Connections(&'static dyn Transport),
    /// A scheme for datagrams. No connection is made.
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

/// Returns the scheme of a name.
pub(crate) fn find(scheme: &str) -> Option<&'static Registered> {
    inventory::iter::<Registered>.into_iter().find(|known| known.scheme().name() == scheme)
}

/// Returns the error for an address that cannot be connected to.
pub(crate) fn not_connected(uri: &Uri, error: &io::Error) -> Error {
    let failed = |reason| Error::NotConnected { address: uri.node(), reason };
    match error.kind() {
        io::ErrorKind::InvalidInput => invalid(&uri.node(), &error.to_string()),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound => {
            failed("nobody listens there".into())
        }
        _ => failed(error.to_string()),
    }
}

/// Returns the error for an address at which this node cannot listen.
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
