//! The deadline of one message: the limit that its sender set, and the instant that it means once the message is sent.
//!
//! It must not know messages. It is one pointer, since most messages have none, and a message is moved several times.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::time::Sleep;

/// A deadline, or none.
#[derive(Default)]
pub(super) struct Deadline(Option<Box<Parts>>);

#[derive(Default)]
struct Parts {
    /// The limit that the sender set.
    limit: Option<Duration>,
    /// The instant after which the result counts as late: by the limit, or by the deadline of the method that sent the message.
    /// Set when the message is sent.
    instant: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Deadline {
    /// Sets a limit. Of several, the shortest counts.
    pub(super) fn set_limit(&mut self, limit: Duration) {
        let parts = self.0.get_or_insert_default();
        parts.limit = Some(parts.limit.map_or(limit, |earlier| earlier.min(limit)));
    }

    pub(super) fn limit(&self) -> Option<Duration> {
        self.0.as_ref()?.limit
    }

    /// Starts the time limit, as the message is sent. Returns the earlier one of its end and the inherited deadline.
    pub(super) fn start(&mut self, inherited: Option<Instant>) -> Option<Instant> {
        let own = self.limit().and_then(|limit| Instant::now().checked_add(limit));
        let instant = [own, inherited].into_iter().flatten().min();
        if instant.is_some() {
            self.0.get_or_insert_default().instant = instant;
        }
        instant
    }

    /// Returns true if the message was sent and its deadline has passed.
    pub(super) fn has_passed(&self) -> bool {
        let instant = self.0.as_ref().and_then(|parts| parts.instant);
        instant.is_some_and(|instant| instant <= Instant::now())
    }

    /// Waits for the end of the limit that the sender set. An inherited deadline is the business of the method that has it.
    #[inline]
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        match &mut self.0 {
            Some(parts) => parts.poll(context),
            None => Poll::Pending,
        }
    }
}

impl Parts {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(limit) = self.limit else { return Poll::Pending };
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        timer.as_mut().poll(context)
    }
}
