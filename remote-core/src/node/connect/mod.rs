//! How a connection becomes a session: listening, dialling, the handshake, the sessions that there are.

pub(crate) mod dial;
pub(crate) mod handshake;
pub(crate) mod listen;
pub(crate) mod negotiate;
pub(crate) mod registry;
