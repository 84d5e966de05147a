//! Streams: sequences of values from one object to another, with credit.
//!
//! Nothing here knows sessions, and no frame is about streams: the two ends are objects that send each other messages.

pub(crate) mod batch;
pub(crate) mod inbox;
pub(crate) mod messages;
pub(crate) mod ongoing;
pub(crate) mod outlet;
pub(crate) mod sink;
pub(crate) mod source;
#[allow(clippy::module_inception, reason = "the file of the stream itself")]
pub(crate) mod stream;
pub(crate) mod taking;
