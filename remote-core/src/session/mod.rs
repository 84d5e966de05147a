//! The state machine of the session with one peer: bytes in, events out; commands in, bytes out. The time is an argument.
//!
//! Nothing here knows a user's type, reads a clock, or does I/O: the same code runs under tokio and in simulation.

pub(crate) mod event;
pub(crate) mod header;

pub(crate) mod chain;
mod names;

mod answers;
mod closing;
mod deadlock_timer;
mod exports;
mod flushes;
mod imports;
mod incoming;
mod lease;
mod liveness;
mod outgoing;
mod questions;
mod retained;
mod watches;

mod machine;

mod admission;
mod draining;
mod ending;

mod command;
mod connection;
mod receive;
mod transmit;

#[cfg(test)]
mod tests;

pub(crate) use closing::SHUTTING_DOWN;
pub(crate) use command::OutgoingCall;
pub(crate) use lease::Reads;
pub(crate) use machine::{Session, Settings};
pub(crate) use names::Name;

pub(crate) use retained::Block;
