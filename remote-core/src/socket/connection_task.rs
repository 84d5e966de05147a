//! Owns the task of a connected socket: it reads as far as there is credit, writes what is sent, and tells.
//!
//! It must not know who sends, nor hold the socket: when nobody refers to that any more, this ends.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::watch;

use super::beside::{beside, unless};
use super::control::{Control, ControlState, Sending};
use super::ends::ends;
use super::messages::{Socket, SocketController};
use super::outgoing::Outgoing;
use super::quota::Permit;
use super::units::{Arrived, WorkUnits};
use crate::error::{Error, Result};
use crate::reference::monitor::Monitor;
use crate::reference::reference::{Ref, WeakRef};

/// How long the peer has for what was sent before the socket was closed.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection, and whose it is.
pub(super) struct Conversation {
    pub(super) stream: TcpStream,
    pub(super) permit: Permit,
    pub(super) socket: WeakRef<dyn Socket>,
    pub(super) control: Arc<Control<dyn SocketController>>,
    pub(super) outgoing: Arc<Outgoing>,
}

impl Conversation {
    /// Goes on to the end of the connection, or of the socket, of which there is this monitor.
    pub(super) async fn run(self, own: Monitor) {
        let Conversation { mut stream, mut permit, socket, control, outgoing } = self;
        let (reader, writer) = stream.split();
        let reading = async {
            if let Err(error) = read(reader, &control, &socket).await {
                control.close(Some(error));
            }
        };
        let mut asides = ends(&control, own, &mut permit);
        asides.push(Box::pin(reading));
        let failure = beside(write(writer, &control, &outgoing), asides).await;
        drop(stream);
        let (reason, controller) = control.note_closed(&failure);
        outgoing.close();
        if let Ok(Some(socket)) = socket.upgrade().await {
            let _ = Ref::stop(&socket, &reason); // it is near, so that it can be
            let _ = controller.map(|controller| controller.closed(socket, failure).post());
        }
        drop(permit); // Behind the last word: a node that closes its sockets goes on only then.
    }
}

/// Writes what is sent, until the connection has come to its end; whether that is a failure.
async fn write(
    mut writer: WriteHalf<'_>,
    control: &Control<dyn SocketController>,
    outgoing: &Outgoing,
) -> Option<Error> {
    let ended = async {
        control.until(|told| told.closing.is_some() || told.sending == Sending::Ending).await;
        outgoing.written().await;
    };
    let hurried = async {
        control.until(|told| told.closing.is_some()).await;
        tokio::time::sleep(PATIENCE).await;
    };
    let (ended, hurried) = (pin!(ended), pin!(hurried));
    let written = unless(ended, outgoing.write_to(&mut writer));
    let failure = match unless(hurried, written).await {
        Some(None) => writer.shutdown().await.err(),
        Some(failure) => failure,
        None => Some(io::Error::other("the peer did not read what was sent before the end")),
    };
    if let Some(error) = failure {
        control.close(Some(error.into()));
    } else {
        control.note_end();
    }
    control.over().await
}

/// Reads as far as there is credit, until the peer sends no more or the socket is to be closed.
async fn read(
    mut reader: ReadHalf<'_>,
    control: &Control<dyn SocketController>,
    socket: &WeakRef<dyn Socket>,
) -> Result<()> {
    let mut arrived = Arrived::default();
    let mut told = control.subscribe();
    loop {
        let Some(turn) = Turn::of(&mut told) else {
            if told.changed().await.is_err() {
                return Ok(());
            }
            continue;
        };
        let unit = if turn.may_read { arrived.next(turn.units)? } else { None };
        if let Some(unit) = unit {
            control.spend();
            let Some(socket) = socket.upgrade().await? else { return Ok(()) };
            turn.controller.data(socket, unit).oneway().await?;
            continue;
        }
        let length = if turn.may_read {
            unless(pin!(told.changed()), reader.read_buf(&mut arrived.room())).await
        } else {
            unless(pin!(told.changed()), end_of_peer(&mut reader, &arrived)).await
        };
        match length.transpose()? {
            Some(0) if arrived.is_empty() => {
                control.note_end_of_peer();
                let Some(socket) = socket.upgrade().await? else { return Ok(()) };
                return turn.controller.ended(socket).oneway().await;
            }
            Some(0) => return Err(Error::Decode("an end within a work unit".into())),
            // What is done beside this has its turn, however much arrives.
            Some(_) => tokio::task::yield_now().await,
            None => {}
        }
    }
}

/// Waits until the peer has ended, which takes no credit: it is seen without reading, if nothing stands before it.
async fn end_of_peer(reader: &mut ReadHalf<'_>, arrived: &Arrived) -> io::Result<usize> {
    match arrived.is_empty() {
        true if reader.peek(&mut [0]).await? == 0 => Ok(0),
        _ => std::future::pending().await,
    }
}

/// What may be done now.
struct Turn {
    controller: Ref<dyn SocketController>,
    units: WorkUnits,
    may_read: bool,
}

impl Turn {
    /// Nothing may be done if there is nobody to tell, or the socket is to be closed.
    fn of(told: &mut watch::Receiver<ControlState<dyn SocketController>>) -> Option<Turn> {
        let told = told.borrow_and_update();
        let controller = told.controller.clone().filter(|_| told.closing.is_none())?;
        Some(Turn { controller, units: told.units, may_read: told.credit > 0 })
    }
}
