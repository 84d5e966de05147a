//! The node: transports, sessions and objects put together.

mod answer;
mod arrival;
mod attach;
pub(crate) mod builder;
mod connect;
mod core;
mod datagram;
mod directory;
mod dispatch;
mod driver;
pub(crate) mod gifts;
mod handoff;
mod io;
mod link;
#[allow(clippy::module_inception, reason = "the room for the node itself")]
pub(crate) mod node;
mod route;
mod runtime;
pub(crate) mod session;
mod settle;
mod shared;
pub(crate) mod snapshot;
pub(crate) mod state;
mod translate;
