//! Owns the execution of a method: what it can ask about its message, its deadline, its panics.
//!
//! It must not know where the message came from.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context as Waking, Poll};
use std::time::Instant;

use super::message::{Context, Reply, Replying, Running};
use crate::error::Error;

thread_local! {
    /// The message that this thread is executing.
    static CURRENT: RefCell<Option<Context>> = const { RefCell::new(None) };
    /// Whence its answer will come, from when its method has returned without one until its execution sees to that.
    static KEPT: Cell<Option<Replying>> = const { Cell::new(None) };
}

/// Asks about the message being executed, if there is one.
pub(crate) fn current<R>(ask: impl FnOnce(&Context) -> R) -> Option<R> {
    CURRENT.with_borrow(|current| current.as_ref().map(ask))
}

/// The method being executed has returned, and its caller waits for this answer. Whoever calls this is pending, and is not
/// polled again: so a method that answers when it returns, as most do, goes by none of this.
pub(crate) fn keep(answer: Replying) {
    KEPT.set(Some(answer));
}

impl Running {
    /// A method with its message.
    pub(crate) fn new(future: Replying, context: Option<Context>) -> Running {
        Running { future, context }
    }

    /// Something that is answered already.
    pub(crate) fn ready(reply: Reply) -> Running {
        Running::new(Box::pin(std::future::ready(reply)), None)
    }

    /// When it must have ended.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.context.as_ref().and_then(|context| context.deadline)
    }

    /// Polls the method once without anybody to wake: if it is pending, it must be polled again at once.
    pub(crate) fn poll_in_place(&mut self) -> Poll<Reply> {
        Pin::new(self).poll(&mut Waking::from_waker(std::task::Waker::noop()))
    }

    /// The rest of the execution, dropped when its deadline passes.
    pub(crate) async fn finish(self) -> Reply {
        self.finish_unless(std::future::pending::<()>).await
    }

    /// The same for a caller who may be gone: a method goes on to its end all the same, but an answer that comes later is
    /// then waited for no longer.
    pub(crate) async fn finish_unless<G>(self, gone: impl FnOnce() -> G) -> Reply
    where
        G: Future<Output = ()>,
    {
        let deadline = self.deadline();
        let answer = self.answer_unless(gone);
        match deadline {
            None => answer.await,
            Some(deadline) => {
                let limit = tokio::time::Instant::from_std(deadline);
                tokio::time::timeout_at(limit, answer).await.unwrap_or(Reply::Fault(Error::Timeout))
            }
        }
    }

    async fn answer_unless<G>(mut self, gone: impl FnOnce() -> G) -> Reply
    where
        G: Future<Output = ()>,
    {
        let answered = poll_fn(|waking| match Pin::new(&mut self).poll(waking) {
            Poll::Ready(reply) => Poll::Ready(Some(reply)),
            Poll::Pending if self.has_returned() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        });
        if let Some(reply) = answered.await {
            return reply;
        }
        // In a box, as few calls come here, and all would have to have the room.
        let mut gone = Box::pin(gone());
        poll_fn(|waking| match Pin::new(&mut self).poll(waking) {
            Poll::Ready(reply) => Poll::Ready(reply),
            Poll::Pending => gone.as_mut().poll(waking).map(|()| Reply::Fault(Error::Cancelled)),
        })
        .await
    }

    fn poll_method(&mut self, waking: &mut Waking<'_>) -> Poll<Reply> {
        let entered = Entered::enter(&mut self.context);
        match catch_unwind(AssertUnwindSafe(|| self.future.as_mut().poll(waking))) {
            Ok(poll) => poll,
            Err(panic) => {
                drop(entered);
                Poll::Ready(self.fail(panic.as_ref()))
            }
        }
    }

    /// Whether the method has returned, and there is no more to it than to wait for the answer.
    fn has_returned(&self) -> bool {
        self.context.as_ref().is_some_and(|context| context.this.is_none())
    }

    /// The method has returned or panicked. What is left of it goes at once, whoever holds the call: it has no turn any
    /// more, and does not keep its object.
    fn go_on_with(&mut self, rest: Replying) {
        let method = std::mem::replace(&mut self.future, rest);
        let this = self.context.as_mut().and_then(|context| context.this.take());
        contained(|| drop(method));
        contained(|| drop(this));
    }

    fn fail(&mut self, panic: &(dyn Any + Send)) -> Reply {
        let panic = panic_text(panic);
        if let Some(this) = self.context.as_ref().and_then(|context| context.this.as_ref()) {
            // Before the next one has its turn.
            this.note_panic(&panic);
        }
        self.go_on_with(Box::pin(std::future::pending()));
        Reply::Fault(Error::Panicked(panic))
    }
}

impl Future for Running {
    type Output = Reply;

    fn poll(mut self: Pin<&mut Self>, waking: &mut Waking<'_>) -> Poll<Reply> {
        let poll = self.poll_method(waking);
        if poll.is_pending()
            && let Some(answer) = KEPT.take()
        {
            self.go_on_with(answer);
            return self.poll(waking);
        }
        poll
    }
}

/// While it lives, the context is this thread's; what was before comes back after, since near calls nest.
struct Entered<'c> {
    home: &'c mut Option<Context>,
    outer: Option<Context>,
}

impl<'c> Entered<'c> {
    fn enter(context: &'c mut Option<Context>) -> Option<Entered<'c>> {
        context.is_some().then(|| {
            let outer = CURRENT.replace(context.take());
            Entered { home: context, outer }
        })
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        *self.home = CURRENT.replace(self.outer.take());
    }
}

/// Runs what may drop something of the user's. A destructor that panics must not take a session with it.
pub(crate) fn contained(run: impl FnOnce()) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(run)) {
        tracing::error!(panic = panic_text(panic.as_ref()), "a destructor panicked");
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a message").to_owned()
}
