//! The session with one peer, as plain data: bytes in, events out; commands in, bytes out; time passed in.
//!
//! Nothing here knows a user's type, reads a clock, or does I/O: the same code runs under tokio and in simulation.

mod answers;
pub(crate) mod event;
mod exports;
mod imports;
mod incoming;
mod liveness;
mod machine;
mod names;
mod outgoing;
mod questions;
#[cfg(test)]
mod tests;

pub(crate) use machine::{Ask, Session, Settings};
pub(crate) use names::Name;
