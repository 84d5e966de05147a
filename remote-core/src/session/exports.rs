//! The exports of a session: each object that the peer may name, with its count of introductions.
//!
//! It must not know the objects. Invariant 3: the count is the introductions minus the releases, is never negative, and an
//! entry is removed as soon as its count is zero (reference listing, Birrell et al. 1993; counted releases, Cap'n Proto).

use foldhash::HashMap;

use crate::id::ObjectId;
use crate::wire::breach::Breach;

/// The table of exports.
#[derive(Default)]
pub(crate) struct Exports {
    counts: HashMap<ObjectId, u64>,
}

/// Tells apart an object's first introduction from later ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Presence {
    New,
    Known,
}

impl Presence {
    pub(crate) fn is_known(self) -> bool {
        self == Presence::Known
    }
}

impl Exports {
    /// Counts an introduction of an object.
    pub(crate) fn introduce(&mut self, object: ObjectId) -> Presence {
        let count = self.counts.entry(object).or_insert(0);
        *count += 1;
        if *count == 1 { Presence::New } else { Presence::Known }
    }

    /// Gives back a number of introductions. Returns true if they were the last.
    pub(crate) fn release(&mut self, object: ObjectId, introductions: u64) -> Result<bool, Breach> {
        let count = self.counts.get_mut(&object).ok_or(Breach::Release)?;
        *count = count.checked_sub(introductions).ok_or(Breach::Release)?;
        let last = *count == 0;
        if last {
            self.counts.remove(&object);
        }
        Ok(last)
    }

    pub(crate) fn contains(&self, object: ObjectId) -> bool {
        object == ObjectId::DIRECTORY || self.counts.contains_key(&object)
    }

    /// Returns each object with its count.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (ObjectId, u64)> + '_ {
        self.counts.iter().map(|(object, count)| (*object, *count))
    }

    pub(crate) fn len(&self) -> usize {
        self.counts.len()
    }

    /// Returns the count of an object.
    #[cfg(test)]
    pub(crate) fn count(&self, object: ObjectId) -> u64 {
        self.counts.get(&object).copied().unwrap_or(0)
    }

    #[cfg(test)]
    pub(crate) fn check(&self) {
        assert!(
            self.counts.values().all(|count| *count > 0),
            "an entry is removed when its count is zero"
        );
    }

    /// Empties the table: the session has ended.
    pub(crate) fn clear(&mut self) -> impl Iterator<Item = ObjectId> + use<> {
        std::mem::take(&mut self.counts).into_keys()
    }
}
