//! The queue of a serial object: the call that runs, and the calls that wait, in order.
//!
//! It must not know calls. A waiting call takes an entry in the queue and no task of its own: it is polled by its sender.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use super::message::{Reply, Replying};
use crate::error::{Error, Result};
use crate::mutex::Mutex;
use crate::wire::frame::Manner;

thread_local! {
    /// The queues whose running calls this thread is polling, from the outside in.
    static POLLED: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// The queue of one object.
#[derive(Default)]
pub(crate) struct SerialQueue(Mutex<Queue>);

#[derive(Default)]
struct Queue {
    next: u64,
    /// The first call runs, the others wait. It is a map, since any of them may be cancelled.
    calls: BTreeMap<u64, Option<Waker>>,
    /// The reason if the object was stopped, with which waiting calls fail.
    stopped: Option<String>,
}

impl SerialQueue {
    /// Returns the method as a future that starts when the calls before it have ended. Its position in the queue is taken
    /// now.
    ///
    /// A call that an object makes to itself and awaits would deadlock. It is refused if this thread can detect it: if the
    /// caller is the running method, or a near method that the running one awaits. One-way messages to itself are allowed.
    pub(crate) fn enqueue(
        self: &Arc<SerialQueue>,
        method: Replying,
        manner: Manner,
    ) -> Result<Replying> {
        if manner == Manner::Call && POLLED.with_borrow(|polled| polled.contains(&self.address())) {
            return Err(Error::Refused(
                "an object that executes one call at a time has called itself and would wait forever; \
                 use `self`, or send the message with `.oneway()`"
                    .into(),
            ));
        }
        let mut queue = self.0.lock();
        let number = queue.next;
        queue.next += 1;
        queue.calls.insert(number, None);
        drop(queue);
        let position = Position { queue: Arc::clone(self), number };
        Ok(Box::pin(SerialCall { method, position: Some(position), has_begun: false }))
    }

    /// Stops the object: the call that runs continues, the others fail.
    pub(crate) fn stop(&self, reason: &str) {
        let mut queue = self.0.lock();
        queue.stopped = Some(reason.to_owned());
        let wakers: Vec<_> = queue.calls.values_mut().filter_map(Option::take).collect();
        drop(queue);
        wakers.into_iter().for_each(Waker::wake);
    }

    fn remove(&self, number: u64) {
        let mut queue = self.0.lock();
        let gone = queue.calls.remove(&number);
        let first = queue.calls.first_entry().and_then(|mut first| first.get_mut().take());
        drop(queue);
        drop(gone);
        // If this one is running already, the wake-up has no effect.
        first.into_iter().for_each(Waker::wake);
    }

    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }
}

/// A position in the queue. Dropping it lets the next call start.
struct Position {
    queue: Arc<SerialQueue>,
    number: u64,
}

impl Position {
    /// Waits until it is the first.
    fn poll(&self, context: &mut Context<'_>) -> Poll<Result<()>> {
        let mut queue = self.queue.0.lock();
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

impl Drop for Position {
    fn drop(&mut self) {
        self.queue.remove(self.number);
    }
}

/// A method that starts when it is the first in the queue. It stays the first until it returns, even with a deferred reply,
/// or is dropped.
struct SerialCall {
    /// Dropped before the position: locks and borrows of the method must be released when the next call starts.
    method: Replying,
    position: Option<Position>,
    has_begun: bool,
}

impl Future for SerialCall {
    type Output = Reply;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Reply> {
        let call = &mut *self;
        let polling = match &call.position {
            Some(position) if !call.has_begun => match ready!(position.poll(context)) {
                Ok(()) => Some(Polling::enter(position)),
                Err(error) => {
                    call.position = None;
                    return Poll::Ready(Reply::Fault(error));
                }
            },
            position => position.as_ref().map(Polling::enter),
        };
        call.has_begun = true;
        let polled = call.method.as_mut().poll(context);
        drop(polling);
        if polled.is_ready() {
            call.position = None;
        }
        polled
    }
}

/// Marks that this thread polls the running call of a queue, until it is dropped.
struct Polling;

impl Polling {
    fn enter(position: &Position) -> Polling {
        POLLED.with_borrow_mut(|polled| polled.push(position.queue.address()));
        Polling
    }
}

impl Drop for Polling {
    fn drop(&mut self) {
        POLLED.with_borrow_mut(|polled| polled.pop());
    }
}
