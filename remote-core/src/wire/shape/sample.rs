//! Sample values: a deserializer that makes some value of a type, so that what follows it can be reached.
//!
//! It must not record anything.

use std::fmt;

use serde::de::value::U32Deserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};

/// The prefix of the serde names of all references.
pub(crate) const REFERENCE: &str = "Ref<";
/// The serde name of all streams.
pub(crate) const STREAM: &str = "Stream";

/// The position of a null reference.
pub(crate) const NULL_POSITION: u32 = u32::MAX;

/// The walk has ended, or the type did not accept a sample.
#[derive(Debug)]
pub(super) struct Stop;

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the type cannot be traced")
    }
}

impl std::error::Error for Stop {}

impl serde::de::Error for Stop {
    fn custom<T: fmt::Display>(_: T) -> Stop {
        Stop
    }
}

/// The depth at which no more values are made: the type is recursive.
const MAX_DEPTH: u32 = 24;

/// Makes a value, at a depth of nested values.
pub(super) struct Sample {
    depth: u32,
}

impl Sample {
    pub(super) fn new() -> Sample {
        Sample { depth: 0 }
    }

    fn deeper(&self) -> Result<Sample, Stop> {
        if self.depth < MAX_DEPTH { Ok(Sample { depth: self.depth + 1 }) } else { Err(Stop) }
    }
}

macro_rules! sample_primitives {
    ($($method:ident => $visit:ident($($value:expr)?)),* $(,)?) => {$(
        fn $method<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Stop> {
            visitor.$visit($($value)?)
        }
    )*};
}

impl Deserializer<'static> for Sample {
    type Error = Stop;

    // Numbers are 1, so that types that exclude zero accept them.
    sample_primitives! {
        deserialize_bool => visit_bool(true),
        deserialize_i8 => visit_i8(1), deserialize_i16 => visit_i16(1), deserialize_i32 => visit_i32(1),
        deserialize_i64 => visit_i64(1), deserialize_i128 => visit_i128(1),
        deserialize_u8 => visit_u8(1), deserialize_u16 => visit_u16(1), deserialize_u32 => visit_u32(1),
        deserialize_u64 => visit_u64(1), deserialize_u128 => visit_u128(1),
        deserialize_f32 => visit_f32(1.0), deserialize_f64 => visit_f64(1.0),
        deserialize_char => visit_char('a'),
        deserialize_str => visit_borrowed_str("a"), deserialize_string => visit_borrowed_str("a"),
        deserialize_identifier => visit_borrowed_str("a"),
        deserialize_bytes => visit_borrowed_bytes(b"a"), deserialize_byte_buf => visit_borrowed_bytes(b"a"),
        deserialize_option => visit_none(), deserialize_unit => visit_unit(),
    }

    fn deserialize_any<V: Visitor<'static>>(self, _: V) -> Result<V::Value, Stop> {
        Err(Stop)
    }

    fn deserialize_ignored_any<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Stop> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'static>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'static>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        if name.starts_with(REFERENCE) {
            return visitor.visit_newtype_struct(U32Deserializer::<Stop>::new(NULL_POSITION));
        }
        if name == STREAM {
            return visitor.visit_seq(Samples { left: 0, sample: self });
        }
        visitor.visit_newtype_struct(self.deeper()?)
    }

    fn deserialize_seq<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Stop> {
        visitor.visit_seq(Samples { left: 0, sample: self })
    }

    fn deserialize_map<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Stop> {
        visitor.visit_map(Samples { left: 0, sample: self })
    }

    fn deserialize_tuple<V: Visitor<'static>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        visitor.visit_seq(Samples { left: length, sample: self })
    }

    fn deserialize_tuple_struct<V: Visitor<'static>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.deserialize_tuple(length, visitor)
    }

    fn deserialize_struct<V: Visitor<'static>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.deserialize_tuple(fields.len(), visitor)
    }

    fn deserialize_enum<V: Visitor<'static>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        // Within itself an enum has another variant, so that one ends the recursion.
        let variant = self.depth as usize % variants.len().max(1);
        visitor.visit_enum(SampleVariant { variant: variant as u32, sample: self })
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

/// So many values in a row.
struct Samples {
    left: usize,
    sample: Sample,
}

impl SeqAccess<'static> for Samples {
    type Error = Stop;

    fn next_element_seed<S: DeserializeSeed<'static>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Stop> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        seed.deserialize(self.sample.deeper()?).map(Some)
    }
}

impl MapAccess<'static> for Samples {
    type Error = Stop;

    fn next_key_seed<S: DeserializeSeed<'static>>(
        &mut self,
        _: S,
    ) -> Result<Option<S::Value>, Stop> {
        Ok(None)
    }

    fn next_value_seed<S: DeserializeSeed<'static>>(&mut self, _: S) -> Result<S::Value, Stop> {
        Err(Stop)
    }
}

struct SampleVariant {
    variant: u32,
    sample: Sample,
}

impl EnumAccess<'static> for SampleVariant {
    type Error = Stop;
    type Variant = SampleVariant;

    fn variant_seed<S: DeserializeSeed<'static>>(
        self,
        seed: S,
    ) -> Result<(S::Value, SampleVariant), Stop> {
        let variant: U32Deserializer<Stop> = self.variant.into_deserializer();
        Ok((seed.deserialize(variant)?, self))
    }
}

impl VariantAccess<'static> for SampleVariant {
    type Error = Stop;

    fn unit_variant(self) -> Result<(), Stop> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'static>>(self, seed: S) -> Result<S::Value, Stop> {
        seed.deserialize(self.sample.deeper()?)
    }

    fn tuple_variant<V: Visitor<'static>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        visitor.visit_seq(Samples { left: length, sample: self.sample })
    }

    fn struct_variant<V: Visitor<'static>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        visitor.visit_seq(Samples { left: fields.len(), sample: self.sample })
    }
}
