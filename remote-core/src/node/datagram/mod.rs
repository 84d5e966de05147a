//! Messages as datagrams, without a session: sending, receiving, the window against replays.

pub(crate) mod listener;
pub(crate) mod replay;
pub(crate) mod target;
