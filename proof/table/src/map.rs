//! Owns the map that stands in for `dashmap`: shuttle's, under the product's type parameters.
//!
//! It must not know what is in it. Shuttle's map has one lock where dashmap has many: who holds a guard across a second
//! access is found here always, there only sometimes.

use std::hash::Hash;
use std::marker::PhantomData;
use std::ops::Deref;

/// Shuttle's map; the hasher is not used.
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
    //! Where dashmap has its entries.

    pub(crate) use shuttle_dashmap::mapref::entry;
}
