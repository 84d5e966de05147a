//! The session as a route: calls, releases and watches of far references.
//!
//! It must not know what executes a call.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::watch;

use super::export::{Outgoing, prepare};
use super::shared::SharedSession;
use crate::error::Error;
use crate::id::{CallToken, ObjectId, QuestionId, WatchId};
use crate::object::message::{Claim, Ended, Payload, Request, Route, Watcher};
use crate::object::slot::Slot;
use crate::session::OutgoingCall;
use crate::wire::content::Content;
use crate::wire::frame::Target;

impl Route for SharedSession {
    fn ask(&self, target: Target, request: Request) -> Result<Claim, Error> {
        let Request { mut header, payload, waker, .. } = request;
        header.nesting = self.shared.limits.nest(header.nesting)?;
        let Payload { body, references, .. } = payload;
        let prepared = prepare(&self.shared, (self.route_id(), self.peer.id()), &references);
        let now = header.deadline.map(|_| Instant::now());
        let slot = Arc::new(Slot::new(waker));
        let mut inner = self.lock();
        let (descriptors, hidden) = match prepared.introduce(&mut inner.machine) {
            Ok(Outgoing { descriptors, hide, vouched }) => {
                inner.note_vouched(vouched);
                (descriptors, hide)
            }
            Err((error, hide)) => {
                self.finish(inner);
                self.hide(hide);
                return Err(error);
            }
        };
        let token = inner.calls.add_waiter(Arc::clone(&slot));
        let ask = OutgoingCall {
            token,
            target,
            header: header.named(),
            content: Content { body, references: descriptors.clone() },
        };
        let asked = inner.machine.ask(now, ask);
        match &asked {
            Ok(question) => inner.calls.set_question(token, *question),
            Err(_) => {
                // The slot is shared with this function, so that no user code runs here.
                drop(inner.calls.remove_waiter(token));
                inner.machine.retract_all(&descriptors);
            }
        }
        self.finish(inner);
        self.hide(hidden);
        drop(references);
        asked.map(|question| Claim { token, question, slot })
    }

    fn call_timeout(&self) -> Option<Duration> {
        self.shared.call_timeout
    }

    fn runtime(&self) -> Option<Handle> {
        self.runtime.get().cloned()
    }

    fn abandon(&self, token: CallToken, question: QuestionId) {
        let waiter = self.update(|inner| {
            inner.machine.cancel(question);
            inner.calls.take_waiter(token, question)
        });
        drop(waiter);
    }

    fn finish(&self, token: CallToken, question: QuestionId) {
        let waiter = self.update(|inner| {
            inner.machine.finish(question);
            inner.calls.take_waiter(token, question)
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
        let watch = inner.watches.add_watcher(watcher);
        inner.machine.watch(watch, object);
        self.finish(inner);
        Some(watch)
    }

    fn begin_stream(&self) -> watch::Receiver<bool> {
        self.streams.fetch_add(1, Ordering::Relaxed);
        self.end_streams.subscribe()
    }

    fn end_stream(&self) {
        self.streams.fetch_sub(1, Ordering::Relaxed);
        self.shared.ended.notify_waiters();
    }

    fn unwatch(&self, watch: WatchId) {
        let watcher = self.update(|inner| {
            let watcher = inner.watches.take_watcher(watch);
            if watcher.is_some() && inner.machine.closed().is_none() {
                inner.machine.unwatch(watch);
            }
            watcher
        });
        drop(watcher);
    }
}
