//! A session under tokio: the state machine (`crate::session`) behind a lock, its two tasks, and calls in both directions.
//!
//! The *reader* task reads, has the machine handle what it read, and executes the calls that arrived. The *writer* task writes
//! and keeps time. Whoever else changes the state (a caller, a reference that is dropped) takes the lock for a moment; the side
//! effects follow when it is released.

pub(crate) mod driver;
pub(crate) mod handle;
pub(crate) mod shared;
pub(crate) mod state;

mod admission;
mod calls;
mod dispatch;
mod drain;
mod effects;
mod events;
mod export;
mod flush;
mod inbound;
mod outbound;
mod peer_process;
mod pump;
mod reattach;
mod reply;
mod tasks;
mod update;
mod vouched;
mod watches;
