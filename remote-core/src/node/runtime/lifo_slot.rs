//! The LIFO slot of the worker thread on which a reader task starts methods. It must be empty before a method may block.
//!
//! It must not know which task was woken, nor the method. See the [module](super), fact 1: other workers cannot steal the task
//! in the slot. Spawning an empty task displaces it into the queue, from which they can steal it.

/// Tracks whether a task may be in the LIFO slot of this worker.
#[derive(Default)]
pub(crate) struct LifoSlot {
    may_be_occupied: bool,
}

impl LifoSlot {
    /// Notes that a task may have been woken on this worker, if the argument is true.
    pub(crate) fn note(&mut self, woke: bool) {
        self.may_be_occupied |= woke;
    }

    /// Empties the slot, if a task may be in it.
    pub(crate) fn clear(&mut self) {
        if std::mem::take(&mut self.may_be_occupied) {
            tokio::spawn(std::future::ready(()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_task_that_was_woken_runs_while_the_worker_is_blocked() {
        let workers =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        workers.block_on(async {
            tokio::spawn(async {
                let (sender, receiver) = mpsc::channel();
                let mut lifo_slot = LifoSlot::default();
                lifo_slot.clear();
                tokio::spawn(async move { sender.send(()) });
                lifo_slot.note(true);
                lifo_slot.clear();
                assert_eq!(receiver.recv_timeout(Duration::from_secs(60)), Ok(()));
            })
            .await
            .unwrap();
        });
    }
}
