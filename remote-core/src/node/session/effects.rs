//! Owns what follows when the state of a session was changed: who is woken, told, or let go.
//!
//! Nothing of it happens under the lock: it is gathered in [`Aftermath`], and seen to when the lock is free.

use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, Weak};
use std::task::Waker;

use tokio::task::AbortHandle;

use super::shared::{Delivery, Inner, Link, Void};
use super::state::State;
use crate::error::Error;
use crate::node::runtime::wake_batch::wake_all;
use crate::node::runtime::watchdog::GoesOn;
use crate::node::shared::Giver;
use crate::object::builtin::INTERFACES;
use crate::object::execution::contained;
use crate::object::message::{Ended, Payload, Receiver, Reference, Reply, Watcher};
use crate::object::null::NullReceiver;
use crate::object::promise::NearPromise;
use crate::object::shortening::ShorteningRef;
use crate::session::event::{Cause, Event};

/// What is to be done when no lock is held: [`Link::follow`] does it.
#[must_use]
#[derive(Default)]
pub(crate) struct Aftermath {
    pub(crate) wake: Vec<Waker>,
    tell: Vec<(Watcher, Ended)>,
    watch: Vec<(u64, Arc<dyn Receiver>)>,
    abort: Vec<AbortHandle>,
    replies: Vec<Reply>,
    references: Vec<Reference>,
    receivers: Vec<Arc<dyn Receiver>>,
    introduced: Vec<Arc<ShorteningRef>>,
    deliveries: Vec<Delivery>,
    guards: Vec<Box<dyn Send + Sync>>,
    promises: Vec<Arc<NearPromise>>,
    /// What the session is up to, and how often that changed before.
    state: Option<(u64, State)>,
}

impl GoesOn for Link {
    fn go_on(&self) {
        let Some(bystander) = self.bystander.get() else { return };
        let has_heard = bystander.hear_in_place(self);
        let ((), aftermath) = self.change(|inner| {
            // Once it is heard what there was, silence is the peer's, and time counts. The reader may be just listening.
            inner.reads_blocked = !has_heard;
            inner.is_executing = false;
            inner.handle_timeout();
            // The reader may have gone to listen meanwhile, and must do so again.
            inner.was_overheard = true;
        });
        self.follow_elsewhere(aftermath);
        bystander.write_on(self);
        // Whoever waits for the connection would not be told any more that it is ready.
        let tasks: Vec<Waker> = self.lock().tasks().collect();
        tasks.into_iter().for_each(Waker::wake);
        if let Some(runtime) = self.runtime.get() {
            // The blocked thread may be the one that sees to the sockets and timers of all: something that comes from
            // outside wakes another one, which takes that over.
            runtime.spawn(std::future::ready(()));
        }
    }

    fn may_wait(&self) -> bool {
        let inner = self.lock();
        inner.reads_blocked || inner.has_work_for_writer()
    }
}

impl Aftermath {
    pub(crate) fn is_empty(&self) -> bool {
        let Aftermath {
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

impl Link {
    /// Does something to the state, and what follows from it.
    pub(crate) fn update<R>(&self, change: impl FnOnce(&mut Inner) -> R) -> R {
        let mut inner = self.lock();
        let result = change(&mut inner);
        self.settle(inner);
        result
    }

    /// Does something to the state for one who holds another lock: what follows waits for that to be free, too.
    pub(crate) fn change<R>(&self, change: impl FnOnce(&mut Inner) -> R) -> (R, Aftermath) {
        let mut inner = self.lock();
        let result = change(&mut inner);
        self.see_to_end(&mut inner);
        (result, self.drain(inner))
    }

    /// Drains what the session has to tell, frees the lock, and does what follows from it.
    #[inline(always)]
    pub(crate) fn settle(&self, mut inner: MutexGuard<'_, Inner>) {
        self.see_to_end(&mut inner);
        if inner.session.has_events() {
            let aftermath = self.drain(inner);
            return self.follow(aftermath);
        }
        // The hot path: a call or an answer was sent, and nobody is to be told.
        let writer = self.release(inner);
        writer.into_iter().for_each(Waker::wake);
    }

    #[inline(always)]
    fn see_to_end(&self, inner: &mut Inner) {
        if self.shared.is_orphaned() && inner.is_unneeded() {
            inner.session.close("the node is gone");
        }
        if self.shared.is_closing() {
            self.shared.ended.notify_waiters(); // Who waits looks when the lock is free.
        }
    }

    fn drain(&self, mut inner: MutexGuard<'_, Inner>) -> Aftermath {
        let mut aftermath = Aftermath::default();
        while let Some(event) = inner.session.poll_event() {
            self.handle(&mut inner, event, &mut aftermath);
        }
        aftermath.introduced.append(&mut inner.introduced);
        aftermath.receivers.append(&mut inner.arrived);
        aftermath.wake.extend(self.release(inner));
        aftermath
    }

    /// Frees the lock. The writer is to be woken, if it sleeps and has something to do.
    #[inline(always)]
    fn release(&self, mut inner: MutexGuard<'_, Inner>) -> Option<Waker> {
        let is_held_up = !inner.session.has_room() || inner.session.closed().is_some();
        self.is_held_up.store(is_held_up, Ordering::Relaxed);
        inner.rouse_writer()
    }

    fn handle(&self, inner: &mut Inner, event: Event, aftermath: &mut Aftermath) {
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
                    aftermath.abort.push(task.clone());
                } else if let Some(held) =
                    inner.inbox.iter_mut().find(|delivery| delivery.question == question)
                {
                    // Answered in its turn, when there is room: else a peer that does not read could fill the queue
                    // with answers by cancelling.
                    let receiver = std::mem::replace(&mut held.receiver, Err(Void::Cancelled));
                    aftermath.receivers.extend(receiver);
                    aftermath.references.append(&mut held.references);
                } else {
                    inner.given_up.insert(question);
                }
            }
            Event::Finished { question } => {
                aftermath.promises.extend(inner.promises.remove(&question))
            }
            Event::Answered { token, status, content } => {
                let (reply, rest) = self.reply(inner, status, content);
                aftermath.replies.extend(rest.map(Reply::Value));
                match token {
                    Some(token) => answer(inner, token, reply, aftermath),
                    None => aftermath.replies.push(reply),
                }
            }
            Event::HandedOver { token } => {
                answer(inner, token, Reply::Value(Payload::default()), aftermath)
            }
            Event::Refused { token } => {
                let limit = "calls that wait for room, made within others, while none ends for a whole lease term \
                             (`Limits::window_calls`, `Limits::window_bytes`)";
                answer(inner, token, Reply::Fault(Error::Quota(limit.into())), aftermath);
            }
            Event::Lost { token, outcome } => {
                let error = inner.session.closed().map(|cause| cause.error(outcome));
                answer(inner, token, Reply::Fault(error.unwrap_or(Error::Cancelled)), aftermath);
            }
            Event::Unexported { object } => {
                aftermath.receivers.extend(self.shared.table.hide(object))
            }
            Event::Watch { watch, object } => {
                if let Some(receiver) = self.object(object) {
                    aftermath.watch.push((watch, receiver));
                }
            }
            Event::Unwatch { watch } => {
                // It may have begun in the same batch, and not be watched yet.
                aftermath.watch.retain(|(begun, _)| *begun != watch);
                aftermath.guards.extend(inner.watched.remove(&watch));
            }
            Event::WatchEnded { watch, stopped, reason } => {
                let ended = if stopped { Ended::Stopped(reason) } else { Ended::Released };
                aftermath
                    .tell
                    .extend(inner.watchers.remove(&watch).map(|watcher| (watcher, ended)));
            }
            Event::Suspended { reason } => {
                inner.attached.detach();
                aftermath.wake.extend(inner.tasks());
                aftermath.state = Some(inner.turn(State::Suspended));
                tracing::debug!(peer = %self.peer.id(), %reason, "session suspended");
            }
            Event::Resumed => {
                aftermath.wake.extend(inner.tasks());
                aftermath.state = Some(inner.turn(State::Connected));
                tracing::debug!(peer = %self.peer.id(), "session resumed");
            }
            Event::Closed { cause } => {
                let reason = cause.reason().to_owned();
                let watchers = std::mem::take(&mut inner.watchers);
                aftermath
                    .tell
                    .extend(watchers.into_values().map(|watcher| (watcher, Ended::of(&cause))));
                let running = std::mem::take(&mut inner.running);
                inner.given_up.clear();
                if !matches!(cause, Cause::Expired | Cause::Lost { .. } | Cause::Restarted) {
                    // Nobody waits for them any more. Who was lost did not say so: what it began goes on to its end.
                    aftermath.abort.extend(running.into_values().flatten());
                }
                aftermath.guards.extend(std::mem::take(&mut inner.watched).into_values());
                aftermath.promises.extend(std::mem::take(&mut inner.promises).into_values());
                aftermath.deliveries.extend(std::mem::take(&mut inner.inbox));
                aftermath.wake.append(&mut inner.answerers);
                aftermath.wake.extend(inner.tasks());
                aftermath.state = Some(inner.turn(State::Ended));
                tracing::debug!(peer = %self.peer.id(), %reason, "session ended");
            }
        }
    }

    /// Does what follows for one who has no time to spend on code of the user's.
    pub(crate) fn follow_elsewhere(&self, mut aftermath: Aftermath) {
        std::mem::take(&mut aftermath.wake).into_iter().for_each(Waker::wake);
        if aftermath.is_empty() {
            return;
        }
        let link = self.this();
        match self.runtime.get() {
            // Not on a worker: it may be blocked, and is not to be.
            Some(runtime) => drop(runtime.spawn_blocking(move || link.follow(aftermath))),
            None => link.follow(aftermath),
        }
    }

    pub(crate) fn follow(&self, aftermath: Aftermath) {
        let Aftermath {
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
        } = aftermath;
        wake_all(wake);
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
        if let Some((_, State::Ended)) = state
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

    fn watch_for_peer(&self, watch: u64, receiver: Arc<dyn Receiver>) {
        let link = self.this.clone();
        let guard = receiver.watch(Box::new(move |ended| {
            let Some(link) = link.upgrade() else { return };
            let (stopped, reason) = match ended {
                Ended::Released => (false, String::new()),
                Ended::Stopped(reason) => (true, reason),
                // One that this side forwards for: to the peer it has ended, whatever became of it.
                other => (true, other.to_string()),
            };
            let guard = link.update(|inner| {
                inner.session.tell_ended(watch, stopped, &reason);
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
fn answer(inner: &mut Inner, token: usize, reply: Reply, aftermath: &mut Aftermath) {
    match inner.waiters.try_remove(token) {
        Some(waiter) => aftermath.wake.extend(waiter.slot.fill(reply)),
        None => aftermath.replies.push(reply),
    }
}
