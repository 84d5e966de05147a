//! The registration of interfaces with classes, and upcasts, also for types that have already been refused. It must not
//! know methods.

use std::{marker::PhantomData, ptr};

use crate::{
    object::class::{Class, ClassBuilder},
    reference::interface::{Hosts, Proxy},
    wire::method::Method,
};

/// Returns the methods of an interface: its own, then those of the interfaces that it extends, each once.
pub fn methods(
    own: &[&'static Method],
    inherited: &[fn() -> Vec<&'static Method>],
) -> Vec<&'static Method> {
    let mut methods = own.to_vec();
    for method in inherited.iter().flat_map(|inherited| inherited()) {
        if !methods.iter().any(|known| ptr::eq(*known, method)) {
            methods.push(method);
        }
    }
    methods
}

/// A query to the compiler: can objects of the class `S` be used through the interface `T`?
pub struct Registering<T: ?Sized, S>(PhantomData<fn(&T) -> S>);

#[allow(clippy::new_without_default, reason = "generated code alone makes these")]
impl<T: ?Sized, S> Registering<T, S> {
    /// Makes the query.
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

/// Answers a query if they can.
pub trait RegistersObject {
    /// Registers the interface and its methods with the class.
    fn register(&self, class: &mut ClassBuilder);
}

impl<T: ?Sized + Hosts<S>, S: Class> RegistersObject for Registering<T, S> {
    fn register(&self, class: &mut ClassBuilder) {
        T::register(class);
    }
}

/// Answers a query if they cannot, which another assertion refuses.
pub trait RegistersNothing {
    /// Does nothing.
    fn register(&self, _: &mut ClassBuilder) {}
}

impl<T: ?Sized, S> RegistersNothing for &Registering<T, S> {}

/// A query to the compiler: does the proxy implement its interface?
pub struct Upcasting<'a, I: ?Sized>(pub &'a Proxy<I>);

/// Answers a query if it does not, because an interface that it extends is not one. Another assertion refuses that.
pub trait UpcastsNothing<'a, I: ?Sized> {
    /// Never called.
    fn upcast(&self) -> &'a I {
        unreachable!("refused when compiled")
    }
}

impl<'a, I: ?Sized> UpcastsNothing<'a, I> for &Upcasting<'a, I> {}
