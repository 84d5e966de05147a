//! TCP sockets as remote objects: a node listens and connects on behalf of others, who need not be there themselves.
//!
//! Off, unless the node allows it: [`NodeBuilder::sockets`](crate::NodeBuilder::sockets) says at which addresses.
//! [`Node::sockets`](crate::Node::sockets) is then the object to ask, to be published or passed like any other. It makes
//! [`ServerSocket`]s and [`Socket`]s, each of which has a *controlling object*, near or far, and tells it what happens by
//! messages.
//!
//! Nothing is accepted and nothing is read without *credit*. A socket that has none leaves what arrives where it is, so that
//! a peer who floods it waits, and fills no memory. Credit is counted in *work units* ([`WorkUnits`]): lines, pieces, or
//! byte strings behind their length. The words are those of Tony Garnock-Jones's "Actors for Squeak".
//!
//! A connection stays as long as anybody refers to its socket and its controlling object lives. The two mostly hold each
//! other, so what ends it is a word: [`Socket::close`] or the peer's end; [`Ref::stop`](crate::Ref::stop) on the controlling
//! object; or the end of the session with the node that has it.
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
//!     /// Sends a line; the line that comes back.
//!     async fn ask(&self, line: &str) -> Result<String>;
//! }
//!
//! /// A controlling object, which keeps who asked until the line is there.
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
//! // A node that lets others use sockets of its machine ...
//! let gateway = Node::builder()
//!     .listen("tcp://127.0.0.1:0")
//!     .sockets(Policy::loopback())
//!     .start()
//!     .await?;
//! gateway.publish("sockets", gateway.sockets()).await?;
//!
//! // ... and one that does.
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

mod beside;
mod connection;
mod control;
mod conversation;
mod ends;
pub(crate) mod factory;
pub(crate) mod messages;
mod outgoing;
pub(crate) mod policy;
mod quota;
mod server;
mod units;

pub use messages::{ServerController, ServerSocket, Socket, SocketController, Sockets};
pub use policy::Policy;
pub use units::{WorkUnit, WorkUnits};
