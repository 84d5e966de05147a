//! Owns what happens to a call that arrived: it is begun in place, and gets a task only if it does not end at once.
//!
//! It must not know the wire. A task per call would cost a fifth of the throughput; a future polled once in place
//! costs nothing.

use std::borrow::Borrow;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use super::shared::{Delivery, SharedSession, Void};
use crate::error::Error;
use crate::id::QuestionId;
use crate::object::message::{Asked, Payload, Receiver, Reply, Request, Selector, Ticket};
use crate::object::promise::NearPromise;
use crate::wire::frame::Manner;

/// Begins a call. Whether somebody was woken: a task that goes on with it, or who waited for its answer here.
pub(crate) fn dispatch(session: &Arc<SharedSession>, delivery: Delivery) -> bool {
    let Delivery {
        question,
        receiver,
        selector,
        body,
        references,
        manner,
        nesting,
        deadline,
        promise,
    } = delivery;
    let is_promised = promise.is_some();
    let answer = Answer { session, question, manner, promise, given: false };
    let receiver = match admit(session, receiver, nesting) {
        Ok(receiver) => receiver,
        Err(error) => {
            answer.give(Reply::Fault(error));
            return is_promised;
        }
    };
    let request = Request {
        selector: Selector::Heard(selector),
        payload: Payload::new(body, references, session.shared.limits.bounds()),
        manner: manner.for_the_reply(),
        deadline,
        nesting,
        caller: Some(session.peer.clone()),
        waker: None,
    };
    match receiver.ask(&receiver, request) {
        Asked::Refused(error) => {
            answer.give(Reply::Fault(error));
            is_promised
        }
        Asked::Running(mut running) => match running.poll_in_place() {
            Poll::Ready(reply) => {
                answer.give(reply);
                is_promised
            }
            Poll::Pending => {
                let answer = answer.for_task();
                spawn(session, question, async move {
                    let reply = running.finish_unless(|| answer.session.over()).await;
                    answer.give_when_there_is_room(reply).await;
                });
                true
            }
        },
        Asked::Sent(claim) => {
            let Some(route) = receiver.route() else { return false };
            let ticket = Ticket::new(Arc::clone(route), claim);
            let answer = answer.for_task();
            spawn(session, question, async move {
                answer.give_when_there_is_room(ticket.reply().await).await
            });
            true
        }
    }
}

fn admit(
    session: &SharedSession,
    receiver: Result<Arc<dyn Receiver>, Void>,
    nesting: u8,
) -> Result<Arc<dyn Receiver>, Error> {
    let receiver = receiver.map_err(|void| match void {
        Void::NoSuchObject => Error::NoSuchObject,
        Void::Cancelled => Error::Cancelled,
    })?;
    session.shared.admit(nesting)?;
    Ok(receiver)
}

fn spawn(
    session: &Arc<SharedSession>,
    question: QuestionId,
    execution: impl Future<Output = ()> + Send + 'static,
) {
    // Entered before it is there, as it may end at once; and not made under the lock: a runtime that shuts down drops
    // it where it is made, and its answer takes the lock.
    session.lock().expect_running(question);
    let task = tokio::spawn(execution).abort_handle();
    if !session.lock().note_running(question, &task) {
        task.abort(); // It has ended, or the session has.
    }
}

/// The duty to answer one call. Dropped ungiven, because the task was aborted, it answers that it was cancelled. The
/// link is owned by what a task gives, and else borrowed.
struct Answer<L: Borrow<Arc<SharedSession>>> {
    session: L,
    question: QuestionId,
    manner: Manner,
    promise: Option<Arc<NearPromise>>,
    given: bool,
}

impl<L: Borrow<Arc<SharedSession>>> Answer<L> {
    fn give(mut self, reply: Reply) {
        self.send(reply);
    }

    /// The same duty, for a task.
    fn for_task(mut self) -> Answer<Arc<SharedSession>> {
        self.given = true;
        let (session, promise) = (Arc::clone(self.session.borrow()), self.promise.take());
        Answer { session, question: self.question, manner: self.manner, promise, given: false }
    }

    async fn give_when_there_is_room(mut self, reply: Reply) {
        poll_fn(|waking| self.session.borrow().poll_room(waking)).await;
        self.send(reply);
    }

    fn send(&mut self, reply: Reply) {
        self.given = true;
        let session = self.session.borrow();
        match self.promise.take() {
            // Nobody waits for what it returned.
            _ if self.manner == Manner::Tell => {
                session.send_answer(self.question, Reply::Value(Payload::default()))
            }
            None => session.send_answer(self.question, reply),
            Some(promise) => resolve(session, self.question, &promise, reply),
        }
    }
}

/// What was pipelined starts before the answer says where to send things directly; but it fails after what it failed
/// from.
fn resolve(session: &SharedSession, question: QuestionId, promise: &NearPromise, reply: Reply) {
    if let Reply::Value(_) = reply {
        promise.resolve(reply.clone());
        session.send_answer(question, reply);
    } else {
        session.send_answer(question, reply.clone());
        promise.resolve(reply);
    }
}

impl<L: Borrow<Arc<SharedSession>>> Drop for Answer<L> {
    fn drop(&mut self) {
        if !self.given {
            self.send(Reply::Fault(Error::Cancelled));
        }
    }
}
