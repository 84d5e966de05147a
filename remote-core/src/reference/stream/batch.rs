//! The encoding of a stream's values in one message: each with its length and its references.
//!
//! It must not know streams. Each value is encoded and decoded on its own, like an argument, so that one that cannot be
//! decoded does not affect the others.

use std::any::Any;

use bytes::Bytes;
use serde::de::{DeserializeOwned, Deserializer};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::limits::Bounds;
use crate::object::marshal;
use crate::object::message::{Payload, Reference};
use crate::reference::interface::Interface;
use crate::reference::object::Object;
use crate::reference::reference::{read, write};
use crate::wire::breach::Breach;
use crate::wire::varint::{Cursor, put, put_bytes};

/// The cost of a value in addition to its bytes. Without it, values without bytes would take memory and no credit.
const VALUE_OVERHEAD: u64 = 32;
/// The maximum size of the values of one message, in bytes, so that it fits into one frame. A single value may be larger.
const MAX_BYTES: usize = 15 << 10;
/// The maximum number of values in one message, so that the first does not wait for too many others.
const MAX_VALUES: u64 = 64;

/// The values of one message.
#[derive(Serialize, Deserialize)]
pub(crate) struct Batch {
    /// For each value: the number of its references, its length, its bytes.
    values: Bytes,
    /// The references of all values, in order.
    references: Vec<CarriedReference>,
}

/// A reference in a batch. It keeps the interface that it had in the value.
struct CarriedReference(Reference);

/// An encoded value.
pub(super) struct Encoded(Payload);

/// Gathers values for one message.
#[derive(Default)]
pub(super) struct Packing {
    values: Vec<u8>,
    references: Vec<CarriedReference>,
    count: u64,
}

/// Takes the values out of a batch.
pub(super) struct Unpacking {
    values: Bytes,
    begin: usize,
    references: Vec<Reference>,
    first: usize,
}

/// The credit that a batch takes.
pub(super) struct Measure {
    pub(super) values: u64,
    pub(super) bytes: u64,
    /// The cost of the last value, which is part of `bytes`.
    pub(super) last: u64,
}

impl Encoded {
    pub(super) fn of<V: Serialize + 'static>(value: &V) -> Result<Encoded> {
        // Byte strings are copied as a whole, as in arguments.
        match (value as &dyn Any).downcast_ref::<Vec<u8>>() {
            Some(bytes) => Payload::encode(|encoder| encoder.push_bytes(bytes)),
            None => Payload::encode(|encoder| encoder.push(value)),
        }
        .map(Encoded)
    }

    /// Returns the cost of the value, in bytes of credit.
    pub(super) fn bytes(&self) -> u64 {
        self.0.body.len() as u64 + VALUE_OVERHEAD
    }
}

impl Packing {
    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    pub(super) fn has_room_for(&self, value: &Encoded) -> bool {
        let fits =
            || self.values.len() + value.0.body.len() <= MAX_BYTES && self.count < MAX_VALUES;
        self.is_empty() || fits()
    }

    pub(super) fn add(&mut self, Encoded(value): Encoded) {
        put(&mut self.values, value.references.len() as u64);
        put_bytes(&mut self.values, &value.body);
        self.references.extend(value.references.into_iter().map(CarriedReference));
        self.count += 1;
    }

    pub(super) fn close(self) -> Batch {
        Batch { values: self.values.into(), references: self.references }
    }
}

impl Batch {
    /// Returns the credit that the batch takes. Fails if the batch is malformed or has no value.
    pub(super) fn measure(&self) -> Result<Measure, Breach> {
        let mut cursor = Cursor::new(&self.values);
        let mut measure = Measure { values: 0, bytes: 0, last: 0 };
        let mut references = 0_u64;
        while measure.values == 0 || cursor.end().is_err() {
            references = references.saturating_add(cursor.number()?);
            measure.last = cursor.bytes()?.len() as u64 + VALUE_OVERHEAD;
            measure.bytes += measure.last;
            measure.values += 1;
        }
        if references == self.references.len() as u64 { Ok(measure) } else { Err(Breach::Frame) }
    }

    pub(super) fn unpack(self) -> Unpacking {
        let references = self.references.into_iter().map(|CarriedReference(reference)| reference);
        Unpacking { values: self.values, begin: 0, references: references.collect(), first: 0 }
    }
}

impl Unpacking {
    /// Decodes the next value, and returns it with its cost; `None` after the last one.
    pub(super) fn next<V: DeserializeOwned + 'static>(
        &mut self,
        bounds: Bounds,
    ) -> Option<(Result<V>, u64)> {
        let mut cursor = Cursor::new(&self.values[self.begin..]);
        let references = usize::try_from(cursor.number().ok()?).ok()?;
        let body = cursor.bytes().ok()?;
        self.begin = self.values.len() - cursor.rest().len();
        let first = self.first;
        self.first += references;
        let references = self.references.get(first..self.first).unwrap_or_default();
        Some((decode(body, references, bounds), body.len() as u64 + VALUE_OVERHEAD))
    }
}

fn decode<V: DeserializeOwned + 'static>(
    body: &[u8],
    references: &[Reference],
    bounds: Bounds,
) -> Result<V, Error> {
    let mut value: Option<V> = None;
    match (&mut value as &mut dyn Any).downcast_mut::<Option<Vec<u8>>>() {
        Some(bytes) => *bytes = Some(marshal::decode(body, references, bounds, next_bytes)?),
        None => value = Some(marshal::decode(body, references, bounds, |decoder| decoder.next())?),
    }
    value.ok_or_else(|| Error::Decode("a stream's value without a value".into()))
}

fn next_bytes(decoder: &mut crate::wire::codec::Decoder<'_>) -> Result<Vec<u8>> {
    decoder.next_bytes().map(<[u8]>::to_vec)
}

impl Serialize for CarriedReference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        write(self.0.clone(), <dyn Object>::REFERENCE, serializer)
    }
}

impl<'de> Deserialize<'de> for CarriedReference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<CarriedReference, D::Error> {
        read(<dyn Object>::REFERENCE, deserializer).map(CarriedReference)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed<V: Serialize + 'static>(values: &[V]) -> Batch {
        let mut packing = Packing::default();
        values.iter().for_each(|value| packing.add(Encoded::of(value).unwrap()));
        packing.close()
    }

    fn unpacked<V: DeserializeOwned + 'static>(batch: Batch) -> Vec<Result<V>> {
        let mut unpacking = batch.unpack();
        let next = || unpacking.next(Bounds::default()).map(|(value, _)| value);
        std::iter::from_fn(next).collect()
    }

    #[test]
    fn values_keep_their_order_and_cost_the_same_on_both_sides() {
        let texts = ["", "one", "a longer text that is not stored inline"].map(str::to_owned);
        let batch = packed(&texts);
        let measure = batch.measure().unwrap();
        let sizes: Vec<u64> = texts.iter().map(|text| Encoded::of(text).unwrap().bytes()).collect();
        assert_eq!(
            (measure.values, measure.bytes, measure.last),
            (3, sizes.iter().sum(), sizes[2])
        );
        assert_eq!(unpacked::<String>(batch), texts.map(Ok));
    }

    #[test]
    fn byte_strings_have_one_encoding() {
        let whole = vec![7_u8; 3000];
        assert_eq!(
            packed(std::slice::from_ref(&whole)).values,
            packed(&[Bytes::from(whole.clone())]).values
        );
        assert_eq!(unpacked::<Vec<u8>>(packed(std::slice::from_ref(&whole))), [Ok(whole)]);
    }

    #[test]
    fn a_value_that_cannot_be_decoded_affects_no_other() {
        let mut packing = Packing::default();
        packing.add(Encoded::of(&1_u64).unwrap());
        packing.add(Encoded::of(&"no number").unwrap());
        packing.add(Encoded::of(&3_u64).unwrap());
        let values = unpacked::<u64>(packing.close());
        assert!(matches!(&values[..], [Ok(1), Err(Error::Decode(_)), Ok(3)]), "{values:?}");
    }

    #[test]
    fn a_malformed_batch_is_refused() {
        let batch = |values: &'static [u8]| Batch { values: values.into(), references: Vec::new() };
        assert!(batch(&[0, 1, 7]).measure().is_ok());
        for wrong in [&[][..], &[0], &[0, 2, 7], &[1, 1, 7], &[0, 1, 7, 0], &[0xff; 11]] {
            assert!(batch(wrong).measure().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_batch_fits_into_a_frame_unless_one_value_is_larger() {
        let mut packing = Packing::default();
        let large = || Encoded::of(&vec![0_u8; MAX_BYTES]).unwrap();
        assert!(packing.has_room_for(&large()));
        packing.add(Encoded::of(&1_u64).unwrap());
        assert!(!packing.has_room_for(&large()));
        for value in 1..MAX_VALUES {
            assert!(packing.has_room_for(&Encoded::of(&value).unwrap()));
            packing.add(Encoded::of(&value).unwrap());
        }
        assert!(!packing.has_room_for(&Encoded::of(&0_u64).unwrap()));
    }
}
