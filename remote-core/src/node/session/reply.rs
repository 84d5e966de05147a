//! Answers to the calls of the peer.
//!
//! It must not know what executed a call.

use std::task::{Context, Poll};

use super::export::{Outgoing, prepare};
use super::shared::SharedSession;
use crate::error::Error;
use crate::id::{ObjectId, QuestionId};
use crate::object::message::{Payload, Reply};
use crate::wire::content::Content;
use crate::wire::frame::Status;

impl SharedSession {
    /// Waits until there is room for an answer, or the session has ended.
    pub(crate) fn poll_room(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut inner = self.lock();
        if inner.machine.has_room() || inner.machine.closed().is_some() {
            return Poll::Ready(());
        }
        inner.tasks.wait_for_room(context.waker().clone());
        Poll::Pending
    }

    /// Sends the answer to a call of the peer.
    pub(crate) fn send_answer(&self, question: QuestionId, reply: Reply) {
        let (status, payload) = match reply {
            Reply::Value(payload) => (Status::Value, payload),
            Reply::Failure(payload) => (Status::Failure, payload),
            Reply::Fault(error) => return self.send_fault(question, &error),
        };
        let Payload { body, references, .. } = payload;
        let prepared = prepare(&self.shared, (self.route_id(), self.peer.id()), &references);
        let mut inner = self.lock();
        inner.calls.note_answered(question);
        let hidden = match prepared.introduce(&mut inner.machine) {
            Ok(Outgoing { descriptors, hide, vouched }) => {
                inner.note_vouched(vouched);
                // If the answer is larger than the peer accepts, the state machine replaces it by a fault.
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
            inner.calls.note_answered(question);
            inner.machine.answer(question, Status::Fault, content);
        });
    }

    /// Removes the objects from the object table that the export has counted once too often.
    #[inline(always)]
    pub(super) fn hide(&self, objects: Vec<ObjectId>) {
        if !objects.is_empty() {
            self.hide_some(objects);
        }
    }

    fn hide_some(&self, objects: Vec<ObjectId>) {
        let hidden: Vec<_> =
            objects.into_iter().filter_map(|object| self.shared.table.hide(object)).collect();
        drop(hidden);
    }
}

/// Encodes an error as the content of an answer.
fn fault(error: &Error) -> Content {
    let payload = Payload::encode(|encoder| encoder.push(error));
    let body = payload.map(|payload| payload.body).unwrap_or_default();
    Content { body, references: Vec::new() }
}
