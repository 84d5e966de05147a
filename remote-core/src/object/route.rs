//! Owns what a far reference needs of the session beneath it, and nothing more.
//!
//! It must not know how a session is driven.

use std::sync::Arc;
use std::task::{Context, Poll};

use super::message::{Reply, Request, Watcher};
use crate::error::Error;
use crate::id::{ObjectId, QuestionId};
use crate::wire::frame::Target;

/// A way to the objects of one peer.
pub(crate) trait Route: Send + Sync + 'static {
    /// Sends a message; the ticket claims the reply.
    fn ask(self: Arc<Self>, target: Target, request: Request) -> Result<Ticket, Error>;

    /// The reply to a message, or a wake-up when it is here.
    fn poll_reply(&self, token: usize, context: &mut Context<'_>) -> Poll<Reply>;

    /// The reply to a message if it is here; it stays.
    fn peek_reply(&self, token: usize) -> Option<Reply>;

    /// Nobody wants the reply any more.
    fn abandon(&self, token: usize, question: QuestionId);

    /// Nothing more will be sent to the answer of a promise.
    fn finish(&self, token: usize, question: QuestionId);

    /// A proxy for an object of the peer's was dropped. Never blocks for long, never panics.
    fn release(&self, object: ObjectId);

    /// Whether messages to the answer of a promise still wait to be sent.
    fn is_behind(&self, question: QuestionId) -> bool;

    /// Has the peer tell when an object of its ends.
    fn watch(&self, object: ObjectId, watcher: Watcher) -> u64;

    /// Does not want to be told any more.
    fn unwatch(&self, watch: u64);
}

/// The claim to the reply of one message. Dropped without a reply, it cancels.
pub(crate) struct Ticket {
    route: Arc<dyn Route>,
    token: usize,
    question: QuestionId,
    spent: bool,
}

impl Ticket {
    pub(crate) fn new(route: Arc<dyn Route>, token: usize, question: QuestionId) -> Ticket {
        Ticket { route, token, question, spent: false }
    }

    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Reply> {
        let reply = self.route.poll_reply(self.token, context);
        self.spent |= reply.is_ready();
        reply
    }

    /// Takes the claim apart: for a promise, which keeps it until it is dropped.
    pub(crate) fn into_parts(mut self) -> (Arc<dyn Route>, usize, QuestionId) {
        self.spent = true;
        (Arc::clone(&self.route), self.token, self.question)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.spent {
            self.route.abandon(self.token, self.question);
        }
    }
}
