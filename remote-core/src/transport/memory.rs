//! The transport `memory://name`: connections within the process.
//!
//! It must not be reachable from outside the process.

use std::io;
use std::sync::OnceLock;
use std::task::{Context, Poll, ready};

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use tokio::sync::mpsc;

use super::connection::{
    Connection, Listener, Pending, ReadHalf, Registered, Scheme, Transport, WriteHalf,
    not_connected, not_listening,
};
use super::uri::Uri;
use crate::error::Result;

/// The size of the buffer of one direction, in bytes.
const BUFFER: usize = 256 * 1024;
/// The number of connections that are not yet accepted; past it, connecting waits.
const BACKLOG: usize = 128;

struct Memory;

inventory::submit!(Registered::Connections(&Memory));

static LISTENING: OnceLock<DashMap<String, mpsc::Sender<Connection>>> = OnceLock::new();

fn listening() -> &'static DashMap<String, mpsc::Sender<Connection>> {
    LISTENING.get_or_init(DashMap::new)
}

impl Scheme for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn is_local(&self, _place: &str) -> bool {
        true
    }
}

impl Transport for Memory {
    fn listen<'a>(&'a self, uri: &'a Uri) -> Pending<'a, Result<Box<dyn Listener>>> {
        Box::pin(async move {
            let (sender, arriving) = mpsc::channel(BACKLOG);
            match listening().entry(uri.place.clone()) {
                Entry::Occupied(_) => {
                    return Err(not_listening(uri, &io::ErrorKind::AddrInUse.into()));
                }
                Entry::Vacant(vacant) => drop(vacant.insert(sender)),
            }
            Ok(Box::new(Waiting { arriving, place: uri.place.clone() }) as Box<dyn Listener>)
        })
    }

    fn connect<'a>(&'a self, uri: &'a Uri) -> Pending<'a, Result<Connection>> {
        Box::pin(async move {
            let refused = || not_connected(uri, &io::ErrorKind::ConnectionRefused.into());
            let listener =
                listening().get(&uri.place).map(|listener| listener.clone()).ok_or_else(refused)?;
            let (near, far) = tokio::io::duplex(BUFFER);
            listener.send(connection(far, uri)).await.map_err(|_| refused())?;
            Ok(connection(near, uri))
        })
    }
}

struct Waiting {
    arriving: mpsc::Receiver<Connection>,
    place: String,
}

impl Listener for Waiting {
    fn uri(&self) -> String {
        format!("memory://{}", self.place)
    }

    fn poll_accept(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Connection>> {
        let arrived = ready!(self.arriving.poll_recv(context));
        Poll::Ready(arrived.ok_or_else(|| io::ErrorKind::NotConnected.into()))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        listening().remove(&self.place);
    }
}

impl ReadHalf for tokio::io::ReadHalf<tokio::io::DuplexStream> {}

impl WriteHalf for tokio::io::WriteHalf<tokio::io::DuplexStream> {
    fn wakes_reader(&self) -> bool {
        true
    }
}

fn connection(stream: tokio::io::DuplexStream, uri: &Uri) -> Connection {
    let (reader, writer) = tokio::io::split(stream);
    let (reader, writer) = (Box::new(reader), Box::new(writer));
    Connection { reader, writer, address: uri.node(), process: None }
}
