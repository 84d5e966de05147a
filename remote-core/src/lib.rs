//! Transparent remote objects: a method call on a reference is a message, wherever the object is.
//!
//! ```standalone_crate
//! use remote_core::{Node, Ref, Remote, Result, remote};
//!
//! #[remote] // an interface
//! trait Greeter {
//!     async fn greet(&self, name: &str) -> Result<String>;
//! }
//!
//! #[derive(Remote)] // a class
//! #[remote(Greeter)]
//! struct English;
//!
//! #[remote] // the object's side
//! impl Greeter for English {
//!     async fn greet(&self, name: &str) -> Result<String> {
//!         Ok(format!("hello, {name}"))
//!     }
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<()> {
//!     let server = Node::listen("tcp://127.0.0.1:0").await?;
//!     server.publish("greeter", Ref::<dyn Greeter>::new(English)).await?;
//!
//!     let client = Node::new(); // as well in another process
//!     let greeter: Ref<dyn Greeter> = client.lookup(server.uri("greeter")).await?;
//!     assert_eq!(greeter.greet("world").await?, "hello, world");
//!     Ok(())
//! }
//! ```
//!
//! # The words
//!
//! - An **interface** is a trait marked [`#[remote]`](macro@remote). Its methods are `async fn(&self, ..) -> Result<V, E>`.
//! - A **class** is a type with `#[derive(Remote)]` and the list of interfaces that its objects answer to.
//! - A **reference**, [`Ref<dyn Trait>`](Ref), is a smart pointer to an object, *near* (in this process) or *far*. Calling a
//!   method on it makes a [`Call`].
//! - A **call** is the future of one message. It is sent when it is first polled, or by [`Call::pipelined`]; awaiting it
//!   awaits the reply; dropping it cancels.
//! - A **promise** is a reference to what a call will return: the result of [`Call::pipelined`]. It can be sent messages, and
//!   be passed on, before the answer is here.
//! - A **stream**, [`Stream`], is a sequence of values as argument or result; whoever takes them issues credit.
//! - A **socket**, see [`socket`], is a TCP socket of some node's machine that others use.
//! - A **node**, [`Node`], is what others connect to: an identity, an object table, published names.
//! - A **session**, [`Session`], is the association of two nodes. Both sides export objects, import them, and call.
//!
//! # What can be relied on
//!
//! - *Order.* Messages from one task to one object start in the order in which they were sent, pipelined ones included.
//! - *At most once.* No message is executed twice. If a call fails, [`Error::outcome`] says what is known: not executed, executed
//!   and failed, or unknown.
//! - *Life.* An object lives while anybody who can reach it holds a reference: here, in another process, in a message on
//!   its way, or by a published name; and while a call on it runs. It goes promptly after the last.
//! - *Identity.* References are equal if they mean one object. One that comes home is the original object. A reference never
//!   comes to mean another object.
//! - *Containment.* A panic in a method ends that call. What a peer sends ends at worst its session. No code of yours runs
//!   under a lock of the library's.
//! - *Bounds.* Everything is bounded, by [`Limits`]: bodies, depth, elements, calls in progress, queues, references. Whoever is
//!   past a bound waits or is refused, and nobody else notices.
//!
//! None of the first three holds for messages over `udp://`, which need no session: see [`Node::lookup`]. They arrive or do not,
//! in whatever order, and are executed once.
//!
//! # Where to go on
//!
//! The README teaches by example; `examples/` has programs to start from. PROTOCOL.md describes the wire, ARCHITECTURE.md
//! how this crate is built. The entries below are the whole public interface.

#[allow(unused_extern_crates, reason = "the macros write `::remote_core`")]
extern crate self as remote_core;

// In reading order: a file imports only from those above it, which `tests/architecture.rs` checks.
mod error;
mod random;

mod id;
mod limits;
mod mutex;
mod wire;

mod session;

mod object;
mod reference;

pub mod socket;

mod transport;

mod node;

mod private;

pub mod guide;

// ---- the public interface

pub use error::{Error, Outcome, Result};
pub use id::NodeId;
pub use limits::Limits;
pub use node::builder::NodeBuilder;
pub use node::node::Node;
pub use node::session::handle::{Session, SessionStats};
pub use node::session::state::SessionState;
pub use object::class::Class;
pub use object::message::Ended;
pub use object::peer::Peer;
pub use reference::call::Call;
pub use reference::context::{caller, this};
pub use reference::interface::{Implements, Interface, Proxy};
pub use reference::later::{Later, Reply, reply_later};
pub use reference::link::Link;
pub use reference::monitor::Monitor;
pub use reference::reference::{Ref, WeakRef};
pub use reference::stream::sink::Sink;
pub use reference::stream::stream::Stream;
pub use remote_derive::{Remote, remote};

pub mod inspect {
    //! The tables of a node at one moment: its exports, its imports, and who holds what; see
    //! [`Node::snapshot`](crate::Node::snapshot).

    pub use crate::node::snapshot::{Export, Holder, Import, Snapshot};
}

#[doc(hidden)]
pub mod __private {
    pub use crate::private::v1;
}

/// What the README shows compiles and runs.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
