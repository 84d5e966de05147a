//! A substitute for `dashmap`: shuttle's map, with the product's type parameters.
//!
//! It must not know its contents. Shuttle's map has one lock where dashmap has many, so that a guard which is held across a
//! second access always deadlocks here, but only sometimes there.

use std::hash::Hash;
use std::marker::PhantomData;
use std::ops::Deref;

/// Shuttle's map. The hasher is not used.
pub(crate) struct DashMap<K, V, S> {
    map: shuttle_dashmap::DashMap<K, V>,
    hasher: PhantomData<fn() -> S>,
}

impl<K: Eq + Hash, V, S> Default for DashMap<K, V, S> {
    fn default() -> Self {
        DashMap { map: shuttle_dashmap::DashMap::new(), hasher: PhantomData }
    }
}

impl<K, V, S> Deref for DashMap<K, V, S> {
    type Target = shuttle_dashmap::DashMap<K, V>;

    fn deref(&self) -> &Self::Target {
        &self.map
    }
}

pub(crate) mod mapref {
    //! The path of dashmap's entries.

    pub(crate) use shuttle_dashmap::mapref::entry;
}
