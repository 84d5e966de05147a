//! The slot for the reply to one message, and the waker of its receiver.
//!
//! It must not know messages. Each slot has a lock of its own, so that calls do not contend. Wakers are the user's code: they are
//! cloned, dropped and woken when no lock is held.

use std::task::{Context, Poll, Waker};

use crate::mutex::Mutex;

/// A slot for one reply.
pub(crate) struct Slot<R>(Mutex<State<R>>);

enum State<R> {
    Empty(Option<Waker>),
    Filled(R),
    Taken,
}

impl<R> Slot<R> {
    /// Makes an empty slot, with the waker for the reply.
    pub(crate) fn new(waker: Option<Waker>) -> Slot<R> {
        Slot(Mutex::new(State::Empty(waker)))
    }

    /// Puts the reply into the slot. Returns the waker, to be woken after all locks are released.
    #[must_use]
    pub(crate) fn fill(&self, reply: R) -> Option<Waker> {
        let former = std::mem::replace(&mut *self.0.lock(), State::Filled(reply));
        match former {
            State::Empty(waker) => waker,
            State::Filled(_) | State::Taken => None,
        }
    }

    /// Takes the reply, or waits for it; `None` if it was taken before.
    #[inline(always)]
    pub(crate) fn poll(&self, context: &mut Context<'_>) -> Poll<Option<R>> {
        if let Some(polled) = self.poll_known(context.waker()) {
            return polled;
        }
        // Another waker than before: it is cloned when the lock is free.
        let mut waker = Some(context.waker().clone());
        let mut state = self.0.lock();
        if let State::Empty(known) = &mut *state {
            std::mem::swap(known, &mut waker);
        }
        drop(state);
        drop(waker);
        // It may have been filled meanwhile.
        self.poll_known(context.waker()).unwrap_or(Poll::Pending)
    }

    /// Takes the reply, or waits for it. Returns `None` if it has not arrived and the slot does not have the waker.
    #[inline(always)]
    fn poll_known(&self, waker: &Waker) -> Option<Poll<Option<R>>> {
        let mut state = self.0.lock();
        if let State::Empty(known) = &*state {
            return known
                .as_ref()
                .is_some_and(|known| known.will_wake(waker))
                .then_some(Poll::Pending);
        }
        match std::mem::replace(&mut *state, State::Taken) {
            State::Filled(reply) => Some(Poll::Ready(Some(reply))),
            State::Empty(_) | State::Taken => Some(Poll::Ready(None)),
        }
    }
}

impl<R: Clone> Slot<R> {
    /// Returns a copy of the reply, if it has arrived.
    pub(crate) fn peek(&self) -> Option<R> {
        match &*self.0.lock() {
            State::Filled(reply) => Some(reply.clone()),
            State::Empty(_) | State::Taken => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_taken_once() {
        let mut context = Context::from_waker(Waker::noop());
        let slot = Slot::new(None);
        assert_eq!(slot.poll(&mut context), Poll::Pending);
        assert_eq!(slot.peek(), None);
        assert!(slot.fill(7).is_some());
        assert_eq!(slot.peek(), Some(7));
        assert_eq!(slot.poll(&mut context), Poll::Ready(Some(7)));
        assert_eq!(slot.poll(&mut context), Poll::Ready(None));
    }
}
