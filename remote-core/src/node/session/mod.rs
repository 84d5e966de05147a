//! One session under tokio: the state machine behind a lock, its two tasks, calls in and out.

pub(crate) mod dispatch;
pub(crate) mod driver;
pub(crate) mod effects;
pub(crate) mod export;
pub(crate) mod handle;
pub(crate) mod inbound;
pub(crate) mod outbound;
pub(crate) mod reattach;
pub(crate) mod reply;
pub(crate) mod shared;
pub(crate) mod state;
