//! Transports: how bytes get from one node to another. One trait for connections, one file for each transport, and datagrams.
//!
//! Nothing here knows frames. A transport registers itself: to add one, add its file, and its line below.

pub(crate) mod accept;
pub(crate) mod address;
pub(crate) mod connection;
mod loopback;
mod memory;
pub(crate) mod nowhere;
pub(crate) mod peer_process;
mod tcp;
pub(crate) mod udp;
#[cfg(unix)]
mod unix;
pub(crate) mod uri;
