//! Owns the question in which way a parameter travels, asked of its type wherever it is written or read. It must not know
//! how.

use std::marker::PhantomData;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::carried::ByReference;
use super::codec::{BorrowedBySerde, BySerde, LentBySerde, LentOwned, LentWhole, Refused, Whole};

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
