//! Connecting: listening, dialling, the handshake, and the registry of sessions.

pub(crate) mod dial;
pub(crate) mod handshake;
pub(crate) mod listen;
pub(crate) mod negotiate;
pub(crate) mod registry;
