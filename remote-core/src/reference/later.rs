//! Deferred replies: the method returns, and the owner of the reply sends it later.
//!
//! It must not know how calls arrive nor how replies are sent.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::sync::oneshot;

use crate::error::{Error, Result};
use crate::object::{execution, message};

/// The reply to one call that is sent after its method has returned. It can be stored and moved to other tasks.
///
/// A method of an `impl` marked `#[remote]` may return `Result<Later<V>>` where its interface says `Result<V>`. Its callers
/// see no difference. [`reply_later`] makes the two parts: the method returns the [`Later`] and keeps the `Reply`.
///
/// ```
/// use std::{collections::VecDeque, sync::Mutex};
/// use remote_core::{Later, Ref, Remote, Reply, Result, remote, reply_later};
///
/// #[remote]
/// trait Line {
///     async fn read(&self) -> Result<String>;
///     async fn write(&self, text: String) -> Result<()>;
/// }
///
/// #[derive(Remote, Default)]
/// #[remote(Line, serial)]
/// struct Wire {
///     texts: Mutex<VecDeque<String>>,
///     readers: Mutex<VecDeque<Reply<String>>>,
/// }
///
/// #[remote]
/// impl Line for Wire {
///     async fn read(&self) -> Result<Later<String>> {
///         if let Some(text) = self.texts.lock().unwrap().pop_front() {
///             return Ok(text.into()); // at once
///         }
///         let (reply, later) = reply_later();
///         self.readers.lock().unwrap().push_back(reply);
///         Ok(later)
///     }
///
///     async fn write(&self, mut text: String) -> Result<()> {
///         while let Some(reader) = self.readers.lock().unwrap().pop_front() {
///             match reader.send(text) {
///                 Ok(()) => return Ok(()),
///                 Err(unwanted) => text = unwanted, // that reader has gone: the next one gets it
///             }
///         }
///         self.texts.lock().unwrap().push_back(text);
///         Ok(())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
/// let line: Ref<dyn Line> = Ref::new(Wire::default());
/// let (read, written) = tokio::join!(line.read(), line.write("hello".into()));
/// assert_eq!((read?, written?), ("hello".to_owned(), ()));
/// # Ok(()) }
/// ```
///
/// Until the reply is sent the call is in progress: it counts in the window of its session, has its deadline, and can be
/// cancelled. [`is_wanted`](Reply::is_wanted) and [`closed`](Reply::closed) report that, and the end of the session. The
/// method has returned: a serial object executes the next call, and the call does not keep its object alive. A reply that is
/// dropped fails the call with [`Error::Unanswered`].
#[must_use = "a reply that is dropped fails its call"]
pub struct Reply<V, E = Error> {
    answer: oneshot::Sender<Result<V, E>>,
}

/// The return value of a method that defers its reply; made by [`reply_later`]. A method that has the value at once returns
/// `value.into()`.
///
/// ```
/// use remote_core::{Later, Ref, Remote, Result, remote};
///
/// #[remote]
/// trait Ask {
///     async fn ask(&self) -> Result<u64>;
/// }
///
/// #[derive(Remote)]
/// #[remote(Ask)]
/// struct Prompt;
///
/// #[remote]
/// impl Ask for Prompt {
///     async fn ask(&self) -> Result<Later<u64>> {
///         Ok(7.into())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let prompt: Ref<dyn Ask> = Ref::new(Prompt);
/// assert_eq!(prompt.ask().await, Ok(7));
/// # }
/// ```
#[must_use = "the method must return it"]
pub struct Later<V, E = Error>(When<Result<V, E>>);

/// A result, or the receiver of a deferred one.
enum When<R> {
    Now(R),
    Later(Deferred<R>),
}

/// Makes a reply of a deferred result.
#[doc(hidden)]
pub type MakeReply<R> = fn(Deferred<R>) -> Pin<Box<dyn Future<Output = message::Reply> + Send>>;

/// Receives a deferred result; `None` if the reply was dropped.
#[doc(hidden)]
pub struct Deferred<R>(oneshot::Receiver<R>);

impl<R> Future for Deferred<R> {
    type Output = Option<R>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<R>> {
        Pin::new(&mut self.0).poll(context).map(Result::ok)
    }
}

/// Returns a reply to keep, and the value that the method returns instead. See [`Reply`] for an example in a method.
///
/// ```
/// use remote_core::{Error, Later, Reply, reply_later};
/// let (reply, later): (Reply<u64, Error>, Later<u64, Error>) = reply_later();
/// assert!(reply.is_wanted());
/// drop(later); // as when the call is cancelled
/// assert_eq!(reply.send(7), Err(7));
/// ```
pub fn reply_later<V, E>() -> (Reply<V, E>, Later<V, E>) {
    let (answer, deferred) = oneshot::channel();
    (Reply { answer }, Later(When::Later(Deferred(deferred))))
}

impl<V, E> Reply<V, E> {
    /// Replies with a value. `Ok` means that the caller was still waiting, not that the value will arrive.
    ///
    /// # Errors
    /// The value itself, if the call is no longer in progress.
    ///
    /// ```
    /// # use remote_core::{Later, Ref, Remote, Result, remote, reply_later};
    /// # #[remote] trait Ask { async fn ask(&self) -> Result<u64>; }
    /// # #[derive(Remote)] #[remote(Ask)] struct Postponer;
    /// # #[remote] impl Ask for Postponer {
    /// async fn ask(&self) -> Result<Later<u64>> {
    ///     let (reply, later) = reply_later();
    ///     tokio::spawn(async move {
    ///         if reply.send(42).is_err() { /* the caller has gone */ }
    ///     });
    ///     Ok(later)
    /// }
    /// # }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// # let asked: Ref<dyn Ask> = Ref::new(Postponer);
    /// # assert_eq!(asked.ask().await?, 42);
    /// # Ok(()) }
    /// ```
    pub fn send(self, value: V) -> Result<(), V> {
        match self.answer.send(Ok(value)) {
            Err(Ok(value)) => Err(value),
            Ok(()) | Err(Err(_)) => Ok(()),
        }
    }

    /// Replies with an error, as if the method had returned it.
    ///
    /// ```
    /// # use remote_core::{Error, Later, Ref, Remote, Result, remote, reply_later};
    /// # #[remote] trait Ask { async fn ask(&self) -> Result<u64>; }
    /// # #[derive(Remote)] #[remote(Ask)] struct Refuser;
    /// # #[remote] impl Ask for Refuser {
    /// async fn ask(&self) -> Result<Later<u64>> {
    ///     let (reply, later) = reply_later();
    ///     tokio::spawn(async move { reply.fail(Error::Refused("not today".into())) });
    ///     Ok(later)
    /// }
    /// # }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// # let asked: Ref<dyn Ask> = Ref::new(Refuser);
    /// # assert_eq!(asked.ask().await.unwrap_err().root(), &Error::Refused("not today".into()));
    /// # Ok(()) }
    /// ```
    pub fn fail(self, error: E) {
        let _ = self.answer.send(Err(error));
    }

    /// Returns true while the call is in progress: it was not cancelled, its deadline has not passed, and its session has not
    /// ended. For a one-way message it also returns true, although no caller waits for the reply.
    ///
    /// ```
    /// use remote_core::{Error, Later, Reply, reply_later};
    /// let (reply, later): (Reply<u64, Error>, Later<u64, Error>) = reply_later();
    /// assert!(reply.is_wanted());
    /// drop(later);
    /// assert!(!reply.is_wanted());
    /// ```
    pub fn is_wanted(&self) -> bool {
        !self.answer.is_closed()
    }

    /// Waits until the call is no longer in progress: until [`is_wanted`](Reply::is_wanted) returns false.
    ///
    /// # Cancel safety
    /// Cancel safe: dropping the future has no effect.
    ///
    /// ```
    /// # use remote_core::{Error, Later, reply_later};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// # let (mut reply, later): (_, Later<u64, Error>) = reply_later();
    /// # drop(later); // as when the call is cancelled
    /// let work = std::future::pending::<u64>();
    /// let value = tokio::select! {
    ///     () = reply.closed() => None, // no more work for this call
    ///     value = work => Some(value),
    /// };
    /// assert_eq!(value, None);
    /// # }
    /// ```
    pub async fn closed(&mut self) {
        self.answer.closed().await;
    }
}

impl<V, E> From<V> for Later<V, E> {
    fn from(value: V) -> Later<V, E> {
        Later(When::Now(Ok(value)))
    }
}

impl<V, E> fmt::Debug for Reply<V, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").field("is_wanted", &self.is_wanted()).finish()
    }
}

impl<V, E> fmt::Debug for Later<V, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Later").finish_non_exhaustive()
    }
}

/// The execution of a method that may defer its reply.
pub(crate) struct Deferring<'a, R> {
    stage: Stage<'a, R>,
    /// Returns the result of a call whose reply was dropped.
    unanswered: fn() -> R,
}

enum Stage<'a, R> {
    Method(Pin<Box<dyn Future<Output = When<R>> + Send + 'a>>),
    Returned(Deferred<R>),
}

impl<'a, V, E: From<Error>> Deferring<'a, Result<V, E>> {
    pub(crate) fn new(
        method: impl Future<Output = Result<Later<V, E>, E>> + Send + 'a,
    ) -> Deferring<'a, Result<V, E>> {
        let method = async move {
            match method.await {
                Ok(Later(when)) => when,
                Err(error) => When::Now(Err(error)),
            }
        };
        let stage = Stage::Method(Box::pin(method));
        Deferring { stage, unanswered: || Err(Error::Unanswered.into()) }
    }
}

impl<R> Deferring<'_, R> {
    /// Polls the method that is executed for a message. Returns the result, if the method does not defer its reply. If it
    /// does, the message's execution gets the deferred reply, and this stays pending.
    pub(crate) fn poll_executed(
        &mut self,
        context: &mut Context<'_>,
        make_reply: MakeReply<R>,
    ) -> Poll<R> {
        let Stage::Method(method) = &mut self.stage else { return Poll::Pending };
        match ready!(method.as_mut().poll(context)) {
            When::Now(result) => Poll::Ready(result),
            When::Later(deferred) => {
                execution::defer(make_reply(deferred));
                Poll::Pending
            }
        }
    }
}

/// Returns the result to a caller that calls the method directly.
impl<R> Future for Deferring<'_, R> {
    type Output = R;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<R> {
        loop {
            match &mut self.stage {
                Stage::Method(method) => match ready!(method.as_mut().poll(context)) {
                    When::Now(result) => return Poll::Ready(result),
                    When::Later(deferred) => self.stage = Stage::Returned(deferred),
                },
                Stage::Returned(deferred) => {
                    let deferred = ready!(Pin::new(deferred).poll(context));
                    return Poll::Ready(deferred.unwrap_or_else(self.unanswered));
                }
            }
        }
    }
}
