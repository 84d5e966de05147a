//! Changes of a session's state. Their side effects are applied after the lock is released.

use std::sync::{Arc, MutexGuard};
use std::task::Waker;

use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use super::effects::Effects;
use super::pump;
use super::shared::{Inner, SharedSession};
use crate::id::WatchId;
use crate::node::runtime::wake_batch::wake_all;
use crate::node::runtime::watchdog::Unblock;
use crate::node::shared::Giver;
use crate::object::execution::contained;
use crate::object::message::{Ended, Receiver};

impl SharedSession {
    /// Changes the state, and applies the side effects.
    pub(crate) fn update<R>(&self, change: impl FnOnce(&mut Inner) -> R) -> R {
        let mut inner = self.lock();
        let result = change(&mut inner);
        self.finish(inner);
        result
    }

    /// Handles the events of a change, releases the lock, and applies the side effects.
    #[inline(always)]
    pub(super) fn finish(&self, mut inner: MutexGuard<'_, Inner>) {
        self.end_if_unneeded(&mut inner);
        if inner.machine.has_events() {
            let mut effects = Effects::default();
            self.gather(inner, &mut effects);
            return self.apply(effects);
        }
        // The fast path: a call or an answer was sent, and there are no events.
        let writer = self.unlock(inner);
        writer.into_iter().for_each(Waker::wake);
    }

    /// Applies side effects. To be called when no lock is held.
    pub(super) fn apply(&self, effects: Effects) {
        let Effects { wake, notify, watch, abort, shorten, withdraw, drops, end_streams, state } =
            effects;
        wake_all(wake);
        abort.iter().for_each(AbortHandle::abort);
        notify.into_iter().for_each(|(watcher, ended)| watcher(ended));
        if let Some(hand_off) = self.shared.hand_off.get() {
            for reference in shorten {
                let (route, permits) = (self.this(), Arc::clone(&self.token_requests));
                hand_off.shorten(reference, Giver { node: self.peer.id(), route, permits });
            }
            withdraw.into_iter().for_each(|(owner, token)| hand_off.withdraw(owner, token));
        }
        for (watch, receiver) in watch {
            self.watch_for_peer(watch, receiver);
        }
        if end_streams {
            self.end_streams.send_replace(true);
        }
        if let Some(change) = state {
            if change.is_end() {
                // A program that ends drops its references last. Its tasks may not run any more, so the last frame is written
                // here.
                let mut effects = Effects::default();
                pump::write_in_place(self, &mut effects);
                self.apply(effects);
            }
            if change.is_end() {
                self.peer.set_gone();
            }
            self.state.publish(change);
            self.shared.ended.notify_waiters();
        }
        // They may need a runtime, and this thread may have none.
        let _runtime = self.runtime.get().filter(|_| !drops.is_empty()).map(Handle::enter);
        // Panics are caught one by one: a second panic during unwinding would abort the process.
        drops.into_iter().for_each(|value| contained(|| drop(value)));
    }

    /// Applies side effects on behalf of a thread that must not run user code.
    fn apply_elsewhere(&self, mut effects: Effects) {
        std::mem::take(&mut effects.wake).into_iter().for_each(Waker::wake);
        if effects.is_empty() {
            return;
        }
        let session = self.this();
        match self.runtime.get() {
            // Not on a worker, because the worker may be blocked already, or be blocked by user code.
            Some(runtime) => drop(runtime.spawn_blocking(move || session.apply(effects))),
            None => session.apply(effects),
        }
    }

    /// Reports the end of an object of this node to the peer.
    fn watch_for_peer(&self, watch: WatchId, receiver: Arc<dyn Receiver>) {
        let session = self.downgrade();
        let guard = receiver.watch(Box::new(move |ended| {
            let Some(session) = session.upgrade() else { return };
            let (stopped, reason) = match ended {
                Ended::Released => (false, String::new()),
                Ended::Stopped(reason) => (true, reason),
                // An object for which this node forwards. For the peer it has ended, whatever the reason.
                other => (true, other.to_string()),
            };
            let guard = session.update(|inner| {
                inner.machine.notify_ended(watch, stopped, &reason);
                inner.watches.take_guard(watch)
            });
            drop(guard);
        }));
        let former = self.lock().watches.add_guard(watch, guard);
        drop(former);
    }
}

impl Unblock for SharedSession {
    fn drive(&self) {
        let Some(runtime) = self.runtime.get() else { return };
        // Wakers and destructors of the user's may need it.
        let _runtime = runtime.enter();
        let mut effects = Effects::default();
        let read_all = pump::read_in_place(self, &mut effects);
        self.change(&mut effects, |inner| {
            inner.tasks.note_read_elsewhere(read_all);
            inner.handle_timeout();
        });
        pump::write_rest(self, &mut effects);
        self.apply_elsewhere(effects);
        // The tasks' wakers are no longer registered with the connection.
        let tasks: Vec<Waker> = self.lock().tasks.wake_both().collect();
        tasks.into_iter().for_each(Waker::wake);
        // The blocked worker may own the driver of the runtime. A spawn from outside wakes another worker, which takes it over.
        runtime.spawn(std::future::ready(()));
    }

    fn may_be_stuck(&self) -> bool {
        let inner = self.lock();
        inner.tasks.may_be_stuck(&inner.machine)
    }
}
