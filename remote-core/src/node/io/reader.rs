//! Owns the reading half of a session's connection, with the bytes that arrived and are not yet a frame.
//!
//! It must not know what becomes of what is heard. The reader listens; while it executes calls, the lookout may, so that
//! acknowledgements and renewals are heard whatever a method does to its thread.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, ReadBuf};

use super::slot::Half;
use crate::mutex::Mutex;
use crate::node::session::effects::Effects;
use crate::node::session::shared::{Inner, SharedSession};
use crate::transport::connection::ReadHalf;

/// The read buffer: it begins small and grows with what arrives.
const FIRST: usize = 4 * 1024;
const LARGEST: usize = 256 * 1024;
/// So often is read in place: a peer that goes on sending has others wait no longer.
const READS: usize = 16;

/// The reading half of the connection. Its lock is taken before the session's.
#[derive(Default)]
pub(crate) struct Reader(Mutex<State>);

#[derive(Default)]
struct State {
    half: Option<Half<Box<dyn ReadHalf>>>,
    buffer: Buffer,
}

/// What came of listening.
pub(crate) enum ReadOutcome {
    /// Something arrived, and the session knows. Whether somebody was woken for it.
    Something { wakes: bool },
    /// The connection with this number is lost.
    Lost(u64, String),
}

impl Reader {
    /// Hears what arrives next, and tells the session.
    pub(crate) fn poll_read(
        &self,
        session: &SharedSession,
        context: &mut Context<'_>,
    ) -> Poll<ReadOutcome> {
        let mut state = self.0.lock();
        loop {
            let Some((number, filled)) = state.poll_fill(context) else {
                if !session_has_next(&mut state, session) {
                    return Poll::Pending;
                }
                continue;
            };
            return Poll::Ready(match filled {
                Ok(0) => ReadOutcome::Lost(number, "the connection was closed".into()),
                Err(error) => ReadOutcome::Lost(number, error.to_string()),
                Ok(_) => {
                    let effects = state.tell(session, number);
                    drop(state);
                    let wakes = !effects.is_empty();
                    session.apply(effects);
                    ReadOutcome::Something { wakes }
                }
            });
        }
    }

    /// Hears what is there by now, as one who does not wait, and cannot count on the runtime. False if somebody is just
    /// listening.
    pub(crate) fn read_in_place(&self, session: &SharedSession) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..READS {
            // The reader is at work elsewhere, or it will look again: nobody's waker is lost.
            let Some(mut state) = self.0.try_lock() else { return false };
            session_has_next(&mut state, session);
            let read = state.read_now(&mut context);
            let Some((number, Ok(1..))) = read else { return true };
            let effects = state.tell(session, number);
            drop(state);
            session.apply_elsewhere(effects);
        }
        true
    }
}

/// Whether there is another connection to listen to. One that is no longer the session's is let go.
fn session_has_next(state: &mut State, session: &SharedSession) -> bool {
    let mut former = None;
    let mut inner = session.lock();
    let has_next = state.renew(&mut inner, &mut former);
    drop(inner);
    drop(former);
    has_next
}

impl State {
    fn renew(&mut self, inner: &mut Inner, former: &mut Option<Half<Box<dyn ReadHalf>>>) -> bool {
        if let Some(next) = inner.next_reader() {
            *former = self.half.replace(next);
            self.buffer = Buffer::default();
            return true;
        }
        if self.half.as_ref().is_some_and(|half| !inner.has(half.number)) {
            *former = self.half.take();
        }
        false
    }

    /// Tells the session what has been read from the connection with this number. What follows waits until this is free.
    fn tell(&mut self, session: &SharedSession, number: u64) -> Effects {
        let (used, effects) = session.change(|inner| inner.receive(number, self.buffer.filled()));
        match used {
            Some(used) => self.buffer.consume(used),
            None => self.half = None,
        }
        effects
    }

    /// Reads more, if there is a connection and something on it.
    fn poll_fill(&mut self, context: &mut Context<'_>) -> Option<(u64, io::Result<usize>)> {
        let half = self.half.as_mut()?;
        let mut free = ReadBuf::new(self.buffer.free());
        let filled = match Pin::new(&mut half.end).poll_read(context, &mut free) {
            Poll::Ready(result) => result.map(|()| free.filled().len()),
            Poll::Pending => return None,
        };
        if let Ok(read) = filled {
            self.buffer.end += read;
        }
        Some((half.number, filled))
    }

    fn read_now(&mut self, context: &mut Context<'_>) -> Option<(u64, io::Result<usize>)> {
        if let Some(filled) = self.poll_fill(context) {
            return Some(filled);
        }
        let half = self.half.as_mut()?;
        let filled = half.end.read_now(self.buffer.free());
        if let Ok(read) = filled {
            self.buffer.end += read;
        }
        Some((half.number, filled))
    }
}

/// Bytes read and not yet used.
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

    /// Where the next bytes go; never empty.
    fn free(&mut self) -> &mut [u8] {
        if self.end == self.bytes.len() {
            if self.start > 0 {
                self.bytes.copy_within(self.start..self.end, 0);
                (self.start, self.end) = (0, self.end - self.start);
            }
            // What arrived filled it: there is likely more.
            let larger = (self.bytes.len() * 4).clamp(FIRST, LARGEST).max(self.end + 1);
            self.bytes.resize(larger, 0);
        }
        &mut self.bytes[self.end..]
    }
}
