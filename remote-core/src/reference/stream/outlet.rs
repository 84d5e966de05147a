//! Owns what both sides of a source share: the values that wait to be sent, the credit for them, and the end.
//!
//! It must not know who makes the values, nor who sends them.

use std::task::{Context, Poll, Waker};

use tokio::sync::Notify;

use super::batch::{Batch, Encoded, Packing};
use crate::error::{Error, Result};
use crate::mutex::Mutex;

/// Where values wait to be sent.
#[derive(Default)]
pub(super) struct Outlet {
    state: Mutex<State>,
    /// Notified when there is room for values, and when it is over.
    changed: Notify,
}

#[derive(Default)]
struct State {
    packing: Packing,
    /// How many values may be sent, and bytes: while there are any, one more value, which may be larger.
    values: u64,
    bytes: i64,
    end: End,
    sender: Option<Waker>,
}

/// How far the end is.
#[derive(Default)]
enum End {
    /// There may be more values.
    #[default]
    Open,
    /// Whoever put values in is gone, and did not say whether they were all.
    Abandoned,
    /// It is to be sent.
    Due(Option<Error>),
    /// It has arrived, or nobody takes values any more.
    Over(Result<()>),
}

/// What is to be sent.
pub(super) enum Step {
    Values(Batch),
    End(Option<Error>),
    /// Nothing yet, and nobody will put anything in; see [`End::Abandoned`].
    Abandoned,
    /// Nothing any more.
    Over,
}

impl Outlet {
    /// Puts a value in, when there is credit for it and room in the next message.
    pub(super) async fn put(&self, value: Encoded) -> Result<()> {
        let mut value = Some(value);
        loop {
            let changed = self.changed.notified(); // From here on nothing is missed.
            if let Poll::Ready(result) = self.try_put(&mut value) {
                return result;
            }
            changed.await;
        }
    }

    /// The credit was raised.
    pub(super) fn credit(&self, values: u64, bytes: u64) {
        let mut state = self.state.lock();
        state.values = state.values.saturating_add(values);
        state.bytes = state.bytes.saturating_add_unsigned(bytes);
        drop(state);
        self.changed.notify_waiters();
    }

    /// There are no more values, in good order or not. The first to say so is heard.
    pub(super) fn end(&self, failure: Option<Error>) {
        self.set_end(|end| match end {
            End::Open | End::Abandoned => Some(End::Due(failure)),
            End::Due(_) | End::Over(_) => None,
        });
    }

    /// Whoever put values in is gone.
    pub(super) fn abandon(&self) {
        self.set_end(|end| matches!(end, End::Open).then_some(End::Abandoned));
    }

    /// It is over: the end has arrived, or nobody takes values any more.
    pub(super) fn close(&self, how: Result<()>) {
        let mut state = self.state.lock();
        if matches!(state.end, End::Over(_)) {
            return;
        }
        state.end = End::Over(how);
        let unsent = std::mem::take(&mut state.packing);
        let sender = state.sender.take();
        drop(state);
        drop(unsent); // When no lock is held: what a reference holds may be anything.
        sender.into_iter().for_each(Waker::wake);
        self.changed.notify_waiters();
    }

    /// Waits until it is over.
    pub(super) async fn over(&self) -> Result<()> {
        loop {
            let changed = self.changed.notified();
            if let End::Over(how) = &self.state.lock().end {
                return how.clone();
            }
            changed.await;
        }
    }

    /// What is to be sent next.
    pub(super) fn poll_step(&self, context: &mut Context<'_>) -> Poll<Step> {
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
        let replaced = state.sender.replace(context.waker().clone());
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
        let may_go = |value: &mut Encoded| {
            state.values > 0 && state.bytes > 0 && state.packing.has_room_for(value)
        };
        let Some(value) = value.take_if(may_go) else { return Poll::Pending };
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
