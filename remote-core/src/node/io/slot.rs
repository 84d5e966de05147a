//! The connection of a session: its number, and its halves until the session's tasks take them.
//!
//! It must not know the session. Connections are numbered, so that the bytes of two connections are never mixed.

use crate::id::ConnectionId;
use crate::transport::connection::{Connection, ReadHalf, WriteHalf};

/// The newest connection of a session.
#[derive(Default)]
pub(crate) struct ConnectionSlot {
    number: Option<ConnectionId>,
    /// The greatest reserved number, even if that connection failed before it was attached.
    reserved: u64,
    reader: Option<Box<dyn ReadHalf>>,
    writer: Option<Box<dyn WriteHalf>>,
}

/// A half of a connection, with the connection's number.
pub(crate) struct Half<H> {
    pub(crate) number: ConnectionId,
    pub(crate) stream: H,
}

impl ConnectionSlot {
    /// Returns the number of the newest connection, if there was any.
    pub(crate) fn number(&self) -> Option<ConnectionId> {
        self.number
    }

    /// Reserves a number for the next connection. Both sides use the connection with the greatest number.
    pub(crate) fn reserve(&mut self) -> ConnectionId {
        let newest = self.number.map_or(0, |number| number.0);
        self.reserved = self.reserved.max(newest) + 1;
        ConnectionId(self.reserved)
    }

    /// Replaces the connection.
    pub(crate) fn attach(&mut self, number: ConnectionId, connection: Connection) {
        self.number = Some(number);
        (self.reader, self.writer) = (Some(connection.reader), Some(connection.writer));
    }

    /// Drops the halves that were not taken, because the connection is lost.
    pub(crate) fn detach(&mut self) {
        (self.reader, self.writer) = (None, None);
    }

    /// Returns true if the reading half was not taken yet.
    pub(crate) fn has_reader(&self) -> bool {
        self.reader.is_some()
    }

    /// Takes the reading half, if it was not taken before.
    pub(crate) fn take_reader(&mut self) -> Option<Half<Box<dyn ReadHalf>>> {
        Some(Half { number: self.number?, stream: self.reader.take()? })
    }

    /// Takes the writing half, if it was not taken before.
    pub(crate) fn take_writer(&mut self) -> Option<Half<Box<dyn WriteHalf>>> {
        Some(Half { number: self.number?, stream: self.writer.take()? })
    }
}
