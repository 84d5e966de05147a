//! The imports of a session: each object of the peer that this side may name, with the introductions that it holds.
//!
//! It must not know proxies. A release contains the number of introductions that it gives back, so that it does not affect
//! one that is still in transit.

use foldhash::HashMap;

use crate::id::ObjectId;

/// The table of imports.
#[derive(Default)]
pub(crate) struct Imports {
    entries: HashMap<ObjectId, Import>,
    /// Objects with introductions to be released.
    dirty: Vec<ObjectId>,
    /// The number of objects that have a proxy.
    held: usize,
}

#[derive(Default)]
struct Import {
    introductions: u64,
    dropped: u64,
    /// The number of unsent messages that name the object. Releases wait until it is zero.
    pins: u64,
}

impl Import {
    fn is_held(&self) -> bool {
        self.introductions > self.dropped
    }
}

impl Imports {
    /// Counts an introduction by the peer.
    pub(crate) fn introduce(&mut self, object: ObjectId) {
        let import = self.entries.entry(object).or_default();
        self.held += usize::from(!import.is_held());
        import.introductions += 1;
    }

    /// Notes that the proxy of one introduction was dropped.
    pub(crate) fn drop_one(&mut self, object: ObjectId) {
        let Some(import) = self.entries.get_mut(&object) else { return };
        import.dropped += 1;
        self.held -= usize::from(!import.is_held());
        if import.dropped == 1 && import.pins == 0 {
            self.dirty.push(object);
        }
    }

    /// Notes that an unsent message names the object.
    pub(crate) fn pin(&mut self, object: ObjectId) {
        if let Some(import) = self.entries.get_mut(&object) {
            import.pins += 1;
        }
    }

    /// Notes that such a message was sent, or will not be sent.
    pub(crate) fn unpin(&mut self, object: ObjectId) {
        let Some(import) = self.entries.get_mut(&object) else { return };
        import.pins = import.pins.saturating_sub(1);
        if import.pins == 0 && import.dropped > 0 {
            self.dirty.push(object);
        }
    }

    pub(crate) fn has_releases(&self) -> bool {
        !self.dirty.is_empty()
    }

    /// Calls a function with each object to be released now, and the number of its introductions.
    pub(crate) fn take_releases(&mut self, mut release: impl FnMut(ObjectId, u64)) {
        for object in self.dirty.drain(..) {
            let Some(import) = self.entries.get_mut(&object) else { continue };
            if import.pins > 0 || import.dropped == 0 {
                continue;
            }
            release(object, import.dropped);
            import.introductions -= import.dropped;
            import.dropped = 0;
            if import.introductions == 0 {
                self.entries.remove(&object);
            }
        }
        // The memory of a burst of releases must not be kept forever.
        self.dirty.shrink_to(1024);
    }

    /// Returns each object with the introductions that this side holds.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (ObjectId, u64)> + '_ {
        self.entries.iter().map(|(object, import)| (*object, import.introductions))
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns the number of objects that have a proxy. The others are about to be released.
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    /// Returns the introductions of an object.
    #[cfg(test)]
    pub(crate) fn count(&self, object: ObjectId) -> u64 {
        self.entries.get(&object).map_or(0, |import| import.introductions)
    }

    /// Asserts that the pins are these, and that each object to be released is in the list.
    #[cfg(test)]
    pub(crate) fn check(&self, pins: &std::collections::HashMap<ObjectId, u64>) {
        assert_eq!(self.held, self.entries.values().filter(|import| import.is_held()).count());
        for (object, import) in &self.entries {
            assert!(import.introductions > 0 && import.dropped <= import.introductions);
            assert_eq!(import.pins, pins.get(object).copied().unwrap_or(0), "pins of {object:?}");
            if import.dropped > 0 && import.pins == 0 {
                assert!(self.dirty.contains(object), "{object:?} would never be released");
            }
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Imports::default();
    }
}
