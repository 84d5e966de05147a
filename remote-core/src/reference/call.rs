//! The future of one message, near or far.
//!
//! It must not know where the receiver is. The message is sent at the first poll or by pipelining; dropping the call
//! cancels it.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use super::blocking::is_polled_by_tokio;
use super::interface::{Interface, Proxy};
use super::later::{Deferring, Later, MakeReply};
use super::reference::Ref;
use super::sending::{Message, broken};
use crate::error::{Error, Result};
use crate::object::message::{Payload, Reply};
use crate::wire::method::Method;

/// The future of one message and its reply. The methods of an interface return it.
///
/// The message is sent when the call is first polled, or by [`Call::pipelined`]. A call that is never polled has no effect.
/// Its output is the method's `Result`.
///
/// # Cancel safety
///
/// Dropping a call that was sent cancels it: the method's future is dropped at its next await point, near at once, far when
/// the cancellation arrives. How far the method came is then unknown. A call can be polled by reference, as in
/// `tokio::select!` with `&mut call`, without losing the reply.
///
/// ```
/// use std::time::Duration;
/// use remote_core::{Error, Ref, Remote, Result, remote};
///
/// #[remote]
/// trait Sleeper {
///     async fn sleep(&self) -> Result<()>;
/// }
///
/// #[derive(Remote)]
/// #[remote(Sleeper)]
/// struct Deep;
///
/// #[remote]
/// impl Sleeper for Deep {
///     async fn sleep(&self) -> Result<()> {
///         std::future::pending().await
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let sleeper: Ref<dyn Sleeper> = Ref::new(Deep);
/// assert_eq!(sleeper.sleep().timeout(Duration::from_millis(10)).await, Err(Error::Timeout));
/// # }
/// ```
#[must_use = "a call is not sent before it is awaited; `.oneway()` and `.pipelined()` do not wait for the reply"]
pub struct Call<'a, R> {
    state: State<'a, R>,
    /// The method's default body, which is executed if the receiver's class does not know the message.
    default: Option<Box<dyn FnOnce() -> Call<'a, R> + Send + 'a>>,
}

enum State<'a, R> {
    /// A future of this process: the body of an implementation, or a mock.
    Body(Body<'a, R>),
    /// A message to the target of a reference.
    Message(Message<'a, R>),
}

enum Body<'a, R> {
    Plain(Pin<Box<dyn Future<Output = R> + Send + 'a>>),
    /// The body of a method that may defer its reply.
    Deferring(Box<Deferring<'a, R>>),
}

impl<R> Future for Body<'_, R> {
    type Output = R;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<R> {
        match &mut *self {
            Body::Plain(body) => body.as_mut().poll(context),
            Body::Deferring(body) => Pin::new(body).poll(context),
        }
    }
}

impl<'a, R> Call<'a, R> {
    /// Returns a call whose reply is the output of a future: for an implementation that is written without the macro.
    ///
    /// ```
    /// use remote_core::{Call, Result, remote};
    ///
    /// #[remote]
    /// trait Dice {
    ///     async fn roll(&self) -> Result<u8>;
    /// }
    ///
    /// struct Loaded;
    ///
    /// impl Dice for Loaded {
    ///     fn roll(&self) -> Call<'_, Result<u8>> {
    ///         Call::new(async { Ok(6) })
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// assert_eq!(Loaded.roll().await, Ok(6));
    /// # }
    /// ```
    pub fn new(future: impl Future<Output = R> + Send + 'a) -> Call<'a, R> {
        Call { state: State::Body(Body::Plain(Box::pin(future))), default: None }
    }
}

impl<'a, V, E> Call<'a, Result<V, E>> {
    /// Returns a call whose reply is the output of a future, which may defer it: for an implementation that is written without
    /// the macro and uses [`reply_later`](crate::reply_later).
    ///
    /// ```
    /// use remote_core::{Call, Result, remote, reply_later};
    ///
    /// #[remote]
    /// trait Oracle {
    ///     async fn ask(&self) -> Result<String>;
    /// }
    ///
    /// struct Delphi;
    ///
    /// impl Oracle for Delphi {
    ///     fn ask(&self) -> Call<'_, Result<String>> {
    ///         Call::later(async {
    ///             let (reply, later) = reply_later();
    ///             tokio::spawn(async { reply.send("perhaps".to_owned()) });
    ///             Ok(later)
    ///         })
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// assert_eq!(Delphi.ask().await, Ok("perhaps".to_owned()));
    /// # }
    /// ```
    pub fn later(
        future: impl Future<Output = Result<Later<V, E>, E>> + Send + 'a,
    ) -> Call<'a, Result<V, E>>
    where
        E: From<Error>,
    {
        let body = Body::Deferring(Box::new(Deferring::new(future)));
        Call { state: State::Body(body), default: None }
    }

    #[doc(hidden)]
    pub fn message<I: ?Sized>(
        proxy: &'a Proxy<I>,
        method: &'static Method,
        arguments: Result<Payload, Error>,
        decode: fn(Reply) -> Result<V, E>,
    ) -> Call<'a, Result<V, E>> {
        let message = Message::new(&proxy.receiver, method, arguments, decode);
        Call { state: State::Message(message), default: None }
    }

    #[doc(hidden)]
    pub fn executing(self, make_reply: MakeReply<Result<V, E>>) -> Executing<'a, Result<V, E>> {
        match self.state {
            State::Body(Body::Plain(body)) => Executing::Body(body),
            State::Body(Body::Deferring(_)) | State::Message(_) => {
                Executing::Call(Box::new((self, make_reply)))
            }
        }
    }

    #[doc(hidden)]
    pub fn or_default(mut self, default: impl FnOnce() -> Self + Send + 'a) -> Self {
        self.default = Some(Box::new(default));
        self
    }

    /// Sets a deadline, counted from when the call is sent. Of several, the earliest counts. With a limit of zero the call
    /// times out without being sent; one that exceeds what an [`Instant`] can represent is none.
    ///
    /// It travels with the message as the time that is left, in milliseconds, and applies to the calls that the method makes.
    /// When it has passed, the method's future is dropped, and the call fails with [`Error::Timeout`]. Needs a runtime with
    /// time enabled, unless the call is made with [`Call::wait`].
    ///
    /// ```
    /// # use remote_core::{Error, Ref, Remote, Result, remote};
    /// # #[remote] trait Sleep { async fn sleep(&self) -> Result<()>; }
    /// # #[derive(Remote)] #[remote(Sleep)] struct Dormouse;
    /// # #[remote] impl Sleep for Dormouse { async fn sleep(&self) -> Result<()> { std::future::pending().await } }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use std::time::Duration;
    ///
    /// let sleeper: Ref<dyn Sleep> = Ref::new(Dormouse);
    /// let late = sleeper.sleep().timeout(Duration::from_millis(1)).await;
    /// assert_eq!(late, Err(Error::Timeout));
    /// # }
    /// ```
    pub fn timeout(mut self, limit: Duration) -> Self
    where
        V: Send + 'a,
        E: From<Error> + Send + 'a,
    {
        match self.state {
            State::Message(ref mut message) => {
                message.set_limit(limit);
                self
            }
            State::Body(_) if limit.is_zero() => {
                Call::new(std::future::ready(Err(Error::Timeout.into())))
            }
            State::Body(body) => Call::new(async move {
                tokio::time::timeout(limit, body)
                    .await
                    .unwrap_or_else(|_| Err(Error::Timeout.into()))
            }),
        }
    }

    /// Makes the message one-way: the call resolves when the message is handed over, which is when there is room for it.
    ///
    /// `Ok` means: the method is executed exactly once, unless the session ends before the peer has received the message.
    /// [`Node::flush`](crate::Node::flush) waits until it has, and [`Node::shutdown`](crate::Node::shutdown) until the method has
    /// returned. A peer that has received the message executes it also if the session ends then.
    ///
    /// The return value of the method is dropped. Dropping the call before it resolves may or may not send the message; after that
    /// the method runs in any case.
    ///
    /// # Errors
    /// Errors that prevent the message from being sent: arguments that cannot be encoded, a limit, a session that has ended.
    /// Later failures are not reported.
    ///
    /// ```
    /// # use remote_core::{Ref, Remote, Result, remote};
    /// # #[remote] trait Log { async fn line(&self, text: &str) -> Result<()>; }
    /// # #[derive(Remote)] #[remote(Log)] struct Printout;
    /// # #[remote] impl Log for Printout { async fn line(&self, _: &str) -> Result<()> { Ok(()) } }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// let log: Ref<dyn Log> = Ref::new(Printout);
    /// assert_eq!(log.line("started").oneway().await, Ok(()));
    /// # Ok(()) }
    /// ```
    pub fn oneway(self) -> Call<'a, Result<(), Error>>
    where
        V: Send + 'a,
        E: Send + 'a,
    {
        match self.state {
            State::Message(message) => {
                Call { state: State::Message(message.one_way()), default: None }
            }
            State::Body(body) => Call::new(async move {
                let _ = body.await;
                Ok(())
            }),
        }
    }

    /// Marks the message as one that continues something that has begun: it is sent also while a node shuts down.
    pub(crate) fn continuing(mut self) -> Self {
        if let State::Message(message) = &mut self.state {
            message.set_continuation();
        }
        self
    }

    /// Sends the message as a one-way message without waiting for room. The message is sent even if the sender is dropped.
    pub(crate) fn post(self) -> Result<()> {
        match self.state {
            State::Message(message) => message.post(),
            State::Body(_) => {
                Err(Error::Refused("only a call on a reference can be posted".into()))
            }
        }
    }

    /// Sends the message and blocks the thread until the reply arrives: for threads outside a runtime, and for
    /// `spawn_blocking`.
    ///
    /// A near object's method runs on this thread, where it must not need a runtime.
    ///
    /// # Errors
    /// [`Error::InsideRuntime`] in a task of a runtime, where nothing is sent; otherwise those of the call.
    ///
    /// ```
    /// # use remote_core::{Ref, Remote, Result, remote};
    /// # #[remote] trait Adder { async fn add(&self, a: u64, b: u64) -> Result<u64>; }
    /// # #[derive(Remote)] #[remote(Adder)] struct Fingers;
    /// # #[remote] impl Adder for Fingers { async fn add(&self, a: u64, b: u64) -> Result<u64> { Ok(a + b) } }
    /// fn main() {
    ///     let adder: Ref<dyn Adder> = Ref::new(Fingers);
    ///     assert_eq!(adder.add(1, 2).wait(), Ok(3));
    /// }
    /// ```
    pub fn wait(mut self) -> Result<V, E>
    where
        E: From<Error>,
    {
        struct Unpark(Thread);
        impl Wake for Unpark {
            fn wake(self: Arc<Self>) {
                self.0.unpark();
            }
        }
        if is_polled_by_tokio() {
            return Err(Error::InsideRuntime.into());
        }
        let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
        let mut context = Context::from_waker(&waker);
        let deadline = match &self.state {
            State::Message(message) => {
                message.limit().and_then(|limit| Instant::now().checked_add(limit))
            }
            State::Body(_) => None,
        };
        loop {
            if let Poll::Ready(result) = self.poll_result(&mut context) {
                return result;
            }
            // There is no runtime here, so that the thread itself waits for the deadline.
            match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
                None => std::thread::park(),
                Some(Duration::ZERO) => return Err(Error::Timeout.into()),
                Some(left) => std::thread::park_timeout(left),
            }
        }
    }
}

impl<V, E> Call<'_, Result<V, E>> {
    fn poll_result(&mut self, context: &mut Context<'_>) -> Poll<Result<V, E>> {
        loop {
            let message = match &mut self.state {
                State::Body(body) => return Pin::new(body).poll(context),
                State::Message(message) => message,
            };
            let Poll::Ready(reply) = message.poll_reply(context) else { return Poll::Pending };
            match (&reply, self.default.take()) {
                (Reply::Fault(Error::MessageNotUnderstood { .. }), Some(default)) => {
                    self.state = default().state;
                }
                _ => return Poll::Ready(message.decode(reply)),
            }
        }
    }
}

impl<T: ?Sized + Interface, E> Call<'_, Result<Ref<T>, E>> {
    /// Sends the message at once and returns a promise: a reference to the result of the call.
    ///
    /// Messages to the promise are sent without waiting for the reply, so that a chain of calls takes one round trip. If the
    /// call fails, they fail: with [`Error::Broken`] around its error; or, if their method has the same error type, with the
    /// error that the method returned. They were not executed then.
    ///
    /// Dropping the promise does not cancel the call. A call that is not made on a [`Ref`], such as a mock's, must be ready
    /// at its first poll; otherwise the promise fails with [`Error::Refused`].
    ///
    /// ```
    /// # use remote_core::{Ref, Remote, Result, remote};
    /// # #[remote] trait Folder {
    /// #     async fn open(&self, name: &str) -> Result<Ref<dyn Folder>>;
    /// #     async fn path(&self) -> Result<String>;
    /// # }
    /// # #[derive(Remote)] #[remote(Folder)] struct Drawer(String);
    /// # #[remote] impl Folder for Drawer {
    /// #     async fn open(&self, name: &str) -> Result<Ref<dyn Folder>> { Ok(Ref::new(Drawer(format!("{}/{name}", self.0)))) }
    /// #     async fn path(&self) -> Result<String> { Ok(self.0.clone()) }
    /// # }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
    /// let root: Ref<dyn Folder> = Ref::new(Drawer("".into()));
    /// assert_eq!(root.open("usr").pipelined().open("bin").pipelined().path().await?, "/usr/bin");
    /// # Ok(()) }
    /// ```
    pub fn pipelined(self) -> Ref<T> {
        match self.state {
            State::Message(mut message) => Ref::to(message.promise()),
            State::Body(mut body) => {
                match Pin::new(&mut body).poll(&mut Context::from_waker(Waker::noop())) {
                    Poll::Ready(Ok(reference)) => reference,
                    _ => Ref::to(broken(Error::Refused(
                        "only a message can be pipelined; await this call instead".into(),
                    ))),
                }
            }
        }
    }
}

impl<V, E> Future for Call<'_, Result<V, E>> {
    type Output = Result<V, E>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<V, E>> {
        if let Poll::Ready(result) = self.poll_result(context) {
            return Poll::Ready(result);
        }
        match &mut self.state {
            State::Message(message) => {
                message.poll_deadline(context).map(|reply| message.decode(reply))
            }
            State::Body(_) => Poll::Pending,
        }
    }
}

/// The call of a method that is being executed for a message. Usually it is a plain body, kept without the rest of the call
/// to save memory.
#[doc(hidden)]
pub enum Executing<'a, R> {
    Body(Pin<Box<dyn Future<Output = R> + Send + 'a>>),
    Call(Box<(Call<'a, R>, MakeReply<R>)>),
}

impl<V, E> Future for Executing<'_, Result<V, E>> {
    type Output = Result<V, E>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<V, E>> {
        let (call, make_reply) = match &mut *self {
            Executing::Body(body) => return body.as_mut().poll(context),
            Executing::Call(call) => &mut **call,
        };
        match &mut call.state {
            State::Body(Body::Deferring(body)) => body.poll_executed(context, *make_reply),
            _ => Pin::new(call).poll(context),
        }
    }
}

// Nothing in a call is pinned in place: its futures are boxed.
impl<R> Unpin for Call<'_, R> {}

#[allow(dead_code, reason = "a static assertion")]
fn calls_are_send<R: Send>(call: Call<'_, R>) -> impl Send {
    poll_fn(move |_| {
        let _ = &call;
        Poll::<()>::Pending
    })
}
