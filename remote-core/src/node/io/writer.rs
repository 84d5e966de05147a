//! The writing half of a connection, with the block that is being written.
//!
//! It must not know the content of a block.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;

use super::slot::Half;
use crate::id::ConnectionId;
use crate::session::Block;
use crate::transport::connection::WriteHalf;

/// The writing half, while there is a connection.
#[derive(Default)]
pub(crate) struct Writer {
    half: Option<Half<Box<dyn WriteHalf>>>,
    block: Option<Block>,
    /// The number of bytes of the block that have been written.
    written: usize,
}

impl Writer {
    /// Returns the number of the connection, if there is one.
    pub(crate) fn connection(&self) -> Option<ConnectionId> {
        self.half.as_ref().map(|half| half.number)
    }

    /// Replaces the half by one of another connection, or by none. Returns the former half, to be dropped when no lock is held.
    /// An unfinished block is dropped: the session writes it again on the next connection, from its beginning.
    pub(crate) fn replace(
        &mut self,
        next: Option<Half<Box<dyn WriteHalf>>>,
    ) -> Option<Half<Box<dyn WriteHalf>>> {
        self.clear();
        std::mem::replace(&mut self.half, next)
    }

    /// Returns true if there is an unfinished block.
    pub(crate) fn has_block(&self) -> bool {
        self.block.is_some()
    }

    /// Returns true if there is a connection and no unfinished block, so that the next block can be written.
    pub(crate) fn is_ready(&self) -> bool {
        self.half.is_some() && self.block.is_none()
    }

    /// Sets the block to write. To be called when the writer is ready.
    pub(crate) fn begin(&mut self, block: Option<Block>) {
        self.block = block;
    }

    /// Returns true if a write wakes the reader of the peer, because it is in this process.
    pub(crate) fn wakes_reader(&self) -> bool {
        self.half.as_ref().is_some_and(|half| half.stream.wakes_reader())
    }

    /// Writes the block. Is ready when it is written, or if there is none.
    pub(crate) fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let (Some(half), Some(block)) = (&mut self.half, &self.block) {
            while self.written < block.len() {
                let stream = Pin::new(&mut half.stream);
                match ready!(stream.poll_write(context, &block[self.written..]))? {
                    0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                    written => self.written += written,
                }
            }
        }
        self.clear();
        Poll::Ready(Ok(()))
    }

    /// Writes the block, without the runtime. Fails if the connection does not take all of it now.
    pub(crate) fn write_now(&mut self) -> io::Result<()> {
        if let (Some(half), Some(block)) = (&mut self.half, &self.block) {
            while self.written < block.len() {
                match half.stream.write_now(&block[self.written..])? {
                    0 => return Err(io::ErrorKind::WriteZero.into()),
                    written => self.written += written,
                }
            }
        }
        self.clear();
        Ok(())
    }

    /// Shuts the connection down for writing.
    pub(crate) fn poll_shutdown(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.half {
            Some(half) => Pin::new(&mut half.stream).poll_shutdown(context),
            None => Poll::Ready(Ok(())),
        }
    }

    /// Drops the block. The session reuses its buffer if nothing else shares it.
    fn clear(&mut self) {
        self.block = None;
        self.written = 0;
    }
}
