//! The two halves of a connection: reading and writing.

pub(crate) mod reader;
pub(crate) mod slot;
pub(crate) mod writer;
