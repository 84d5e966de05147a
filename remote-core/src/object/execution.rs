//! The execution of a method: its context, its deadline, and its panics.
//!
//! It must not know where the message came from.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context as Waking, Poll};
use std::time::Instant;

use super::depth::Level;
use super::message::{Context, Reply, Replying, Running};
use crate::error::Error;

thread_local! {
    /// The context of the message that this thread is executing.
    static CURRENT: RefCell<Option<Context>> = const { RefCell::new(None) };
    /// The future of a deferred reply, from the return of the method until [`Running`] takes it, in the same poll.
    static DEFERRED: Cell<Option<Replying>> = const { Cell::new(None) };
}

/// Reads the context of the message that is being executed, if there is one.
pub(crate) fn current<R>(ask: impl FnOnce(&Context) -> R) -> Option<R> {
    CURRENT.with_borrow(|current| current.as_ref().map(ask))
}

/// Defers the reply to the message that is being executed: its method has returned. The caller then stays pending and is
/// not polled again. A method that does not defer its reply does not use this.
pub(crate) fn defer(answer: Replying) {
    DEFERRED.set(Some(answer));
}

impl Running {
    /// Makes the execution of a method in a context.
    pub(crate) fn new(future: Replying, context: Option<Context>) -> Running {
        Running { future, context }
    }

    /// Makes an execution that has its reply already.
    pub(crate) fn ready(reply: Reply) -> Running {
        Running::new(Box::pin(std::future::ready(reply)), None)
    }

    /// Returns the deadline of the message.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.context.as_ref().and_then(|context| context.deadline)
    }

    /// Polls the method once with a waker that does nothing. If it is pending, the caller must poll it again at once.
    pub(crate) fn poll_in_place(&mut self) -> Poll<Reply> {
        Pin::new(self).poll(&mut Waking::from_waker(std::task::Waker::noop()))
    }

    /// Executes the rest of the method. Drops it when its deadline passes.
    pub(crate) async fn finish(self) -> Reply {
        self.finish_unless(std::future::pending::<()>).await
    }

    /// Does the same for a caller that may stop waiting. The method is executed to its end in any case, but a deferred reply is
    /// awaited only until `gone` completes.
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
        // Boxed, since few calls need it and it would enlarge the future of all.
        let mut gone = Box::pin(gone());
        poll_fn(|waking| match Pin::new(&mut self).poll(waking) {
            Poll::Ready(reply) => Poll::Ready(reply),
            Poll::Pending => gone.as_mut().poll(waking).map(|()| Reply::Fault(Error::Cancelled)),
        })
        .await
    }

    fn poll_method(&mut self, waking: &mut Waking<'_>) -> Poll<Reply> {
        let _level = Level::enter();
        let entered = Entered::enter(&mut self.context);
        match catch_unwind(AssertUnwindSafe(|| self.future.as_mut().poll(waking))) {
            Ok(poll) => poll,
            Err(panic) => {
                drop(entered);
                Poll::Ready(self.fail(panic.as_ref()))
            }
        }
    }

    /// Returns true if the method has returned and its reply is deferred.
    fn has_returned(&self) -> bool {
        self.context.as_ref().is_some_and(|context| context.this.is_none())
    }

    /// Replaces the future of the method, which has returned or panicked. The method and the reference to its object are
    /// dropped at once, so that a serial object executes its next call and the call does not keep the object alive.
    fn replace_method(&mut self, rest: Replying) {
        let method = std::mem::replace(&mut self.future, rest);
        let this = self.context.as_mut().and_then(|context| context.this.take());
        contained(|| drop(method));
        contained(|| drop(this));
    }

    fn fail(&mut self, panic: &(dyn Any + Send)) -> Reply {
        let panic = panic_text(panic);
        if let Some(this) = self.context.as_ref().and_then(|context| context.this.as_ref()) {
            // Before a serial object executes its next call.
            this.note_panic(&panic);
        }
        self.replace_method(Box::pin(std::future::pending()));
        Reply::Fault(Error::Panicked(panic))
    }
}

impl Future for Running {
    type Output = Reply;

    fn poll(mut self: Pin<&mut Self>, waking: &mut Waking<'_>) -> Poll<Reply> {
        let poll = self.poll_method(waking);
        if poll.is_pending()
            && let Some(answer) = DEFERRED.take()
        {
            self.replace_method(answer);
            return self.poll(waking);
        }
        poll
    }
}

/// Makes a context the current one of this thread, until it is dropped. Then the outer one is restored, since near calls
/// nest.
struct Entered<'c> {
    saved: &'c mut Option<Context>,
    outer: Option<Context>,
}

impl<'c> Entered<'c> {
    fn enter(context: &'c mut Option<Context>) -> Option<Entered<'c>> {
        context.is_some().then(|| {
            let outer = CURRENT.replace(context.take());
            Entered { saved: context, outer }
        })
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        *self.saved = CURRENT.replace(self.outer.take());
    }
}

/// Runs a function that may drop a value of the user, and catches the panic of a destructor, which must not end a session.
pub(crate) fn contained(run: impl FnOnce()) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(run)) {
        tracing::error!(
            panic = panic_text(panic.as_ref()),
            "a destructor panicked; the panic was caught"
        );
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a message").to_owned()
}
