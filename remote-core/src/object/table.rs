//! The object table of a node: the objects that it exports, by number, with a count of sessions.
//!
//! It must not know sessions. A guard of the map is never held during another access to the map, nor while an object is
//! dropped, since its destructor is user code.

use std::sync::Arc;

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use foldhash::fast::RandomState;

use super::message::Receiver;
use crate::id::ObjectId;

/// The object table of a node.
#[derive(Default)]
pub(crate) struct Table {
    objects: DashMap<ObjectId, Exported, RandomState>,
}

struct Exported {
    receiver: Arc<dyn Receiver>,
    sessions: u64,
}

impl Table {
    /// Adds a session that exports the object.
    pub(crate) fn show(&self, id: ObjectId, receiver: &Arc<dyn Receiver>) {
        match self.objects.entry(id) {
            Entry::Occupied(mut exported) => exported.get_mut().sessions += 1,
            Entry::Vacant(vacant) => {
                vacant.insert(Exported { receiver: Arc::clone(receiver), sessions: 1 });
            }
        }
    }

    /// Removes a session that exports the object. If it was the last, returns the object, to be dropped after all locks are
    /// released.
    #[must_use]
    pub(crate) fn hide(&self, id: ObjectId) -> Option<Arc<dyn Receiver>> {
        let Entry::Occupied(mut exported) = self.objects.entry(id) else { return None };
        exported.get_mut().sessions -= 1;
        (exported.get().sessions == 0).then(|| exported.remove().receiver)
    }

    pub(crate) fn get(&self, id: ObjectId) -> Option<Arc<dyn Receiver>> {
        self.objects.get(&id).map(|exported| Arc::clone(&exported.receiver))
    }

    pub(crate) fn len(&self) -> usize {
        self.objects.len()
    }
}
