//! Owns which ends of objects the peer has asked to be told of.
//!
//! It must not know the objects, nor who watches them here.

use foldhash::HashSet;

use crate::id::WatchId;
use crate::wire::breach::Breach;

/// The peer's watches, by its numbers.
#[derive(Default)]
pub(crate) struct Watches {
    open: HashSet<WatchId>,
}

impl Watches {
    /// The peer begins to watch. False if it watches as much as it may already.
    pub(crate) fn open(&mut self, watch: WatchId, limit: usize) -> Result<bool, Breach> {
        if self.open.contains(&watch) {
            return Err(Breach::Question);
        }
        Ok(self.open.len() < limit && self.open.insert(watch))
    }

    /// The watch is over. False if it was already: each is told of at most once.
    #[must_use]
    pub(crate) fn close(&mut self, watch: WatchId) -> bool {
        self.open.remove(&watch)
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }

    /// Empties the table: the session is over.
    pub(crate) fn clear(&mut self) {
        self.open = HashSet::default();
    }
}
