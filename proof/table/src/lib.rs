//! The product's object table and table of exports, under schedules that shuttle chooses.
//!
//! It provides what those two files depend on, and must not have a copy of them: it compiles the product's files. The names
//! that they use exist here under the same paths. The product's concurrent map is replaced by one with shuttle's locks.
#![cfg(test)]

// `use dashmap::..` in the product's file means this crate.
extern crate self as dashmap;

mod map;
mod node;
mod schedules;

use map::{DashMap, mapref};

mod id {
    //! The product's ids.

    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
    pub(crate) struct ObjectId(pub(crate) u64);

    impl ObjectId {
        pub(crate) const DIRECTORY: ObjectId = ObjectId(0);
    }
}

#[path = "../../../remote-core/src/object"]
mod object {
    //! The object table, and the trait that it needs.

    pub(crate) mod table;

    pub(crate) mod message {
        pub(crate) trait Receiver: Send + Sync + 'static {
            /// Returns the number of the object.
            fn number(&self) -> u64;
        }
    }
}

#[path = "../../../remote-core/src/session"]
#[allow(dead_code, reason = "not all of it is used here")]
mod session {
    //! The exports of one session.

    pub(crate) mod exports;
}

#[path = "../../../remote-core/src/wire"]
#[allow(dead_code, reason = "not all of it is used here")]
mod wire {
    //! The breaches that a table of exports reports.

    pub(crate) mod breach;
}
