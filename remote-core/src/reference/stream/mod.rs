//! Streams: sequences of values that go from one object to another, as fast as whoever takes them issues credit.
//!
//! Nothing here knows sessions, and no frame knows streams: they are two objects, which send each other messages.

pub(crate) mod batch;
pub(crate) mod inbox;
pub(crate) mod messages;
pub(crate) mod outlet;
pub(crate) mod sink;
pub(crate) mod source;
#[allow(clippy::module_inception, reason = "the room for the stream itself")]
pub(crate) mod stream;
pub(crate) mod taking;
