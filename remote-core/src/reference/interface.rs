//! Interfaces and their proxies: the traits and types behind `#[remote]` on a trait.
//!
//! It must not know what a proxy refers to.

use std::marker::PhantomData;
use std::sync::Arc;

use crate::object::class::{Class, ClassBuilder};
use crate::object::message::Receiver;
use crate::wire::method::Method;

/// Implemented for `dyn Trait` by [`#[remote]`](macro@crate::remote) on a trait: a bound for code that is generic over
/// interfaces.
///
/// ```
/// use remote_core::{Interface, Node, Ref};
///
/// /// Looks an object up at several addresses, and returns the first that is found.
/// async fn find<T: ?Sized + Interface>(node: &Node, uris: &[String]) -> Option<Ref<T>> {
///     for uri in uris {
///         if let Ok(found) = node.lookup(uri).await {
///             return Some(found);
///         }
///     }
///     None
/// }
/// # #[remote_core::remote] trait Empty {}
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let found = find::<dyn Empty>(&Node::new(), &["memory://interface-doc/none".into()]).await;
/// assert!(found.is_none());
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an interface",
    label = "mark the trait with `#[remote]`",
    note = "an interface is a trait marked `#[remote]`, named as `dyn Trait`"
)]
pub trait Interface: Send + Sync + 'static {
    #[doc(hidden)]
    const NAME: &'static str;
    #[doc(hidden)]
    const REFERENCE: &'static str;
    #[doc(hidden)]
    fn methods() -> Vec<&'static Method>;
    #[doc(hidden)]
    fn from_proxy(proxy: &Proxy<Self>) -> &Self;
}

/// Implemented by a class for each interface that it lists in its `#[remote(..)]`: the bound of [`Ref::new`](crate::Ref::new).
///
/// ```
/// use remote_core::{Implements, Ref, Remote, Result, remote};
///
/// #[remote]
/// trait Plugin {
///     async fn name(&self) -> Result<String>;
/// }
///
/// /// Makes an object of any class that has the interface.
/// fn load<P: Implements<dyn Plugin> + Default>() -> Ref<dyn Plugin> {
///     Ref::new(P::default())
/// }
///
/// #[derive(Remote, Default)]
/// #[remote(Plugin)]
/// struct Spelling;
///
/// #[remote]
/// impl Plugin for Spelling {
///     async fn name(&self) -> Result<String> {
///         Ok("spelling".into())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
/// assert_eq!(load::<Spelling>().name().await?, "spelling");
/// # Ok(()) }
/// ```
#[diagnostic::on_unimplemented(
    message = "class `{Self}` does not list the interface `{T}`",
    label = "add it to `#[remote(..)]` above the type",
    note = "derive it: `#[derive(Remote)] #[remote(TheInterface)]`, and implement it: `#[remote] impl TheInterface for ..`"
)]
pub trait Implements<T: ?Sized + Interface>: Class {}

/// Registers an interface with a class that implements it. The macro implements this for `dyn Trait`.
pub trait Hosts<S: Class>: Interface {
    /// Registers the interface and its methods.
    fn register(class: &mut ClassBuilder);
}

/// The generated implementation of an interface that converts calls into messages. A [`Ref`](crate::Ref) dereferences to it.
/// `#[remote]` on a trait `T` defines the alias `TProxy`.
///
/// ```
/// use std::any::TypeId;
/// use remote_core::{Proxy, Result, remote};
///
/// #[remote]
/// trait Greeter {
///     async fn greet(&self) -> Result<String>;
/// }
///
/// assert_eq!(TypeId::of::<GreeterProxy>(), TypeId::of::<Proxy<dyn Greeter>>());
/// ```
pub struct Proxy<I: ?Sized> {
    pub(crate) receiver: Arc<dyn Receiver>,
    interface: PhantomData<fn(&I)>,
}

impl<I: ?Sized> Proxy<I> {
    pub(crate) fn new(receiver: Arc<dyn Receiver>) -> Proxy<I> {
        Proxy { receiver, interface: PhantomData }
    }
}
