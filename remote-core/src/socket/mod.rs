//! TCP sockets as remote objects: a node listens and connects for other nodes.
//!
//! A node allows it by [`NodeBuilder::sockets`](crate::NodeBuilder::sockets), with a [`Policy`] of addresses. Then
//! [`Node::sockets`](crate::Node::sockets) is the object that makes sockets, which can be published or passed like any
//! other. It makes [`ServerSocket`]s and [`Socket`]s. Each socket has a *controlling object*, near or far, to which it
//! sends a message for each event.
//!
//! A socket accepts and reads only as far as it has *credit*. Without credit, arriving bytes stay in the buffers of the
//! system, so that a peer that sends too fast waits and fills no memory. Credit is counted in *work units* ([`WorkUnits`]):
//! lines, pieces, or byte strings with a length prefix. The terms are those of Tony Garnock-Jones's "Actors for Squeak".
//!
//! A connection lives as long as something refers to its socket and its controlling object lives. The two usually refer to
//! each other, so that the connection is ended explicitly: by [`Socket::close`] or the peer's end, by
//! [`Ref::stop`](crate::Ref::stop) on the controlling object, or by the end of the session with the controlling object's
//! node.
//!
//! ```
//! use std::collections::VecDeque;
//! use std::sync::{Arc, Mutex, OnceLock};
//! use remote_core::socket::{Policy, Socket, SocketController, Sockets, WorkUnit};
//! use remote_core::{Later, Node, Ref, Remote, Reply, Result, remote, reply_later};
//! # use remote_core::socket::{ServerController, ServerSocket};
//!
//! #[remote]
//! trait Asker {
//!     /// Sends a line, and returns the line that is received in reply.
//!     async fn ask(&self, line: &str) -> Result<String>;
//! }
//!
//! /// A controlling object, which keeps the replies that it owes.
//! #[derive(Remote, Default)]
//! #[remote(Asker, SocketController, serial)]
//! struct Terminal {
//!     socket: OnceLock<Ref<dyn Socket>>,
//!     asking: Mutex<VecDeque<Reply<String>>>,
//! }
//!
//! #[remote]
//! impl Asker for Terminal {
//!     async fn ask(&self, line: &str) -> Result<Later<String>> {
//!         let socket = self.socket.get().expect("it is connected");
//!         let (reply, later) = reply_later();
//!         self.asking.lock().unwrap().push_back(reply);
//!         socket.send_line(line).await?;
//!         socket.issue_credit(1).await?; // for one line
//!         Ok(later)
//!     }
//! }
//!
//! #[remote]
//! impl SocketController for Terminal {
//!     async fn data(&self, _: Ref<dyn Socket>, unit: WorkUnit) -> Result<()> {
//!         let asking = self.asking.lock().unwrap().pop_front();
//!         if let (Some(reply), WorkUnit::Line(line)) = (asking, unit) {
//!             let _ = reply.send(line); // unless it is not wanted any more
//!         }
//!         Ok(())
//!     }
//! }
//!
//! # #[derive(Remote)]
//! # #[remote(ServerController, SocketController)]
//! # struct Repeater;
//! # #[remote]
//! # impl ServerController for Repeater {
//! #     async fn accepted(&self, _: Ref<dyn ServerSocket>, socket: Ref<dyn Socket>) -> Result<()> {
//! #         socket.controlled_by(remote_core::this()).await?;
//! #         socket.issue_credit(1).await
//! #     }
//! # }
//! # #[remote]
//! # impl SocketController for Repeater {
//! #     async fn data(&self, socket: Ref<dyn Socket>, unit: WorkUnit) -> Result<()> {
//! #         let WorkUnit::Line(line) = unit else { unreachable!() };
//! #         socket.send_line(&format!("you said: {line}")).await
//! #     }
//! # }
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
//! // A node that makes sockets for other nodes ...
//! let gateway = Node::builder()
//!     .listen("tcp://127.0.0.1:0")
//!     .sockets(Policy::loopback())
//!     .start()
//!     .await?;
//! gateway.publish("sockets", gateway.sockets()).await?;
//!
//! // ... and one of those.
//! let sockets: Ref<dyn Sockets> = Node::new().lookup(gateway.uri("sockets")).await?;
//! # let server = sockets.listen("127.0.0.1:0", Ref::new(Repeater)).await?;
//! # server.issue_credit(1).await?;
//! # let address = server.address().await?;
//! let terminal = Arc::new(Terminal::default());
//! let socket = sockets.connect(&address, Ref::from_arc(terminal.clone())).await?;
//! terminal.socket.get_or_init(|| socket.clone());
//! let asker: Ref<dyn Asker> = Ref::from_arc(terminal);
//! assert_eq!(asker.ask("hello").await?, "you said: hello");
//! socket.close().await?;
//! # Ok(()) }
//! ```

mod connected;
mod connection;
mod connection_task;
mod control;
mod ends;
pub(crate) mod factory;
pub(crate) mod listening;
mod outgoing;
pub(crate) mod policy;
mod quota;
mod server;
mod units;

pub use connected::{Socket, SocketController};
pub use listening::{ServerController, ServerSocket, Sockets};
pub use policy::Policy;
pub use units::{WorkUnit, WorkUnits};
