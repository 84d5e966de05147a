//! Owns that nobody who was woken waits behind a method that blocks its thread.
//!
//! It must not know who was woken, nor the method. A worker of the runtime runs next what was woken on it last, and no other
//! worker takes that from it, while it takes whatever else waits there. So before a method is begun that may block, another
//! task is put in that place: a call that is pending, a caller whose answer has come, must not be the one that stays.

/// Whether somebody may be next on the thread of who reads and begins methods.
#[derive(Default)]
pub(crate) struct LifoSlot {
    is_taken: bool,
}

impl LifoSlot {
    /// Somebody may have been woken.
    pub(crate) fn take(&mut self, was_woken: bool) {
        self.is_taken |= was_woken;
    }

    /// Nobody is next any more, when this returns.
    pub(crate) fn clear(&mut self) {
        if std::mem::take(&mut self.is_taken) {
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
    fn who_was_woken_unblock_while_the_thread_is_blocked() {
        let workers =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        workers.block_on(async {
            tokio::spawn(async {
                let (going_on, unblock) = mpsc::channel();
                let mut lifo_slot = LifoSlot::default();
                lifo_slot.clear();
                tokio::spawn(async move { going_on.send(()) });
                lifo_slot.take(true);
                lifo_slot.clear();
                assert_eq!(unblock.recv_timeout(Duration::from_secs(60)), Ok(()));
            })
            .await
            .unwrap();
        });
    }
}
