//! Handling the events of the state machine: they change calls, watches, objects and tasks.
//!
//! It must not do anything that may run the user's code: that is gathered in [`Effects`]. Events are handled in their order.

use std::sync::MutexGuard;
use std::sync::atomic::Ordering;
use std::task::Waker;

use super::calls::Cancelled;
use super::effects::Effects;
use super::shared::{Inner, SharedSession};
use super::state::SessionState;
use crate::error::Error;
use crate::id::CallToken;
use crate::object::message::{Ended, Payload, Reply};
use crate::session::event::{Cause, Event};

/// The limit on nested calls that wait for the window, in the words of its error.
const DEADLOCK: &str = "calls that wait for room, made within others, while none ends for a whole lease term \
                        (`Limits::window_calls`, `Limits::window_bytes`)";

impl SharedSession {
    /// Changes the state, and gathers the side effects for a caller who holds another lock.
    pub(crate) fn change<R>(
        &self,
        effects: &mut Effects,
        change: impl FnOnce(&mut Inner) -> R,
    ) -> R {
        let mut inner = self.lock();
        let result = change(&mut inner);
        self.end_if_unneeded(&mut inner);
        self.gather(inner, effects);
        result
    }

    /// Ends a session of a node that is gone, if neither side needs it.
    #[inline(always)]
    pub(super) fn end_if_unneeded(&self, inner: &mut Inner) {
        if self.shared.is_orphaned() && inner.is_unneeded() {
            inner.machine.close("the node is gone");
        }
        if self.shared.is_closing() {
            self.shared.ended.notify_waiters(); // Whoever waits looks when the lock is free.
        }
    }

    /// Handles all events, gathers their side effects, and releases the lock.
    pub(super) fn gather(&self, mut inner: MutexGuard<'_, Inner>, effects: &mut Effects) {
        while let Some(event) = inner.machine.poll_event() {
            self.handle(&mut inner, event, effects);
        }
        effects.wake.extend(self.unlock(inner));
    }

    /// Releases the lock. Returns the waker of the writer, if it sleeps and has something to do.
    #[inline(always)]
    pub(super) fn unlock(&self, mut inner: MutexGuard<'_, Inner>) -> Option<Waker> {
        if cfg!(debug_assertions) {
            inner.check();
        }
        let Inner { machine, tasks, .. } = &mut *inner;
        let is_held_up = !machine.has_room() || machine.closed().is_some();
        self.is_held_up.store(is_held_up, Ordering::Relaxed);
        tasks.rouse_writer(machine)
    }

    fn handle(&self, inner: &mut Inner, event: Event, effects: &mut Effects) {
        match event {
            Event::Promised { question } => inner.calls.add_promise(question),
            Event::Call(call) => {
                let delivery = self.delivery(inner, call, effects);
                inner.calls.enqueue(delivery);
            }
            Event::Cancelled { question } => match inner.calls.cancel(question) {
                Cancelled::Running(task) => effects.abort.push(task),
                Cancelled::Queued(receiver, references) => {
                    receiver.into_iter().for_each(|receiver| effects.drop_later(receiver));
                    effects.drop_later(references);
                }
                Cancelled::InHand => {}
            },
            Event::Finished { question } => {
                if let Some(promise) = inner.calls.remove_promise(question) {
                    effects.drop_later(promise);
                }
            }
            Event::Answered { token, status, content } => {
                let reply = self.reply(inner, status, content, effects);
                match token {
                    Some(token) => complete(inner, token, reply, effects),
                    None => effects.drop_later(reply),
                }
            }
            Event::HandedOver { token } => {
                complete(inner, token, Reply::Value(Payload::default()), effects);
            }
            Event::Refused { token } => {
                complete(inner, token, Reply::Fault(Error::Quota(DEADLOCK.into())), effects);
            }
            Event::Lost { token, outcome } => {
                let error = inner.machine.closed().map(|cause| cause.error(outcome));
                let error = error.unwrap_or(Error::Cancelled);
                complete(inner, token, Reply::Fault(error), effects);
            }
            Event::Unexported { object } => {
                if let Some(receiver) = self.shared.table.hide(object) {
                    effects.drop_later(receiver);
                }
            }
            Event::Watch { watch, object } => {
                effects.watch.extend(self.object(object).map(|receiver| (watch, receiver)));
            }
            Event::Unwatch { watch } => {
                // It may have begun in the same batch, and not be watched yet.
                effects.watch.retain(|(begun, _)| *begun != watch);
                if let Some(guard) = inner.watches.take_guard(watch) {
                    effects.drop_later(guard);
                }
            }
            Event::WatchEnded { watch, stopped, reason } => {
                let ended = if stopped { Ended::Stopped(reason) } else { Ended::Released };
                let watcher = inner.watches.take_watcher(watch);
                effects.notify.extend(watcher.map(|watcher| (watcher, ended)));
            }
            Event::Suspended { reason } => {
                inner.tasks.disconnect();
                effects.wake.extend(inner.tasks.wake_both());
                effects.state = Some(inner.state_changes.to(SessionState::Suspended));
                tracing::debug!(peer = %self.peer.id(), %reason, "session suspended");
            }
            Event::Resumed => {
                effects.wake.extend(inner.tasks.wake_both());
                effects.state = Some(inner.state_changes.to(SessionState::Connected));
                tracing::debug!(peer = %self.peer.id(), "session resumed");
            }
            Event::Closed { cause } => self.handle_end(inner, &cause, effects),
        }
    }

    fn handle_end(&self, inner: &mut Inner, cause: &Cause, effects: &mut Effects) {
        let (watchers, guards) = inner.watches.clear();
        let ended = watchers.into_iter().map(|watcher| (watcher, Ended::of(cause)));
        effects.notify.extend(ended);
        guards.into_iter().for_each(|guard| effects.drop_later(guard));
        let rest = inner.calls.clear();
        if !matches!(cause, Cause::Expired | Cause::Lost { .. } | Cause::Restarted) {
            // The peer said that it does not wait for them. A peer that was lost did not: what it began goes on to its end.
            effects.abort.extend(rest.running);
        }
        rest.promises.into_iter().for_each(|promise| effects.drop_later(promise));
        rest.inbox.into_iter().for_each(|delivery| effects.drop_later(Box::new(delivery)));
        effects.wake.append(&mut inner.tasks.take_responders());
        effects.wake.extend(inner.tasks.wake_both());
        effects.state = Some(inner.state_changes.to(SessionState::Ended));
        tracing::debug!(peer = %self.peer.id(), reason = cause.reason(), "session ended");
    }
}

#[inline]
fn complete(inner: &mut Inner, token: CallToken, reply: Reply, effects: &mut Effects) {
    match inner.calls.complete(token, reply) {
        Ok(waker) => effects.wake.extend(waker),
        Err(reply) => effects.drop_later(reply),
    }
}
