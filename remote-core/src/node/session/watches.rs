//! The watches of a session, under its lock: watchers here of objects of the peer, and guards for the watches of the peer on
//! objects of this side.
//!
//! It must not know the machine. What it gives up it returns: a watcher and a guard may be the user's, and are called and
//! dropped when the lock is free.

use foldhash::HashMap;

use crate::id::WatchId;
use crate::object::message::Watcher;

/// Ends a watch when it is dropped.
pub(crate) type Guard = Box<dyn Send + Sync>;

/// The watches in both directions.
#[derive(Default)]
pub(crate) struct Watches {
    /// Watchers of objects of the peer, by this side's numbers.
    watchers: HashMap<WatchId, Watcher>,
    newest: u64,
    /// Watches of the peer, by its numbers.
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

    /// Keeps the guard of a watch of the peer. Returns the former one of this number.
    pub(crate) fn add_guard(&mut self, watch: WatchId, guard: Guard) -> Option<Guard> {
        self.guards.insert(watch, guard)
    }

    pub(crate) fn take_guard(&mut self, watch: WatchId) -> Option<Guard> {
        self.guards.remove(&watch)
    }

    /// Empties both tables: the session is over.
    pub(crate) fn clear(&mut self) -> (Vec<Watcher>, Vec<Guard>) {
        let (watchers, guards) =
            (std::mem::take(&mut self.watchers), std::mem::take(&mut self.guards));
        (watchers.into_values().collect(), guards.into_values().collect())
    }

    /// Checks what must always hold.
    pub(crate) fn check(&self, is_over: bool) {
        assert!(self.watchers.len() as u64 <= self.newest, "each watcher has a number of its own");
        assert!(!is_over || self.watchers.is_empty(), "the session is over, and has watchers");
    }
}
