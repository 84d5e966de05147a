//! Owns what happens to a call that arrived: it is begun in place, and gets a task only if it does not end at once.
//!
//! It must not know the wire. A task per call would cost a fifth of the throughput; a future polled once in place
//! costs nothing.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use super::link::{Delivery, Link};
use crate::error::Error;
use crate::id::QuestionId;
use crate::object::message::{Asked, Payload, Reply, Request, Ticket};
use crate::object::promise::NearPromise;
use crate::wire::frame::Manner;

/// Begins a call.
pub(crate) fn dispatch(link: &Arc<Link>, delivery: Delivery) {
    let Delivery { question, receiver, request, promise } = delivery;
    let answer =
        Answer { link: Arc::clone(link), question, manner: request.manner, promise, given: false };
    let receiver = match receiver.and_then(|receiver| admit(link, &request).map(|()| receiver)) {
        Ok(receiver) => receiver,
        Err(error) => return answer.give(Reply::Fault(error)),
    };
    match receiver.ask(&receiver, request.for_the_reply()) {
        Asked::Refused(error) => answer.give(Reply::Fault(error)),
        Asked::Running(mut running) => match running.poll_in_place() {
            Poll::Ready(reply) => answer.give(reply),
            Poll::Pending => spawn(link, question, async move {
                let reply = running.finish().await;
                answer.give_when_there_is_room(reply).await;
            }),
        },
        Asked::Sent(claim) => {
            let Some(route) = receiver.route() else { return };
            let ticket = Ticket::new(Arc::clone(route), claim);
            spawn(link, question, async move {
                answer.give_when_there_is_room(ticket.reply().await).await
            });
        }
    }
}

fn admit(link: &Link, request: &Request) -> Result<(), Error> {
    let limit = link.shared.limits.nesting;
    if request.nesting > limit {
        return Err(Error::Quota(format!(
            "calls go back and forth {limit} deep (`Limits::nesting`)"
        )));
    }
    if link.shared.is_closing() {
        return Err(Error::Ended("the node is shutting down".into()));
    }
    Ok(())
}

fn spawn(
    link: &Arc<Link>,
    question: QuestionId,
    execution: impl Future<Output = ()> + Send + 'static,
) {
    // Entered before it is there, as it may end at once; and not made under the lock: a runtime that shuts down drops
    // it where it is made, and its answer takes the lock.
    link.lock().expect_running(question);
    let task = tokio::spawn(execution).abort_handle();
    if !link.lock().note_running(question, &task) {
        task.abort(); // It has ended, or the session has.
    }
}

/// The duty to answer one call. Dropped ungiven, because the task was aborted, it answers that it was cancelled.
struct Answer {
    link: Arc<Link>,
    question: QuestionId,
    manner: Manner,
    promise: Option<Arc<NearPromise>>,
    given: bool,
}

impl Answer {
    fn give(mut self, reply: Reply) {
        self.send(reply);
    }

    async fn give_when_there_is_room(mut self, reply: Reply) {
        poll_fn(|waking| self.link.poll_room(waking)).await;
        self.send(reply);
    }

    fn send(&mut self, reply: Reply) {
        self.given = true;
        match self.promise.take() {
            // Nobody waits for what it returned.
            _ if self.manner == Manner::Tell => {
                self.link.send_answer(self.question, Reply::Value(Payload::default()))
            }
            None => self.link.send_answer(self.question, reply),
            Some(promise) => resolve(&self.link, self.question, &promise, reply),
        }
    }
}

/// What was pipelined starts before the answer says where to send things directly; but it fails after what it failed
/// from.
fn resolve(link: &Link, question: QuestionId, promise: &NearPromise, reply: Reply) {
    if let Reply::Value(_) = reply {
        promise.resolve(reply.clone());
        link.send_answer(question, reply);
    } else {
        link.send_answer(question, reply.clone());
        promise.resolve(reply);
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if !self.given {
            self.send(Reply::Fault(Error::Cancelled));
        }
    }
}
