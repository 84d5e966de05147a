//! Owns the future of one message, near or far alike.
//!
//! It must not know where the receiver is. Nothing happens before the call is sent, which is when it is first polled
//! or pipelined; dropping it cancels.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::interface::{Interface, Proxy};
use super::later::{Keep, Later, Postponing};
use super::reference::Ref;
use super::sending::{Message, broken};
use crate::error::{Error, Result};
use crate::object::message::{Payload, Reply};
use crate::wire::method::Method;

/// The future of one message.
///
/// Nothing happens until it is sent, which is when it is first polled, or when [`Call::pipelined`] is called.
/// Awaiting it awaits the reply; dropping it cancels: the method's future is dropped at its next await point.
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
    /// What runs here if the receiver's class does not know the message.
    default: Option<Box<dyn FnOnce() -> Call<'a, R> + Send + 'a>>,
}

enum State<'a, R> {
    /// Code of this process: an implementation's body, a mock.
    Body(Body<'a, R>),
    /// A message to whatever a reference stands for.
    Message(Message<'a, R>),
}

enum Body<'a, R> {
    Plain(Pin<Box<dyn Future<Output = R> + Send + 'a>>),
    /// It may keep the reply.
    Postponing(Box<Postponing<'a, R>>),
}

impl<R> Future for Body<'_, R> {
    type Output = R;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<R> {
        match &mut *self {
            Body::Plain(body) => body.as_mut().poll(context),
            Body::Postponing(body) => Pin::new(body).poll(context),
        }
    }
}

impl<'a, R> Call<'a, R> {
    /// A call that is answered by a future of this process: what an implementation written by hand returns.
    pub fn new(future: impl Future<Output = R> + Send + 'a) -> Call<'a, R> {
        Call { state: State::Body(Body::Plain(Box::pin(future))), default: None }
    }
}

impl<'a, V, E> Call<'a, Result<V, E>> {
    /// A call that is answered by a future of this process, which may keep the reply: what an implementation written by
    /// hand returns if it uses [`reply_later`](crate::reply_later).
    pub fn later(
        future: impl Future<Output = Result<Later<V, E>, E>> + Send + 'a,
    ) -> Call<'a, Result<V, E>>
    where
        E: From<Error>,
    {
        let body = Body::Postponing(Box::new(Postponing::new(future)));
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
    pub fn executing(self, keep: Keep<Result<V, E>>) -> Executing<'a, Result<V, E>> {
        match self.state {
            State::Body(Body::Plain(body)) => Executing::Body(body),
            State::Body(Body::Postponing(_)) | State::Message(_) => {
                Executing::Call(Box::new((self, keep)))
            }
        }
    }

    #[doc(hidden)]
    pub fn or_default(mut self, default: impl FnOnce() -> Self + Send + 'a) -> Self {
        self.default = Some(Box::new(default));
        self
    }

    /// Gives the call a deadline. It travels with the message, as the time remaining, also into the calls that the
    /// method makes; when it passes, the method's future is dropped and the call fails with [`Error::Timeout`].
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
            State::Body(body) => Call::new(async move {
                tokio::time::timeout(limit, body)
                    .await
                    .unwrap_or_else(|_| Err(Error::Timeout.into()))
            }),
        }
    }

    /// Sends the message without wanting a reply: done when it is handed over, that is when there is room for it. The
    /// method runs also if this future is dropped after that; what it returns is dropped.
    pub fn oneway(self) -> Call<'a, Result<(), Error>>
    where
        V: Send + 'a,
        E: Send + 'a,
    {
        match self.state {
            State::Message(message) => {
                Call { state: State::Message(message.telling()), default: None }
            }
            State::Body(body) => Call::new(async move {
                let _ = body.await;
                Ok(())
            }),
        }
    }

    /// Sends the message without wanting a reply and without waiting for room, whatever becomes of this side.
    pub(crate) fn post(self) -> Result<()> {
        match self.state {
            State::Message(message) => message.post(),
            State::Body(_) => Err(Error::Refused("only a message can be sent and let go".into())),
        }
    }

    /// Sends the message and blocks the thread until the reply: for threads outside a runtime.
    ///
    /// # Errors
    /// Inside a runtime, [`Error::InsideRuntime`]; otherwise those of the call.
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
        if Handle::try_current().is_ok() {
            return Err(Error::InsideRuntime.into());
        }
        let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
        let mut context = Context::from_waker(&waker);
        let deadline = match &self.state {
            State::Message(message) => message.limit().map(|limit| Instant::now() + limit),
            State::Body(_) => None,
        };
        loop {
            if let Poll::Ready(result) = self.poll_result(&mut context) {
                return result;
            }
            // This thread is its own timer: there is no runtime to have one.
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
    /// Sends the message at once and gives a promise: a reference to what the call will return. Messages sent to it
    /// travel without waiting for the reply, so that a chain of calls takes one round trip. If the call fails, all
    /// that was sent to the promise fails with the same error.
    ///
    /// A call that is no message, such as a mock's, must be ready at once.
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

/// The call of a method that is being executed: mostly a plain body, of which it keeps no more than must be kept.
#[doc(hidden)]
pub enum Executing<'a, R> {
    Body(Pin<Box<dyn Future<Output = R> + Send + 'a>>),
    Call(Box<(Call<'a, R>, Keep<R>)>),
}

impl<V, E> Future for Executing<'_, Result<V, E>> {
    type Output = Result<V, E>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<V, E>> {
        let (call, keep) = match &mut *self {
            Executing::Body(body) => return body.as_mut().poll(context),
            Executing::Call(call) => &mut **call,
        };
        match &mut call.state {
            State::Body(Body::Postponing(body)) => body.poll_executed(context, *keep),
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
