//! The interface that every object has: the type of a reference whose interface is not known.
//!
//! It has no messages of its own. The built-in messages are sent by receivers.

use super::interface::{Interface, Proxy};
use crate::wire::method::Method;

/// Any object.
pub(crate) trait Object: Send + Sync + 'static {}

impl Object for Proxy<dyn Object> {}

impl Interface for dyn Object {
    const NAME: &'static str = "Object";
    const REFERENCE: &'static str = "Ref<dyn Object>";

    fn methods() -> Vec<&'static Method> {
        Vec::new()
    }

    fn from_proxy(proxy: &Proxy<Self>) -> &Self {
        proxy
    }
}

/// Returns true if `T` is the interface that every object has.
pub(crate) fn is_any<T: ?Sized + Interface>() -> bool {
    std::any::TypeId::of::<T>() == std::any::TypeId::of::<dyn Object>()
}
