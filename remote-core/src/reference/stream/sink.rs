//! Owns the end of a stream that values are put in at.
//!
//! It must not know who takes them out, nor where.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::Serialize;

use super::batch::Encoded;
use super::outlet::Outlet;
use crate::error::{Error, Result};

/// Where the values of a [`Stream`](crate::Stream) are put in.
///
/// It is told when nobody takes them any more: [`Sink::send`] fails, and [`Sink::closed`] comes to its end. Whoever takes
/// values is told when it is dropped: a stream that was not ended is not mistaken for a whole one.
///
/// ```
/// use remote_core::{Error, Result, Stream};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
/// let (sink, mut stream) = Stream::channel();
/// let sending = tokio::spawn(async move {
///     sink.send(1).await?;
///     sink.send(2).await?;
///     sink.end().await
/// });
/// assert_eq!(stream.next().await, Some(Ok(1)));
/// assert_eq!(stream.next().await, Some(Ok(2)));
/// assert_eq!(stream.next().await, None);
/// assert_eq!(sending.await.unwrap(), Ok(()));
/// # Ok(()) }
/// ```
pub struct Sink<V> {
    outlet: Arc<Outlet>,
    values: PhantomData<fn(V)>,
}

impl<V: Serialize + 'static> Sink<V> {
    /// Sends a value, as soon as there is credit for it. Done when it is on its way, behind those before it. Dropped
    /// before, it sends nothing.
    ///
    /// # Errors
    /// [`Error::Ended`] if nobody takes the values any more; what became of the session with whoever did; or why the value
    /// cannot be encoded, after which others can be sent.
    pub async fn send(&self, value: V) -> Result<()> {
        let value = Encoded::of(&value)?;
        self.outlet.put(value).await
    }
}

impl<V> Sink<V> {
    pub(super) fn new(outlet: Arc<Outlet>) -> Sink<V> {
        Sink { outlet, values: PhantomData }
    }

    /// Ends the stream: there are no more values. Done when all of them have arrived.
    ///
    /// # Errors
    /// As of [`Sink::send`]: not all values have arrived, or nobody can tell.
    pub async fn end(self) -> Result<()> {
        self.outlet.end(None);
        self.outlet.over().await
    }

    /// Ends the stream with an error, which is the last that comes out of it, as [`Error::Nested`]. Done when it has
    /// arrived.
    ///
    /// # Errors
    /// As of [`Sink::end`].
    pub async fn fail(self, error: Error) -> Result<()> {
        self.outlet.end(Some(nested(error)));
        self.outlet.over().await
    }

    /// Waits until nobody takes the values any more; why.
    pub async fn closed(&self) -> Error {
        // It comes to no other end while there is a sink.
        self.outlet.over().await.err().unwrap_or(Error::Cancelled)
    }
}

/// An error of the producer's, as it stands for the consumer: another's.
pub(super) fn nested(error: Error) -> Error {
    match error {
        Error::Nested(_) => error,
        other => Error::Nested(Box::new(other)),
    }
}

impl<V> Drop for Sink<V> {
    fn drop(&mut self) {
        self.outlet.abandon();
    }
}

impl<V> fmt::Debug for Sink<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sink")
    }
}
