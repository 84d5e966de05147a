//! What keeps a session going while a method blocks a worker thread of the runtime.

pub(crate) mod lifo_slot;
pub(crate) mod wake_batch;
pub(crate) mod watchdog;
