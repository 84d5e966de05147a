//! The sending side of a stream, shared by its sink and its source: the values that wait to be sent, the credit, and the
//! end.
//!
//! It must not know who makes the values, nor who sends them.

use std::task::{Context, Poll, Waker};

use tokio::sync::Notify;

use super::batch::{Batch, Encoded, Packing};
use crate::error::{Error, Result};
use crate::mutex::Mutex;

/// The queue of values to be sent.
#[derive(Default)]
pub(super) struct Outlet {
    state: Mutex<State>,
    /// Notified when there is room for values, and when the stream is over.
    changed: Notify,
}

#[derive(Default)]
struct State {
    packing: Packing,
    /// The credit that is left. While there is some of `bytes`, one more value may be sent, which may be larger: so it can
    /// be negative.
    values: u64,
    bytes: i64,
    end: End,
    /// True if the node at one of the two ends shuts down.
    is_closing: bool,
    sender: Option<Waker>,
}

impl State {
    fn is_closing_or_over(&self) -> bool {
        self.is_closing || matches!(self.end, End::Over(_))
    }
}

/// The progress of the end of the stream.
#[derive(Default)]
enum End {
    /// More values may follow.
    #[default]
    Open,
    /// The sink was dropped without an end, so that the values may be incomplete.
    Abandoned,
    /// The end must be sent.
    Due(Option<Error>),
    /// The receiver has received the end, or takes no more values.
    Over(Result<()>),
}

/// The next step of the sender.
pub(super) enum Step {
    Values(Batch),
    End(Option<Error>),
    /// There is nothing to send, and no more values will follow; see [`End::Abandoned`].
    Abandoned,
    /// The stream is over.
    Over,
}

impl Outlet {
    /// Waits for credit and for room in the next message, and adds a value.
    pub(super) async fn put(&self, value: Encoded) -> Result<()> {
        let mut value = Some(value);
        loop {
            let changed = self.changed.notified(); // Created before the check, so that no notification is missed.
            if let Poll::Ready(result) = self.try_put(&mut value) {
                return result;
            }
            changed.await;
        }
    }

    /// Adds credit.
    pub(super) fn credit(&self, values: u64, bytes: u64) {
        let mut state = self.state.lock();
        state.values = state.values.saturating_add(values);
        state.bytes = state.bytes.saturating_add_unsigned(bytes);
        drop(state);
        self.changed.notify_waiters();
    }

    /// Ends the stream, with an error or in order. The first call counts.
    pub(super) fn end(&self, failure: Option<Error>) {
        self.set_end(|end| match end {
            End::Open | End::Abandoned => Some(End::Due(failure)),
            End::Due(_) | End::Over(_) => None,
        });
    }

    /// Notes that the sink was dropped.
    pub(super) fn abandon(&self) {
        self.set_end(|end| matches!(end, End::Open).then_some(End::Abandoned));
    }

    /// Notes that the stream is over: the receiver has received the end, or takes no more values.
    pub(super) fn close(&self, how: Result<()>) {
        let mut state = self.state.lock();
        if matches!(state.end, End::Over(_)) {
            return;
        }
        state.end = End::Over(how);
        let unsent = std::mem::take(&mut state.packing);
        let sender = state.sender.take();
        drop(state);
        drop(unsent); // After the lock is released: a reference may run user code when it is dropped.
        sender.into_iter().for_each(Waker::wake);
        self.changed.notify_waiters();
    }

    /// Notes that the node at one of the two ends shuts down.
    pub(super) fn note_closing(&self) {
        self.state.lock().is_closing = true;
        self.changed.notify_waiters();
    }

    /// Waits until the producer should end the stream, or the stream is over.
    pub(super) async fn closing(&self) {
        loop {
            let changed = self.changed.notified();
            if self.state.lock().is_closing_or_over() {
                return;
            }
            changed.await;
        }
    }

    /// Waits until the stream is over.
    pub(super) async fn over(&self) -> Result<()> {
        loop {
            let changed = self.changed.notified();
            if let End::Over(how) = &self.state.lock().end {
                return how.clone();
            }
            changed.await;
        }
    }

    /// Polls for the next step.
    pub(super) fn poll_step(&self, context: &mut Context<'_>) -> Poll<Step> {
        // Cloned before the lock is taken: wakers are the user's code.
        let waker = context.waker().clone();
        let mut state = self.state.lock();
        if !state.packing.is_empty() {
            let packing = std::mem::take(&mut state.packing);
            drop(state);
            self.changed.notify_waiters();
            return Poll::Ready(Step::Values(packing.close()));
        }
        if let End::Due(failure) = &state.end {
            return Poll::Ready(Step::End(failure.clone()));
        }
        if let End::Over(_) = &state.end {
            return Poll::Ready(Step::Over);
        }
        let is_abandoned = matches!(state.end, End::Abandoned);
        let replaced = state.sender.replace(waker);
        drop(state);
        drop(replaced);
        if is_abandoned { Poll::Ready(Step::Abandoned) } else { Poll::Pending }
    }

    fn try_put(&self, value: &mut Option<Encoded>) -> Poll<Result<()>> {
        let mut state = self.state.lock();
        match &state.end {
            End::Over(Err(error)) => return Poll::Ready(Err(error.clone())),
            End::Open => {}
            _ => return Poll::Ready(Err(Error::Ended("the stream has ended".into()))),
        }
        let may_send = |value: &mut Encoded| {
            state.values > 0 && state.bytes > 0 && state.packing.has_room_for(value)
        };
        let Some(value) = value.take_if(may_send) else { return Poll::Pending };
        state.values -= 1;
        state.bytes = state.bytes.saturating_sub_unsigned(value.bytes());
        state.packing.add(value);
        let sender = state.sender.take();
        drop(state);
        sender.into_iter().for_each(Waker::wake);
        Poll::Ready(Ok(()))
    }

    fn set_end(&self, next: impl FnOnce(&End) -> Option<End>) {
        let mut state = self.state.lock();
        let Some(end) = next(&state.end) else { return };
        state.end = end;
        let sender = state.sender.take();
        drop(state);
        sender.into_iter().for_each(Waker::wake);
    }
}
