//! The two halves of a connection, which read and write bytes, and the slot where a new connection waits.
//!
//! Nothing here knows the session or holds a lock. `node/session/pump.rs` moves the bytes between the halves and the state
//! machine.

pub(crate) mod reader;
pub(crate) mod slot;
pub(crate) mod writer;
