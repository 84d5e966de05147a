//! The task of a connected socket. It reads as far as there is credit, writes what is queued, and notifies the controlling
//! object.
//!
//! It must not hold the socket: when nothing refers to the socket any more, the task ends.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::watch;

use super::connected::{Socket, SocketController};
use super::control::{Control, ControlState, Sending};
use super::ends::close_at_end;
use super::outgoing::Outgoing;
use super::quota::Permit;
use super::units::{Arrived, WorkUnits};
use crate::error::{Error, Result};
use crate::reference::monitor::Monitor;
use crate::reference::reference::{Ref, WeakRef};

/// The time in which the peer must read what was sent before the socket was closed.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection and the parts of its socket.
pub(super) struct ConnectionTask {
    pub(super) stream: TcpStream,
    pub(super) permit: Permit,
    pub(super) socket: WeakRef<dyn Socket>,
    pub(super) control: Arc<Control<dyn SocketController>>,
    pub(super) outgoing: Arc<Outgoing>,
}

impl ConnectionTask {
    /// Runs until the connection or the socket ends. `own` is a monitor of the socket.
    pub(super) async fn run(self, own: Monitor) {
        let ConnectionTask { mut stream, mut permit, socket, control, outgoing } = self;
        let (reader, writer) = stream.split();
        let reading = async {
            if let Err(error) = read(reader, &control, &socket).await {
                control.close(Some(error));
            }
        };
        let background = async {
            tokio::join!(reading, close_at_end(&control, own, &mut permit));
            std::future::pending().await
        };
        let failure = tokio::select! {
            biased;
            failure = write(writer, &control, &outgoing) => failure,
            never = background => never,
        };
        drop(stream);
        let (reason, controller) = control.note_closed(&failure);
        outgoing.close();
        if let Ok(Some(socket)) = socket.upgrade().await {
            let _ = Ref::stop(&socket, &reason); // cannot fail: the socket is near
            let _ = controller.map(|controller| controller.closed(socket, failure).post());
        }
        drop(permit); // After the last message: a node that shuts down waits for the permits.
    }
}

/// Writes what is queued until both directions of the connection have ended or a close is requested. Returns the
/// failure, if there is one.
async fn write(
    mut writer: WriteHalf<'_>,
    control: &Control<dyn SocketController>,
    outgoing: &Outgoing,
) -> Option<Error> {
    let ended = async {
        control.until(|state| state.closing.is_some() || state.sending == Sending::Ending).await;
        outgoing.written().await;
    };
    let timed_out = async {
        control.until(|state| state.closing.is_some()).await;
        tokio::time::sleep(CLOSE_TIMEOUT).await;
    };
    let failure = tokio::select! {
        biased;
        error = outgoing.write_to(&mut writer) => Some(error),
        () = ended => None,
        () = timed_out => Some(io::Error::other("the peer did not read in time what was sent before the socket was closed")),
    };
    let failure = match failure {
        None => writer.shutdown().await.err(),
        failure => failure,
    };
    if let Some(error) = failure {
        control.close(Some(error.into()));
    } else {
        control.note_end();
    }
    control.over().await
}

/// Reads as far as there is credit, until the peer sends no more or a close is requested.
async fn read(
    mut reader: ReadHalf<'_>,
    control: &Control<dyn SocketController>,
    socket: &WeakRef<dyn Socket>,
) -> Result<()> {
    let mut arrived = Arrived::default();
    let mut state = control.subscribe();
    loop {
        let Some(reading) = Reading::allowed(&mut state) else {
            if state.changed().await.is_err() {
                return Ok(());
            }
            continue;
        };
        let unit = if reading.has_credit { arrived.next(reading.units)? } else { None };
        if let Some(unit) = unit {
            control.spend();
            let Some(socket) = socket.upgrade().await? else { return Ok(()) };
            reading.controller.data(socket, unit).continuing().oneway().await?;
            continue;
        }
        let length = if reading.has_credit {
            let mut room = arrived.room();
            tokio::select! {
                biased;
                length = reader.read_buf(&mut room) => Some(length),
                _ = state.changed() => None,
            }
        } else {
            tokio::select! {
                biased;
                length = end_of_peer(&mut reader, &arrived) => Some(length),
                _ = state.changed() => None,
            }
        };
        match length.transpose()? {
            Some(0) if arrived.is_empty() => {
                control.note_end_of_peer();
                let Some(socket) = socket.upgrade().await? else { return Ok(()) };
                return reading.controller.ended(socket).continuing().oneway().await;
            }
            Some(0) => return Err(Error::Decode("an end within a work unit".into())),
            // Lets the other futures of this task run, however much arrives.
            Some(_) => tokio::task::yield_now().await,
            None => {}
        }
    }
}

/// Waits until the peer has ended. This takes no credit: the end is seen by a peek, if no bytes precede it.
async fn end_of_peer(reader: &mut ReadHalf<'_>, arrived: &Arrived) -> io::Result<usize> {
    match arrived.is_empty() {
        true if reader.peek(&mut [0]).await? == 0 => Ok(0),
        _ => std::future::pending().await,
    }
}

/// The part of the control state that the reader needs.
struct Reading {
    controller: Ref<dyn SocketController>,
    units: WorkUnits,
    has_credit: bool,
}

impl Reading {
    /// Returns `None` if nothing may be read, because there is no controlling object or a close is requested.
    fn allowed(state: &mut watch::Receiver<ControlState<dyn SocketController>>) -> Option<Reading> {
        let state = state.borrow_and_update();
        let controller = state.controller.clone().filter(|_| state.closing.is_none())?;
        Some(Reading { controller, units: state.units, has_credit: state.credit > 0 })
    }
}
