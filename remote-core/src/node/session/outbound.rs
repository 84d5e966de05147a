//! Owns the session as far references use it.
//!
//! It must not know what answers.

use std::sync::Arc;
use std::time::Instant;

use super::export::{Outgoing, prepare};
use super::reply::retract;
use super::shared::{Inner, SharedSession, Waiter};
use crate::error::Error;
use crate::id::{CallToken, ObjectId, QuestionId, WatchId};
use crate::object::message::{Claim, Ended, Payload, Request, Route, Watcher};
use crate::object::slot::Slot;
use crate::session::Ask;
use crate::wire::content::Content;
use crate::wire::frame::Target;

impl Route for SharedSession {
    fn ask(&self, target: Target, request: Request) -> Result<Claim, Error> {
        let Request { selector, payload, manner, deadline, nesting, waker, .. } = request;
        let nesting = self.shared.limits.nest(nesting)?;
        let Payload { body, references, .. } = payload;
        let prepared = prepare(&self.shared, (self.route_id(), self.peer.id()), &references);
        let now = deadline.map(|_| Instant::now());
        let slot = Arc::new(Slot::new(waker));
        let waiter = Waiter { question: QuestionId(0), slot: Arc::clone(&slot) };
        let mut inner = self.lock();
        let (descriptors, hidden) = match prepared.introduce(&mut inner.machine) {
            Ok(Outgoing { descriptors, hide }) => (descriptors, hide),
            Err((error, hide)) => {
                self.finish(inner);
                self.hide(hide);
                return Err(error);
            }
        };
        let token = CallToken(inner.waiters.insert(waiter));
        let ask = Ask {
            token,
            target,
            selector: (selector.text(), selector.fingerprint()),
            manner,
            nesting,
            deadline,
            content: Content { body, references: descriptors.clone() },
        };
        let asked = inner.machine.ask(now, ask);
        match &asked {
            Ok(question) => inner.waiters[token.0].question = *question,
            Err(_) => {
                inner.waiters.remove(token.0);
                retract(&mut inner.machine, &descriptors);
            }
        }
        self.finish(inner);
        self.hide(hidden);
        drop(references);
        asked.map(|question| Claim { token, question, slot })
    }

    fn abandon(&self, token: CallToken, question: QuestionId) {
        let waiter = self.update(|inner| {
            inner.machine.cancel(question);
            inner.take_waiter(token, question)
        });
        drop(waiter);
    }

    fn finish(&self, token: CallToken, question: QuestionId) {
        let waiter = self.update(|inner| {
            inner.machine.finish(question);
            inner.take_waiter(token, question)
        });
        drop(waiter);
    }

    fn release(&self, object: ObjectId) {
        self.update(|inner| inner.machine.release(object));
    }

    fn is_behind(&self, question: QuestionId) -> bool {
        self.lock().machine.is_behind(question)
    }

    fn watch(&self, object: ObjectId, watcher: Watcher) -> Option<WatchId> {
        let mut inner = self.lock();
        if let Some(cause) = inner.machine.closed() {
            let ended = Ended::of(cause);
            drop(inner);
            watcher(ended);
            return None;
        }
        inner.next_watch += 1;
        let watch = WatchId(inner.next_watch);
        inner.watchers.insert(watch, watcher);
        inner.machine.watch(watch, object);
        self.finish(inner);
        Some(watch)
    }

    fn unwatch(&self, watch: WatchId) {
        let watcher = self.update(|inner| {
            let watcher = inner.watchers.remove(&watch);
            if watcher.is_some() && inner.machine.closed().is_none() {
                inner.machine.unwatch(watch);
            }
            watcher
        });
        drop(watcher);
    }
}

impl Inner {
    /// The waiter of a call, if the place is not another's by now.
    fn take_waiter(&mut self, token: CallToken, question: QuestionId) -> Option<Waiter> {
        let is_its = self.waiters.get(token.0).is_some_and(|waiter| waiter.question == question);
        is_its.then(|| self.waiters.remove(token.0))
    }
}
