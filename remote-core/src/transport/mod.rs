//! How bytes get from one node to another: one trait, one file for each transport.
//!
//! Nothing here knows frames. A transport registers itself; adding one adds its file and its line below.

pub(crate) mod address;
pub(crate) mod connection;
mod memory;
mod tcp;
#[cfg(unix)]
mod unix;
pub(crate) mod uri;
