//! What users hold: references, calls, monitors.
//!
//! Nothing here knows sessions; a reference holds a receiver of messages and asks no further.

pub(crate) mod call;
pub(crate) mod context;
pub(crate) mod interface;
pub(crate) mod later;
pub(crate) mod link;
pub(crate) mod monitor;
pub(crate) mod object;
#[allow(clippy::module_inception, reason = "the room for the reference itself")]
pub(crate) mod reference;
pub(crate) mod sending;
pub(crate) mod stream;
