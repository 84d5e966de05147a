//! The transport `tcp://host:port`.
//!
//! It must not listen beyond loopback: nodes do not authenticate each other.

use std::io::{self, Read};
use std::net::SocketAddr;
use std::task::{Context, Poll, ready};

use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};

use super::connection::{
    Connection, Listener, Pending, ReadHalf, Registered, Scheme, Transport, WriteHalf,
    not_connected, not_listening,
};
use super::loopback;
use super::uri::Uri;
use crate::error::Result;

struct Tcp;

inventory::submit!(Registered::Connections(&Tcp));

impl Scheme for Tcp {
    fn name(&self) -> &'static str {
        "tcp"
    }

    fn is_local(&self, place: &str) -> bool {
        place.parse::<SocketAddr>().is_ok_and(|address| address.ip().is_loopback())
    }
}

impl Transport for Tcp {
    fn listen<'a>(&'a self, uri: &'a Uri) -> Pending<'a, Result<Box<dyn Listener>>> {
        Box::pin(async move {
            let addresses = loopback::addresses(uri).await?;
            let listener = TcpListener::bind(addresses.as_slice()).await;
            let listener = listener.map_err(|error| not_listening(uri, &error))?;
            let address = listener.local_addr()?;
            Ok(Box::new(Waiting { listener, address }) as Box<dyn Listener>)
        })
    }

    fn connect<'a>(&'a self, uri: &'a Uri) -> Pending<'a, Result<Connection>> {
        Box::pin(async move {
            let stream =
                TcpStream::connect(&uri.place).await.map_err(|error| not_connected(uri, &error))?;
            let address = stream.peer_addr()?;
            Ok(connection(stream, address)?)
        })
    }
}

struct Waiting {
    listener: TcpListener,
    address: SocketAddr,
}

impl Listener for Waiting {
    fn uri(&self) -> String {
        format!("tcp://{}", self.address)
    }

    fn poll_accept(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Connection>> {
        let (stream, address) = ready!(self.listener.poll_accept(context))?;
        Poll::Ready(connection(stream, address))
    }
}

impl WriteHalf for tokio::net::tcp::OwnedWriteHalf {
    fn write_now(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.try_write(bytes)
    }
}

impl ReadHalf for tokio::net::tcp::OwnedReadHalf {
    fn read_now(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let stream: &TcpStream = (*self).as_ref();
        (&*SockRef::from(stream)).read(into)
    }
}

fn connection(stream: TcpStream, address: SocketAddr) -> io::Result<Connection> {
    // The session coalesces small writes itself, so that each write is sent at once.
    stream.set_nodelay(true)?;
    let (reader, writer) = stream.into_split();
    Ok(Connection {
        reader: Box::new(reader),
        writer: Box::new(writer),
        address: format!("tcp://{address}"),
        process: None,
    })
}
