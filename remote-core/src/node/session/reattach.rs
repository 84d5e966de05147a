//! The sequence of connections of a session.
//!
//! It must not know how connections are made, nor what was proved on them.

use std::time::Instant;

use super::shared::SharedSession;
use crate::id::{ConnectionId, FrameNumber};
use crate::transport::connection::Connection;

impl SharedSession {
    /// Attaches the first connection.
    pub(crate) fn connect(&self, mut connection: Connection) {
        connection.process.take().into_iter().for_each(|process| self.watch_process(process));
        self.update(|inner| inner.tasks.connect(connection));
    }

    /// Reserves the number of the next connection.
    pub(crate) fn reserve_connection(&self) -> ConnectionId {
        self.lock().tasks.reserve_connection()
    }

    /// Resumes the session on another connection. `arrived` is the last frame of this side that the peer has received. `asked`
    /// is set if the peer has already resumed the session: the time at which this side requested that. A connection that is
    /// older than the current one is dropped.
    pub(crate) fn reconnect(
        &self,
        mut connection: Connection,
        number: ConnectionId,
        asked: Option<Instant>,
        arrived: FrameNumber,
    ) {
        connection.process.take().into_iter().for_each(|process| self.watch_process(process));
        self.update(|inner| {
            if inner.machine.closed().is_none() && inner.tasks.reconnect(number, connection) {
                inner.machine.resume(Instant::now(), asked, arrived);
            }
        });
    }

    /// Returns true if the session has not ended; it may be suspended.
    pub(crate) fn is_live(&self) -> bool {
        self.lock().machine.closed().is_none()
    }

    /// Returns true if the session has no connection.
    pub(crate) fn is_suspended(&self) -> bool {
        self.lock().machine.is_suspended()
    }

    /// Returns true if the connection was lost before any frame arrived on it, so that the peer may not know the session.
    pub(crate) fn nothing_has_arrived(&self) -> bool {
        let inner = self.lock();
        inner.machine.is_suspended() && inner.machine.received() == FrameNumber(0)
    }
}
