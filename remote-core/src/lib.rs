//! remote
#[allow(unused_extern_crates, reason = "the macros write `::remote_core`")]
extern crate self as remote_core;
mod error;
mod id;
mod limits;
mod node;
mod object;
mod reference;
mod session;
mod transport;
mod wire;
mod private;
pub use error::{Error, Outcome, Result};
pub use id::NodeId;
pub use limits::Limits;
pub use object::class::Class;
pub use object::message::Ended;
pub use object::peer::Peer;
pub use reference::call::Call;
pub use reference::context::{caller, this};
pub use reference::interface::{Implements, Interface, Proxy};
pub use reference::monitor::Monitor;
pub use reference::reference::{Ref, WeakRef};
pub use node::builder::NodeBuilder;
pub use node::node::Node;
pub use node::session::{Session, State, Stats};
pub use remote_derive::{Remote, remote};
#[doc(hidden)]
pub mod __private {
    pub use crate::private::v1;
}
