//! The queries for the encoding of a parameter, by its type. It must not know the encodings.

use std::marker::PhantomData;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::carried::ByReference;
use super::codec::{BorrowedBySerde, BySerde, LentBySerde, LentOwned, LentWhole, Refused, Whole};

/// A query to the compiler: how is a parameter encoded that is passed by value?
pub struct Passed<P>(PhantomData<fn() -> P>);

/// A query to the compiler: how is a parameter encoded that is passed by value and borrows from the message?
pub struct PassedBorrowing<P>(PhantomData<fn() -> P>);

/// A query to the compiler: how is a parameter encoded that is written `&P`?
pub struct Lent<P: ?Sized>(PhantomData<fn() -> Box<P>>);

#[allow(clippy::new_without_default, reason = "generated code alone makes these")]
impl<P> Passed<P> {
    /// Makes the query.
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

#[allow(clippy::new_without_default, reason = "generated code alone makes these")]
impl<P> PassedBorrowing<P> {
    /// Makes the query.
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

#[allow(clippy::new_without_default, reason = "generated code alone makes these")]
impl<P: ?Sized> Lent<P> {
    /// Makes the query.
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl Passed<Vec<u8>> {
    /// Returns the encoding: byte strings are copied as a whole.
    pub fn codec(&self) -> Whole {
        Whole
    }
}

/// Answers a query if serde supports the type.
pub trait PassesBySerde<P> {
    /// Returns the encoding.
    fn codec(&self) -> BySerde<P>;
}

impl<P: Serialize + DeserializeOwned> PassesBySerde<P> for Passed<P> {
    fn codec(&self) -> BySerde<P> {
        BySerde::HERE
    }
}

/// Answers a query if serde supports the type and it borrows from the message.
pub trait PassesBorrowed<'p, P> {
    /// Returns the encoding.
    fn codec(&self) -> BorrowedBySerde<P>;
}

impl<'p, P: Serialize + Deserialize<'p>> PassesBorrowed<'p, P> for PassedBorrowing<P> {
    fn codec(&self) -> BorrowedBySerde<P> {
        BorrowedBySerde::HERE
    }
}

/// Answers every other query.
pub trait PassesNothing<P> {
    /// Returns the encoding.
    fn codec(&self) -> Refused<P, P> {
        Refused::HERE
    }
}

impl<P> PassesNothing<P> for &Passed<P> {}
impl<P> PassesNothing<P> for &PassedBorrowing<P> {}

impl Lent<[u8]> {
    /// Returns the encoding: a slice of the message.
    pub fn codec(&self) -> LentWhole {
        LentWhole
    }
}

impl Lent<Vec<u8>> {
    /// Returns the encoding: byte strings are copied as a whole.
    pub fn codec(&self) -> LentOwned {
        LentOwned
    }
}

/// Answers a query if serde supports the type.
pub trait LendsBySerde<P: ?Sized> {
    /// Returns the encoding.
    fn codec(&self) -> LentBySerde<P>;
}

impl<P: ?Sized + Serialize + ByReference> LendsBySerde<P> for Lent<P> {
    fn codec(&self) -> LentBySerde<P> {
        LentBySerde::HERE
    }
}

/// Answers every other query.
pub trait LendsNothing<P: ?Sized> {
    /// Returns the encoding.
    fn codec(&self) -> Refused<P, Box<P>> {
        Refused::HERE
    }
}

impl<P: ?Sized> LendsNothing<P> for &Lent<P> {}
