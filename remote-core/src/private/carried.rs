//! The types that can be passed in a message: one assertion for each type, at the place where the user wrote it, so that a
//! type that cannot be passed is one error. It must not know how a value is encoded.

use std::{marker::PhantomData, ops::Deref, path::Path};

use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};

/// A type that can be passed and returned by value. A type that serde does not support is refused here only.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be sent in a message",
    label = "not supported by serde",
    note = "derive serde::Serialize and serde::Deserialize, or pass it by reference as Ref<dyn Trait>, the trait marked #[remote]"
)]
pub trait ByValue {
    /// Named by generated code to assert that the type implements this trait.
    const CARRIED: () = ();

    /// Called by generated code to assert that a type implements this trait if the macro does not see how it is written.
    fn carried(_: PhantomData<Self>) {}
}

#[diagnostic::do_not_recommend]
impl<P: Serialize + DeserializeOwned> ByValue for P {}

/// A type that can be passed by value and borrows from the message, as `Option<&str>` does.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be sent in a message",
    label = "serde cannot deserialize this without a copy",
    note = "pass an owned type, without the `&` inside"
)]
pub trait Borrowing<'p> {
    /// Named by generated code to assert that the type implements this trait.
    const CARRIED: () = ();
}

#[diagnostic::do_not_recommend]
impl<'p, P: Serialize + Deserialize<'p>> Borrowing<'p> for P {}

/// A type that can be passed as `&Self`. The reference points into the message, or to a value that is decoded for the call.
#[diagnostic::on_unimplemented(
    message = "`&{Self}` cannot be sent in a message",
    label = "not supported by serde",
    note = "derive serde::Serialize and serde::Deserialize, or pass it by reference as Ref<dyn Trait>, the trait marked #[remote]"
)]
pub trait ByReference {
    /// Named by generated code to assert that the type implements this trait.
    const CARRIED: () = ();

    /// The type that holds the value during the call.
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

/// A decoded value that is passed by reference.
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
