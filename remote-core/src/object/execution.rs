//! Owns the execution of a method: what it can ask about its message, its deadline, its panics.
//!
//! It must not know where the message came from.

use std::any::Any;
use std::cell::RefCell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context as Waking, Poll};
use std::time::Instant;

use super::message::{Context, Reply, Running};
use crate::error::Error;

thread_local! {
    /// The message that this thread is executing.
    static CURRENT: RefCell<Option<Context>> = const { RefCell::new(None) };
}

/// Asks about the message being executed, if there is one.
pub(crate) fn current<R>(ask: impl FnOnce(&Context) -> R) -> Option<R> {
    CURRENT.with_borrow(|current| current.as_ref().map(ask))
}

impl Running {
    /// A method with its message.
    pub(crate) fn new(
        future: Pin<Box<dyn Future<Output = Reply> + Send>>,
        context: Option<Context>,
    ) -> Running {
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

    /// The method has panicked. What is left of it goes now, whoever holds the call: with its turn, if it has one.
    fn panicked(&mut self, panic: String) -> Reply {
        let rest = std::mem::replace(&mut self.future, Box::pin(std::future::pending()));
        contained(|| drop(rest));
        Reply::Fault(Error::Panicked(panic))
    }

    /// The rest of the execution, dropped when its deadline passes.
    pub(crate) async fn finish(self) -> Reply {
        match self.deadline() {
            None => self.await,
            Some(deadline) => {
                let limit = tokio::time::Instant::from_std(deadline);
                tokio::time::timeout_at(limit, self).await.unwrap_or(Reply::Fault(Error::Timeout))
            }
        }
    }
}

impl Future for Running {
    type Output = Reply;

    fn poll(mut self: Pin<&mut Self>, waking: &mut Waking<'_>) -> Poll<Reply> {
        let running = &mut *self;
        let entered = Entered::enter(&mut running.context);
        match catch_unwind(AssertUnwindSafe(|| running.future.as_mut().poll(waking))) {
            Ok(poll) => poll,
            Err(panic) => {
                drop(entered);
                Poll::Ready(running.panicked(panic_text(panic.as_ref())))
            }
        }
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
