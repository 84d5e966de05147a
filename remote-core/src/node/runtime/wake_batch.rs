//! Waking many tasks together.
//!
//! It must not know what the tasks wait for. See the [module](super), fact 3: each single wake-up may wake another worker
//! thread. A waker that the runtime *defers*, like that of a task that yields, is woken when the worker next polls its driver.
//! The batch uses one deferred waker, which then wakes all the others.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Wake, Waker};

use super::watchdog::{Unblock, drive_soon};
use crate::mutex::Mutex;
use crate::object::execution::contained;

/// The maximum number of tasks that are woken at once, so that a single caller does not wait for the end of the tick.
const FEW: usize = 3;

/// Wakes all tasks: a few at once, many at the end of this worker's tick. To be called when no lock is held.
pub(crate) fn wake_all(wakers: Vec<Waker>) {
    if wakers.len() <= FEW {
        return wakers.into_iter().for_each(Waker::wake);
    }
    let batch = Arc::new(WakeBatch(Mutex::new(wakers)));
    let weak: Weak<WakeBatch> = Arc::downgrade(&batch);
    let waker = Waker::from(batch);
    // `yield_now` makes the runtime defer the waker with which it is polled. Outside of a runtime it is woken at once.
    let yielding = pin!(tokio::task::yield_now());
    let _ = yielding.poll(&mut Context::from_waker(&waker));
    drop(waker);
    // The end of the tick may be delayed: another task may block this thread.
    if weak.strong_count() > 0 {
        drive_soon(weak);
    }
}

/// Tasks that are woken together, at the latest when the batch is dropped because the runtime is shut down.
struct WakeBatch(Mutex<Vec<Waker>>);

impl Wake for WakeBatch {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.wake_each();
    }
}

impl Unblock for WakeBatch {
    fn drive(&self) {
        self.wake_each();
    }
}

impl WakeBatch {
    fn wake_each(&self) {
        let wakers = std::mem::take(&mut *self.0.lock());
        // Panics are caught: a waker that panics must not prevent the others from being woken.
        wakers.into_iter().for_each(|waker| contained(|| waker.wake()));
    }
}

impl Drop for WakeBatch {
    fn drop(&mut self) {
        self.wake_each();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::{Duration, Instant};

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            assert_ne!(self.0.fetch_add(1, Ordering::Relaxed), 4, "the fifth panics");
        }
    }

    impl Count {
        fn wakers(self: &Arc<Count>, number: usize) -> Vec<Waker> {
            (0..number).map(|_| Waker::from(Arc::clone(self))).collect()
        }

        fn woken(&self) -> usize {
            self.0.load(Ordering::Relaxed)
        }
    }

    #[test]
    fn each_is_woken_once_wherever_it_is_done() {
        let outside = Arc::<Count>::default();
        wake_all(outside.wakers(20));
        assert_eq!(outside.woken(), 20);
        let (few, many) = (Arc::<Count>::default(), Arc::<Count>::default());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            wake_all(few.wakers(FEW));
            assert_eq!(few.woken(), FEW);
            wake_all(many.wakers(20));
            tokio::task::yield_now().await;
            assert_eq!(many.woken(), 20);
        });
    }

    #[test]
    fn a_blocked_thread_delays_no_other_session() {
        let count = Arc::<Count>::default();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let begun = Instant::now();
        runtime.block_on(async {
            wake_all(count.wakers(20));
            while count.woken() < 20 && begun.elapsed() < Duration::from_secs(60) {
                std::thread::yield_now();
            }
            assert_eq!(count.woken(), 20);
        });
    }

    #[test]
    fn calls_fail_when_their_runtime_ends() {
        let count = Arc::<Count>::default();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async { wake_all(count.wakers(20)) });
        drop(runtime);
        assert_eq!(count.woken(), 20);
    }
}
