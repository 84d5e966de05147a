//! The product's object table, and its table of exports, under the schedules that shuttle chooses.
//!
//! It owns what those two files need around them, and must not have a copy of them: they are compiled from where they
//! are. Names that they use are found here under the same paths; where the product has a map with locks, here is one with
//! shuttle's locks.
#![cfg(test)]

// `use dashmap::..` in the product's file means this crate.
extern crate self as dashmap;

mod map;
mod node;
mod schedules;

use map::{DashMap, mapref};

mod id {
    //! Ids as the product has them.

    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
    pub(crate) struct ObjectId(pub(crate) u64);

    impl ObjectId {
        pub(crate) const DIRECTORY: ObjectId = ObjectId(0);
    }
}

#[path = "../../../remote-core/src/object"]
mod object {
    //! The object table, and what it asks of a receiver.

    pub(crate) mod table;

    pub(crate) mod message {
        pub(crate) trait Receiver: Send + Sync + 'static {
            /// Which object it is.
            fn number(&self) -> u64;
        }
    }
}

#[path = "../../../remote-core/src/session"]
#[allow(dead_code, reason = "not all of it is wanted here")]
mod session {
    //! What one session counts.

    pub(crate) mod exports;
}

#[path = "../../../remote-core/src/wire"]
#[allow(dead_code, reason = "not all of it is wanted here")]
mod wire {
    //! What a table of exports can find wrong.

    pub(crate) mod breach;
}
