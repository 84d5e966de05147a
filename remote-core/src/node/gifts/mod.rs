//! References handed to third parties, at the owner: what waits until its recipient claims it.

pub(crate) mod desk;
pub(crate) mod table;
