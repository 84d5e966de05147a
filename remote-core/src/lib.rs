//! Remote objects: a method call on a reference sends a message to an object, in this process or in another one.
//!
//! A trait marked [`#[remote]`](macro@remote) is an interface. The macro generates a proxy for it, which converts calls into
//! messages, and the dispatch at the object's side. There is no schema and no build script. Objects travel as arguments and
//! results, by value or by reference. Nodes are peers: each can call the other's objects.
//!
//! ```
//! use remote_core::{Node, Ref, Remote, Result, remote};
//!
//! #[remote] // an interface
//! trait Greeter {
//!     async fn greet(&self, name: &str) -> Result<String>;
//! }
//!
//! #[derive(Remote)] // a class, with the interfaces that its objects implement
//! #[remote(Greeter)]
//! struct Friendly;
//!
//! #[remote] // the implementation
//! impl Greeter for Friendly {
//!     async fn greet(&self, name: &str) -> Result<String> {
//!         Ok(format!("hello, {name}"))
//!     }
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<()> {
//!     let server = Node::listen("tcp://127.0.0.1:0").await?;
//!     server.publish("greeter", Ref::<dyn Greeter>::new(Friendly)).await?;
//!
//!     let client = Node::new(); // here in the same process; in another one it is the same
//!     let greeter: Ref<dyn Greeter> = client.lookup(server.uri("greeter")).await?;
//!     assert_eq!(greeter.greet("world").await?, "hello, world");
//!     Ok(())
//! }
//! ```
//!
//! The [`guide`] is the manual. It begins with [two programs](guide::getting_started), a server and a client.
//!
//! # Terms
//!
//! | term | | chapter |
//! |---|---|---|
//! | interface | a trait marked [`#[remote]`](macro@remote) | [interfaces](guide::interfaces) |
//! | class | a type with [`#[derive(Remote)]`](derive@Remote), and the interfaces that its objects implement | [interfaces](guide::interfaces) |
//! | reference | [`Ref<dyn Trait>`](Ref): a counted handle to one object, *near* (in this process) or *far* (on another node) | [references](guide::references) |
//! | call | [`Call`]: the future of one message; sent when it is first polled, cancelled when it is dropped | [deadlines](guide::deadlines) |
//! | outcome | [`Outcome`]: what is known about a failed call | [errors](guide::errors) |
//! | promise | a reference to the result of a call that has not returned, by [`Call::pipelined`] | [pipelining](guide::pipelining) |
//! | stream, credit | [`Stream`]: a sequence of values; how many the receiver allows the sender to send | [streams](guide::streams) |
//! | node | [`Node`]: an identity, an object table, sessions; what others connect to | [servers](guide::servers) |
//! | session | [`Session`]: the association of two nodes; it outlives the connections beneath it | [reconnecting](guide::reconnecting) |
//! | lease | the promise of a node to keep what another one refers to, for one term | [leases](guide::leases) |
//! | monitor, link | [`Monitor`] resolves when an object ends; [`Link`] stops another object then | [monitors](guide::monitors) |
//!
//! `GLOSSARY.md` in the repository has all of them, with the names that other systems use.
//!
//! # Guarantees
//!
//! - *Order.* Messages from one task to one object start in the order in which they were sent, pipelined ones included.
//! - *Execution.* No message is executed twice. A call is executed exactly once if both nodes live and a connection comes back
//!   within the lease, unless the caller drops it, its deadline passes or a limit refuses it. If a call fails,
//!   [`Error::outcome`] says what is known: not executed, executed and failed, or unknown.
//! - *Life.* An object lives while anything that can reach it holds a reference: in this process, on a node whose lease runs, in
//!   a message in transit, or by a published name; and while a call on it runs. It is dropped promptly after the last.
//! - *Identity.* References are equal if they refer to the same object. One that returns to its node is a reference to the
//!   original object. A reference never comes to refer to another object.
//! - *Containment.* A panic in a method ends that call. What a peer sends ends at worst its own session. No code of the program
//!   runs under a lock of the library.
//! - *Bounds.* Everything that a peer can cause is bounded by [`Limits`]: bodies, depth, calls in progress, queues, references.
//!   A peer past a bound waits or is refused, and others do not notice.
//!
//! Over `udp://`, which has no session, messages may be lost and arrive in any order, and are executed at most once; see
//! [datagrams](guide::datagrams). What differs between near and far objects is in [near and far](guide::near_and_far).
//!
//! Nodes do not authenticate each other, and listen on their own machine only; see [security](guide::security).
//!
//! # Other documents
//!
//! In the repository: `examples/` is a course in small programs, `PROTOCOL.md` specifies the wire, `ARCHITECTURE.md` describes
//! how this crate is built.

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
pub use node::shutdown::ShutdownReport;
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
    //!
    //! ```
    //! use remote_core::{Node, inspect::Snapshot};
    //! let Snapshot { exports, imports, gifts, .. } = Node::new().snapshot();
    //! assert_eq!((exports.len(), imports.len(), gifts), (0, 0, 0));
    //! ```

    pub use crate::node::snapshot::{Export, Holder, Import, Snapshot};
}

#[doc(hidden)]
pub mod __private {
    pub use crate::private::v1;
}

/// Compiles and runs the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
