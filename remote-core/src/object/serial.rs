//! The queue of a serial object: the call that runs, and the calls that wait, in order.
//!
//! It must not know calls. A waiting call takes an entry in the queue and no task of its own: it is polled by its sender.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use super::message::{Reply, Replying};
use crate::error::{Error, Result};
use crate::mutex::Mutex;
use crate::session::chain::{Chain, ExecutionId};

struct Entry {
    execution: ExecutionId,
    waker: Option<Waker>,
}

/// The queue of one object.
#[derive(Default)]
pub(crate) struct SerialQueue(Mutex<Queue>);

#[derive(Default)]
struct Queue {
    next: u64,
    /// The first call runs, the others wait. It is a map, since any of them may be cancelled.
    calls: BTreeMap<u64, Entry>,
    /// The reason if the object was stopped, with which waiting calls fail.
    stopped: Option<String>,
}

impl SerialQueue {
    /// Returns the method as a future that starts when the calls before it have ended, and the number of its execution. Its
    /// position in the queue is taken now.
    ///
    /// A call that the running method awaits, itself or by way of other calls, would wait for itself. Then it returns `None`.
    pub(crate) fn enqueue(
        self: &Arc<SerialQueue>,
        method: Replying,
        chain: &Chain,
    ) -> Option<(Replying, ExecutionId)> {
        let execution = ExecutionId::fresh();
        let mut queue = self.0.lock();
        let running = queue.calls.first_key_value().map(|(_, entry)| entry.execution);
        if running.is_some_and(|running| chain.contains(running)) {
            drop(queue);
            return None;
        }
        let number = queue.next;
        queue.next += 1;
        queue.calls.insert(number, Entry { execution, waker: None });
        drop(queue);
        let position = Position { queue: Arc::clone(self), number };
        let call = SerialCall { method, position: Some(position), has_begun: false };
        Some((Box::pin(call), execution))
    }

    /// Stops the object: the call that runs continues, the others fail.
    pub(crate) fn stop(&self, reason: &str) {
        let mut queue = self.0.lock();
        queue.stopped = Some(reason.to_owned());
        let wakers: Vec<_> =
            queue.calls.values_mut().filter_map(|entry| entry.waker.take()).collect();
        drop(queue);
        wakers.into_iter().for_each(Waker::wake);
    }

    fn remove(&self, number: u64) {
        let mut queue = self.0.lock();
        let gone = queue.calls.remove(&number);
        let first = queue.calls.first_entry().and_then(|mut first| first.get_mut().waker.take());
        drop(queue);
        drop(gone);
        // If this one is running already, the wake-up has no effect.
        first.into_iter().for_each(Waker::wake);
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
        if let Some(polled) = self.poll_known(context.waker()) {
            return polled;
        }
        // Another waker than before: it is cloned when the lock is free, as wakers are the user's code.
        let mut waker = Some(context.waker().clone());
        let mut queue = self.queue.0.lock();
        if let Some(entry) = queue.calls.get_mut(&self.number) {
            std::mem::swap(&mut entry.waker, &mut waker);
        }
        drop(queue);
        drop(waker);
        // It may have become the first meanwhile.
        self.poll_known(context.waker()).unwrap_or(Poll::Pending)
    }

    /// Waits until it is the first. Returns `None` if it is not, and the queue does not have the waker.
    fn poll_known(&self, waker: &Waker) -> Option<Poll<Result<()>>> {
        let queue = self.queue.0.lock();
        if let Some(reason) = &queue.stopped {
            return Some(Poll::Ready(Err(Error::Ended(reason.clone()))));
        }
        let first = queue.calls.first_key_value().map(|(number, _)| *number);
        if first == Some(self.number) {
            return Some(Poll::Ready(Ok(())));
        }
        let known = queue.calls.get(&self.number).and_then(|entry| entry.waker.as_ref());
        known.is_some_and(|known| known.will_wake(waker)).then_some(Poll::Pending)
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
        if let Some(position) = &call.position
            && !call.has_begun
            && let Err(error) = ready!(position.poll(context))
        {
            call.position = None;
            return Poll::Ready(Reply::Fault(error));
        }
        call.has_begun = true;
        let polled = call.method.as_mut().poll(context);
        if polled.is_ready() {
            call.position = None;
        }
        polled
    }
}
