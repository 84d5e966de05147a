//! The context of the method that is being executed: its object, and the sender of the message.
//!
//! It must not know the executor.

use std::any::TypeId;

use super::interface::Interface;
use super::reference::Ref;
use crate::object::execution::current;
use crate::object::peer::Peer;

/// Returns, inside a method, a reference to the object that executes it.
///
/// It belongs to the task that executes the method. A task that the method spawns gets the reference from the method.
///
/// # Panics
/// Panics outside a method, and if the class of the object does not list the interface. Both are programming errors.
///
/// ```
/// use remote_core::{Ref, Remote, Result, remote, this};
///
/// #[remote]
/// trait Mirror {
///     async fn reflect(&self) -> Result<Ref<dyn Mirror>>;
/// }
///
/// #[derive(Remote)]
/// #[remote(Mirror)]
/// struct Glass;
///
/// #[remote]
/// impl Mirror for Glass {
///     async fn reflect(&self) -> Result<Ref<dyn Mirror>> {
///         Ok(this())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
/// let glass: Ref<dyn Mirror> = Ref::new(Glass);
/// assert_eq!(glass.reflect().await?, glass);
/// # Ok(()) }
/// ```
pub fn this<T: ?Sized + Interface>() -> Ref<T> {
    let Some(receiver) = current(|context| context.this.clone()).flatten() else {
        panic!(
            "`this()` can be called only inside a method of a remote object, in the task that executes it"
        );
    };
    if let Err(error) = receiver.require(TypeId::of::<T>(), T::NAME) {
        panic!("`this()`: {error}");
    }
    Ref::to(receiver)
}

/// Returns, inside a method, the node that sent the message. Outside of a method, and for near calls, it returns a peer that
/// stands for the process itself, whose address is empty.
///
/// The peer chose its identity and its name; they prove nothing. Like [`this`], it belongs to the task that executes the
/// method.
///
/// ```
/// use remote_core::{Node, Ref, Remote, Result, caller, remote};
///
/// #[remote]
/// trait Mirror {
///     async fn name(&self) -> Result<String>;
/// }
///
/// #[derive(Remote)]
/// #[remote(Mirror)]
/// struct Lake;
///
/// #[remote]
/// impl Mirror for Lake {
///     async fn name(&self) -> Result<String> {
///         Ok(caller().name().to_owned())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
/// let server = Node::listen("memory://caller-doc").await?;
/// server.publish("lake", Ref::<dyn Mirror>::new(Lake)).await?;
/// let client = Node::builder().name("narcissus").start().await?;
/// let lake: Ref<dyn Mirror> = client.lookup(server.uri("lake")).await?;
/// assert_eq!(lake.name().await?, "narcissus");
/// # Ok(()) }
/// ```
pub fn caller() -> Peer {
    current(|context| context.caller.clone()).flatten().unwrap_or_else(Peer::here)
}
