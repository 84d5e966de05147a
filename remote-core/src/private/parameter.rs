//! Owns how the values in a message travel: whole, as byte strings do, or by serde, or not at all, picked by type. It must
//! not know messages.

use std::{marker::PhantomData, ops::Deref, path::Path};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    Error,
    wire::{
        codec::{Decoder, Encoder},
        shape::Shape,
    },
};

/// What can be passed and returned by value. The one place where a type that serde cannot carry is refused.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel in a message",
    label = "serde cannot carry this",
    note = "derive serde::Serialize and serde::Deserialize, or pass it by reference as Ref<dyn Trait>"
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
    note = "derive serde::Serialize and serde::Deserialize, or pass it by reference as Ref<dyn Trait>"
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
pub struct Owned<P>(P);

impl<P> Deref for Owned<P> {
    type Target = P;

    fn deref(&self) -> &P {
        &self.0
    }
}

impl<'p, P: Deserialize<'p>> Deserialize<'p> for Owned<P> {
    fn deserialize<D: serde::Deserializer<'p>>(deserializer: D) -> Result<Self, D::Error> {
        P::deserialize(deserializer).map(Owned)
    }
}

/// A way in which a value travels.
pub trait Codec<'p> {
    /// What is written.
    type Sent: ?Sized;
    /// What the reader holds: the value, or what lends it.
    type Held;

    /// Writes the value.
    fn push(value: &Self::Sent, encoder: &mut Encoder) -> Result<(), Error>;
    /// Reads the value.
    fn next(decoder: &mut Decoder<'p>) -> Result<Self::Held, Error>;
}

/// What serde sees of a value.
pub trait Shaped {
    /// Writes it down.
    fn shape(shape: &mut Shape);
}

/// Writes an argument.
pub fn push<'p, C: Codec<'p>>(_: C, value: &C::Sent, encoder: &mut Encoder) -> Result<(), Error> {
    C::push(value, encoder)
}

/// Reads an argument.
pub fn next<'p, C: Codec<'p>>(_: C, decoder: &mut Decoder<'p>) -> Result<C::Held, Error> {
    C::next(decoder)
}

/// Writes down what serde sees of an argument.
pub fn shape<C: Shaped>(_: C, shape: &mut Shape) {
    C::shape(shape);
}

/// Asks how a parameter travels that is passed by value.
pub struct Passed<P>(PhantomData<fn() -> P>);

/// Asks how a parameter travels that is written `&P`.
pub struct Lent<P: ?Sized>(PhantomData<fn() -> Box<P>>);

/// By serde, as the value itself.
pub struct BySerde<P>(PhantomData<fn() -> P>);

/// By serde, the reader holding what lends the value.
pub struct LentBySerde<P: ?Sized>(PhantomData<fn() -> Box<P>>);

/// As a byte string, copied whole.
pub struct Whole;

/// As a byte string, lent from the message itself.
pub struct LentWhole;

/// As a byte string, copied whole and lent.
pub struct LentOwned;

/// Not at all: the assertion made for the type has been refused.
pub struct Refused<P, H>(PhantomData<fn(Box<P>) -> H>)
where
    P: ?Sized;

#[allow(clippy::new_without_default, reason = "generated code alone makes these")]
impl<P> Passed<P> {
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
pub trait PassesBySerde<'p, P> {
    /// The answer.
    fn codec(&self) -> BySerde<P>;
}

impl<'p, P: Serialize + Deserialize<'p>> PassesBySerde<'p, P> for Passed<P> {
    fn codec(&self) -> BySerde<P> {
        BySerde(PhantomData)
    }
}

/// The answer for everything else.
pub trait PassesNothing<P> {
    /// The answer.
    fn codec(&self) -> Refused<P, P>;
}

impl<P> PassesNothing<P> for &Passed<P> {
    fn codec(&self) -> Refused<P, P> {
        Refused(PhantomData)
    }
}

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
        LentBySerde(PhantomData)
    }
}

/// The answer for everything else.
pub trait LendsNothing<P: ?Sized> {
    /// The answer.
    fn codec(&self) -> Refused<P, Box<P>>;
}

impl<P: ?Sized> LendsNothing<P> for &Lent<P> {
    fn codec(&self) -> Refused<P, Box<P>> {
        Refused(PhantomData)
    }
}

impl<'p, P: Serialize + Deserialize<'p>> Codec<'p> for BySerde<P> {
    type Sent = P;
    type Held = P;

    fn push(value: &P, encoder: &mut Encoder) -> Result<(), Error> {
        encoder.push(value)
    }

    fn next(decoder: &mut Decoder<'p>) -> Result<P, Error> {
        decoder.next()
    }
}

impl<P: Deserialize<'static>> Shaped for BySerde<P> {
    fn shape(shape: &mut Shape) {
        shape.of::<P>();
    }
}

impl<'p, P: ?Sized + Serialize + ByReference> Codec<'p> for LentBySerde<P> {
    type Sent = P;
    type Held = P::Holder<'p>;

    fn push(value: &P, encoder: &mut Encoder) -> Result<(), Error> {
        encoder.push(value)
    }

    fn next(decoder: &mut Decoder<'p>) -> Result<Self::Held, Error> {
        decoder.next()
    }
}

impl<P: ?Sized + ByReference> Shaped for LentBySerde<P> {
    fn shape(shape: &mut Shape) {
        shape.of::<P::Holder<'static>>();
    }
}

impl<'p> Codec<'p> for Whole {
    type Sent = Vec<u8>;
    type Held = Vec<u8>;

    fn push(value: &Vec<u8>, encoder: &mut Encoder) -> Result<(), Error> {
        encoder.push_bytes(value)
    }

    fn next(decoder: &mut Decoder<'p>) -> Result<Vec<u8>, Error> {
        decoder.next_bytes().map(<[u8]>::to_vec)
    }
}

impl<'p> Codec<'p> for LentWhole {
    type Sent = [u8];
    type Held = &'p [u8];

    fn push(value: &[u8], encoder: &mut Encoder) -> Result<(), Error> {
        encoder.push_bytes(value)
    }

    fn next(decoder: &mut Decoder<'p>) -> Result<&'p [u8], Error> {
        decoder.next_bytes()
    }
}

impl<'p> Codec<'p> for LentOwned {
    type Sent = Vec<u8>;
    type Held = Owned<Vec<u8>>;

    fn push(value: &Vec<u8>, encoder: &mut Encoder) -> Result<(), Error> {
        Whole::push(value, encoder)
    }

    fn next(decoder: &mut Decoder<'p>) -> Result<Owned<Vec<u8>>, Error> {
        Whole::next(decoder).map(Owned)
    }
}

impl<'p, P: ?Sized, H> Codec<'p> for Refused<P, H> {
    type Sent = P;
    type Held = H;

    fn push(_: &P, _: &mut Encoder) -> Result<(), Error> {
        unreachable!("refused when compiled")
    }

    fn next(_: &mut Decoder<'p>) -> Result<H, Error> {
        unreachable!("refused when compiled")
    }
}

impl<P: ?Sized, H> Shaped for Refused<P, H> {
    fn shape(_: &mut Shape) {
        unreachable!("refused when compiled")
    }
}

/// Byte strings are described as what serde makes of a `Vec<u8>`, with which they share their bytes.
macro_rules! shaped_as_bytes {
    ($($codec:ty),*) => {
        $(impl Shaped for $codec {
            fn shape(shape: &mut Shape) {
                shape.of::<Vec<u8>>();
            }
        })*
    };
}

shaped_as_bytes!(Whole, LentWhole, LentOwned);
