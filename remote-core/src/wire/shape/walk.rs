//! One walk into a type: a deserializer that follows a path to one of the parts of the type, and finds what is there.
//!
//! It must not know how the parts are written. The visitor of a type asks for a part only after it has got the parts before it.
//! Those are samples; but the fields of a struct with names are reached by their names, so that no field hides the others.

use std::any::type_name;
use std::cell::RefCell;

use serde::de::value::{BorrowedStrDeserializer, U32Deserializer};
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};

use super::sample::{REFERENCE, STREAM, Sample, Stop};
use crate::wire::budget::expects_polymorphic;

/// A part of a type, as its visitor describes it.
pub(super) enum Part {
    /// A type without parts, as it is written in a shape.
    Leaf(String),
    /// A type without a name, which has parts of its own.
    Option,
    Sequence,
    Map,
    Stream,
    Tuple(usize),
    /// A type with a name.
    Named(Named),
    /// The content of a variant of an enum.
    UnitVariant,
    NewtypeVariant,
    TupleVariant(usize),
    StructVariant(&'static [&'static str]),
}

/// A type with a name.
#[derive(Clone, Copy)]
pub(super) struct Named {
    pub(super) name: &'static str,
    /// Distinguishes types of one name within a shape. It is not part of the shape.
    pub(super) key: &'static str,
    pub(super) parts: Parts,
}

#[derive(Clone, Copy)]
pub(super) enum Parts {
    Newtype,
    Tuple(usize),
    Fields(&'static [&'static str]),
    Variants(&'static [&'static str]),
}

/// One step of a path: into a part, by its number.
#[derive(Clone, Copy)]
pub(super) struct Step {
    pub(super) part: usize,
    /// True if a field is reached by its position: the type does not accept names.
    pub(super) by_position: bool,
}

/// Follows a path, and returns the part at its end; `None` if it cannot be reached.
pub(super) fn part_at<T: Deserialize<'static>>(path: &[Step]) -> Option<Part> {
    let found = RefCell::new(None);
    // Always an error: the walk ends at the part. Otherwise the type has no such part.
    let _ = T::deserialize(Walk { path, found: &found });
    found.into_inner()
}

/// The rest of a walk.
#[derive(Clone, Copy)]
struct Walk<'w> {
    path: &'w [Step],
    found: &'w RefCell<Option<Part>>,
}

impl<'w> Walk<'w> {
    /// Takes the next step, or ends the walk at this part.
    fn step(self, part: impl FnOnce() -> Part) -> Result<(Step, Walk<'w>), Stop> {
        match self.path.split_first() {
            Some((step, path)) => Ok((*step, Walk { path, ..self })),
            None => {
                *self.found.borrow_mut() = Some(part());
                Err(Stop)
            }
        }
    }

    /// Ends the walk at a part without parts.
    fn leaf<R>(self, text: impl Into<String>) -> Result<R, Stop> {
        let (_, beyond) = self.step(|| Part::Leaf(text.into()))?;
        let _ = beyond; // There is no such part.
        Err(Stop)
    }

    fn fields<V: Visitor<'static>>(
        self,
        step: Step,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        if step.by_position {
            return visitor.visit_seq(Elements { before: step.part, walk: self });
        }
        let field = fields.get(step.part).copied().ok_or(Stop)?;
        visitor.visit_map(Field { field: Some(field), walk: self })
    }
}

/// The name of a type without the paths of its modules.
fn short_name<T: ?Sized>() -> String {
    let mut short = String::new();
    for part in
        type_name::<T>().split_inclusive(|c: char| !c.is_alphanumeric() && c != '_' && c != ':')
    {
        short.push_str(part.rsplit("::").next().unwrap_or(part));
    }
    short
}

macro_rules! walk_to_primitives {
    ($($method:ident => $text:literal),* $(,)?) => {$(
        fn $method<V: Visitor<'static>>(self, _: V) -> Result<V::Value, Stop> {
            self.leaf($text)
        }
    )*};
}

impl Deserializer<'static> for Walk<'_> {
    type Error = Stop;

    walk_to_primitives! {
        deserialize_bool => "bool",
        deserialize_i8 => "i8", deserialize_i16 => "i16", deserialize_i32 => "i32",
        deserialize_i64 => "i64", deserialize_i128 => "i128",
        deserialize_u8 => "u8", deserialize_u16 => "u16", deserialize_u32 => "u32",
        deserialize_u64 => "u64", deserialize_u128 => "u128",
        deserialize_f32 => "f32", deserialize_f64 => "f64", deserialize_char => "char",
        deserialize_str => "str", deserialize_string => "str", deserialize_identifier => "str",
        deserialize_bytes => "bytes", deserialize_byte_buf => "bytes",
        deserialize_unit => "()",
    }

    fn deserialize_any<V: Visitor<'static>>(self, _: V) -> Result<V::Value, Stop> {
        self.leaf(format!("?{}", short_name::<V::Value>()))
    }

    fn deserialize_ignored_any<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.deserialize_any(visitor)
    }

    fn deserialize_unit_struct<V: Visitor<'static>>(
        self,
        name: &'static str,
        _: V,
    ) -> Result<V::Value, Stop> {
        self.leaf(name)
    }

    fn deserialize_option<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Stop> {
        let (_, walk) = self.step(|| Part::Option)?;
        visitor.visit_some(walk)
    }

    fn deserialize_newtype_struct<V: Visitor<'static>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        if name.starts_with(REFERENCE) {
            // Of a reference only the name of its interface is part of the shape: the interface may have other methods on
            // the far side.
            return self.leaf(name);
        }
        if name == STREAM {
            // A stream is encoded as a reference, but both sides must have the same type of values. Streams are
            // deserialized from a sequence only here.
            let (_, walk) = self.step(|| Part::Stream)?;
            return visitor.visit_seq(Elements { before: 0, walk });
        }
        let key = type_name::<V::Value>();
        let (_, walk) = self.step(|| Part::Named(Named { name, key, parts: Parts::Newtype }))?;
        visitor.visit_newtype_struct(walk)
    }

    fn deserialize_seq<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Stop> {
        let (_, walk) = self.step(|| Part::Sequence)?;
        visitor.visit_seq(Elements { before: 0, walk })
    }

    fn deserialize_map<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Stop> {
        let expected = &visitor as &dyn serde::de::Expected;
        if expects_polymorphic(expected) {
            return self.leaf(expected.to_string());
        }
        let (step, walk) = self.step(|| Part::Map)?;
        visitor.visit_map(Entry { is_key: step.part == 0, walk })
    }

    fn deserialize_tuple<V: Visitor<'static>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        let (step, walk) = self.step(|| Part::Tuple(length))?;
        visitor.visit_seq(Elements { before: step.part, walk })
    }

    fn deserialize_tuple_struct<V: Visitor<'static>>(
        self,
        name: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        let (key, parts) = (type_name::<V::Value>(), Parts::Tuple(length));
        let (step, walk) = self.step(|| Part::Named(Named { name, key, parts }))?;
        visitor.visit_seq(Elements { before: step.part, walk })
    }

    fn deserialize_struct<V: Visitor<'static>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        let (key, parts) = (type_name::<V::Value>(), Parts::Fields(fields));
        let (step, walk) = self.step(|| Part::Named(Named { name, key, parts }))?;
        walk.fields(step, fields, visitor)
    }

    fn deserialize_enum<V: Visitor<'static>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        let (key, parts) = (type_name::<V::Value>(), Parts::Variants(variants));
        let (step, walk) = self.step(|| Part::Named(Named { name, key, parts }))?;
        visitor.visit_enum(Variant { variant: step.part as u32, walk })
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

/// The elements up to the one that the walk goes into.
struct Elements<'w> {
    before: usize,
    walk: Walk<'w>,
}

impl SeqAccess<'static> for Elements<'_> {
    type Error = Stop;

    fn next_element_seed<S: DeserializeSeed<'static>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Stop> {
        if self.before == 0 {
            return seed.deserialize(self.walk).map(Some);
        }
        self.before -= 1;
        seed.deserialize(Sample::new()).map(Some)
    }
}

/// The field that the walk goes into, by its name.
struct Field<'w> {
    field: Option<&'static str>,
    walk: Walk<'w>,
}

impl MapAccess<'static> for Field<'_> {
    type Error = Stop;

    fn next_key_seed<S: DeserializeSeed<'static>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Stop> {
        let Some(field) = self.field.take() else { return Ok(None) };
        seed.deserialize(BorrowedStrDeserializer::new(field)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'static>>(&mut self, seed: S) -> Result<S::Value, Stop> {
        seed.deserialize(self.walk)
    }
}

/// The entry of a map, into whose key or value the walk goes.
struct Entry<'w> {
    is_key: bool,
    walk: Walk<'w>,
}

impl MapAccess<'static> for Entry<'_> {
    type Error = Stop;

    fn next_key_seed<S: DeserializeSeed<'static>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Stop> {
        let key =
            if self.is_key { seed.deserialize(self.walk) } else { seed.deserialize(Sample::new()) };
        key.map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'static>>(&mut self, seed: S) -> Result<S::Value, Stop> {
        seed.deserialize(self.walk)
    }
}

/// The variant that the walk goes into.
struct Variant<'w> {
    variant: u32,
    walk: Walk<'w>,
}

impl<'w> EnumAccess<'static> for Variant<'w> {
    type Error = Stop;
    type Variant = Walk<'w>;

    fn variant_seed<S: DeserializeSeed<'static>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Walk<'w>), Stop> {
        let variant: U32Deserializer<Stop> = self.variant.into_deserializer();
        Ok((seed.deserialize(variant)?, self.walk))
    }
}

impl VariantAccess<'static> for Walk<'_> {
    type Error = Stop;

    fn unit_variant(self) -> Result<(), Stop> {
        self.step(|| Part::UnitVariant).map(|_| ())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'static>>(self, seed: S) -> Result<S::Value, Stop> {
        let (_, walk) = self.step(|| Part::NewtypeVariant)?;
        seed.deserialize(walk)
    }

    fn tuple_variant<V: Visitor<'static>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        let (step, walk) = self.step(|| Part::TupleVariant(length))?;
        visitor.visit_seq(Elements { before: step.part, walk })
    }

    fn struct_variant<V: Visitor<'static>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        let (step, walk) = self.step(|| Part::StructVariant(fields))?;
        walk.fields(step, fields, visitor)
    }
}
