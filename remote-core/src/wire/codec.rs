//! The encoding of bodies: the one file that names bincode.
//!
//! It must not know messages or references. A body is decoded from a complete, bounded slice, never from a stream, so that
//! every length is checked against the bytes that exist. bincode 2.0.1 is the last release of its line (RUSTSEC-2025-0141)
//! and is pinned; to replace it, replace this file.

use bincode::config::{Configuration, standard};
use bincode::enc::write::Writer;
use bincode::error::EncodeError;
use serde::Serialize;
use serde::de::{Deserialize, DeserializeSeed, Deserializer};

use super::body::Body;
use super::bounded_reader;
use super::bounded_writer::{self, Role};
use super::budget::Budget;
use crate::error::Error;
use crate::limits::Bounds;

const CONFIGURATION: Configuration = standard();

/// Writes values into a body, one after another.
pub struct Encoder {
    body: Body,
    budget: Budget,
    role: Role,
    limit: usize,
}

impl Encoder {
    pub(crate) fn new(bounds: Bounds, limit: usize, role: Role) -> Encoder {
        Encoder { body: Body::new(), budget: Budget::new(bounds), role, limit }
    }

    /// Appends a value.
    pub fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let value = bounded_writer::Bounded::new(value, &self.budget, self.role);
        let sink = Sink { body: &mut self.body, limit: self.limit, budget: &self.budget };
        match bincode::serde::encode_into_writer(&value, sink, CONFIGURATION) {
            Ok(()) => Ok(()),
            Err(EncodeError::UnexpectedEnd) => Err(self.too_large(self.limit + 1)),
            Err(error) => {
                Err(self.budget.take_fault().unwrap_or_else(|| Error::Encode(encode_text(error))))
            }
        }
    }

    /// Appends a byte string as a whole: the same bytes as [`Encoder::push`] writes for a `Vec<u8>`, in one copy.
    pub fn push_bytes(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if bytes.len() > self.limit {
            return Err(self.too_large(bytes.len()));
        }
        // Reserved at once, so that a large byte string is not copied again while the body grows.
        self.body.reserve(bytes.len() + 9);
        self.push(&(bytes.len() as u64))?;
        self.body.extend_from_slice(bytes);
        Ok(())
    }

    #[inline(always)]
    pub(crate) fn finish(self) -> Result<Body, Error> {
        if self.body.len() > self.limit {
            return Err(self.too_large(self.body.len()));
        }
        Ok(self.body)
    }

    fn too_large(&self, size: usize) -> Error {
        Error::TooLarge { size: size as u64, limit: self.limit as u64 }
    }
}

/// Reads values from a body, one after another.
pub struct Decoder<'p> {
    rest: &'p [u8],
    budget: Budget,
}

impl<'p> Decoder<'p> {
    pub(crate) fn new(body: &'p [u8], bounds: Bounds) -> Decoder<'p> {
        Decoder { rest: body, budget: Budget::for_reading(bounds, body.len()) }
    }

    /// Reads the next value. It borrows from the body if its type can.
    #[allow(clippy::should_implement_trait, reason = "values of many types follow each other")]
    pub fn next<T: Deserialize<'p>>(&mut self) -> Result<T, Error> {
        struct Seed<'b, T>(&'b Budget, std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Seed<'_, T> {
            type Value = T;
            fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
                T::deserialize(bounded_reader::Bounded::new(deserializer, self.0))
            }
        }
        let seed = Seed(&self.budget, std::marker::PhantomData::<T>);
        match bincode::serde::seed_decode_from_slice(seed, self.rest, CONFIGURATION) {
            Ok((value, read)) => {
                self.rest = &self.rest[read..];
                Ok(value)
            }
            Err(error) => {
                Err(self.budget.take_fault().unwrap_or_else(|| Error::Decode(decode_text(error))))
            }
        }
    }

    /// Reads the next value, a byte string, without a copy.
    pub fn next_bytes(&mut self) -> Result<&'p [u8], Error> {
        self.next()
    }

    /// Fails if bytes are left: they were written for another signature.
    #[inline(always)]
    pub(crate) fn finish(self) -> Result<(), Error> {
        match self.rest.len() {
            0 => Ok(()),
            left => Err(Error::Decode(format!("{left} bytes are left after the last value"))),
        }
    }
}

/// The writer for bincode. It fails at the limit, so that a value that is too large is not encoded further.
struct Sink<'b> {
    body: &'b mut Body,
    limit: usize,
    budget: &'b Budget,
}

impl Writer for Sink<'_> {
    // Most writes are of a few bytes, whose number is known where this is inlined.
    #[inline(always)]
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        if self.body.len() + bytes.len() > self.limit {
            return Err(EncodeError::UnexpectedEnd);
        }
        self.body.extend_from_slice(bytes);
        self.budget.count_written(bytes.len());
        Ok(())
    }
}

fn encode_text(error: EncodeError) -> String {
    match error {
        EncodeError::OtherString(text) => text,
        other => other.to_string(),
    }
}

fn decode_text(error: bincode::error::DecodeError) -> String {
    use bincode::error::DecodeError;
    match error {
        DecodeError::UnexpectedEnd { .. } => "the bytes end inside a value".into(),
        DecodeError::OtherString(text) => super::budget::excerpt(&text),
        other => super::budget::excerpt(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(write: impl FnOnce(&mut Encoder) -> Result<(), Error>) -> Body {
        let mut encoder = Encoder::new(Bounds::default(), 4 << 20, Role::Value);
        write(&mut encoder).unwrap();
        encoder.finish().unwrap()
    }

    fn decoded<T: for<'p> Deserialize<'p>>(body: &[u8]) -> Result<T, Error> {
        let mut decoder = Decoder::new(body, Bounds::default());
        let value = decoder.next()?;
        decoder.finish()?;
        Ok(value)
    }

    #[test]
    fn byte_strings_have_one_encoding() {
        let bytes: Vec<u8> = (0..=255).cycle().take(70_000).collect();
        let whole = encoded(|encoder| encoder.push_bytes(&bytes));
        assert_eq!(whole, encoded(|encoder| encoder.push(&bytes)));
        assert_eq!(whole, encoded(|encoder| encoder.push(&bytes::Bytes::from(bytes.clone()))));
        assert_eq!(Decoder::new(&whole, Bounds::default()).next_bytes().unwrap(), bytes);
    }

    #[test]
    fn a_length_beyond_the_bytes_allocates_nothing() {
        for claim in [u64::MAX, 1 << 32, 3] {
            let body = encoded(|encoder| encoder.push(&claim));
            assert!(matches!(decoded::<String>(&body), Err(Error::Decode(_))));
            assert!(matches!(decoded::<Vec<u64>>(&body), Err(Error::Decode(_))));
            assert!(matches!(decoded::<bytes::Bytes>(&body), Err(Error::Decode(_))));
        }
    }

    #[test]
    fn elements_without_bytes_are_counted() {
        for announced in [4097_u64, 1 << 21, 1_000_000_000, u64::MAX] {
            let body = encoded(|encoder| encoder.push(&announced));
            assert!(matches!(decoded::<Vec<()>>(&body), Err(Error::Quota(_))), "{announced}");
        }
        let body = encoded(|encoder| encoder.push(&4096_u64));
        assert_eq!(decoded::<Vec<()>>(&body).unwrap().len(), 4096);
    }

    #[test]
    fn empty_elements_are_bounded_in_a_whole_body() {
        let write = |value: &Vec<Vec<()>>| {
            Encoder::new(Bounds::default(), 4 << 20, Role::Value).push(value)
        };
        assert_eq!(write(&vec![vec![(); 2048]; 2]), Ok(()));
        assert!(matches!(write(&vec![vec![(); 2049]; 2]), Err(Error::Quota(_))));
        let body = encoded(|encoder| encoder.push(&vec![vec![(); 2048]; 2]));
        assert_eq!(decoded::<Vec<Vec<()>>>(&body).unwrap().len(), 2);
        let body = encoded(|encoder| encoder.push(&(2_u64, 2049_u64, 2049_u64)));
        assert!(matches!(decoded::<Vec<Vec<()>>>(&body), Err(Error::Quota(_))));
        let endless = vec![(); usize::MAX];
        let mut encoder = Encoder::new(Bounds::default(), 4 << 20, Role::Value);
        assert!(matches!(encoder.push(&endless), Err(Error::Quota(_))));
        // Fields without bytes are no elements.
        let fields = vec![((), 1_u8, ()); 10_000];
        let body = encoded(|encoder| encoder.push(&fields));
        assert_eq!(decoded::<Vec<((), u8, ())>>(&body).unwrap(), fields);
    }

    #[test]
    fn numbers_of_all_sizes_leave_room_for_their_elements() {
        let sizes: Vec<(u16, u32, u64, u128)> =
            (0..64).map(|shift| (u16::MAX, u32::MAX >> 3, 1 << shift, u128::MAX)).collect();
        let signed: Vec<(i16, i32, i64, i128)> =
            (0..63).map(|shift| (i16::MIN, -300, -(1 << shift), i128::MIN)).collect();
        let others = vec![(1.5_f32, -2.5_f64, 'x', '\u{1f980}', "text".to_owned(), Some(true))];
        type All = (
            Vec<(u16, u32, u64, u128)>,
            Vec<(i16, i32, i64, i128)>,
            Vec<(f32, f64, char, char, String, Option<bool>)>,
        );
        let value: All = (sizes, signed, others);
        let body = encoded(|encoder| encoder.push(&value));
        assert_eq!(decoded::<All>(&body).unwrap(), value);
    }

    #[test]
    fn depth_is_bounded_both_ways() {
        #[derive(serde::Serialize, serde::Deserialize, Debug, PartialEq)]
        struct Nest(Option<Box<Nest>>);
        let nest = |depth| (0..depth).fold(Nest(None), |inner, _| Nest(Some(Box::new(inner))));
        let body = encoded(|encoder| encoder.push(&nest(20)));
        assert_eq!(decoded::<Nest>(&body).unwrap(), nest(20));
        let mut encoder = Encoder::new(Bounds::default(), 4 << 20, Role::Value);
        assert!(matches!(encoder.push(&nest(40)), Err(Error::Quota(_))));
        assert!(matches!(decoded::<Nest>(&[1; 100_000]), Err(Error::Quota(_))));
    }

    #[test]
    fn encoding_stops_at_the_size_limit() {
        let mut encoder = Encoder::new(Bounds::default(), 100, Role::Value);
        assert!(matches!(encoder.push(&"x".repeat(101)), Err(Error::TooLarge { limit: 100, .. })));
        let mut encoder = Encoder::new(Bounds::default(), 100, Role::Value);
        assert!(matches!(
            encoder.push_bytes(&[0; 101]),
            Err(Error::TooLarge { size: 101, limit: 100 })
        ));
    }

    #[test]
    fn bytes_after_the_last_value_are_an_error() {
        assert!(matches!(decoded::<u8>(&[1, 2]), Err(Error::Decode(_))));
    }

    #[test]
    fn an_error_returned_by_a_method_is_nested_once() {
        let written = |error: &Error| {
            let mut encoder = Encoder::new(Bounds::default(), 4 << 20, Role::Failure);
            encoder.push(error).unwrap();
            decoded::<Error>(&encoder.finish().unwrap()).unwrap()
        };
        let nested = Error::Nested(Box::new(Error::Timeout));
        assert_eq!(written(&Error::Timeout), nested);
        assert_eq!(written(&nested), nested);
        let broken = Error::Broken(Box::new(Error::Timeout));
        assert_eq!(written(&broken), Error::Nested(Box::new(broken)));
        let name = Error::NameNotFound { name: "x".into() };
        assert_eq!(decoded::<Error>(&encoded(|encoder| encoder.push(&name))).unwrap(), name);
    }
}
