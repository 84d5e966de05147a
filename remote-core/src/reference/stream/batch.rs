//! Owns how the values of a stream stand in a message: one after another, each with its length and its references.
//!
//! It must not know streams. A value is encoded and decoded like an argument, and on its own: one that is too deep or
//! cannot be read is no affair of the others.

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

/// What a value counts for beyond its own bytes: else many that have none would cost memory and no credit.
const OVERHEAD: u64 = 32;
/// The values of one message are not more than these bytes, so that it goes in one frame; one value may be more.
const LARGEST: usize = 15 << 10;
/// And not more than so many, so that the first does not wait for too many others.
const MOST: u64 = 64;

/// Values on their way.
#[derive(Serialize, Deserialize)]
pub(crate) struct Batch {
    /// For each value its length and the number of its references, and then its bytes.
    values: Bytes,
    /// The references of all values, in order.
    references: Vec<Carried>,
}

/// A reference that travels as what it was in the value: through the same interface.
struct Carried(Reference);

/// One value, encoded.
pub(super) struct Encoded(Payload);

/// Values that are gathered for one message.
#[derive(Default)]
pub(super) struct Packing {
    values: Vec<u8>,
    references: Vec<Carried>,
    count: u64,
}

/// Values that arrived and are not yet taken.
pub(super) struct Unpacking {
    values: Bytes,
    begin: usize,
    references: Vec<Reference>,
    first: usize,
}

/// How much credit a batch uses up.
pub(super) struct Measure {
    pub(super) values: u64,
    pub(super) bytes: u64,
    /// How many of the bytes are the last value's.
    pub(super) last: u64,
}

impl Encoded {
    pub(super) fn of<V: Serialize + 'static>(value: &V) -> Result<Encoded> {
        // Byte strings are copied whole, as they are in arguments.
        match (value as &dyn Any).downcast_ref::<Vec<u8>>() {
            Some(bytes) => Payload::encode(|encoder| encoder.push_bytes(bytes)),
            None => Payload::encode(|encoder| encoder.push(value)),
        }
        .map(Encoded)
    }

    /// What it counts for.
    pub(super) fn bytes(&self) -> u64 {
        self.0.body.len() as u64 + OVERHEAD
    }
}

impl Packing {
    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    pub(super) fn has_room_for(&self, value: &Encoded) -> bool {
        let fits = || self.values.len() + value.0.body.len() <= LARGEST && self.count < MOST;
        self.is_empty() || fits()
    }

    pub(super) fn add(&mut self, Encoded(value): Encoded) {
        put(&mut self.values, value.references.len() as u64);
        put_bytes(&mut self.values, &value.body);
        self.references.extend(value.references.into_iter().map(Carried));
        self.count += 1;
    }

    pub(super) fn close(self) -> Batch {
        Batch { values: self.values.into(), references: self.references }
    }
}

impl Batch {
    /// What it uses up; fails unless it is at least one value, and nothing else.
    pub(super) fn measure(&self) -> Result<Measure, Breach> {
        let mut cursor = Cursor::new(&self.values);
        let mut measure = Measure { values: 0, bytes: 0, last: 0 };
        let mut references = 0_u64;
        while measure.values == 0 || cursor.end().is_err() {
            references = references.saturating_add(cursor.number()?);
            measure.last = cursor.bytes()?.len() as u64 + OVERHEAD;
            measure.bytes += measure.last;
            measure.values += 1;
        }
        if references == self.references.len() as u64 { Ok(measure) } else { Err(Breach::Frame) }
    }

    pub(super) fn unpack(self) -> Unpacking {
        let references = self.references.into_iter().map(|Carried(reference)| reference);
        Unpacking { values: self.values, begin: 0, references: references.collect(), first: 0 }
    }
}

impl Unpacking {
    /// The next value, and what it counts for. Nothing if there is none.
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
        Some((decode(body, references, bounds), body.len() as u64 + OVERHEAD))
    }
}

fn decode<V: DeserializeOwned + 'static>(
    body: &[u8],
    references: &[Reference],
    bounds: Bounds,
) -> Result<V, Error> {
    let mut whole: Option<V> = None;
    match (&mut whole as &mut dyn Any).downcast_mut::<Option<Vec<u8>>>() {
        Some(bytes) => *bytes = Some(marshal::decode(body, references, bounds, next_bytes)?),
        None => whole = Some(marshal::decode(body, references, bounds, |decoder| decoder.next())?),
    }
    whole.ok_or_else(|| Error::Decode("a value that is none".into()))
}

fn next_bytes(decoder: &mut crate::wire::codec::Decoder<'_>) -> Result<Vec<u8>> {
    decoder.next_bytes().map(<[u8]>::to_vec)
}

impl Serialize for Carried {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        write(self.0.clone(), <dyn Object>::REFERENCE, serializer)
    }
}

impl<'de> Deserialize<'de> for Carried {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Carried, D::Error> {
        read(<dyn Object>::REFERENCE, deserializer).map(Carried)
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
    fn values_come_back_in_order_and_count_alike_on_both_sides() {
        let texts = ["", "one", "a longer text that does not stand in place"].map(str::to_owned);
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
    fn byte_strings_are_the_same_however_they_are_written() {
        let whole = vec![7_u8; 3000];
        assert_eq!(
            packed(std::slice::from_ref(&whole)).values,
            packed(&[Bytes::from(whole.clone())]).values
        );
        assert_eq!(unpacked::<Vec<u8>>(packed(std::slice::from_ref(&whole))), [Ok(whole)]);
    }

    #[test]
    fn a_value_that_cannot_be_read_spoils_no_other() {
        let mut packing = Packing::default();
        packing.add(Encoded::of(&1_u64).unwrap());
        packing.add(Encoded::of(&"no number").unwrap());
        packing.add(Encoded::of(&3_u64).unwrap());
        let values = unpacked::<u64>(packing.close());
        assert!(matches!(&values[..], [Ok(1), Err(Error::Decode(_)), Ok(3)]), "{values:?}");
    }

    #[test]
    fn what_is_no_batch_is_refused() {
        let batch = |values: &'static [u8]| Batch { values: values.into(), references: Vec::new() };
        assert!(batch(&[0, 1, 7]).measure().is_ok());
        for wrong in [&[][..], &[0], &[0, 2, 7], &[1, 1, 7], &[0, 1, 7, 0], &[0xff; 11]] {
            assert!(batch(wrong).measure().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_message_takes_no_more_than_a_frame_unless_one_value_is_larger() {
        let mut packing = Packing::default();
        let large = || Encoded::of(&vec![0_u8; LARGEST]).unwrap();
        assert!(packing.has_room_for(&large()));
        packing.add(Encoded::of(&1_u64).unwrap());
        assert!(!packing.has_room_for(&large()));
        for value in 1..MOST {
            assert!(packing.has_room_for(&Encoded::of(&value).unwrap()));
            packing.add(Encoded::of(&value).unwrap());
        }
        assert!(!packing.has_room_for(&Encoded::of(&0_u64).unwrap()));
    }
}
