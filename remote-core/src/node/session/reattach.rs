//! Owns how a session is given connections, one after another, and loses them.
//!
//! It must not know how they are made. Connections are numbered: what a former one still brings is not looked at, so that
//! bytes of two are never taken for those of one.

use std::time::Instant;

use super::shared::{Inner, SharedSession};
use crate::id::FrameNumber;
use crate::node::io::slot::Half;
use crate::transport::connection::{Connection, ReadHalf, WriteHalf};

impl SharedSession {
    /// Gives the session its first connection.
    pub(crate) fn connect(&self, connection: Connection) {
        self.update(|inner| {
            let number = inner.slot.next();
            inner.slot.attach(number, connection);
        });
    }

    /// The number of a connection with which the session is to go on.
    pub(crate) fn next_connection(&self) -> u64 {
        self.lock().slot.next()
    }

    /// Gives the session another connection, on which the peer has said how far this side's frames had arrived. One that
    /// was decided for before the one that it has is dropped.
    pub(crate) fn reconnect(
        &self,
        connection: Connection,
        number: u64,
        asked: Option<Instant>,
        arrived: FrameNumber,
    ) {
        self.update(|inner| {
            if number <= inner.slot.number || inner.machine.closed().is_some() {
                return;
            }
            inner.slot.attach(number, connection);
            inner.slot.reconnects += 1;
            inner.machine.resume(Instant::now(), asked, arrived);
        });
    }

    /// Whether the session goes on, with a connection or without.
    pub(crate) fn is_live(&self) -> bool {
        self.lock().machine.closed().is_none()
    }

    pub(crate) fn is_suspended(&self) -> bool {
        self.lock().machine.is_suspended()
    }

    /// Whether its connection was lost before anything arrived on it: the peer may not know of the session.
    pub(crate) fn was_never_heard(&self) -> bool {
        let inner = self.lock();
        inner.machine.is_suspended() && inner.machine.received() == FrameNumber(0)
    }
}

impl Inner {
    /// The reading half of the next connection, if there is one.
    pub(crate) fn next_reader(&mut self) -> Option<Half<Box<dyn ReadHalf>>> {
        let end = self.slot.reader.take()?;
        Some(Half { number: self.slot.number, end })
    }

    /// The writing half of the next connection, if there is one.
    pub(crate) fn next_writer(&mut self) -> Option<Half<Box<dyn WriteHalf>>> {
        let end = self.slot.writer.take()?;
        Some(Half { number: self.slot.number, end })
    }

    /// Takes bytes from a connection; nothing if it is no longer the one that the session has. See
    /// [`Session::handle_input`](crate::session::Session::handle_input).
    pub(crate) fn receive(&mut self, number: u64, input: &[u8]) -> Option<usize> {
        self.reads_blocked = true;
        self.has(number).then(|| self.machine.handle_input(Instant::now(), input))
    }

    /// A connection is lost.
    pub(crate) fn lose(&mut self, number: u64, reason: &str) {
        if self.has(number) {
            self.machine.suspend(reason);
        }
    }
}
