//! The two halves of a connection: bytes in, bytes out, and the place where a new connection waits.
//!
//! Nothing here knows the session, nor holds a lock. `node/session/pump.rs` moves the bytes between the halves and the machine.

pub(crate) mod reader;
pub(crate) mod slot;
pub(crate) mod writer;
