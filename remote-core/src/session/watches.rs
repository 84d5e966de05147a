//! The objects whose end the peer has asked to be notified of.
//!
//! It must not know the objects, nor the monitors of this side.

use foldhash::HashSet;

use crate::id::WatchId;
use crate::wire::breach::Breach;

/// The watches of the peer, by its numbers.
#[derive(Default)]
pub(crate) struct Watches {
    open: HashSet<WatchId>,
}

impl Watches {
    /// Adds a watch. Returns false if the peer has the maximum number of watches.
    pub(crate) fn open(&mut self, watch: WatchId, limit: usize) -> Result<bool, Breach> {
        if self.open.contains(&watch) {
            return Err(Breach::Question);
        }
        Ok(self.open.len() < limit && self.open.insert(watch))
    }

    /// Removes a watch. Returns false if it was removed before: each end is reported at most once.
    #[must_use]
    pub(crate) fn close(&mut self, watch: WatchId) -> bool {
        self.open.remove(&watch)
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }

    /// Empties the table: the session has ended.
    pub(crate) fn clear(&mut self) {
        self.open = HashSet::default();
    }
}
