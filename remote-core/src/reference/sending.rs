//! One outgoing message, from its arguments to its reply.
//!
//! It must not know the public call, nor where the receiver is.

use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::runtime::Handle;

use super::deadline::Deadline;
use crate::error::{Error, Result};
use crate::object::builtin::INTERFACES;
use crate::object::execution::current;
use crate::object::message::{
    Asked, Failure, Payload, Receiver, Reply, Request, Route, Running, Ticket,
};
use crate::object::nested::bounded;
use crate::object::null::NullReceiver;
use crate::object::promise::{FarPromise, NearPromise};
use crate::object::resolution::first_failure;
use crate::session::chain::Chain;
use crate::session::header::{CallHeader, Selector};
use crate::wire::frame::Manner;
use crate::wire::method::Method;

/// A message and its reply.
pub(crate) struct Message<'a, R> {
    receiver: &'a Arc<dyn Receiver>,
    method: &'static Method,
    stage: Stage<'a>,
    decode: fn(Reply) -> R,
    manner: Manner,
    /// See [`CallHeader::is_continuation`].
    is_continuation: bool,
    deadline: Deadline,
}

/// The progress of a message.
enum Stage<'a> {
    Unsent(Result<Payload>),
    Running(Running),
    Far(Ticket<&'a Arc<dyn Route>>),
    Over,
}

impl<'a, R> Message<'a, R> {
    /// Makes a message that is not yet sent.
    pub(crate) fn new(
        receiver: &'a Arc<dyn Receiver>,
        method: &'static Method,
        arguments: Result<Payload>,
        decode: fn(Reply) -> R,
    ) -> Message<'a, R> {
        let stage = Stage::Unsent(arguments);
        Message {
            receiver,
            method,
            stage,
            decode,
            manner: Manner::Call,
            is_continuation: false,
            deadline: Deadline::default(),
        }
    }

    /// Notes that the message continues something that has begun: it is sent also while a node shuts down.
    pub(crate) fn set_continuation(&mut self) {
        self.is_continuation = true;
    }

    /// Makes the message one-way.
    pub(crate) fn one_way(self) -> Message<'a, Result<()>> {
        let Message { receiver, method, stage, is_continuation, deadline, .. } = self;
        let (decode, manner) = (accept_one_way as fn(Reply) -> Result<()>, Manner::OneWay);
        Message { receiver, method, stage, decode, manner, is_continuation, deadline }
    }

    /// Sets a deadline. Of several, the earliest counts.
    pub(crate) fn set_limit(&mut self, limit: Duration) {
        self.deadline.set_limit(limit);
    }

    pub(crate) fn limit(&self) -> Option<Duration> {
        self.deadline.limit()
    }

    /// Sends the message.
    fn send(&mut self, waker: Option<Waker>) -> Asked {
        let payload = match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Unsent(Ok(payload)) => payload,
            Stage::Unsent(Err(error)) => return Asked::Refused(error),
            _ => return Asked::Refused(Error::Cancelled),
        };
        let inherited = current(|context| {
            // Of these only a call is awaited.
            let is_awaited = self.manner == Manner::Call;
            let chain = if is_awaited { context.chain.clone() } else { Chain::default() };
            (context.deadline, context.nesting, chain)
        });
        let (inherited, nesting, chain) = inherited.unwrap_or_default();
        if self.limit().is_none() && inherited.is_none() && self.manner == Manner::Call {
            let default = self.receiver.route().and_then(|route| route.call_timeout());
            default.into_iter().for_each(|limit| self.set_limit(limit));
        }
        if self.limit() == Some(Duration::ZERO) {
            return Asked::Refused(Error::Timeout);
        }
        let deadline = self.deadline.start(inherited);
        let selector = Selector::Own(self.method);
        let (manner, is_continuation) = (self.manner, self.is_continuation);
        let header = CallHeader { selector, manner, nesting, deadline, chain, is_continuation };
        let request = Request { header, payload, caller: None, waker };
        self.receiver.ask(self.receiver, request)
    }

    /// Sends the message one-way and does not wait: if there is no room, the message waits in a queue. It does not inherit the
    /// deadline and the nesting of the method that sends it. It is a continuation.
    pub(crate) fn post(self) -> Result<()> {
        let Stage::Unsent(payload) = self.stage else { return Err(Error::Cancelled) };
        let mut request = Request { payload: payload?, ..Request::plain(self.method) };
        request.header.manner = Manner::OneWay;
        request.header.is_continuation = true;
        match self.receiver.ask(self.receiver, request) {
            Asked::Refused(error) => Err(error),
            Asked::Sent(_claim) => Ok(()),
            Asked::Running(running) => match run_detached(bounded(running)) {
                Poll::Ready(Reply::Fault(error)) => Err(error),
                _ => Ok(()),
            },
        }
    }

    /// Sends the message if it is not sent yet, and polls for the reply.
    pub(crate) fn poll_reply(&mut self, context: &mut Context<'_>) -> Poll<Reply> {
        if let Stage::Unsent(_) = self.stage {
            // A one-way message is usually handed over at once: it is polled below, without a waker.
            let waker = (self.manner != Manner::OneWay).then(|| context.waker().clone());
            let is_awaited = waker.is_some();
            match self.send(waker) {
                Asked::Refused(error) => return Poll::Ready(Reply::Fault(error)),
                Asked::Sent(claim) => {
                    let Some(route) = self.receiver.route() else {
                        return Poll::Ready(Reply::Fault(Error::NoSuchObject));
                    };
                    self.stage = Stage::Far(Ticket::new(route, claim));
                    if is_awaited {
                        return Poll::Pending; // The message was sent with the waker.
                    }
                }
                Asked::Running(running) if self.manner == Manner::OneWay => {
                    return run_detached(bounded(running));
                }
                Asked::Running(running) => self.stage = Stage::Running(bounded(running)),
            }
        }
        let polled = match &mut self.stage {
            Stage::Far(ticket) => ticket.poll(context),
            Stage::Running(running) => Pin::new(running).poll(context),
            Stage::Unsent(_) | Stage::Over => Poll::Ready(Reply::Fault(Error::Cancelled)),
        };
        match polled {
            // The deadline passed at several places. Which of them noticed first must not decide what the caller sees.
            Poll::Ready(Reply::Failure(_) | Reply::Fault(_)) if self.deadline.has_passed() => {
                Poll::Ready(Reply::Fault(Error::Timeout))
            }
            polled => polled,
        }
    }

    /// Polls the timer of the deadline. Cancels the message when it has passed.
    pub(crate) fn poll_deadline(&mut self, context: &mut Context<'_>) -> Poll<Reply> {
        self.deadline.poll(context).map(|()| {
            self.stage = Stage::Over; // Dropping the stage cancels the call.
            Reply::Fault(Error::Timeout)
        })
    }

    /// Decodes a reply into the result.
    #[inline(always)]
    pub(crate) fn decode(&self, reply: Reply) -> R {
        if let Reply::Fault(Error::Broken(_)) = &reply {
            // The call that this one was pipelined on has failed. If it failed with an error of this method's own error
            // type, that error is returned as it is.
            match first_failure(&**self.receiver) {
                Some(Failure { method, reply: Reply::Failure(payload), .. })
                    if method.error_fingerprint() == self.method.error_fingerprint() =>
                {
                    return (self.decode)(Reply::Failure(payload));
                }
                _ => {}
            }
        }
        (self.decode)(reply)
    }

    /// Sends the message, and returns a promise of its result.
    pub(crate) fn promise(&mut self) -> Arc<dyn Receiver> {
        self.manner = Manner::Promise;
        let on = Arc::downgrade(self.receiver);
        match self.send(None) {
            Asked::Sent(claim) => match self.receiver.route() {
                Some(route) => Arc::new(FarPromise::new(
                    (Arc::clone(route), claim),
                    self.method,
                    self.receiver,
                )),
                None => broken(Error::NoSuchObject),
            },
            Asked::Refused(error) => {
                let promise = NearPromise::new(self.method, on);
                promise.resolve(Reply::Fault(error));
                promise
            }
            Asked::Running(running) => {
                let mut running = bounded(running);
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

/// Executes a near method without waiting for it: a first poll here, the rest in a task.
fn run_detached(mut running: Running) -> Poll<Reply> {
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
        "a method of a near object that is not ready at its first poll needs a tokio runtime; send the message inside one".into(),
    )
}

fn accept_one_way(reply: Reply) -> Result<(), Error> {
    match reply {
        Reply::Fault(error) => Err(error),
        Reply::Value(_) | Reply::Failure(_) => Ok(()),
    }
}

/// Returns a promise that has failed already.
pub(crate) fn broken(error: Error) -> Arc<dyn Receiver> {
    let on: Weak<dyn Receiver> = Weak::<NullReceiver>::new();
    let promise = NearPromise::new(&INTERFACES, on);
    promise.resolve(Reply::Fault(error));
    promise
}
