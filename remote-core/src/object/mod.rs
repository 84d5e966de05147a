//! Objects, near and far, and the messages that they receive.
//!
//! Nothing here knows sessions or sockets, except for the trait [`Route`](message::Route).

pub(crate) mod builtin;
pub(crate) mod class;
mod depth;
pub(crate) mod execution;
pub(crate) mod import;
pub(crate) mod marshal;
pub(crate) mod message;
pub(crate) mod near;
pub(crate) mod nested;
pub(crate) mod null;
pub(crate) mod peer;
pub(crate) mod promise;
pub(crate) mod resolution;
pub(crate) mod serial;
pub(crate) mod shortening;
pub(crate) mod slot;
pub(crate) mod table;
