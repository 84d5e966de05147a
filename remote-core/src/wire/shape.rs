//! The shape of a type, as serde sees it: two sides must have the same shape before one decodes what the other encoded.
//!
//! It must not know messages. The type is traced by a deserializer that records what the type requests (the idea of
//! `serde-reflection`, Novi 2020). If a type cannot be traced completely, because it rejects placeholder values or is
//! polymorphic, its name is used in addition.

use std::fmt::{self, Write};

use serde::de::value::U32Deserializer;
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};

/// The maximum depth of a shape, where it is cut off: a type that is deeper is recursive without a named type in the cycle.
const MAX_DEPTH: usize = 24;
/// The maximum length of a shape, where it is cut off.
const MAX_LENGTH: usize = 16 * 1024;

/// The prefix of the serde names of all references.
pub(crate) const REFERENCE: &str = "Ref<";
/// The serde name of all streams.
pub(crate) const STREAM: &str = "Stream";
/// The position of a null reference.
pub(crate) const NULL_POSITION: u32 = u32::MAX;

/// The shape of one or more types, as text.
#[derive(Default)]
pub struct Shape {
    text: String,
    /// The named types that are being traced, outermost first. A recursive type is written once.
    tracing: Vec<&'static str>,
}

impl Shape {
    /// Adds the shape of a type.
    pub fn of<T: Deserialize<'static>>(&mut self) {
        self.tracing.clear();
        if T::deserialize(Tracer(self)).is_err() {
            // The shape was cut off, which is marked.
            self.text.push('?');
        }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    fn write(&mut self, part: fmt::Arguments<'_>) -> Result<(), Untraceable> {
        if self.text.len() > MAX_LENGTH {
            return Err(Untraceable);
        }
        self.text.write_fmt(part).map_err(|_| Untraceable)
    }

    fn named<R>(
        &mut self,
        name: &'static str,
        trace: impl FnOnce(&mut Shape) -> Result<R, Untraceable>,
    ) -> Result<R, Untraceable> {
        self.tracing.push(name);
        let result = if self.tracing.len() > MAX_DEPTH { Err(Untraceable) } else { trace(self) };
        self.tracing.pop();
        result
    }
}

/// The type rejected a placeholder value, or cannot be described.
#[derive(Debug)]
struct Untraceable;

impl fmt::Display for Untraceable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the type cannot be traced")
    }
}

impl std::error::Error for Untraceable {}

impl serde::de::Error for Untraceable {
    fn custom<T: fmt::Display>(_: T) -> Untraceable {
        Untraceable
    }
}

struct Tracer<'s>(&'s mut Shape);

macro_rules! trace_primitives {
    ($($method:ident => $text:literal, $visit:ident($value:expr)),* $(,)?) => {$(
        fn $method<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Untraceable> {
            self.0.write(format_args!($text))?;
            visitor.$visit($value)
        }
    )*};
}

impl Deserializer<'static> for Tracer<'_> {
    type Error = Untraceable;

    // Numbers are 1, so that types that exclude zero can be traced.
    trace_primitives! {
        deserialize_bool => "bool,", visit_bool(true),
        deserialize_i8 => "i8,", visit_i8(1), deserialize_i16 => "i16,", visit_i16(1),
        deserialize_i32 => "i32,", visit_i32(1), deserialize_i64 => "i64,", visit_i64(1),
        deserialize_i128 => "i128,", visit_i128(1),
        deserialize_u8 => "u8,", visit_u8(1), deserialize_u16 => "u16,", visit_u16(1),
        deserialize_u32 => "u32,", visit_u32(1), deserialize_u64 => "u64,", visit_u64(1),
        deserialize_u128 => "u128,", visit_u128(1),
        deserialize_f32 => "f32,", visit_f32(1.0), deserialize_f64 => "f64,", visit_f64(1.0),
        deserialize_char => "char,", visit_char('a'),
        deserialize_str => "str,", visit_borrowed_str("a"), deserialize_string => "str,", visit_borrowed_str("a"),
        deserialize_bytes => "bytes,", visit_borrowed_bytes(b"a"),
        deserialize_byte_buf => "bytes,", visit_borrowed_bytes(b"a"),
    }

    fn deserialize_unit<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Untraceable> {
        self.0.write(format_args!("(),"))?;
        visitor.visit_unit()
    }

    fn deserialize_any<V: Visitor<'static>>(self, _: V) -> Result<V::Value, Untraceable> {
        self.0.write(format_args!("any,"))?;
        Err(Untraceable)
    }

    fn deserialize_identifier<V: Visitor<'static>>(
        self,
        visitor: V,
    ) -> Result<V::Value, Untraceable> {
        self.deserialize_str(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'static>>(
        self,
        visitor: V,
    ) -> Result<V::Value, Untraceable> {
        self.deserialize_any(visitor)
    }

    fn deserialize_unit_struct<V: Visitor<'static>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Untraceable> {
        self.0.write(format_args!("{name},"))?;
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Untraceable> {
        self.0.write(format_args!("option "))?;
        let repeats = recursive(&self.0.tracing);
        if repeats { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'static>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Untraceable> {
        self.0.write(format_args!("{name} "))?;
        if name.starts_with(REFERENCE) {
            // Of a reference only the name of its interface is part of the shape: the interface may have other methods on
            // the far side.
            return visitor
                .visit_newtype_struct(U32Deserializer::<Untraceable>::new(NULL_POSITION));
        }
        if name == STREAM {
            // A stream is encoded as a reference, but both sides must have the same type of values. Streams are
            // deserialized from a sequence only here.
            let length = if recursive(&self.0.tracing) { 0 } else { 1 };
            return visitor.visit_seq(Elements { shape: self.0, left: length });
        }
        self.0.named(name, |shape| visitor.visit_newtype_struct(Tracer(shape)))
    }

    fn deserialize_seq<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Untraceable> {
        self.0.write(format_args!("seq "))?;
        let length = if recursive(&self.0.tracing) { 0 } else { 1 };
        visitor.visit_seq(Elements { shape: self.0, left: length })
    }

    fn deserialize_map<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Untraceable> {
        let expected = &visitor as &dyn serde::de::Expected;
        if super::budget::expects_polymorphic(expected) {
            self.0.write(format_args!("{expected},"))?;
            return Err(Untraceable);
        }
        self.0.write(format_args!("map "))?;
        let length = if recursive(&self.0.tracing) { 0 } else { 1 };
        visitor.visit_map(Elements { shape: self.0, left: length })
    }

    fn deserialize_tuple<V: Visitor<'static>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Untraceable> {
        self.0.write(format_args!("tuple {length} "))?;
        visitor.visit_seq(Elements { shape: self.0, left: length })
    }

    fn deserialize_tuple_struct<V: Visitor<'static>>(
        self,
        name: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Untraceable> {
        self.0.write(format_args!("{name} {length} "))?;
        self.0.named(name, |shape| visitor.visit_seq(Elements { shape, left: length }))
    }

    fn deserialize_struct<V: Visitor<'static>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Untraceable> {
        self.0.write(format_args!("{name}{{{}}} ", fields.join(",")))?;
        self.0.named(name, |shape| visitor.visit_seq(Elements { shape, left: fields.len() }))
    }

    fn deserialize_enum<V: Visitor<'static>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Untraceable> {
        self.0.write(format_args!("{name}<{}> ", variants.join("|")))?;
        self.0.named(name, |shape| visitor.visit_enum(FirstVariant(shape)))
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

/// Returns true if the innermost named type is already being traced further out.
fn recursive(tracing: &[&'static str]) -> bool {
    tracing.split_last().is_some_and(|(innermost, outer)| outer.contains(innermost))
}

struct Elements<'s> {
    shape: &'s mut Shape,
    left: usize,
}

impl SeqAccess<'static> for Elements<'_> {
    type Error = Untraceable;

    fn next_element_seed<S: DeserializeSeed<'static>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Untraceable> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        seed.deserialize(Tracer(self.shape)).map(Some)
    }
}

impl MapAccess<'static> for Elements<'_> {
    type Error = Untraceable;

    fn next_key_seed<S: DeserializeSeed<'static>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Untraceable> {
        self.next_element_seed(seed)
    }

    fn next_value_seed<S: DeserializeSeed<'static>>(
        &mut self,
        seed: S,
    ) -> Result<S::Value, Untraceable> {
        seed.deserialize(Tracer(self.shape))
    }
}

/// The access to the first variant of an enum. The names of all variants have been written.
struct FirstVariant<'s>(&'s mut Shape);

impl<'s> EnumAccess<'static> for FirstVariant<'s> {
    type Error = Untraceable;
    type Variant = FirstVariant<'s>;

    fn variant_seed<S: DeserializeSeed<'static>>(
        self,
        seed: S,
    ) -> Result<(S::Value, FirstVariant<'s>), Untraceable> {
        let first: U32Deserializer<Untraceable> = 0u32.into_deserializer();
        Ok((seed.deserialize(first)?, self))
    }
}

impl VariantAccess<'static> for FirstVariant<'_> {
    type Error = Untraceable;

    fn unit_variant(self) -> Result<(), Untraceable> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'static>>(
        self,
        seed: S,
    ) -> Result<S::Value, Untraceable> {
        seed.deserialize(Tracer(self.0))
    }

    fn tuple_variant<V: Visitor<'static>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Untraceable> {
        visitor.visit_seq(Elements { shape: self.0, left: length })
    }

    fn struct_variant<V: Visitor<'static>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Untraceable> {
        self.0.write(format_args!("{{{}}} ", fields.join(",")))?;
        visitor.visit_seq(Elements { shape: self.0, left: fields.len() })
    }
}

#[cfg(test)]
#[allow(dead_code, reason = "the types are only traced")]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn shape<T: Deserialize<'static>>() -> String {
        let mut shape = Shape::default();
        shape.of::<T>();
        shape.text
    }

    #[test]
    fn types_with_one_encoding_have_one_shape() {
        assert_eq!(shape::<String>(), shape::<&'static str>());
        assert_eq!(shape::<Vec<u64>>(), shape::<std::collections::VecDeque<u64>>());
        assert_ne!(shape::<u32>(), shape::<u64>());
    }

    #[test]
    fn a_changed_field_changes_the_shape() {
        mod one {
            #[derive(serde::Deserialize)]
            pub(super) struct Point {
                x: u32,
                y: u32,
            }
        }
        mod other {
            #[derive(serde::Deserialize)]
            pub(super) struct Point {
                x: u32,
                y: u64,
            }
        }
        assert_eq!(shape::<one::Point>(), "Point{x,y} u32,u32,");
        assert_ne!(shape::<Option<Vec<one::Point>>>(), shape::<Option<Vec<other::Point>>>());
    }

    #[test]
    fn the_shape_of_a_recursive_type_is_finite() {
        #[derive(serde::Deserialize)]
        struct Tree {
            children: Vec<Tree>,
            parent: Option<Box<Tree>>,
            names: HashMap<String, u8>,
        }
        assert!(shape::<Tree>().len() < 200, "{}", shape::<Tree>());
    }

    #[test]
    fn the_shape_of_an_enum_has_its_variants() {
        #[derive(serde::Deserialize)]
        enum Answer {
            Yes { surely: bool },
            No,
        }
        assert_eq!(shape::<Answer>(), "Answer<Yes|No> {surely} bool,");
    }
}
