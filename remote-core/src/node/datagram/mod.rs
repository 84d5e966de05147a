//! Messages as datagrams, without a session: sending, receiving, the anti-replay window.

pub(crate) mod listener;
pub(crate) mod replay;
pub(crate) mod target;
