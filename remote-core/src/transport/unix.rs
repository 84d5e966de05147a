//! The transport `unix:///path/of/socket`.
//!
//! It must not let other users connect: the socket has the permissions 0600.

use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::PathBuf;
use std::task::{Context, Poll, ready};

use socket2::SockRef;
use tokio::net::{UnixListener, UnixStream};

use super::connection::{
    Connection, Listener, Pending, ReadHalf, Registered, Scheme, Transport, WriteHalf,
    not_connected, not_listening,
};
use super::peer_process::PeerProcess;
use super::uri::Uri;
use crate::error::Result;

struct Unix;

inventory::submit!(Registered::Connections(&Unix));

impl Scheme for Unix {
    fn name(&self) -> &'static str {
        "unix"
    }

    fn part<'u>(&self, address: &'u str) -> (&'u str, &'u str) {
        // The path of the socket contains slashes: the name follows the last one.
        address.rsplit_once('/').unwrap_or((address, ""))
    }

    fn is_local(&self, _place: &str) -> bool {
        true
    }
}

impl Transport for Unix {
    fn listen<'a>(&'a self, uri: &'a Uri) -> Pending<'a, Result<Box<dyn Listener>>> {
        Box::pin(async move {
            let path = PathBuf::from(&uri.place);
            remove_if_abandoned(&path).await;
            let listener = UnixListener::bind(&path).map_err(|error| not_listening(uri, &error))?;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
            Ok(Box::new(Waiting { listener, path }) as Box<dyn Listener>)
        })
    }

    fn connect<'a>(&'a self, uri: &'a Uri) -> Pending<'a, Result<Connection>> {
        Box::pin(async move {
            let stream = UnixStream::connect(&uri.place)
                .await
                .map_err(|error| not_connected(uri, &error))?;
            Ok(connection(stream, uri.node()))
        })
    }
}

struct Waiting {
    listener: UnixListener,
    path: PathBuf,
}

impl Listener for Waiting {
    fn uri(&self) -> String {
        format!("unix://{}", self.path.display())
    }

    fn poll_accept(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Connection>> {
        let (stream, _) = ready!(self.listener.poll_accept(context))?;
        Poll::Ready(Ok(connection(stream, self.uri())))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Removes the socket file of a process that was killed: no process listens on it. Any other file stays.
async fn remove_if_abandoned(path: &PathBuf) {
    let is_socket = std::fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket());
    if is_socket
        && UnixStream::connect(path)
            .await
            .is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
    {
        let _ = std::fs::remove_file(path);
    }
}

impl WriteHalf for tokio::net::unix::OwnedWriteHalf {
    fn write_now(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.try_write(bytes)
    }
}

impl ReadHalf for tokio::net::unix::OwnedReadHalf {
    fn read_now(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let stream: &UnixStream = (*self).as_ref();
        (&*SockRef::from(stream)).read(into)
    }
}

fn connection(stream: UnixStream, address: String) -> Connection {
    let process = stream.peer_cred().ok().and_then(|peer| PeerProcess::open(peer.pid()?));
    let (reader, writer) = stream.into_split();
    Connection { reader: Box::new(reader), writer: Box::new(writer), address, process }
}
