//! Owns the connection beneath a session: its number, and its halves until the session's tasks take them.
//!
//! It must not know the session.

use crate::transport::connection::{Connection, ReadHalf, WriteHalf};

/// The connection of a session, and its halves until its tasks take them.
#[derive(Default)]
pub(crate) struct ConnectionSlot {
    pub(crate) number: u64,
    /// The greatest number that was given to a connection, though it may have failed since.
    given: u64,
    pub(crate) reader: Option<Box<dyn ReadHalf>>,
    pub(crate) writer: Option<Box<dyn WriteHalf>>,
    /// How often there was another one.
    pub(crate) reconnects: u64,
}

/// A half of a connection, with its number.
pub(crate) struct Half<H> {
    pub(crate) number: u64,
    pub(crate) end: H,
}

impl ConnectionSlot {
    /// A number for the next connection: each has one of its own, so that of two both sides take the same.
    pub(crate) fn next(&mut self) -> u64 {
        self.given = self.given.max(self.number) + 1;
        self.given
    }

    pub(crate) fn attach(&mut self, number: u64, connection: Connection) {
        let Connection { reader, writer, .. } = connection;
        *self = ConnectionSlot {
            number,
            reader: Some(reader),
            writer: Some(writer),
            given: self.given,
            reconnects: self.reconnects,
        };
    }

    /// What of a connection was not taken is dropped: it is lost.
    pub(crate) fn detach(&mut self) {
        (self.reader, self.writer) = (None, None);
    }
}
