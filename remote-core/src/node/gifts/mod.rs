//! Gifts, at the owner: objects that are kept for a third node until it claims them.

pub(crate) mod desk;
pub(crate) mod table;
