//! The public handle to the receiving end of a stream.
//!
//! It must not know the sender. Until a value is taken or credit is issued, it is a reference to the source, which can be
//! passed on. Then it is opened, and stays in this process.

use std::fmt;
use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{Context, Poll};

use serde::de::{DeserializeOwned, Deserializer, SeqAccess, Visitor};
use serde::ser::{Error as _, Serializer};
use serde::{Deserialize, Serialize};

use super::messages::Source;
use super::outlet::Outlet;
use super::sink::Sink;
use super::source::{Maker, Offer};
use super::taking::Taking;
use crate::error::Result;
use crate::limits::Bounds;
use crate::object::marshal;
use crate::object::null::NullReceiver;
use crate::reference::reference::Ref;
use crate::wire::shape::STREAM;

/// The default number of values that may be sent and not yet taken; see [`Stream::with_credit`].
const DEFAULT_CREDIT: u64 = 1024;

/// A sequence of values as an argument or a result, with credit.
///
/// The receiver issues *credit*, and the sender sends no more values than it has credit for (the flow control of Tony
/// Garnock-Jones's "Actors for Squeak"). By default credit is issued as values are taken, so that at most 1024 values and 1 MiB
/// are sent and not yet taken. [`Stream::with_credit`] sets another number; [`Stream::credit`] issues credit by hand. The
/// sender waits for credit in [`Sink::send`].
///
/// Values arrive in the order in which they were sent, followed by the end. An error is the last item: the error of the sender,
/// as [`Error::Nested`](crate::Error::Nested), or the error of the session, after the values that arrived. Dropping the stream
/// ends the sender.
///
/// A stream can be passed like a reference, at any depth of an argument or a result, and can be passed on as long as no value
/// was taken from it. Its values are encoded like arguments, and may contain references and streams.
///
/// ```
/// use remote_core::{Node, Ref, Remote, Result, Stream, remote};
///
/// #[remote]
/// trait Mathematician {
///     async fn squares(&self, numbers: Stream<u64>) -> Result<Stream<u64>>;
/// }
///
/// #[derive(Remote)]
/// #[remote(Mathematician)]
/// struct Gauss;
///
/// #[remote]
/// impl Mathematician for Gauss {
///     async fn squares(&self, mut numbers: Stream<u64>) -> Result<Stream<u64>> {
///         Ok(Stream::new(|sink| async move {
///             while let Some(number) = numbers.next().await {
///                 sink.send(number?.pow(2)).await?;
///             }
///             Ok(())
///         }))
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
/// let server = Node::listen("tcp://127.0.0.1:0").await?;
/// server.publish("gauss", Ref::<dyn Mathematician>::new(Gauss)).await?;
/// let gauss: Ref<dyn Mathematician> = Node::new().lookup(server.uri("gauss")).await?;
///
/// let mut squares = gauss.squares(Stream::from_iter(1..)).await?; // of all numbers: as many as are taken
/// assert_eq!(squares.next().await, Some(Ok(1)));
/// assert_eq!(squares.next().await, Some(Ok(4)));
/// assert_eq!(squares.next().await, Some(Ok(9)));
/// # Ok(()) }
/// ```
#[must_use = "nothing is sent before it is taken"]
pub struct Stream<V> {
    state: State,
    /// The number of values that may be sent and not yet taken.
    window: u64,
    /// The bounds for decoding values: those of the node that received the stream.
    bounds: Bounds,
    values: PhantomData<fn() -> V>,
}

enum State {
    Unopened(Ref<dyn Source>),
    Open(Box<Taking>),
    Over,
}

impl<V: Serialize + DeserializeOwned + 'static> Stream<V> {
    /// Returns a stream of the values that a future sends. The future starts when the first value is requested, and is dropped
    /// when no more values are taken. The stream ends with the future, and with its error if it returns one. The future is
    /// executed by a tokio task of the process in which the stream was made.
    ///
    /// ```
    /// use remote_core::{Error, Stream};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let mut stream = Stream::new(|sink| async move {
    ///     sink.send("one".to_owned()).await?;
    ///     Err(Error::Timeout)
    /// });
    /// assert_eq!(stream.next().await, Some(Ok("one".to_owned())));
    /// assert_eq!(stream.next().await, Some(Err(Error::Nested(Box::new(Error::Timeout)))));
    /// assert_eq!(stream.next().await, None);
    /// # }
    /// ```
    pub fn new<F>(make: impl FnOnce(Sink<V>) -> F) -> Stream<V>
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let outlet = Arc::<Outlet>::default();
        let maker = Maker::of(make(Sink::new(Arc::clone(&outlet))));
        Stream::of(Ref::new(Offer::new(outlet, maker)))
    }

    /// Returns a stream of the values of an iterator, which is advanced as far as there is credit.
    ///
    /// ```
    /// # use remote_core::Stream;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let mut stream = Stream::from_iter(["a".to_owned(), "b".to_owned()]);
    /// assert_eq!(stream.next().await, Some(Ok("a".to_owned())));
    /// # }
    /// ```
    #[allow(
        clippy::should_implement_trait,
        reason = "the trait takes any iterator, and this one must be able to go to another thread"
    )]
    pub fn from_iter<I>(values: I) -> Stream<V>
    where
        I: IntoIterator<Item = V, IntoIter: Send + 'static>,
        V: Send,
    {
        let values = values.into_iter();
        Stream::new(|sink| async move {
            for value in values {
                sink.send(value).await?;
            }
            Ok(())
        })
    }

    /// Returns a sink and a stream of the values that are sent through it: for values from several tasks, or from callbacks.
    ///
    /// ```
    /// # use remote_core::{Result, Stream};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// let (sink, mut stream) = Stream::channel();
    /// let sending = tokio::spawn(async move {
    ///     sink.send(1).await?;
    ///     sink.end().await
    /// });
    /// assert_eq!(stream.next().await, Some(Ok(1)));
    /// assert_eq!(stream.next().await, None);
    /// sending.await.unwrap()
    /// # }
    /// ```
    pub fn channel() -> (Sink<V>, Stream<V>) {
        let outlet = Arc::<Outlet>::default();
        let offer = Offer::new(Arc::clone(&outlet), Maker::Others);
        (Sink::new(outlet), Stream::of(Ref::new(offer)))
    }
}

impl<V: DeserializeOwned + 'static> Stream<V> {
    /// Waits for the next value, and returns it; `None` after the last one, and after an error. The first use opens the stream.
    ///
    /// # Errors
    /// An error is the last item: the error of the sender, as [`Error::Nested`](crate::Error::Nested); the error of the session;
    /// or [`Error::Decode`](crate::Error::Decode) for a value that cannot be decoded.
    ///
    /// # Cancel safety
    /// Cancel safe: dropping the future loses no value.
    ///
    /// ```
    /// # use remote_core::{Result, Stream};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// let mut stream = Stream::from_iter(1..=3_u64);
    /// let mut sum = 0;
    /// while let Some(value) = stream.next().await {
    ///     sum += value?;
    /// }
    /// assert_eq!(sum, 6);
    /// # Ok(()) }
    /// ```
    pub async fn next(&mut self) -> Option<Result<V>> {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// Polls for the next value, as [`Stream::next`] does: for futures that are written by hand, and for adapters.
    ///
    /// # Errors
    /// Those of [`Stream::next`].
    ///
    /// ```
    /// # use remote_core::Stream;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let mut stream = Stream::from_iter([1_u64]);
    /// let next = std::future::poll_fn(|context| stream.poll_next(context)).await;
    /// assert_eq!(next, Some(Ok(1)));
    /// # }
    /// ```
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<V>>> {
        let (bounds, window) = (self.bounds, self.window);
        let Some(taking) = self.open() else { return Poll::Ready(None) };
        let next = taking.poll_next(bounds, window, context);
        if let Poll::Ready(None | Some(Err(_))) = next {
            self.state = State::Over;
        }
        next
    }
}

impl<V> Stream<V> {
    /// Sets the maximum number of values that are sent and not yet taken; 1024 by default. Credit is issued as values are
    /// taken. With 0, credit is issued only by [`Stream::credit`]. Must be set before the first value is taken.
    ///
    /// ```
    /// # use remote_core::Stream;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let mut stream = Stream::from_iter(1_u64..).with_credit(8); // at most 8 values ahead
    /// assert_eq!(stream.next().await, Some(Ok(1)));
    /// # }
    /// ```
    pub fn with_credit(mut self, values: u64) -> Stream<V> {
        self.window = values;
        self
    }

    /// Issues credit for this many more values. Opens the stream, if nothing was taken yet.
    ///
    /// ```
    /// use remote_core::Stream;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let mut stream = Stream::from_iter(1..=3_u64).with_credit(0);
    /// stream.credit(2);
    /// assert_eq!(stream.next().await, Some(Ok(1)));
    /// assert_eq!(stream.next().await, Some(Ok(2)));
    /// // Another `next` would wait for ever: nothing is sent without credit.
    /// stream.credit(1);
    /// assert_eq!(stream.next().await, Some(Ok(3)));
    /// assert_eq!(stream.next().await, None); // the end needs none
    /// # }
    /// ```
    pub fn credit(&mut self, values: u64) {
        if let Some(taking) = self.open() {
            taking.issue(values);
        }
    }

    /// Opens the stream if it is not open yet; `None` if it is over.
    fn open(&mut self) -> Option<&mut Taking> {
        if let State::Unopened(source) = &self.state {
            self.state = State::Open(Box::new(Taking::new(source.clone(), self.window)));
        }
        match &mut self.state {
            State::Open(taking) => Some(taking),
            State::Unopened(_) | State::Over => None,
        }
    }

    fn of(source: Ref<dyn Source>) -> Stream<V> {
        let bounds = marshal::bounds().unwrap_or_default();
        Stream {
            state: State::Unopened(source),
            window: DEFAULT_CREDIT,
            bounds,
            values: PhantomData,
        }
    }
}

impl<V> fmt::Debug for Stream<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(STREAM)
    }
}

impl<V> Serialize for Stream<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.state {
            State::Unopened(source) => serializer.serialize_newtype_struct(STREAM, source),
            State::Open(_) | State::Over => Err(S::Error::custom(
                "a stream from which values were taken cannot be passed on; make a new stream of the rest",
            )),
        }
    }
}

impl<'de, V: DeserializeOwned> Deserialize<'de> for Stream<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Stream<V>, D::Error> {
        struct StreamVisitor<V>(PhantomData<fn() -> V>);
        impl<'de, V: DeserializeOwned> Visitor<'de> for StreamVisitor<V> {
            type Value = Stream<V>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a stream")
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(
                self,
                source: D,
            ) -> Result<Stream<V>, D::Error> {
                Ref::deserialize(source).map(Stream::of)
            }

            /// Called when the shape of the type is traced, and not for a value: see `wire::shape`.
            fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Stream<V>, A::Error> {
                values.next_element::<V>()?;
                Ok(Stream::of(Ref::to(Arc::new(NullReceiver))))
            }
        }
        deserializer.deserialize_newtype_struct(STREAM, StreamVisitor(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::shape::Shape;

    fn shape<V: DeserializeOwned>() -> String {
        let mut shape = Shape::default();
        shape.of::<V>();
        shape.text().to_owned()
    }

    #[test]
    fn the_shape_of_a_stream_is_that_of_its_values() {
        assert_eq!(shape::<Stream<u64>>(), "Stream u64,");
        assert_eq!(shape::<Vec<Stream<Stream<String>>>>(), "seq Stream Stream str,");
        assert_eq!(shape::<(Stream<u8>, Stream<u8>)>(), "(Stream u8,Stream u8,)");
    }

    #[test]
    fn the_shape_of_a_recursive_stream_is_finite() {
        #[derive(Deserialize)]
        #[allow(dead_code, reason = "it is only traced")]
        struct Folder {
            name: String,
            folders: Stream<Folder>,
        }
        let text = shape::<Folder>();
        assert!(text.len() < 200 && !text.ends_with('?'), "{text}");
    }

    #[tokio::test]
    async fn streams_and_sinks_are_send_and_sync() {
        fn assert_handle<T: Send + Sync + Unpin>(_: &T) {}
        fn assert_send<T: Send>(future: T) -> T {
            future
        }
        let (sink, mut stream) = Stream::channel();
        assert_handle(&sink);
        assert_handle(&stream);
        stream.credit(1);
        assert_send(sink.send(1)).await.unwrap();
        assert_eq!(assert_send(stream.next()).await, Some(Ok(1)));
        drop(assert_send(sink.end()));
    }
}
