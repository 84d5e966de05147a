//! Owns how those who wait are woken when there are many: all together.
//!
//! It must not know what they waited for. Woken one by one by a task of a runtime with several threads, each is an
//! occasion to wake another thread, which takes over that one and finds nothing more: on two cores this cost a third of
//! the throughput. What a runtime defers until it has seen to its sockets, it wakes without such a look after each.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Wake, Waker};

use super::watchdog::{Unblock, expect};
use crate::mutex::Mutex;
use crate::object::execution::contained;

/// So few are woken at once: a lone caller does not wait for the rest of a turn.
const FEW: usize = 3;

/// Wakes them all, at once or at the end of the runtime's turn. To be called when no lock is held.
pub(crate) fn wake_batch(wakers: Vec<Waker>) {
    if wakers.len() <= FEW {
        return wakers.into_iter().for_each(Waker::wake);
    }
    let all = Arc::new(WakeBatch(Mutex::new(wakers)));
    let weak: Weak<WakeBatch> = Arc::downgrade(&all);
    let all = Waker::from(all);
    // Whoever yields is woken at the end of the turn, and outside of a runtime at once: here, they are who yields.
    let yielding = pin!(tokio::task::yield_now());
    let _ = yielding.poll(&mut Context::from_waker(&all));
    drop(all);
    // The turn may not end soon: another task may block the thread.
    if weak.strong_count() > 0 {
        expect(weak);
    }
}

/// Those who are woken together; at the latest when nobody can wake them any more, since the runtime is shut down.
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
        // One that panics must not leave the others waiting.
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
        wake_batch(outside.wakers(20));
        assert_eq!(outside.woken(), 20);
        let (few, many) = (Arc::<Count>::default(), Arc::<Count>::default());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            wake_batch(few.wakers(FEW));
            assert_eq!(few.woken(), FEW);
            wake_batch(many.wakers(20));
            tokio::task::yield_now().await;
            assert_eq!(many.woken(), 20);
        });
    }

    #[test]
    fn a_thread_that_is_blocked_keeps_nobody_waiting() {
        let count = Arc::<Count>::default();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let begun = Instant::now();
        runtime.block_on(async {
            wake_batch(count.wakers(20));
            while count.woken() < 20 && begun.elapsed() < Duration::from_secs(60) {
                std::thread::yield_now();
            }
            assert_eq!(count.woken(), 20);
        });
    }

    #[test]
    fn a_runtime_that_ends_leaves_nobody_waiting() {
        let count = Arc::<Count>::default();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async { wake_batch(count.wakers(20)) });
        drop(runtime);
        assert_eq!(count.woken(), 20);
    }
}
