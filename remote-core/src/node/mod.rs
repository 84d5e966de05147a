//! The node: transports, sessions and objects put together.

mod addressee;
mod answer;
mod arrival;
mod arrivals;
mod attach;
pub(crate) mod builder;
mod connect;
mod core;
mod directory;
mod dispatch;
mod driver;
mod gifts;
mod handoff;
mod io;
mod link;
mod mailbox;
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
