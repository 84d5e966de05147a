//! The public handle to the sending end of a stream.
//!
//! It must not know the receiver.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::Serialize;

use super::batch::Encoded;
use super::outlet::Outlet;
use crate::error::{Error, Result};

/// The sending end of a [`Stream`](crate::Stream); made by [`Stream::channel`](crate::Stream::channel), or passed to the
/// closure of [`Stream::new`](crate::Stream::new).
///
/// When the receiver drops the stream, [`Sink::send`] fails and [`Sink::closed`] resolves. A sink that is dropped without
/// [`Sink::end`] ends the stream with [`Error::Ended`], so that an incomplete stream is not mistaken for a complete one. (In
/// [`Stream::new`](crate::Stream::new) the output of the future ends the stream.) Several tasks can send through a shared
/// reference.
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
    /// Waits for credit, and sends a value after those before it. Resolves when the value is handed over, not when it has
    /// arrived.
    ///
    /// # Errors
    /// [`Error::Ended`] if the receiver has dropped the stream; what happened to the session with the receiver; or, if the value
    /// cannot be encoded, the reason, after which other values can be sent.
    ///
    /// # Cancel safety
    /// Cancel safe: if the future is dropped before it resolves, the value is not sent.
    ///
    /// ```
    /// # use remote_core::{Error, Stream};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let (sink, mut stream) = Stream::channel();
    /// tokio::spawn(async move {
    ///     while sink.send("tick".to_owned()).await.is_ok() {} // until the stream is dropped
    /// });
    /// assert_eq!(stream.next().await, Some(Ok("tick".to_owned())));
    /// # }
    /// ```
    pub async fn send(&self, value: V) -> Result<()> {
        let value = Encoded::of(&value)?;
        self.outlet.put(value).await
    }
}

impl<V> Sink<V> {
    pub(super) fn new(outlet: Arc<Outlet>) -> Sink<V> {
        Sink { outlet, values: PhantomData }
    }

    /// Ends the stream, and waits until all values have arrived.
    ///
    /// # Errors
    /// Those of [`Sink::send`]: not all values have arrived, or this is not known.
    ///
    /// # Cancel safety
    /// The stream ends when the future is first polled. Dropping it later does not revoke the end.
    ///
    /// ```
    /// # use remote_core::{Result, Stream};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// let (sink, mut stream) = Stream::<u64>::channel();
    /// let ending = tokio::spawn(sink.end());
    /// assert_eq!(stream.next().await, None);
    /// ending.await.unwrap()
    /// # }
    /// ```
    pub async fn end(self) -> Result<()> {
        self.outlet.end(None);
        self.outlet.over().await
    }

    /// Ends the stream with an error, and waits until it has arrived. It is the last item of the stream, as [`Error::Nested`].
    ///
    /// # Errors
    /// Those of [`Sink::end`].
    ///
    /// # Cancel safety
    /// As [`Sink::end`].
    ///
    /// ```
    /// # use remote_core::{Error, Result, Stream};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// let (sink, mut stream) = Stream::<u64>::channel();
    /// let failing = tokio::spawn(sink.fail(Error::Refused("out of paper".into())));
    /// let last = stream.next().await.unwrap().unwrap_err();
    /// assert_eq!(last.root(), &Error::Refused("out of paper".into()));
    /// assert_eq!(stream.next().await, None);
    /// # failing.await.unwrap()?;
    /// # Ok(()) }
    /// ```
    pub async fn fail(self, error: Error) -> Result<()> {
        self.outlet.end(Some(nested(error)));
        self.outlet.over().await
    }

    /// Waits until the producer should end the stream: the node at one of its two ends has begun to shut down, or no more values
    /// are wanted. The stream goes on until the limit of the shutdown; after it, the stream ends with an error.
    ///
    /// # Cancel safety
    /// Cancel safe: dropping the future has no effect.
    ///
    /// ```
    /// use std::time::Duration;
    /// use remote_core::{Node, Ref, Remote, Result, Stream, remote};
    ///
    /// #[remote]
    /// trait Clock {
    ///     async fn ticks(&self) -> Result<Stream<u64>>;
    /// }
    ///
    /// #[derive(Remote)]
    /// #[remote(Clock)]
    /// struct Steady;
    ///
    /// #[remote]
    /// impl Clock for Steady {
    ///     async fn ticks(&self) -> Result<Stream<u64>> {
    ///         Ok(Stream::new(|sink| async move {
    ///             sink.send(0).await?;
    ///             sink.closing().await; // an endless stream is ended here
    ///             sink.send(1).await
    ///         }))
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// let server = Node::listen("memory://closing-doc").await?;
    /// server.publish("clock", Ref::<dyn Clock>::new(Steady)).await?;
    /// let clock: Ref<dyn Clock> = Node::new().lookup(server.uri("clock")).await?;
    /// let mut ticks = clock.ticks().await?;
    /// assert_eq!(ticks.next().await, Some(Ok(0)));
    /// let shutdown = tokio::spawn(async move { server.shutdown(Duration::from_secs(10)).await });
    /// assert_eq!(ticks.next().await, Some(Ok(1)));
    /// assert_eq!(ticks.next().await, None);
    /// assert!(shutdown.await.unwrap().is_complete());
    /// # Ok(()) }
    /// ```
    pub async fn closing(&self) {
        self.outlet.closing().await;
    }

    /// Waits until the receiver takes no more values, and returns the reason: [`Error::Ended`] if the receiver has dropped the
    /// stream, or the error of the session.
    ///
    /// # Cancel safety
    /// Cancel safe: dropping the future has no effect.
    ///
    /// ```
    /// # use remote_core::{Error, Stream};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let (sink, stream) = Stream::<u64>::channel();
    /// drop(stream);
    /// assert!(matches!(sink.closed().await, Error::Ended(_)));
    /// # }
    /// ```
    pub async fn closed(&self) -> Error {
        // While there is a sink, the stream can only end with an error.
        self.outlet.over().await.err().unwrap_or(Error::Cancelled)
    }
}

/// Wraps an error of the producer as the consumer sees it: the error of another node.
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
