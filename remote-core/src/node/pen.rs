//! Owns the writing end of a connection, with the bytes that were taken to be written and are not yet.
//!
//! It must not know who holds it. That is the writer, whose task it is to write, and for a moment the reader: between
//! two batches of calls it writes what they were answered with, in place. That costs no change of tasks, and the peer
//! is at work on the first answers while the next calls are executed.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard};
use std::task::{Context, Poll, Waker, ready};
use std::time::Instant;

use tokio::io::AsyncWrite;

use super::link::Link;
use super::settle::Aftermath;

pub(super) type Writer = Box<dyn AsyncWrite + Send + Unpin>;

/// A buffer that grew larger than this is not kept.
const KEPT: usize = 1 << 20;

/// The writing end of a connection. Its lock is taken before the session's.
pub(super) struct Pen(Mutex<State>);

struct State {
    stream: Writer,
    buffer: Vec<u8>,
    /// How much of it is written.
    written: usize,
}

impl Pen {
    pub(super) fn new(stream: Writer) -> Pen {
        Pen(Mutex::new(State { stream, buffer: Vec::new(), written: 0 }))
    }

    /// Writes what is ready, as far as the connection takes it at once, unless the writer is at work already. What is
    /// left over is the writer's.
    pub(super) fn write_in_place(&self, link: &Link) {
        let Ok(mut state) = self.0.try_lock() else { return };
        if !state.buffer.is_empty() {
            return;
        }
        let taken = state.take(link);
        let written = state.poll_write(&mut Context::from_waker(Waker::noop()));
        drop(state);
        link.follow(taken);
        // An error is the writer's, too: it meets it again.
        if !matches!(written, Poll::Ready(Ok(()))) {
            link.update(|inner| inner.leave_to_writer());
        }
    }

    /// Writes what is ready. Whether it was the last: the session is over.
    pub(super) async fn write(&self, link: &Link) -> io::Result<bool> {
        let taken = self.lock().take(link);
        link.follow(taken);
        poll_fn(|context| {
            let mut state = self.lock();
            let written = state.poll_write(context);
            // Still under the lock of the pen: the reader can have taken nothing meanwhile.
            written.map_ok(|()| link.lock().note_written())
        })
        .await
    }

    /// Tells the peer that nothing follows.
    pub(super) async fn shut_down(&self) {
        let _ = poll_fn(|context| Pin::new(&mut self.lock().stream).poll_shutdown(context)).await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl State {
    /// Takes what is ready, unless something is left over.
    fn take(&mut self, link: &Link) -> Aftermath {
        if !self.buffer.is_empty() {
            return Aftermath::default();
        }
        let (room, mut taken) = link.change(|inner| {
            inner.session.poll_transmit(Instant::now(), &mut self.buffer);
            inner.room()
        });
        taken.wake.extend(room);
        taken
    }

    fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.buffer.len() {
            let stream = Pin::new(&mut self.stream);
            match ready!(stream.poll_write(context, &self.buffer[self.written..]))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.written += written,
            }
        }
        self.written = 0;
        self.buffer.clear();
        if self.buffer.capacity() > KEPT {
            self.buffer = Vec::new();
        }
        Poll::Ready(Ok(()))
    }
}
