//! Executing the peer's calls: each is polled once in place, and gets a task only if it is then pending.
//!
//! It must not know the wire. A task per call would cost a fifth of the throughput.

use std::borrow::Borrow;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use super::admission::Admission;
use super::calls::{Delivery, NoReceiver};
use super::shared::SharedSession;
use crate::error::Error;
use crate::id::QuestionId;
use crate::object::message::{Asked, Payload, Receiver, Reply, Request, Ticket};
use crate::object::promise::NearPromise;
use crate::wire::frame::Manner;

/// Starts a call. Returns true if a task may have been woken: one that was spawned for the call, or one that waited for its
/// promise.
pub(crate) fn dispatch(session: &Arc<SharedSession>, delivery: Delivery) -> bool {
    let Delivery { question, receiver, header, body, references, promise } = delivery;
    let is_promised = promise.is_some();
    let guard = ReplyGuard { session, question, manner: header.manner, promise, is_done: false };
    let receiver = match admit(session, receiver, header.nesting) {
        Ok(receiver) => receiver,
        Err(error) => {
            guard.send_now(Reply::Fault(error));
            return is_promised;
        }
    };
    let request = Request {
        header: header.for_the_reply(),
        payload: Payload::new(body, references, session.shared.limits.bounds()),
        caller: Some(session.peer.clone()),
        waker: None,
    };
    match receiver.ask(&receiver, request) {
        Asked::Refused(error) => {
            guard.send_now(Reply::Fault(error));
            is_promised
        }
        Asked::Running(mut running) => match running.poll_in_place() {
            Poll::Ready(reply) => {
                guard.send_now(reply);
                is_promised
            }
            Poll::Pending => {
                let guard = guard.for_task();
                spawn(session, question, guard.manner, async move {
                    let reply = running.finish_unless(|| guard.session.state.ended()).await;
                    guard.send_when_there_is_room(reply).await;
                });
                true
            }
        },
        Asked::Sent(claim) => {
            let Some(route) = receiver.route() else { return false };
            let ticket = Ticket::new(Arc::clone(route), claim);
            let guard = guard.for_task();
            spawn(session, question, guard.manner, async move {
                guard.send_when_there_is_room(ticket.reply().await).await
            });
            true
        }
    }
}

fn admit(
    session: &SharedSession,
    receiver: Result<Arc<dyn Receiver>, NoReceiver>,
    nesting: u8,
) -> Result<Arc<dyn Receiver>, Error> {
    let receiver = receiver.map_err(|reason| match reason {
        NoReceiver::NoSuchObject => Error::NoSuchObject,
        NoReceiver::Cancelled => Error::Cancelled,
    })?;
    session.shared.admit(nesting)?;
    Ok(receiver)
}

fn spawn(
    session: &Arc<SharedSession>,
    question: QuestionId,
    manner: Manner,
    execution: impl Future<Output = ()> + Send + 'static,
) {
    // Added before the task is spawned, because the task may end at once. Not spawned under the lock: a runtime that shuts down
    // drops the future at once, and answering the call takes the lock.
    let mut inner = session.lock();
    if inner.machine.closed().is_none_or(|cause| Admission::after(cause).admits(manner)) {
        inner.calls.expect_task(question, manner);
    }
    drop(inner);
    let task = tokio::spawn(execution).abort_handle();
    if !session.lock().calls.note_task(question, &task) {
        task.abort(); // The call or the session has ended.
    }
}

/// Answers one call. Dropped before it has, because the task was aborted, it answers that the call was cancelled. A
/// task has a share of the session, the reader borrows it.
struct ReplyGuard<L: Borrow<Arc<SharedSession>>> {
    session: L,
    question: QuestionId,
    manner: Manner,
    promise: Option<Arc<NearPromise>>,
    is_done: bool,
}

impl<L: Borrow<Arc<SharedSession>>> ReplyGuard<L> {
    fn send_now(mut self, reply: Reply) {
        self.send(reply);
    }

    /// Moves the obligation to answer to a task.
    fn for_task(mut self) -> ReplyGuard<Arc<SharedSession>> {
        self.is_done = true;
        let (session, promise) = (Arc::clone(self.session.borrow()), self.promise.take());
        ReplyGuard {
            session,
            question: self.question,
            manner: self.manner,
            promise,
            is_done: false,
        }
    }

    async fn send_when_there_is_room(mut self, reply: Reply) {
        poll_fn(|waking| self.session.borrow().poll_room(waking)).await;
        self.send(reply);
    }

    fn send(&mut self, reply: Reply) {
        self.is_done = true;
        let session = self.session.borrow();
        match self.promise.take() {
            // The caller expects no value.
            _ if self.manner == Manner::OneWay => {
                session.send_answer(self.question, Reply::Value(Payload::default()))
            }
            None => session.send_answer(self.question, reply),
            Some(promise) => resolve(session, self.question, &promise, reply),
        }
    }
}

/// Resolves a promise and answers the call. If the call succeeded, pipelined calls start before the answer is sent, since the
/// answer makes the peer send later calls directly. If it failed, the answer is sent first, so that the pipelined calls fail
/// after it.
fn resolve(session: &SharedSession, question: QuestionId, promise: &NearPromise, reply: Reply) {
    if let Reply::Value(_) = reply {
        promise.resolve(reply.clone());
        session.send_answer(question, reply);
    } else {
        session.send_answer(question, reply.clone());
        promise.resolve(reply);
    }
}

impl<L: Borrow<Arc<SharedSession>>> Drop for ReplyGuard<L> {
    fn drop(&mut self) {
        if !self.is_done {
            self.send(Reply::Fault(Error::Cancelled));
        }
    }
}
