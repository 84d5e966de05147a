//! The encodings of one value: by serde, or as a byte string that is copied as a whole. It must not know which type uses
//! which.

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

/// An encoding of a value.
pub trait Codec<'p> {
    /// The type that is written.
    type Sent: ?Sized;
    /// The type that is read: the value, or the holder of the value.
    type Held;

    /// Writes the value.
    fn push(value: &Self::Sent, encoder: &mut Encoder) -> Result<(), Error>;
    /// Reads the value.
    fn next(decoder: &mut Decoder<'p>) -> Result<Self::Held, Error>;
}

/// Describes the type of a value as serde sees it.
pub trait Shaped {
    /// Adds the type to a shape.
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

/// Adds the type of an argument to a shape.
pub fn shape<C: Shaped>(_: C, shape: &mut Shape) {
    C::shape(shape);
}

/// Encodes by serde, and reads an owned value.
pub struct BySerde<P>(PhantomData<fn() -> P>);

/// Encodes by serde, and reads a value that borrows from the message.
pub struct BorrowedBySerde<P>(PhantomData<fn() -> P>);

/// Encodes by serde, and reads the holder of a value that is passed by reference.
pub struct LentBySerde<P: ?Sized>(PhantomData<fn() -> Box<P>>);

/// Encodes a byte string, and reads a copy.
pub struct Whole;

/// Encodes a byte string, and reads a slice of the message.
pub struct LentWhole;

/// Encodes a byte string, and reads a copy that is passed by reference.
pub struct LentOwned;

/// Stands for the encoding of a type that an assertion has already refused.
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

/// Implements `Shaped` for byte strings. They have the encoding of a `Vec<u8>` by serde, so that they have its shape, too.
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
