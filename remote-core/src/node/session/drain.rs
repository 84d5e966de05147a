//! The orderly end of a session, for a node that shuts down: it begins no more calls, and what is in progress ends.
//!
//! It must not end the session.

use std::sync::atomic::Ordering;

use tokio::task::AbortHandle;

use super::shared::SharedSession;

/// Bytes that a method counts for `Limits::memory` which executes a one-way message of a session that is over, without its
/// arguments.
const DETACHED: usize = 8 * 1024;

/// The numbers of operations in progress on a session.
pub(crate) struct InProgress {
    /// Calls of this side.
    pub(crate) calls: usize,
    /// Calls of the peer.
    pub(crate) methods: u64,
    /// One-way messages of this side that the peer has not reported as executed.
    pub(crate) messages: u64,
    pub(crate) streams: usize,
}

impl SharedSession {
    /// Begins no more calls on the session, and asks the peer for the same.
    pub(crate) fn begin_closing(&self) {
        self.update(|inner| inner.machine.begin_closing());
        self.end_streams.send_replace(true);
    }

    /// Returns true if nothing is in progress, except for so many calls of the peer, or the session is over.
    pub(crate) fn is_drained(&self, own: u64) -> bool {
        let inner = self.lock();
        if !inner.machine.is_closing() {
            // It was being made when the shutdown began.
            drop(inner);
            self.begin_closing();
            return false;
        }
        let is_idle = !inner.calls.has_waiters() && self.streams.load(Ordering::Relaxed) == 0;
        inner.machine.closed().is_some() || (is_idle && inner.machine.is_drained(own))
    }

    /// Returns true if neither side refers to anything of the other, no call is in progress, and nothing waits to be sent.
    pub(crate) fn is_idle(&self) -> bool {
        let inner = self.lock();
        let machine = &inner.machine;
        machine.closed().is_some()
            || (inner.is_unneeded()
                && machine.uncredited() == 0
                && machine.import_count() == 0
                && machine.underway() == 0)
    }

    /// Returns the number of methods that execute one-way messages of a session that is over.
    pub(crate) fn detached(&self) -> u64 {
        let inner = self.lock();
        if inner.machine.closed().is_some() { inner.calls.running() as u64 } else { 0 }
    }

    /// Returns the bytes that these methods hold for the peer: their state, and at most the arguments of all calls that were in
    /// progress.
    pub(crate) fn detached_bytes(&self) -> usize {
        let methods = self.detached() as usize;
        let arguments = self.lock().machine.detached_bytes() as usize;
        if methods > 0 { methods * DETACHED + arguments } else { 0 }
    }

    /// Aborts these methods.
    pub(crate) fn abort_detached(&self) {
        let mut aborted = Vec::new();
        let mut inner = self.lock();
        if inner.machine.closed().is_some() {
            inner.calls.give_up_running(|_| false, &mut aborted);
        }
        drop(inner);
        aborted.iter().for_each(AbortHandle::abort);
    }

    pub(crate) fn in_progress(&self) -> InProgress {
        let inner = self.lock();
        InProgress {
            calls: inner.calls.waiters(),
            methods: inner.machine.running(),
            messages: inner.machine.uncredited(),
            streams: self.streams.load(Ordering::Relaxed),
        }
    }
}
