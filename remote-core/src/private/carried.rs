//! Owns what can travel in a message at all: asserted once, at the user's token, so that what cannot is one error. It must
//! not know in which way it travels.

use std::{marker::PhantomData, ops::Deref, path::Path};

use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};

/// What can be passed and returned by value. The one place where a type that serde cannot carry is refused.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be sent in a message",
    label = "not supported by serde",
    note = "derive serde::Serialize and serde::Deserialize, or pass it by reference as Ref<dyn Trait>, the trait marked #[remote]"
)]
pub trait ByValue {
    /// Named to assert that the type can travel.
    const CARRIED: () = ();

    /// Called to assert that a type whose spelling is not known can travel.
    fn carried(_: PhantomData<Self>) {}
}

#[diagnostic::do_not_recommend]
impl<P: Serialize + DeserializeOwned> ByValue for P {}

/// What can be passed by value while it borrows from the message, as `Option<&str>` does.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be sent in a message",
    label = "serde cannot deserialize this without a copy",
    note = "pass an owned type, without the `&` inside"
)]
pub trait Borrowing<'p> {
    /// Named to assert that the type can travel.
    const CARRIED: () = ();
}

#[diagnostic::do_not_recommend]
impl<'p, P: Serialize + Deserialize<'p>> Borrowing<'p> for P {}

/// What can be passed as `&Self`: it is lent from the message itself, or by a value decoded for the call.
#[diagnostic::on_unimplemented(
    message = "`&{Self}` cannot be sent in a message",
    label = "not supported by serde",
    note = "derive serde::Serialize and serde::Deserialize, or pass it by reference as Ref<dyn Trait>, the trait marked #[remote]"
)]
pub trait ByReference {
    /// Named to assert that the type can travel.
    const CARRIED: () = ();

    /// What holds the value during the call.
    type Holder<'p>: Deref<Target = Self> + Deserialize<'p>;
}

#[diagnostic::do_not_recommend]
impl<P: Serialize + DeserializeOwned> ByReference for P {
    type Holder<'p> = Owned<P>;
}

#[diagnostic::do_not_recommend]
impl<P: Serialize + DeserializeOwned> ByReference for [P] {
    type Holder<'p> = Vec<P>;
}

#[diagnostic::do_not_recommend]
impl ByReference for str {
    type Holder<'p> = &'p str;
}

#[diagnostic::do_not_recommend]
impl ByReference for Path {
    type Holder<'p> = &'p Path;
}

/// A value that lends itself.
pub struct Owned<P>(pub(super) P);

impl<P> Deref for Owned<P> {
    type Target = P;

    fn deref(&self) -> &P {
        &self.0
    }
}

impl<'p, P: Deserialize<'p>> Deserialize<'p> for Owned<P> {
    fn deserialize<D: Deserializer<'p>>(deserializer: D) -> Result<Self, D::Error> {
        P::deserialize(deserializer).map(Owned)
    }
}
