//! References, calls, monitors: the types that users hold.
//!
//! Nothing here knows sessions. A reference holds a receiver of messages.

mod blocking;
pub(crate) mod call;
pub(crate) mod context;
mod deadline;
pub(crate) mod interface;
pub(crate) mod later;
pub(crate) mod link;
pub(crate) mod monitor;
pub(crate) mod object;
#[allow(clippy::module_inception, reason = "the file of the reference itself")]
pub(crate) mod reference;
pub(crate) mod sending;
pub(crate) mod stream;
