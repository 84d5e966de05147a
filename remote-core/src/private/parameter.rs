//! Owns the questions about a parameter's type: whether it can travel, asked once at the user's token, and in which way,
//! asked wherever it is written or read. It must not know how.

use std::{marker::PhantomData, ops::Deref, path::Path};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::codec::{
    BorrowedBySerde, BySerde, LentBySerde, LentOwned, LentWhole, Owned, Refused, Whole,
};

/// What can be passed and returned by value. The one place where a type that serde cannot carry is refused.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel in a message",
    label = "serde cannot carry this",
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
    message = "`{Self}` cannot travel in a message",
    label = "serde cannot carry this borrowed",
    note = "pass it owned, without the `&` inside"
)]
pub trait Borrowing<'p> {
    /// Named to assert that the type can travel.
    const CARRIED: () = ();
}

#[diagnostic::do_not_recommend]
impl<'p, P: Serialize + Deserialize<'p>> Borrowing<'p> for P {}

/// What can be passed as `&Self`: it is lent from the message itself, or by a value decoded for the call.
#[diagnostic::on_unimplemented(
    message = "`&{Self}` cannot travel in a message",
    label = "serde cannot carry this",
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

/// Asks how a parameter travels that is passed by value.
pub struct Passed<P>(PhantomData<fn() -> P>);

/// Asks how a parameter travels that is passed by value and borrows from the message.
pub struct PassedBorrowing<P>(PhantomData<fn() -> P>);

/// Asks how a parameter travels that is written `&P`.
pub struct Lent<P: ?Sized>(PhantomData<fn() -> Box<P>>);

#[allow(clippy::new_without_default, reason = "generated code alone makes these")]
impl<P> Passed<P> {
    /// The question.
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

#[allow(clippy::new_without_default, reason = "generated code alone makes these")]
impl<P> PassedBorrowing<P> {
    /// The question.
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

#[allow(clippy::new_without_default, reason = "generated code alone makes these")]
impl<P: ?Sized> Lent<P> {
    /// The question.
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl Passed<Vec<u8>> {
    /// The answer.
    pub fn codec(&self) -> Whole {
        Whole
    }
}

/// The answer for what serde carries.
pub trait PassesBySerde<P> {
    /// The answer.
    fn codec(&self) -> BySerde<P>;
}

impl<P: Serialize + DeserializeOwned> PassesBySerde<P> for Passed<P> {
    fn codec(&self) -> BySerde<P> {
        BySerde::HERE
    }
}

/// The answer for what serde carries, borrowed.
pub trait PassesBorrowed<'p, P> {
    /// The answer.
    fn codec(&self) -> BorrowedBySerde<P>;
}

impl<'p, P: Serialize + Deserialize<'p>> PassesBorrowed<'p, P> for PassedBorrowing<P> {
    fn codec(&self) -> BorrowedBySerde<P> {
        BorrowedBySerde::HERE
    }
}

/// The answer for everything else.
pub trait PassesNothing<P> {
    /// The answer.
    fn codec(&self) -> Refused<P, P> {
        Refused::HERE
    }
}

impl<P> PassesNothing<P> for &Passed<P> {}
impl<P> PassesNothing<P> for &PassedBorrowing<P> {}

impl Lent<[u8]> {
    /// The answer.
    pub fn codec(&self) -> LentWhole {
        LentWhole
    }
}

impl Lent<Vec<u8>> {
    /// The answer.
    pub fn codec(&self) -> LentOwned {
        LentOwned
    }
}

/// The answer for what serde carries.
pub trait LendsBySerde<P: ?Sized> {
    /// The answer.
    fn codec(&self) -> LentBySerde<P>;
}

impl<P: ?Sized + Serialize + ByReference> LendsBySerde<P> for Lent<P> {
    fn codec(&self) -> LentBySerde<P> {
        LentBySerde::HERE
    }
}

/// The answer for everything else.
pub trait LendsNothing<P: ?Sized> {
    /// The answer.
    fn codec(&self) -> Refused<P, Box<P>> {
        Refused::HERE
    }
}

impl<P: ?Sized> LendsNothing<P> for &Lent<P> {}
