//! What stands on the wire: bodies, selectors, frames, the introduction.
//!
//! Data in, data out: nothing here knows a session, an object, or the network.

pub(crate) mod body;
pub(crate) mod bounded_reader;
pub(crate) mod bounded_writer;
pub(crate) mod breach;
pub(crate) mod budget;
pub(crate) mod codec;
pub(crate) mod content;
pub(crate) mod datagram;
pub(crate) mod frame;
pub(crate) mod hello;
pub(crate) mod method;
pub(crate) mod shape;
#[cfg(test)]
mod tests;
pub(crate) mod varint;
