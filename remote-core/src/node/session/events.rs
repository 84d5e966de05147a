//! Handling the events of the state machine, which change calls, watches, objects and tasks.
//!
//! It must not run user code: such side effects are gathered in [`Effects`]. Events are handled in order.

use std::sync::MutexGuard;
use std::sync::atomic::Ordering;
use std::task::Waker;

use super::admission::Admission;
use super::calls::Cancelled;
use super::effects::Effects;
use super::shared::{Inner, SharedSession};
use super::state::SessionState;
use crate::error::{Error, Outcome};
use crate::id::CallToken;
use crate::object::message::{Ended, Payload, Reply};
use crate::session::event::{Cause, Event};

/// The limit on nested calls that wait for the window, as the error names it.
const DEADLOCK: &str = "calls that wait for room, made within others, while none ends for a whole lease term \
                        (`Limits::window_calls`, `Limits::window_bytes`)";

impl SharedSession {
    /// Changes the state, and gathers the side effects for a caller that holds another lock.
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

    /// Ends the session if the last handle of its node was dropped and neither side needs the session.
    #[inline(always)]
    pub(super) fn end_if_unneeded(&self, inner: &mut Inner) {
        if self.shared.is_orphaned() && inner.is_unneeded() {
            match inner.machine.uncredited() {
                0 => inner.machine.close("the node is gone"),
                // Messages that were handed over are still to be executed. The peer reports it at once if it is asked.
                _ => inner.machine.begin_closing(),
            }
        }
        if self.shared.is_closing() {
            self.shared.ended.notify_waiters(); // The waiting task takes the lock after it is released.
        }
    }

    /// Handles all events, gathers their side effects, and releases the lock.
    pub(super) fn gather(&self, mut inner: MutexGuard<'_, Inner>, effects: &mut Effects) {
        while let Some(event) = inner.machine.poll_event() {
            self.handle(&mut inner, event, effects);
        }
        effects.wake.extend(self.unlock(inner));
    }

    /// Releases the lock. Returns the waker of the writer, if it sleeps and there is work for it.
    #[inline(always)]
    pub(super) fn unlock(&self, mut inner: MutexGuard<'_, Inner>) -> Option<Waker> {
        if cfg!(debug_assertions) {
            inner.check();
        }
        let Inner { machine, tasks, .. } = &mut *inner;
        let admission = match machine.closed() {
            None if machine.has_room() => Admission::All,
            None => Admission::HeldUp,
            Some(cause) => Admission::after(cause),
        };
        self.admission.store(admission as u8, Ordering::Relaxed);
        tasks.take_writer_waker(machine)
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
            Event::Flushed { token } => {
                complete(inner, token, Reply::Value(Payload::default()), effects);
            }
            Event::PeerClosing => effects.end_streams = true,
            Event::Refused { token } => {
                complete(inner, token, Reply::Fault(Error::Quota(DEADLOCK.into())), effects);
            }
            Event::Lost { token, outcome } => {
                let error = inner.machine.closed().map(|cause| cause.error(outcome));
                let error = error.unwrap_or(Error::Cancelled);
                complete(inner, token, Reply::Fault(error), effects);
            }
            Event::Unexported { object } => {
                // After the end of the session, the peer may still claim what it was given.
                if inner.machine.closed().is_none() {
                    effects.withdraw.extend(inner.vouched.take(object));
                }
                if let Some(receiver) = self.shared.table.hide(object) {
                    effects.drop_later(receiver);
                }
            }
            Event::Watch { watch, object } => {
                effects.watch.extend(self.object(object).map(|receiver| (watch, receiver)));
            }
            Event::Unwatch { watch } => {
                // The watch may be in the same batch of effects, and not be started yet.
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
            Event::Closed { cause, has_unreceived } => {
                if has_unreceived {
                    self.shared.unreceived.note(cause.error(Outcome::Unknown));
                }
                self.handle_end(inner, &cause, effects)
            }
            Event::PeerGone => {
                let admission = inner.machine.closed().map_or(Admission::Nothing, Admission::after);
                let is_executed = |manner| admission.admits(manner);
                inner.calls.give_up_running(is_executed, &mut effects.abort);
            }
        }
    }

    fn handle_end(&self, inner: &mut Inner, cause: &Cause, effects: &mut Effects) {
        let (watchers, guards) = inner.watches.clear();
        let ended = watchers.into_iter().map(|watcher| (watcher, Ended::of(cause)));
        effects.notify.extend(ended);
        guards.into_iter().for_each(|guard| effects.drop_later(guard));
        // Calls that run go on until the peer's lease ends: see `Event::PeerGone`.
        let admission = Admission::after(cause);
        let rest = inner.calls.end(|manner| admission.admits(manner));
        rest.promises.into_iter().for_each(|promise| effects.drop_later(promise));
        rest.queued.into_iter().for_each(|delivery| effects.drop_later(Box::new(delivery)));
        inner.vouched.clear();
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
