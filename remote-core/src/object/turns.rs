//! Owns the turns of an object that executes one call at a time: which call has it, and which wait, in order.
//!
//! It must not know what a call does, nor from where it comes. Who waits costs an entry in the queue and whatever holds
//! the call anyway: no task of its own.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker, ready};

use super::message::{Reply, Replying};
use crate::error::{Error, Result};
use crate::wire::frame::Manner;

thread_local! {
    /// Whose turns are had by the methods that this thread is polling, one within another.
    static HAD: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// The turns of one object.
#[derive(Default)]
pub(crate) struct Turns(Mutex<Queue>);

#[derive(Default)]
struct Queue {
    next: u64,
    /// The first has the turn, the others wait for it. A map, as any of them may be cancelled.
    calls: BTreeMap<u64, Option<Waker>>,
    /// Why the object was stopped: those that wait do not begin any more.
    stopped: Option<String>,
}

impl Turns {
    /// The method, executed when its turn comes: the place in the order is taken now.
    ///
    /// A call that waits for another of the same object's, which waits for it, would wait for ever. As far as one can see
    /// that from here it is refused: if it was made by a method that has the turn, or by a near one that such a method
    /// waits for. Who does not wait, may: an object can send itself one-way messages.
    pub(crate) fn line_up(self: &Arc<Turns>, method: Replying, manner: Manner) -> Result<Replying> {
        if manner == Manner::Ask && HAD.with_borrow(|had| had.contains(&self.address())) {
            return Err(Error::Refused(
                "an object that executes one call at a time has called itself and would wait for ever; \
                 use `self`, or send the message with `.oneway()`"
                    .into(),
            ));
        }
        let mut queue = self.lock();
        let number = queue.next;
        queue.next += 1;
        queue.calls.insert(number, None);
        drop(queue);
        let place = Place { turns: Arc::clone(self), number };
        Ok(Box::pin(InTurn { method, place: Some(place), has_begun: false }))
    }

    /// The object was stopped: the call that has the turn goes on, those that wait for it fail.
    pub(crate) fn stop(&self, reason: &str) {
        let mut queue = self.lock();
        queue.stopped = Some(reason.to_owned());
        let wakers: Vec<_> = queue.calls.values_mut().filter_map(Option::take).collect();
        drop(queue);
        wakers.into_iter().for_each(Waker::wake);
    }

    fn leave(&self, number: u64) {
        let mut queue = self.lock();
        let gone = queue.calls.remove(&number);
        let first = queue.calls.first_entry().and_then(|mut first| first.get_mut().take());
        drop(queue);
        drop(gone);
        // Also if the first had the turn already: it looks and finds nothing new.
        first.into_iter().for_each(Waker::wake);
    }

    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// A place in the order. Dropped, it lets the next one have its turn.
struct Place {
    turns: Arc<Turns>,
    number: u64,
}

impl Place {
    /// Ready when it is the first.
    fn poll(&self, context: &mut Context<'_>) -> Poll<Result<()>> {
        let mut queue = self.turns.lock();
        if let Some(reason) = &queue.stopped {
            return Poll::Ready(Err(Error::Ended(reason.clone())));
        }
        let first = queue.calls.first_key_value().map(|(number, _)| *number);
        if first == Some(self.number) {
            return Poll::Ready(Ok(()));
        }
        if let Some(waker) = queue.calls.get_mut(&self.number)
            && !waker.as_ref().is_some_and(|known| known.will_wake(context.waker()))
        {
            *waker = Some(context.waker().clone());
        }
        Poll::Pending
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.turns.leave(self.number);
    }
}

/// A method that begins when its turn comes, and has the turn until it returns, be it to answer later, or is dropped.
struct InTurn {
    /// Dropped before the place: what it holds of the object's must be free when the next one begins.
    method: Replying,
    place: Option<Place>,
    has_begun: bool,
}

impl Future for InTurn {
    type Output = Reply;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Reply> {
        let call = &mut *self;
        let had = match &call.place {
            Some(place) if !call.has_begun => match ready!(place.poll(context)) {
                Ok(()) => Some(Had::by(place)),
                Err(error) => {
                    call.place = None;
                    return Poll::Ready(Reply::Fault(error));
                }
            },
            place => place.as_ref().map(Had::by),
        };
        call.has_begun = true;
        let polled = call.method.as_mut().poll(context);
        drop(had);
        if polled.is_ready() {
            call.place = None;
        }
        polled
    }
}

/// While it lives, this thread polls a method that has a turn.
struct Had;

impl Had {
    fn by(place: &Place) -> Had {
        HAD.with_borrow_mut(|had| had.push(place.turns.address()));
        Had
    }
}

impl Drop for Had {
    fn drop(&mut self) {
        HAD.with_borrow_mut(|had| had.pop());
    }
}
