//! Owns what this side may name of the peer's: each object with the introductions received and not yet given back.
//!
//! It must not know proxies; it is told when one is dropped. A release names the number of introductions it answers,
//! so that it cannot undo one that is still on its way.

use foldhash::HashMap;

use crate::id::ObjectId;

/// The table of imports.
#[derive(Default)]
pub(crate) struct Imports {
    entries: HashMap<ObjectId, Import>,
    /// Objects of which something is to be given back.
    dirty: Vec<ObjectId>,
    /// How many objects have a proxy.
    held: usize,
}

#[derive(Default)]
struct Import {
    introductions: u64,
    dropped: u64,
    /// Messages not yet sent that name the object: what is given back meanwhile waits for them.
    pins: u64,
}

impl Import {
    fn is_held(&self) -> bool {
        self.introductions > self.dropped
    }
}

impl Imports {
    /// The peer named the object once more.
    pub(crate) fn introduce(&mut self, object: ObjectId) {
        let import = self.entries.entry(object).or_default();
        self.held += usize::from(!import.is_held());
        import.introductions += 1;
    }

    /// A proxy that stood for one introduction was dropped.
    pub(crate) fn drop_one(&mut self, object: ObjectId) {
        let Some(import) = self.entries.get_mut(&object) else { return };
        import.dropped += 1;
        self.held -= usize::from(!import.is_held());
        if import.dropped == 1 && import.pins == 0 {
            self.dirty.push(object);
        }
    }

    /// A message that names the object waits to be sent.
    pub(crate) fn pin(&mut self, object: ObjectId) {
        if let Some(import) = self.entries.get_mut(&object) {
            import.pins += 1;
        }
    }

    /// It was sent, or never will be.
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

    /// What is to be given back now: objects, each with its number of introductions.
    pub(crate) fn take_releases(&mut self, mut give_back: impl FnMut(ObjectId, u64)) {
        for object in self.dirty.drain(..) {
            let Some(import) = self.entries.get_mut(&object) else { continue };
            if import.pins > 0 || import.dropped == 0 {
                continue;
            }
            give_back(object, import.dropped);
            import.introductions -= import.dropped;
            import.dropped = 0;
            if import.introductions == 0 {
                self.entries.remove(&object);
            }
        }
        // A burst of releases must not hold its memory for ever.
        self.dirty.shrink_to(1024);
    }

    /// Each object, and how often it was introduced and not given back.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (ObjectId, u64)> + '_ {
        self.entries.iter().map(|(object, import)| (*object, import.introductions))
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// How many of them have a proxy: the others are about to be given back.
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    /// How often an object was introduced and not given back.
    #[cfg(test)]
    pub(crate) fn count(&self, object: ObjectId) -> u64 {
        self.entries.get(&object).map_or(0, |import| import.introductions)
    }

    /// The pins are these, and what can be given back is not forgotten.
    #[cfg(test)]
    pub(crate) fn check(&self, pins: &std::collections::HashMap<ObjectId, u64>) {
        assert_eq!(self.held, self.entries.values().filter(|import| import.is_held()).count());
        for (object, import) in &self.entries {
            assert!(import.introductions > 0 && import.dropped <= import.introductions);
            assert_eq!(import.pins, pins.get(object).copied().unwrap_or(0), "pins of {object:?}");
            if import.dropped > 0 && import.pins == 0 {
                assert!(self.dirty.contains(object), "{object:?} would never be given back");
            }
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Imports::default();
    }
}
