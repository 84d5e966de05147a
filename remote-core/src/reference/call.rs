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
use tokio::time::Sleep;

use super::interface::{Interface, Proxy};
use super::reference::Ref;
use crate::error::{Error, Result};
use crate::object::execution::current;
use crate::object::message::{Asked, Payload, Receiver, Reply, Request, Route, Running, Selector, Ticket};
use crate::object::promise::{FarPromise, NearPromise};
use crate::wire::frame::Manner;
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
}

enum State<'a, R> {
    /// Code of this process: an implementation's body, a mock.
    Body(Pin<Box<dyn Future<Output = R> + Send + 'a>>),
    /// A message to whatever a reference stands for.
    Message(Message<'a, R>),
}

struct Message<'a, R> {
    receiver: &'a Arc<dyn Receiver>,
    method: &'static Method,
    /// Taken when it is sent.
    arguments: Option<Result<Payload>>,
    decode: fn(Reply) -> R,
    manner: Manner,
    limit: Option<Duration>,
    timer: Option<Pin<Box<Sleep>>>,
    default: Option<Box<dyn FnOnce() -> Call<'a, R> + Send + 'a>>,
    sent: Option<Sent<'a>>,
}

enum Sent<'a> {
    Running(Running),
    Far(Ticket<&'a Arc<dyn Route>>),
}

impl<'a, R> Call<'a, R> {
    /// A call that is answered by a future of this process: what an implementation written by hand returns.
    pub fn new(future: impl Future<Output = R> + Send + 'a) -> Call<'a, R> {
        Call { state: State::Body(Box::pin(future)) }
    }
}

impl<'a, V, E> Call<'a, Result<V, E>> {
    #[doc(hidden)]
    pub fn message<I: ?Sized>(
        proxy: &'a Proxy<I>,
        method: &'static Method,
        arguments: Result<Payload, Error>,
        decode: fn(Reply) -> Result<V, E>,
    ) -> Call<'a, Result<V, E>> {
        let message = Message {
            receiver: &proxy.receiver,
            method,
            arguments: Some(arguments),
            decode,
            manner: Manner::Ask,
            limit: None,
            timer: None,
            default: None,
            sent: None,
        };
        Call { state: State::Message(message) }
    }

    #[doc(hidden)]
    pub fn or_default(mut self, default: impl FnOnce() -> Self + Send + 'a) -> Self {
        if let State::Message(message) = &mut self.state {
            message.default = Some(Box::new(default));
        }
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
                message.limit = Some(message.limit.map_or(limit, |earlier| earlier.min(limit)));
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
            State::Message(Message { receiver, method, arguments, limit, .. }) => Call {
                state: State::Message(Message {
                    receiver,
                    method,
                    arguments,
                    decode: handed_over,
                    manner: Manner::Tell,
                    limit,
                    timer: None,
                    default: None,
                    sent: None,
                }),
            },
            State::Body(body) => Call::new(async move {
                let _ = body.await;
                Ok(())
            }),
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
            State::Message(message) => message.limit.map(|limit| Instant::now() + limit),
            State::Body(_) => None,
        };
        loop {
            let poll = match &mut self.state {
                State::Body(body) => body.as_mut().poll(&mut context),
                State::Message(message) => {
                    message.poll_reply(&mut context).map(|reply| message.decode(reply))
                }
            };
            if let Poll::Ready(result) = poll {
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

impl<T: ?Sized + Interface, E> Call<'_, Result<Ref<T>, E>> {
    /// Sends the message at once and gives a promise: a reference to what the call will return. Messages sent to it
    /// travel without waiting for the reply, so that a chain of calls takes one round trip. If the call fails, all
    /// that was sent to the promise fails with the same error.
    ///
    /// A call that is no message, such as a mock's, must be ready at once.
    pub fn pipelined(self) -> Ref<T> {
        match self.state {
            State::Message(mut message) => {
                message.manner = Manner::Promise;
                Ref::to(message.promise())
            }
            State::Body(mut body) => {
                match body.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                    Poll::Ready(Ok(reference)) => reference,
                    _ => Ref::to(broken(Error::Refused(
                        "only a message can be pipelined; await this call instead".into(),
                    ))),
                }
            }
        }
    }
}

impl<V, E: From<Error>> Future for Call<'_, Result<V, E>> {
    type Output = Result<V, E>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<V, E>> {
        let message = match &mut self.state {
            State::Body(body) => return body.as_mut().poll(context),
            State::Message(message) => message,
        };
        let reply = match message.poll_reply(context) {
            Poll::Ready(reply) => reply,
            Poll::Pending => match message.poll_timer(context) {
                Poll::Ready(()) => {
                    message.sent = None; // Dropped, it cancels.
                    return Poll::Ready(Err(Error::Timeout.into()));
                }
                Poll::Pending => return Poll::Pending,
            },
        };
        if let (Reply::Fault(Error::MessageNotUnderstood { .. }), Some(default)) =
            (&reply, message.default.take())
        {
            self.state = default().state;
            return self.poll(context);
        }
        Poll::Ready(message.decode(reply))
    }
}

// Nothing in a call is pinned in place: its futures are boxed.
impl<R> Unpin for Call<'_, R> {}

impl<R> Message<'_, R> {
    /// Sends the message.
    fn send(&mut self, waker: Option<Waker>) -> Asked {
        let payload = match self.arguments.take() {
            Some(Ok(payload)) => payload,
            Some(Err(error)) => return Asked::Refused(error),
            None => return Asked::Refused(Error::Cancelled),
        };
        let inherited = current(|context| (context.deadline, context.nesting));
        let (inherited, nesting) = inherited.unwrap_or((None, 0));
        let own = self.limit.map(|limit| Instant::now() + limit);
        let deadline = [own, inherited].into_iter().flatten().min();
        let selector = Selector::Own(self.method);
        let request = Request {
            selector,
            payload,
            manner: self.manner,
            deadline,
            nesting,
            caller: None,
            waker,
        };
        self.receiver.ask(self.receiver, request)
    }

    fn poll_reply(&mut self, context: &mut Context<'_>) -> Poll<Reply> {
        if self.sent.is_none() {
            // A message without answer is handed over at once, most of the time: it is looked at again below.
            let waker = (self.manner != Manner::Tell).then(|| context.waker().clone());
            let is_awaited = waker.is_some();
            self.sent = match self.send(waker) {
                Asked::Refused(error) => return Poll::Ready(Reply::Fault(error)),
                Asked::Sent(claim) => {
                    let sent = self.receiver.route().map(|route| Sent::Far(Ticket::new(route, claim)));
                    if is_awaited {
                        self.sent = sent;
                        return Poll::Pending; // It was sent with the waker.
                    }
                    sent
                }
                Asked::Running(running) if self.manner == Manner::Tell => {
                    return run_aside(running);
                }
                Asked::Running(running) => Some(Sent::Running(running)),
            };
        }
        match &mut self.sent {
            Some(Sent::Far(ticket)) => ticket.poll(context),
            Some(Sent::Running(running)) => Pin::new(running).poll(context),
            None => Poll::Ready(Reply::Fault(Error::Cancelled)),
        }
    }

    fn poll_timer(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(limit) = self.limit else { return Poll::Pending };
        self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(limit))).as_mut().poll(context)
    }

    fn decode(&self, reply: Reply) -> R {
        if let Reply::Fault(Error::Broken(_)) = &reply {
            // Broken by what it was pipelined on: if that failed with an error of the type that is wanted here, it
            // arrives as itself.
            match self.receiver.failure() {
                Some((method, Reply::Failure(payload)))
                    if method.error_fingerprint() == self.method.error_fingerprint() =>
                {
                    return (self.decode)(Reply::Failure(payload));
                }
                _ => {}
            }
        }
        (self.decode)(reply)
    }

    fn promise(&mut self) -> Arc<dyn Receiver> {
        let on = Arc::downgrade(self.receiver);
        match self.send(None) {
            Asked::Sent(claim) => match self.receiver.route() {
                Some(route) => {
                    Arc::new(FarPromise::new((Arc::clone(route), claim), self.method, self.receiver))
                }
                None => broken(Error::NoSuchObject),
            },
            Asked::Refused(error) => {
                let promise = NearPromise::new(self.method, on);
                promise.resolve(Reply::Fault(error));
                promise
            }
            Asked::Running(mut running) => {
                let promise = NearPromise::new(self.method, on);
                match running.poll_in_place() {
                    Poll::Ready(reply) => promise.resolve(reply),
                    Poll::Pending if Handle::try_current().is_ok() => {
                        let promise = Arc::clone(&promise);
                        tokio::spawn(async move { promise.resolve(running.finish().await) });
                    }
                    Poll::Pending => promise.resolve(Reply::Fault(no_runtime())),
                }
                promise
            }
        }
    }
}

/// Goes on with a near method that nobody waits for.
fn run_aside(mut running: Running) -> Poll<Reply> {
    if running.poll_in_place().is_pending() {
        if Handle::try_current().is_err() {
            return Poll::Ready(Reply::Fault(no_runtime()));
        }
        tokio::spawn(running.finish());
    }
    Poll::Ready(Reply::Value(Payload::default()))
}

fn no_runtime() -> Error {
    Error::Refused(
        "a near object's method that does not end at once needs a runtime to go on in".into(),
    )
}

fn handed_over(reply: Reply) -> Result<(), Error> {
    match reply {
        Reply::Fault(error) => Err(error),
        Reply::Value(_) | Reply::Failure(_) => Ok(()),
    }
}

/// A promise that is broken from the start.
fn broken(error: Error) -> Arc<dyn Receiver> {
    let on: std::sync::Weak<dyn Receiver> =
        std::sync::Weak::<crate::object::nowhere::Nowhere>::new();
    let promise = NearPromise::new(&crate::object::builtin::INTERFACES, on);
    promise.resolve(Reply::Fault(error));
    promise
}

#[allow(dead_code, reason = "a static assertion")]
fn calls_are_send<R: Send>(call: Call<'_, R>) -> impl Send {
    poll_fn(move |_| {
        let _ = &call;
        Poll::<()>::Pending
    })
}
