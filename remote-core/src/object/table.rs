//! Owns the objects that a node shows to its peers, by number: one table for the node, counted by session.
//!
//! It must not know sessions. A guard of the map is never held across a second access to it, nor while an object is
//! dropped, whose destructor is the user's.

use std::sync::Arc;

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use foldhash::fast::RandomState;

use super::message::Receiver;
use crate::id::ObjectId;

/// The object table of a node.
#[derive(Default)]
pub(crate) struct Table {
    objects: DashMap<ObjectId, Shown, RandomState>,
}

struct Shown {
    receiver: Arc<dyn Receiver>,
    sessions: u64,
}

impl Table {
    /// One more session shows the object.
    pub(crate) fn show(&self, id: ObjectId, receiver: &Arc<dyn Receiver>) {
        match self.objects.entry(id) {
            Entry::Occupied(mut shown) => shown.get_mut().sessions += 1,
            Entry::Vacant(vacant) => {
                vacant.insert(Shown { receiver: Arc::clone(receiver), sessions: 1 });
            }
        }
    }

    /// One session less does. What is returned is to be dropped when no lock is held.
    #[must_use]
    pub(crate) fn hide(&self, id: ObjectId) -> Option<Arc<dyn Receiver>> {
        let Entry::Occupied(mut shown) = self.objects.entry(id) else { return None };
        shown.get_mut().sessions -= 1;
        (shown.get().sessions == 0).then(|| shown.remove().receiver)
    }

    pub(crate) fn get(&self, id: ObjectId) -> Option<Arc<dyn Receiver>> {
        self.objects.get(&id).map(|shown| Arc::clone(&shown.receiver))
    }

    pub(crate) fn len(&self) -> usize {
        self.objects.len()
    }
}
