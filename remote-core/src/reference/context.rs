//! Owns what a method can ask about the message that it executes.
//!
//! It must not know who executes it.

use std::any::TypeId;

use super::interface::Interface;
use super::reference::Ref;
use crate::object::execution::current;
use crate::object::peer::Peer;

/// Inside a method: a reference to the object itself.
///
/// # Panics
/// Outside a method, or if the class of the object does not list the interface: both are mistakes of the program.
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
            "`this()` is for the methods of remote objects, before they hand work to other tasks"
        );
    };
    if let Err(error) = receiver.require(TypeId::of::<T>(), T::NAME) {
        panic!("`this()`: {error}");
    }
    Ref::to(receiver)
}

/// Inside a method: who sent the message that it executes. Outside, and for messages within the process, the process
/// itself, whose address is empty.
pub fn caller() -> Peer {
    current(|context| context.caller.clone()).flatten().unwrap_or_else(Peer::here)
}
