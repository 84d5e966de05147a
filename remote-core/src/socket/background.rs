//! Owns how one task does several things at a time, and waits for one thing or a change.
//!
//! It must not know what they are.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;

/// What is done beside something else.
pub(super) type Aside<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// What a future comes to; the others go on beside it, each to its own end, and no further than it does.
pub(super) async fn beside<R>(main: impl Future<Output = R>, mut others: Vec<Aside<'_>>) -> R {
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

/// What a future comes to, or nothing if the other one is ready first.
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
