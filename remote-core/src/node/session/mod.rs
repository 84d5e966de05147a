//! A session under tokio: the state machine (`crate::session`) behind a lock, its two tasks, and calls in both directions.
//!
//! The *reader* task reads, passes the bytes to the state machine, and executes the calls that have arrived. The *writer* task
//! writes and handles timers. Others that change the state (a caller, a reference that is dropped) take the lock for a short
//! time; the side effects are applied after it is released.

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
