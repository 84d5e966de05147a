//! The reading half of a connection, with the received bytes that are not yet a whole frame.
//!
//! It must not know frames, nor their use.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, ReadBuf};

use super::slot::Half;
use crate::id::ConnectionId;
use crate::transport::connection::ReadHalf;

/// The initial size of the buffer, and the maximum to which it grows by itself.
const FIRST: usize = 4 * 1024;
const LARGEST: usize = 256 * 1024;

/// The reads of `discard`: a peer that goes on sending does not keep it busy.
const MAX_DISCARDS: usize = 256;

/// The reading half, while there is a connection.
#[derive(Default)]
pub(crate) struct Reader {
    half: Option<Half<Box<dyn ReadHalf>>>,
    buffer: Buffer,
}

/// The result of a read: the number of the connection, and the number of bytes, which is 0 at the end of the stream.
pub(crate) struct Read {
    pub(crate) connection: ConnectionId,
    pub(crate) result: io::Result<usize>,
}

impl Reader {
    /// Returns the number of the connection, if there is one.
    pub(crate) fn connection(&self) -> Option<ConnectionId> {
        self.half.as_ref().map(|half| half.number)
    }

    /// Replaces the half by one of another connection, or by none. Returns the former half, to be dropped when no lock is held.
    pub(crate) fn replace(
        &mut self,
        next: Option<Half<Box<dyn ReadHalf>>>,
    ) -> Option<Half<Box<dyn ReadHalf>>> {
        if next.is_some() {
            self.buffer = Buffer::default();
        }
        std::mem::replace(&mut self.half, next)
    }

    /// Reads into the buffer. Is also pending if there is no connection; then no waker is registered.
    pub(crate) fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<Read> {
        let Some(half) = &mut self.half else { return Poll::Pending };
        let mut free = ReadBuf::new(self.buffer.free());
        let result = match Pin::new(&mut half.stream).poll_read(context, &mut free) {
            Poll::Ready(result) => result.map(|()| free.filled().len()),
            Poll::Pending => return Poll::Pending,
        };
        let connection = half.number;
        Poll::Ready(self.note(connection, result))
    }

    /// Reads what has arrived, without the runtime, whose threads may all be blocked. Returns `WouldBlock` if nothing has.
    pub(crate) fn read_now(&mut self) -> Option<Read> {
        if let Poll::Ready(read) = self.poll_read(&mut Context::from_waker(Waker::noop())) {
            return Some(read);
        }
        let half = self.half.as_mut()?;
        let (connection, result) = (half.number, half.stream.read_now(self.buffer.free()));
        Some(self.note(connection, result))
    }

    /// Reads what is there, without the runtime, and discards it.
    pub(crate) fn discard(&mut self) {
        let Some(half) = &mut self.half else { return };
        let mut discarded = [0; FIRST];
        for _ in 0..MAX_DISCARDS {
            if !matches!(half.stream.read_now(&mut discarded), Ok(1..)) {
                return;
            }
        }
    }

    /// Returns the bytes that were read and are not used yet.
    pub(crate) fn filled(&self) -> &[u8] {
        self.buffer.filled()
    }

    /// Marks bytes as used.
    pub(crate) fn consume(&mut self, used: usize) {
        self.buffer.consume(used);
    }

    fn note(&mut self, connection: ConnectionId, result: io::Result<usize>) -> Read {
        if let Ok(read) = result {
            self.buffer.end += read;
        }
        Read { connection, result }
    }
}

/// The bytes that were read and are not used yet.
#[derive(Default)]
struct Buffer {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Buffer {
    fn filled(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    fn consume(&mut self, used: usize) {
        self.start += used;
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Returns the free part of the buffer for the next bytes. It is never empty.
    fn free(&mut self) -> &mut [u8] {
        if self.end == self.bytes.len() {
            if self.start > 0 {
                self.bytes.copy_within(self.start..self.end, 0);
                (self.start, self.end) = (0, self.end - self.start);
            }
            // The last read filled the buffer, so that more bytes are likely.
            let larger = (self.bytes.len() * 4).clamp(FIRST, LARGEST).max(self.end + 1);
            self.bytes.resize(larger, 0);
        }
        &mut self.bytes[self.end..]
    }
}
