//! Combinators that run several futures in one task.
//!
//! They must not know what the futures do.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;

/// A future that runs in the background of another one.
pub(super) type Background<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Runs a future to its end and returns its output. Meanwhile it also polls others, and drops them at that end.
pub(super) async fn with_background<R>(
    main: impl Future<Output = R>,
    mut others: Vec<Background<'_>>,
) -> R {
    let mut main = pin!(main);
    poll_fn(move |context| {
        let result = main.as_mut().poll(context);
        if result.is_pending() {
            others.retain_mut(|other| other.as_mut().poll(context).is_pending());
        }
        result
    })
    .await
}

/// Returns the output of `future`, or `None` if `other` is ready first.
pub(super) async fn unless<R>(
    other: Pin<&mut impl Future>,
    future: impl Future<Output = R>,
) -> Option<R> {
    let (mut other, mut future) = (other, pin!(future));
    poll_fn(move |context| match future.as_mut().poll(context) {
        Poll::Ready(result) => Poll::Ready(Some(result)),
        Poll::Pending => other.as_mut().poll(context).map(|_| None),
    })
    .await
}
