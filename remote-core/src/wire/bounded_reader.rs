//! A deserializer that wraps another one and enforces a [`Budget`], so that no body can exhaust the stack or the memory.
//!
//! It must not know the encoding. It requests every byte string and string as borrowed: then the encoding checks the
//! length against the bytes that exist before it allocates anything.

use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};

use super::budget::{Budget, cut, excerpt, expects_polymorphic};
use super::encoded_size::{number, signed};
use crate::error::Error;

/// Wraps a deserializer, visitor, seed or accessor of serde, and enforces the budget.
pub(crate) struct Bounded<'b, T> {
    inner: T,
    budget: &'b Budget,
}

impl<'b, T> Bounded<'b, T> {
    pub(crate) fn new(inner: T, budget: &'b Budget) -> Bounded<'b, T> {
        Bounded { inner, budget }
    }
}

macro_rules! forward_deserialize {
    ($($method:ident => $inner:ident),* $(,)?) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.inner.$inner(Bounded::new(visitor, self.budget))
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Bounded<'_, D> {
    type Error = D::Error;

    forward_deserialize! {
        deserialize_any => deserialize_any, deserialize_bool => deserialize_bool,
        deserialize_i8 => deserialize_i8, deserialize_i16 => deserialize_i16,
        deserialize_i32 => deserialize_i32, deserialize_i64 => deserialize_i64,
        deserialize_i128 => deserialize_i128,
        deserialize_u8 => deserialize_u8, deserialize_u16 => deserialize_u16,
        deserialize_u32 => deserialize_u32, deserialize_u64 => deserialize_u64,
        deserialize_u128 => deserialize_u128, deserialize_char => deserialize_char,
        deserialize_f32 => deserialize_f32, deserialize_f64 => deserialize_f64,
        deserialize_str => deserialize_str, deserialize_string => deserialize_str,
        deserialize_bytes => deserialize_bytes, deserialize_byte_buf => deserialize_bytes,
        deserialize_unit => deserialize_unit,
        deserialize_identifier => deserialize_identifier,
        deserialize_ignored_any => deserialize_ignored_any,
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.budget.count_read(1);
        self.inner.deserialize_option(Bounded::new(visitor, self.budget))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_seq(Sequence(Bounded::new(visitor, self.budget)))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        if expects_polymorphic(&visitor) {
            let _level = self.budget.enter_polymorphic()?;
            self.inner.deserialize_map(Polymorphic(Bounded::new(visitor, self.budget)))
        } else {
            self.inner.deserialize_map(Bounded::new(visitor, self.budget))
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_unit_struct(name, Bounded::new(visitor, self.budget))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_newtype_struct(name, Bounded::new(visitor, self.budget))
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_tuple(length, Bounded::new(visitor, self.budget))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_tuple_struct(name, length, Bounded::new(visitor, self.budget))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_struct(name, fields, Bounded::new(visitor, self.budget))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_enum(name, variants, Bounded::new(visitor, self.budget))
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

macro_rules! forward_visit {
    ($($method:ident($value:ident: $type:ty) => $bytes:expr),* $(,)?) => {$(
        fn $method<E: serde::de::Error>(self, $value: $type) -> Result<V::Value, E> {
            self.budget.count_read($bytes);
            self.inner.$method($value)
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Bounded<'_, V> {
    type Value = V::Value;

    forward_visit! {
        visit_bool(value: bool) => 1,
        visit_i8(value: i8) => 1,
        visit_i16(value: i16) => signed(value.into()),
        visit_i32(value: i32) => signed(value.into()),
        visit_i64(value: i64) => signed(value),
        visit_i128(value: i128) => i64::try_from(value).map_or(17, signed),
        visit_u8(value: u8) => 1,
        visit_u16(value: u16) => number(value.into()),
        visit_u32(value: u32) => number(value.into()),
        visit_u64(value: u64) => number(value),
        visit_u128(value: u128) => u64::try_from(value).map_or(17, number),
        visit_f32(value: f32) => 4,
        visit_f64(value: f64) => 8,
        visit_char(value: char) => value.len_utf8() as u64,
        visit_str(value: &str) => 1 + value.len() as u64,
        visit_borrowed_str(value: &'de str) => 1 + value.len() as u64,
        visit_string(value: String) => 1 + value.len() as u64,
        visit_bytes(value: &[u8]) => 1 + value.len() as u64,
        visit_borrowed_bytes(value: &'de [u8]) => 1 + value.len() as u64,
        visit_byte_buf(value: Vec<u8>) => 1 + value.len() as u64,
    }

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(formatter)
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        let _level = self.budget.enter()?;
        self.inner.visit_some(Bounded::new(inner, self.budget))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        let _level = self.budget.enter()?;
        self.inner.visit_newtype_struct(Bounded::new(inner, self.budget))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<V::Value, A::Error> {
        let _level = self.budget.enter()?;
        self.inner.visit_seq(Bounded::new(elements, self.budget))
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<V::Value, A::Error> {
        self.budget.count_read(1);
        let _level = self.budget.enter()?;
        self.inner.visit_map(Bounded::new(entries, self.budget))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, variant: A) -> Result<V::Value, A::Error> {
        let _level = self.budget.enter()?;
        self.inner.visit_enum(Bounded::new(variant, self.budget))
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Bounded<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.inner.deserialize(Bounded::new(deserializer, self.budget))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Bounded<'_, A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        self.budget.element()?;
        self.inner.next_element_seed(Bounded::new(seed, self.budget))
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

/// Reads a sequence, whose length is in the body; that of a tuple or struct is not.
struct Sequence<'b, V>(Bounded<'b, V>);

impl<'de, V: Visitor<'de>> Visitor<'de> for Sequence<'_, V> {
    type Value = V::Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.inner.expecting(formatter)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<V::Value, A::Error> {
        let Sequence(Bounded { inner, budget }) = self;
        budget.count_read(1);
        let _level = budget.enter()?;
        inner.visit_seq(Elements(Bounded::new(elements, budget)))
    }
}

/// The elements of a sequence.
struct Elements<'b, A>(Bounded<'b, A>);

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Elements<'_, A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        let before = self.0.budget.bytes();
        let element = self.0.next_element_seed(seed)?;
        if element.is_some() {
            self.0.budget.after_element(before, self.size_hint())?;
        }
        Ok(element)
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Bounded<'_, A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        self.budget.element()?;
        let before = self.budget.bytes();
        let key = self.inner.next_key_seed(Bounded::new(seed, self.budget))?;
        if key.is_some() {
            self.budget.after_element(before, self.inner.size_hint())?;
        }
        Ok(key)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.inner.next_value_seed(Bounded::new(seed, self.budget))
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, 'b, A: EnumAccess<'de>> EnumAccess<'de> for Bounded<'b, A> {
    type Error = A::Error;
    type Variant = Bounded<'b, A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self::Variant), A::Error> {
        let (value, variant) = self.inner.variant_seed(Bounded::new(seed, self.budget))?;
        Ok((value, Bounded::new(variant, self.budget)))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Bounded<'_, A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        self.inner.newtype_variant_seed(Bounded::new(seed, self.budget))
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.inner.tuple_variant(length, Bounded::new(visitor, self.budget))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.inner.struct_variant(fields, Bounded::new(visitor, self.budget))
    }
}

/// Reads the map of one entry by which typetag encodes a polymorphic value: the key is the tag of the class.
struct Polymorphic<'b, V>(Bounded<'b, V>);

impl<'de, V: Visitor<'de>> Visitor<'de> for Polymorphic<'_, V> {
    type Value = V::Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.inner.expecting(formatter)
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<V::Value, A::Error> {
        let Polymorphic(Bounded { inner, budget }) = self;
        if entries.size_hint().is_some_and(|entries| entries != 1) {
            return Err(A::Error::custom("a polymorphic value has exactly one tag"));
        }
        let _level = budget.enter()?;
        inner
            .visit_map(Tagged(Bounded::new(entries, budget)))
            .map_err(|error| cut(error, A::Error::custom))
    }
}

struct Tagged<'b, A>(Bounded<'b, A>);

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Tagged<'_, A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        self.0.inner.next_key_seed(Tag(Bounded::new(seed, self.0.budget)))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.0.next_value_seed(seed)
    }
}

/// Reads the tag, and notes it in the error if no class has it. Also the deserializer and the visitor of the tag.
struct Tag<'b, T>(Bounded<'b, T>);

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Tag<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        let budget = self.0.budget;
        self.0.inner.deserialize(Tag(Bounded::new(deserializer, budget)))
    }
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Tag<'_, D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let budget = self.0.budget;
        self.0.inner.deserialize_str(Tag(Bounded::new(visitor, budget)))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Tag<'_, V> {
    type Value = V::Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.inner.expecting(formatter)
    }

    fn visit_borrowed_str<E: serde::de::Error>(self, tag: &'de str) -> Result<V::Value, E> {
        self.visit_str(tag)
    }

    fn visit_str<E: serde::de::Error>(self, tag: &str) -> Result<V::Value, E> {
        let Bounded { inner, budget } = self.0;
        inner.visit_str(tag).map_err(|error: TagError| {
            budget.fail(match error {
                TagError::Unknown(_) => Error::UnknownClass(excerpt(tag)),
                TagError::Other(_) => Error::Decode(format!(
                    "two classes have the tag `{}`; change the tag of one of them",
                    excerpt(tag)
                )),
            });
            E::custom(error)
        })
    }
}

/// The error of typetag for a tag, by its kind: no class has the tag, or more than one has.
#[derive(Debug)]
enum TagError {
    Unknown(String),
    Other(String),
}

impl serde::de::Error for TagError {
    fn custom<T: fmt::Display>(text: T) -> TagError {
        TagError::Other(text.to_string())
    }

    fn unknown_variant(variant: &str, _: &'static [&'static str]) -> TagError {
        TagError::Unknown(format!("unknown variant `{}`", excerpt(variant)))
    }
}

impl std::error::Error for TagError {}

impl fmt::Display for TagError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (TagError::Unknown(text) | TagError::Other(text)) = self;
        f.write_str(text)
    }
}
