//! Owns interfaces and their proxies: what `#[remote]` on a trait makes of it.
//!
//! It must not know what is behind a proxy.

use std::marker::PhantomData;
use std::sync::Arc;

use crate::object::class::{Class, ClassBuilder};
use crate::object::message::Receiver;
use crate::wire::method::Method;

/// A trait whose methods are messages. `#[remote]` on a trait implements it for `dyn Trait`.
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

/// A class that lists an interface in its `#[remote(..)]`, so that references through the interface can be made to
/// its objects.
#[diagnostic::on_unimplemented(
    message = "class `{Self}` does not list the interface `{T}`",
    label = "add it to `#[remote(..)]` above the type",
    note = "derive it: `#[derive(Remote)] #[remote(TheInterface)]`, and implement it: `#[remote] impl TheInterface for ..`"
)]
pub trait Implements<T: ?Sized + Interface>: Class {}

/// How a class that implements an interface executes its messages. The macro implements it for `dyn Trait`.
pub trait Hosts<S: Class>: Interface {
    /// Registers the interface and its methods.
    fn register(class: &mut ClassBuilder);
}

/// The stand-in for an object: it understands the messages of its interface and passes each on. `#[remote]` on a
/// trait `T` names it `TProxy`.
pub struct Proxy<I: ?Sized> {
    pub(crate) receiver: Arc<dyn Receiver>,
    interface: PhantomData<fn(&I)>,
}

impl<I: ?Sized> Proxy<I> {
    pub(crate) fn new(receiver: Arc<dyn Receiver>) -> Proxy<I> {
        Proxy { receiver, interface: PhantomData }
    }
}
