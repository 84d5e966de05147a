//! Owns which ends of objects the peer has asked to be told of.
//!
//! It must not know the objects, nor who watches them here.

use foldhash::HashSet;

use crate::wire::breach::Breach;

/// The peer's watches, by its numbers.
#[derive(Default)]
pub(crate) struct Watches {
    open: HashSet<u64>,
}

impl Watches {
    /// The peer begins to watch; at most `limit` objects at once.
    pub(crate) fn open(&mut self, watch: u64, limit: usize) -> Result<(), Breach> {
        if self.open.len() >= limit {
            return Err(Breach::References);
        }
        if self.open.insert(watch) { Ok(()) } else { Err(Breach::Question) }
    }

    /// The watch is over. False if it was already: each is told of at most once.
    #[must_use]
    pub(crate) fn close(&mut self, watch: u64) -> bool {
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
