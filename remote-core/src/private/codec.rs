//! Owns the ways in which a value travels: by serde, or whole, as byte strings do. It must not know who picks one.

use std::marker::PhantomData;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::carried::{ByReference, Owned};
use crate::{
    Error,
    wire::{
        codec::{Decoder, Encoder},
        shape::Shape,
    },
};

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

/// By serde, owned.
pub struct BySerde<P>(PhantomData<fn() -> P>);

/// By serde, with parts that are borrowed from the message.
pub struct BorrowedBySerde<P>(PhantomData<fn() -> P>);

/// By serde, the reader holding what lends the value.
pub struct LentBySerde<P: ?Sized>(PhantomData<fn() -> Box<P>>);

/// As a byte string, copied whole.
pub struct Whole;

/// As a byte string, lent from the message itself.
pub struct LentWhole;

/// As a byte string, copied whole and lent.
pub struct LentOwned;

/// Not at all: the assertion made for the type has been refused.
pub struct Refused<P: ?Sized, H>(PhantomData<fn(Box<P>) -> H>);

impl<P> BySerde<P> {
    pub(super) const HERE: Self = Self(PhantomData);
}

impl<P> BorrowedBySerde<P> {
    pub(super) const HERE: Self = Self(PhantomData);
}

impl<P: ?Sized> LentBySerde<P> {
    pub(super) const HERE: Self = Self(PhantomData);
}

impl<P: ?Sized, H> Refused<P, H> {
    pub(super) const HERE: Self = Self(PhantomData);
}

impl<'p, P: Serialize + DeserializeOwned> Codec<'p> for BySerde<P> {
    type Sent = P;
    type Held = P;

    fn push(value: &P, encoder: &mut Encoder) -> Result<(), Error> {
        encoder.push(value)
    }

    fn next(decoder: &mut Decoder<'p>) -> Result<P, Error> {
        decoder.next()
    }
}

impl<P: DeserializeOwned> Shaped for BySerde<P> {
    fn shape(shape: &mut Shape) {
        shape.of::<P>();
    }
}

impl<'p, P: Serialize + Deserialize<'p>> Codec<'p> for BorrowedBySerde<P> {
    type Sent = P;
    type Held = P;

    fn push(value: &P, encoder: &mut Encoder) -> Result<(), Error> {
        encoder.push(value)
    }

    fn next(decoder: &mut Decoder<'p>) -> Result<P, Error> {
        decoder.next()
    }
}

impl<P: Deserialize<'static>> Shaped for BorrowedBySerde<P> {
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
