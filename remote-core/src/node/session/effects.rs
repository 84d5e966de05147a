//! Owns what follows when the state of a session was changed: who is woken, told, or let go.
//!
//! Nothing of it happens under the lock: it is gathered in [`Effects`], and seen to when the lock is free.

use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, Weak};
use std::task::Waker;

use tokio::task::AbortHandle;

use super::shared::{Delivery, Inner, SharedSession, Void};
use super::state::SessionState;
use crate::error::Error;
use crate::id::{CallToken, WatchId};
use crate::node::runtime::wake_batch::wake_batch;
use crate::node::runtime::watchdog::Unblock;
use crate::node::shared::Giver;
use crate::object::builtin::INTERFACES;
use crate::object::execution::contained;
use crate::object::message::{Ended, Payload, Receiver, Reference, Reply, Watcher};
use crate::object::null::NullReceiver;
use crate::object::promise::NearPromise;
use crate::object::shortening::ShorteningRef;
use crate::session::event::{Cause, Event};

/// What is to be done when no lock is held: [`SharedSession::follow`] does it.
#[must_use]
#[derive(Default)]
pub(crate) struct Effects {
    pub(crate) wake: Vec<Waker>,
    tell: Vec<(Watcher, Ended)>,
    watch: Vec<(WatchId, Arc<dyn Receiver>)>,
    abort: Vec<AbortHandle>,
    replies: Vec<Reply>,
    references: Vec<Reference>,
    receivers: Vec<Arc<dyn Receiver>>,
    introduced: Vec<Arc<ShorteningRef>>,
    deliveries: Vec<Delivery>,
    guards: Vec<Box<dyn Send + Sync>>,
    promises: Vec<Arc<NearPromise>>,
    /// What the session is up to, and how often that changed before.
    state: Option<(u64, SessionState)>,
}

impl Unblock for SharedSession {
    fn drive(&self) {
        let Some(bystander) = self.bystander.get() else { return };
        let has_heard = bystander.read_in_place(self);
        let ((), effects) = self.change(|inner| {
            // Once it is heard what there was, silence is the peer's, and time counts. The reader may be just listening.
            inner.reads_blocked = !has_heard;
            inner.is_executing = false;
            inner.handle_timeout();
            // The reader may have gone to listen meanwhile, and must do so again.
            inner.was_overheard = true;
        });
        self.apply_elsewhere(effects);
        bystander.write_rest(self);
        // Whoever waits for the connection would not be told any more that it is ready.
        let tasks: Vec<Waker> = self.lock().tasks().collect();
        tasks.into_iter().for_each(Waker::wake);
        if let Some(runtime) = self.runtime.get() {
            // The blocked thread may be the one that sees to the sockets and timers of all: something that comes from
            // outside wakes another one, which takes that over.
            runtime.spawn(std::future::ready(()));
        }
    }

    fn may_be_stuck(&self) -> bool {
        let inner = self.lock();
        inner.reads_blocked || inner.has_work_for_writer()
    }
}

impl Effects {
    pub(crate) fn is_empty(&self) -> bool {
        let Effects {
            wake,
            tell,
            watch,
            abort,
            replies,
            references,
            receivers,
            introduced,
            deliveries,
            guards,
            promises,
            state,
        } = self;
        wake.is_empty()
            && tell.is_empty()
            && watch.is_empty()
            && abort.is_empty()
            && replies.is_empty()
            && references.is_empty()
            && receivers.is_empty()
            && introduced.is_empty()
            && deliveries.is_empty()
            && guards.is_empty()
            && promises.is_empty()
            && state.is_none()
    }
}

impl SharedSession {
    /// Does something to the state, and what follows from it.
    pub(crate) fn update<R>(&self, change: impl FnOnce(&mut Inner) -> R) -> R {
        let mut inner = self.lock();
        let result = change(&mut inner);
        self.finish(inner);
        result
    }

    /// Does something to the state for one who holds another lock: what follows waits for that to be free, too.
    pub(crate) fn change<R>(&self, change: impl FnOnce(&mut Inner) -> R) -> (R, Effects) {
        let mut inner = self.lock();
        let result = change(&mut inner);
        self.see_to_end(&mut inner);
        (result, self.drain(inner))
    }

    /// Drains what the session has to tell, frees the lock, and does what follows from it.
    #[inline(always)]
    pub(crate) fn finish(&self, mut inner: MutexGuard<'_, Inner>) {
        self.see_to_end(&mut inner);
        if inner.machine.has_events() {
            let effects = self.drain(inner);
            return self.apply(effects);
        }
        // The hot path: a call or an answer was sent, and nobody is to be told.
        let writer = self.release(inner);
        writer.into_iter().for_each(Waker::wake);
    }

    #[inline(always)]
    fn see_to_end(&self, inner: &mut Inner) {
        if self.shared.is_orphaned() && inner.is_unneeded() {
            inner.machine.close("the node is gone");
        }
        if self.shared.is_closing() {
            self.shared.ended.notify_waiters(); // Who waits looks when the lock is free.
        }
    }

    fn drain(&self, mut inner: MutexGuard<'_, Inner>) -> Effects {
        let mut effects = Effects::default();
        while let Some(event) = inner.machine.poll_event() {
            self.handle(&mut inner, event, &mut effects);
        }
        effects.introduced.append(&mut inner.introduced);
        effects.receivers.append(&mut inner.arrived);
        effects.wake.extend(self.release(inner));
        effects
    }

    /// Frees the lock. The writer is to be woken, if it sleeps and has something to do.
    #[inline(always)]
    fn release(&self, mut inner: MutexGuard<'_, Inner>) -> Option<Waker> {
        let is_held_up = !inner.machine.has_room() || inner.machine.closed().is_some();
        self.is_held_up.store(is_held_up, Ordering::Relaxed);
        inner.rouse_writer()
    }

    fn handle(&self, inner: &mut Inner, event: Event, effects: &mut Effects) {
        match event {
            Event::Promised { question } => {
                let nobody: Weak<dyn Receiver> = Weak::<NullReceiver>::new();
                let promise = NearPromise::new(&INTERFACES, nobody);
                inner.promises.insert(question, promise);
            }
            Event::Call(call) => {
                let delivery = self.delivery(inner, call);
                inner.inbox.push_back(delivery);
            }
            Event::Cancelled { question } => {
                if let Some(Some(task)) = inner.running.get(&question) {
                    effects.abort.push(task.clone());
                } else if let Some(held) =
                    inner.inbox.iter_mut().find(|delivery| delivery.question == question)
                {
                    // Answered in its turn, when there is room: else a peer that does not read could fill the queue
                    // with answers by cancelling.
                    let receiver = std::mem::replace(&mut held.receiver, Err(Void::Cancelled));
                    effects.receivers.extend(receiver);
                    effects.references.append(&mut held.references);
                } else {
                    inner.given_up.insert(question);
                }
            }
            Event::Finished { question } => {
                effects.promises.extend(inner.promises.remove(&question))
            }
            Event::Answered { token, status, content } => {
                let (reply, rest) = self.reply(inner, status, content);
                effects.replies.extend(rest.map(Reply::Value));
                match token {
                    Some(token) => answer(inner, token, reply, effects),
                    None => effects.replies.push(reply),
                }
            }
            Event::HandedOver { token } => {
                answer(inner, token, Reply::Value(Payload::default()), effects)
            }
            Event::Refused { token } => {
                let limit = "calls that wait for room, made within others, while none ends for a whole lease term \
                             (`Limits::window_calls`, `Limits::window_bytes`)";
                answer(inner, token, Reply::Fault(Error::Quota(limit.into())), effects);
            }
            Event::Lost { token, outcome } => {
                let error = inner.machine.closed().map(|cause| cause.error(outcome));
                answer(inner, token, Reply::Fault(error.unwrap_or(Error::Cancelled)), effects);
            }
            Event::Unexported { object } => {
                effects.receivers.extend(self.shared.table.hide(object))
            }
            Event::Watch { watch, object } => {
                if let Some(receiver) = self.object(object) {
                    effects.watch.push((watch, receiver));
                }
            }
            Event::Unwatch { watch } => {
                // It may have begun in the same batch, and not be watched yet.
                effects.watch.retain(|(begun, _)| *begun != watch);
                effects.guards.extend(inner.watched.remove(&watch));
            }
            Event::WatchEnded { watch, stopped, reason } => {
                let ended = if stopped { Ended::Stopped(reason) } else { Ended::Released };
                effects.tell.extend(inner.watchers.remove(&watch).map(|watcher| (watcher, ended)));
            }
            Event::Suspended { reason } => {
                inner.slot.detach();
                effects.wake.extend(inner.tasks());
                effects.state = Some(inner.turn(SessionState::Suspended));
                tracing::debug!(peer = %self.peer.id(), %reason, "session suspended");
            }
            Event::Resumed => {
                effects.wake.extend(inner.tasks());
                effects.state = Some(inner.turn(SessionState::Connected));
                tracing::debug!(peer = %self.peer.id(), "session resumed");
            }
            Event::Closed { cause } => {
                let reason = cause.reason().to_owned();
                let watchers = std::mem::take(&mut inner.watchers);
                effects
                    .tell
                    .extend(watchers.into_values().map(|watcher| (watcher, Ended::of(&cause))));
                let running = std::mem::take(&mut inner.running);
                inner.given_up.clear();
                if !matches!(cause, Cause::Expired | Cause::Lost { .. } | Cause::Restarted) {
                    // Nobody waits for them any more. Who was lost did not say so: what it began goes on to its end.
                    effects.abort.extend(running.into_values().flatten());
                }
                effects.guards.extend(std::mem::take(&mut inner.watched).into_values());
                effects.promises.extend(std::mem::take(&mut inner.promises).into_values());
                effects.deliveries.extend(std::mem::take(&mut inner.inbox));
                effects.wake.append(&mut inner.answerers);
                effects.wake.extend(inner.tasks());
                effects.state = Some(inner.turn(SessionState::Ended));
                tracing::debug!(peer = %self.peer.id(), %reason, "session ended");
            }
        }
    }

    /// Does what follows for one who has no time to spend on code of the user's.
    pub(crate) fn apply_elsewhere(&self, mut effects: Effects) {
        std::mem::take(&mut effects.wake).into_iter().for_each(Waker::wake);
        if effects.is_empty() {
            return;
        }
        let session = self.this();
        match self.runtime.get() {
            // Not on a worker: it may be blocked, and is not to be.
            Some(runtime) => drop(runtime.spawn_blocking(move || session.apply(effects))),
            None => session.apply(effects),
        }
    }

    pub(crate) fn apply(&self, effects: Effects) {
        let Effects {
            wake,
            tell,
            watch,
            abort,
            state,
            replies,
            references,
            receivers,
            introduced,
            deliveries,
            guards,
            promises,
        } = effects;
        wake_batch(wake);
        abort.iter().for_each(AbortHandle::abort);
        tell.into_iter().for_each(|(watcher, ended)| watcher(ended));
        if let Some(hand_off) = self.shared.hand_off.get() {
            for introduced in introduced {
                let (route, turns) = (self.this(), Arc::clone(&self.asking));
                hand_off.shorten(introduced, Giver { node: self.peer.id(), route, turns });
            }
        }
        for (watch, receiver) in watch {
            self.watch_for_peer(watch, receiver);
        }
        if let Some((_, SessionState::Ended)) = state
            && let Some(bystander) = self.bystander.get()
        {
            // A program that ends lets its references go last: its tasks may not run any more to say so.
            bystander.write_in_place(self);
        }
        if let Some((turn, state)) = state {
            // Two threads may come here in either order: the later change stays.
            self.state.send_if_modified(|known| {
                let is_news = self.turns_told.fetch_max(turn, Ordering::Relaxed) < turn;
                if is_news {
                    *known = state;
                }
                is_news
            });
            self.shared.ended.notify_waiters();
        }
        // One by one: of several that panic at once, the second would end the process.
        receivers.into_iter().for_each(|receiver| contained(|| drop(receiver)));
        replies.into_iter().for_each(|reply| contained(|| drop(reply)));
        references.into_iter().for_each(|reference| contained(|| drop(reference)));
        deliveries.into_iter().for_each(|delivery| contained(|| drop(delivery)));
        promises.into_iter().for_each(|promise| contained(|| drop(promise)));
        guards.into_iter().for_each(|guard| contained(|| drop(guard)));
    }

    fn watch_for_peer(&self, watch: WatchId, receiver: Arc<dyn Receiver>) {
        let session = self.this.clone();
        let guard = receiver.watch(Box::new(move |ended| {
            let Some(session) = session.upgrade() else { return };
            let (stopped, reason) = match ended {
                Ended::Released => (false, String::new()),
                Ended::Stopped(reason) => (true, reason),
                // One that this side forwards for: to the peer it has ended, whatever became of it.
                other => (true, other.to_string()),
            };
            let guard = session.update(|inner| {
                inner.machine.tell_ended(watch, stopped, &reason);
                inner.watched.remove(&watch)
            });
            drop(guard);
        }));
        let mut inner = self.lock();
        let replaced = inner.watched.insert(watch, guard);
        drop(inner);
        drop(replaced);
    }
}

#[inline]
fn answer(inner: &mut Inner, token: CallToken, reply: Reply, effects: &mut Effects) {
    match inner.waiters.try_remove(token.0) {
        Some(waiter) => effects.wake.extend(waiter.slot.fill(reply)),
        None => effects.replies.push(reply),
    }
}
