//! The encoding of everything that is sent: bodies, selectors, frames, handshake messages, datagrams.
//!
//! Nothing here knows sessions, objects, or the network: functions from data to bytes and back.

pub(crate) mod body;
pub(crate) mod bounded_reader;
pub(crate) mod bounded_writer;
pub(crate) mod breach;
pub(crate) mod budget;
pub(crate) mod codec;
pub(crate) mod content;
pub(crate) mod datagram;
pub(crate) mod descriptor;
mod encoded_size;
pub(crate) mod fingerprint;
pub(crate) mod frame;
pub(crate) mod hello;
pub(crate) mod method;
pub(crate) mod shape;
#[cfg(test)]
mod tests;
pub(crate) mod varint;
