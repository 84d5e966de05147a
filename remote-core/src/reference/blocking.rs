//! The check that a thread may be blocked.
//!
//! It must not know what blocks it.

use std::task::{Context, Poll, Waker};

use tokio::task::coop;

/// Returns true if tokio is polling a future on this thread, which must not be blocked. tokio does not say so; but only then it
/// limits the work of one poll.
pub(super) fn is_polled_by_tokio() -> bool {
    /// More than tokio's budget for one poll.
    const ENOUGH: usize = 1024;
    let mut context = Context::from_waker(Waker::noop());
    let mut taken = Vec::new();
    let is_limited = loop {
        match coop::poll_proceed(&mut context) {
            Poll::Ready(restore) => taken.push(restore),
            Poll::Pending => break true,
        }
        if taken.len() > ENOUGH {
            break false;
        }
    };
    // Each restores the budget as it was before it: the first one last.
    while taken.pop().is_some() {}
    is_limited
}
