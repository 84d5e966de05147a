//! The watches of a session, under its lock: watchers of this side on objects of the peer, and guards for the peer's watches on
//! objects of this side.
//!
//! It must not know the state machine. It returns removed values: a watcher or guard may be user code, and is called or dropped
//! after the lock is released.

use foldhash::HashMap;

use crate::id::WatchId;
use crate::object::message::Watcher;

/// Ends a watch when it is dropped.
pub(crate) type Guard = Box<dyn Send + Sync>;

/// The watches in both directions.
#[derive(Default)]
pub(crate) struct Watches {
    /// The watchers of objects of the peer, by this side's numbers.
    watchers: HashMap<WatchId, Watcher>,
    newest: u64,
    /// The guards of the peer's watches, by its numbers.
    guards: HashMap<WatchId, Guard>,
}

impl Watches {
    /// Adds a watcher of an object of the peer.
    pub(crate) fn add_watcher(&mut self, watcher: Watcher) -> WatchId {
        self.newest += 1;
        let watch = WatchId(self.newest);
        self.watchers.insert(watch, watcher);
        watch
    }

    pub(crate) fn take_watcher(&mut self, watch: WatchId) -> Option<Watcher> {
        self.watchers.remove(&watch)
    }

    /// Stores the guard of a watch of the peer. Returns the former guard with this number.
    pub(crate) fn add_guard(&mut self, watch: WatchId, guard: Guard) -> Option<Guard> {
        self.guards.insert(watch, guard)
    }

    pub(crate) fn take_guard(&mut self, watch: WatchId) -> Option<Guard> {
        self.guards.remove(&watch)
    }

    /// Empties both tables, because the session has ended.
    pub(crate) fn clear(&mut self) -> (Vec<Watcher>, Vec<Guard>) {
        let (watchers, guards) =
            (std::mem::take(&mut self.watchers), std::mem::take(&mut self.guards));
        (watchers.into_values().collect(), guards.into_values().collect())
    }

    /// Asserts the invariants.
    pub(crate) fn check(&self, is_over: bool) {
        assert!(self.watchers.len() as u64 <= self.newest, "each watcher has a number of its own");
        assert!(!is_over || self.watchers.is_empty(), "the session is over, and has watchers");
    }
}
