//! The node: connects transports, sessions and objects.

pub(crate) mod builder;
mod connect;
mod core;
mod datagram;
mod directory;
pub(crate) mod gifts;
mod handoff;
mod io;
#[allow(clippy::module_inception, reason = "the room for the node itself")]
pub(crate) mod node;
mod publish;
mod runtime;
pub(crate) mod session;
mod shared;
pub(crate) mod shutdown;
pub(crate) mod snapshot;
