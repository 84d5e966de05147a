//! Owns the writing half of a session's connection, with the block that was taken to be written and is not yet.
//!
//! It must not know who holds it. That is the writer, whose task it is to write, and for a moment the reader: between
//! two batches of calls it writes what they were answered with, in place. That costs no change of tasks, and the peer
//! is at work on the first answers while the next calls are executed.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::MutexGuard;
use std::task::{Context, Poll, Waker, ready};
use std::time::Instant;

use tokio::io::AsyncWrite;

use super::slot::Half;
use crate::mutex::Mutex;
use crate::node::session::effects::Effects;
use crate::node::session::shared::{Inner, SharedSession};
use crate::session::Block;
use crate::transport::connection::WriteHalf;

/// The writing half of the connection. Its lock is taken before the session's.
#[derive(Default)]
pub(crate) struct Writer(Mutex<State>);

#[derive(Default)]
struct State {
    half: Option<Half<Box<dyn WriteHalf>>>,
    block: Option<Block>,
    /// How much of it is written.
    written: usize,
}

/// What became of what was ready.
pub(crate) enum WriteOutcome {
    /// It is written, or there was no connection for it.
    All,
    /// It is written, and was the last: the session is over.
    Last,
    /// The connection with this number is lost.
    Lost(u64, String),
}

impl Writer {
    /// Writes what is ready, as far as the connection takes it at once, unless the writer is at work already. What is
    /// left over is the writer's. Whether anybody may have been woken by that.
    pub(crate) fn write_in_place(&self, session: &SharedSession) -> bool {
        match self.0.try_lock() {
            Some(state) if state.block.is_none() => Writer::write_now(state, session),
            _ => false,
        }
    }

    /// The same for one who does not know whether the writer can be, and writes what is left over, too. The writer is to
    /// be woken: the connection would not wake it any more.
    pub(crate) fn write_rest(&self, session: &SharedSession) {
        if let Some(state) = self.0.try_lock() {
            Writer::write_now(state, session);
        }
    }

    /// Whether anybody may have been woken.
    fn write_now(mut state: MutexGuard<'_, State>, session: &SharedSession) -> bool {
        let taken = state.take(session);
        let wakes = !taken.is_empty()
            || state.block.is_some()
                && state.half.as_ref().is_some_and(|half| half.end.wakes_reader());
        let written = state.poll_write(&mut Context::from_waker(Waker::noop()));
        drop(state);
        session.apply(taken);
        // An error is the writer's, too: it meets it again.
        if !matches!(written, Poll::Ready(Ok(()))) {
            session.update(|inner| inner.leave_to_writer());
        }
        wakes
    }

    /// Writes what is ready. What time brings is seen to by `keep_time` while the connection takes nothing.
    pub(crate) async fn write(
        &self,
        session: &SharedSession,
        mut keep_time: impl FnMut(&mut Inner, &mut Context<'_>),
    ) -> WriteOutcome {
        let taken = self.0.lock().take(session);
        session.apply(taken);
        let stall = session.shared.limits.stall;
        let writing = poll_fn(|context| {
            let mut state = self.0.lock();
            let Some(number) = state.number() else { return Poll::Ready(WriteOutcome::All) };
            match state.poll_write(context) {
                // Still under the lock of the pen: the reader can have taken nothing meanwhile.
                Poll::Ready(Ok(())) => Poll::Ready(match session.lock().note_written() {
                    true => WriteOutcome::Last,
                    false => WriteOutcome::All,
                }),
                Poll::Ready(Err(error)) => {
                    Poll::Ready(WriteOutcome::Lost(number, error.to_string()))
                }
                Poll::Pending => {
                    let (is_lost, effects) = session.change(|inner| {
                        keep_time(inner, context);
                        inner.stalled_writer = Some(context.waker().clone());
                        !inner.has(number)
                    });
                    drop(state);
                    session.apply(effects);
                    let lost = || WriteOutcome::Lost(number, "there is another connection".into());
                    if is_lost { Poll::Ready(lost()) } else { Poll::Pending }
                }
            }
        });
        let written = match tokio::time::timeout(stall, writing).await {
            Ok(written) => written,
            Err(_) => {
                let reason = format!("the peer has not read for {} s", stall.as_secs_f32());
                self.0
                    .lock()
                    .number()
                    .map_or(WriteOutcome::All, |number| WriteOutcome::Lost(number, reason))
            }
        };
        if let WriteOutcome::Lost(..) = written {
            self.lay_down(session);
        }
        written
    }

    /// Tells the peer that nothing follows. It may still be reading what was written; it closes when it has.
    pub(crate) async fn shut_down(&self, session: &SharedSession) {
        let _ = poll_fn(|context| match &mut self.0.lock().half {
            Some(half) => Pin::new(&mut half.end).poll_shutdown(context),
            None => Poll::Ready(Ok(())),
        })
        .await;
        self.lay_down(session);
    }

    /// Lets the connection go.
    fn lay_down(&self, session: &SharedSession) {
        let mut state = self.0.lock();
        let former = state.half.take();
        state.block = None;
        state.written = 0;
        let mut inner = session.lock();
        (inner.pen, inner.is_left_over) = (0, false);
        drop(inner);
        drop(state);
        drop(former);
    }
}

impl State {
    fn number(&self) -> Option<u64> {
        self.half.as_ref().map(|half| half.number)
    }

    /// Takes what is ready, unless something is left over; and the next connection, if there is one.
    fn take(&mut self, session: &SharedSession) -> Effects {
        let (room, mut taken) = session.change(|inner| {
            self.renew(inner);
            if self.block.is_none() && self.half.is_some() {
                self.block = inner.machine.poll_transmit(Instant::now());
            }
            inner.room()
        });
        taken.wake.extend(room);
        taken
    }

    /// Holds the connection that the session has, and no other.
    fn renew(&mut self, inner: &mut Inner) {
        if let Some(next) = inner.next_writer() {
            self.half = Some(next);
        } else if self.number().is_some_and(|number| !inner.has(number)) {
            self.half = None;
        } else {
            return;
        }
        // What was begun to be written on the former one is sent again on the next, from its beginning.
        self.block = None;
        self.written = 0;
        inner.pen = self.number().unwrap_or(0);
        inner.is_left_over = false;
    }

    fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let (Some(half), Some(block)) = (&mut self.half, &self.block) {
            while self.written < block.len() {
                let stream = Pin::new(&mut half.end);
                match ready!(stream.poll_write(context, &block[self.written..]))? {
                    0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                    written => self.written += written,
                }
            }
        }
        // A block of which nobody else has a share is used again.
        self.block = None;
        self.written = 0;
        Poll::Ready(Ok(()))
    }
}
