//! Owns how a call of the peer's is answered.
//!
//! It must not know what executed it.

use std::task::{Context, Poll};

use super::export::{Outgoing, prepare};
use super::shared::SharedSession;
use crate::error::Error;
use crate::id::{ObjectId, QuestionId};
use crate::object::message::{Payload, Reply, RouteId};
use crate::session::Session;
use crate::wire::content::Content;
use crate::wire::frame::{Descriptor, Status};

impl SharedSession {
    /// Waits until there is room for an answer.
    pub(crate) fn poll_room(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut inner = self.lock();
        if inner.machine.has_room() || inner.machine.closed().is_some() {
            return Poll::Ready(());
        }
        inner.answerers.push(context.waker().clone());
        Poll::Pending
    }

    /// Sends the answer to a call of the peer's.
    pub(crate) fn send_answer(&self, question: QuestionId, reply: Reply) {
        let (status, payload) = match reply {
            Reply::Value(payload) => (Status::Value, payload),
            Reply::Failure(payload) => (Status::Failure, payload),
            Reply::Fault(error) => return self.send_fault(question, &error),
        };
        let Payload { body, references, .. } = payload;
        let prepared = prepare(&self.shared, (self.route_id(), self.peer.id()), &references);
        let mut inner = self.lock();
        inner.forget_running(question);
        let hidden = match prepared.introduce(&mut inner.machine) {
            Ok(Outgoing { descriptors, hide }) => {
                // One that is larger than the peer takes, the session answers with a fault.
                let content = Content { body, references: descriptors };
                inner.machine.answer(question, status, content);
                hide
            }
            Err((error, hide)) => {
                let error = Error::Nested(Box::new(error));
                inner.machine.answer(question, Status::Fault, fault(&error));
                hide
            }
        };
        self.finish(inner);
        self.hide(hidden);
        drop(references);
    }

    fn send_fault(&self, question: QuestionId, error: &Error) {
        let content = fault(error);
        self.update(|inner| {
            inner.forget_running(question);
            inner.machine.answer(question, Status::Fault, content);
        });
    }

    #[inline(always)]
    pub(crate) fn hide(&self, objects: Vec<ObjectId>) {
        if !objects.is_empty() {
            self.hide_some(objects);
        }
    }

    fn hide_some(&self, objects: Vec<ObjectId>) {
        let hidden: Vec<_> =
            objects.into_iter().filter_map(|object| self.shared.table.hide(object)).collect();
        drop(hidden);
    }

    pub(crate) fn route_id(&self) -> RouteId {
        RouteId::of(self)
    }
}

/// Takes back introductions that will not be sent.
pub(crate) fn retract(machine: &mut Session, descriptors: &[Descriptor]) {
    for descriptor in descriptors {
        if let Descriptor::Mine { object, .. } | Descriptor::Forwarded { object, .. } = *descriptor
        {
            machine.retract(object);
        }
    }
}

/// An error as the content of an answer.
fn fault(error: &Error) -> Content {
    let payload = Payload::encode(|encoder| encoder.push(error));
    let body = payload.map(|payload| payload.body).unwrap_or_default();
    Content { body, references: Vec::new() }
}
