//! Owns how interfaces and classes are tied together, also where a mistake has been refused already. It must not know their
//! methods.

use std::{marker::PhantomData, ptr};

use crate::{
    object::class::{Class, ClassBuilder},
    reference::interface::{Hosts, Proxy},
    wire::method::Method,
};

/// The methods of an interface: its own, then those of the interfaces that it extends, each once.
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

/// Asks whether the class `S` can be asked through the interface `T`.
pub struct Registering<T: ?Sized, S>(PhantomData<fn(&T) -> S>);

#[allow(clippy::new_without_default, reason = "generated code alone makes these")]
impl<T: ?Sized, S> Registering<T, S> {
    /// The question.
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

/// It can.
pub trait RegistersObject {
    /// Tells the class what it answers to.
    fn register(&self, class: &mut ClassBuilder);
}

impl<T: ?Sized + Hosts<S>, S: Class> RegistersObject for Registering<T, S> {
    fn register(&self, class: &mut ClassBuilder) {
        T::register(class);
    }
}

/// It cannot, which has been refused elsewhere.
pub trait RegistersNothing {
    /// Nothing to tell.
    fn register(&self, _: &mut ClassBuilder) {}
}

impl<T: ?Sized, S> RegistersNothing for &Registering<T, S> {}

/// Asks whether a proxy answers to its interface.
pub struct Upcasting<'a, I: ?Sized>(pub &'a Proxy<I>);

/// It does not, as an interface that it extends is none, which has been refused elsewhere.
pub trait UpcastsNothing<'a, I: ?Sized> {
    /// Nothing to answer with.
    fn upcast(&self) -> &'a I {
        unreachable!("refused when compiled")
    }
}

impl<'a, I: ?Sized> UpcastsNothing<'a, I> for &Upcasting<'a, I> {}
