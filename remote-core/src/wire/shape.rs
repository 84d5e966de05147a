//! The shape of a type, as serde sees it: two sides must have the same shape before one decodes what the other encoded.
//!
//! It must not know messages. A type is traced by deserializers that find out what it requests (the idea of
//! `serde-reflection`, Novi 2020): one walk for each part of it. All variants of an enum are traced. A type that accepts only some
//! values of what it requests is traced all the same; only what follows it in a tuple is not reached.

mod sample;
mod walk;

use std::fmt::{self, Write};

use serde::de::Deserialize;

pub(crate) use sample::{NULL_POSITION, STREAM};
use walk::{Named, Part, Parts, Step, part_at};

/// The maximum depth of a shape, where it is cut off.
const MAX_DEPTH: usize = 48;
/// The maximum length of a shape, where it is cut off.
const MAX_LENGTH: usize = 16 * 1024;

/// The shape of one or more types, as text.
#[derive(Default)]
pub struct Shape {
    text: String,
    /// The named types that are in the text, by their keys. Each is written in full once.
    written: Vec<&'static str>,
    is_partial: bool,
}

/// Writing ends: the shape is too long.
struct TooLong;

impl Shape {
    /// Adds the shape of a type.
    pub fn of<T: Deserialize<'static>>(&mut self) {
        if self.part::<T>(&mut Vec::new()).is_err() {
            self.is_partial = true;
        }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Returns true if the text does not determine the type: a part was not reached, or the shape was cut off.
    pub(crate) fn is_partial(&self) -> bool {
        self.is_partial
    }

    /// Writes the part at the end of a path.
    fn part<T: Deserialize<'static>>(&mut self, path: &mut Vec<Step>) -> Result<(), TooLong> {
        let Some(part) = part_at::<T>(path) else {
            self.is_partial = true;
            return self.write(format_args!("?,"));
        };
        match part {
            Part::Leaf(text) => {
                self.is_partial |= text.starts_with('?');
                self.write(format_args!("{text},"))
            }
            Part::Option => {
                self.write(format_args!("option "))?;
                self.inner::<T>(path, 0)
            }
            Part::Sequence => {
                self.write(format_args!("seq "))?;
                self.inner::<T>(path, 0)
            }
            Part::Map => {
                self.write(format_args!("map "))?;
                self.inner::<T>(path, 0)?;
                self.inner::<T>(path, 1)
            }
            Part::Stream => {
                self.write(format_args!("Stream "))?;
                self.inner::<T>(path, 0)
            }
            Part::Tuple(length) | Part::TupleVariant(length) => self.tuple::<T>(path, length),
            Part::NewtypeVariant => self.tuple::<T>(path, 1),
            Part::UnitVariant => self.write(format_args!(",")),
            Part::StructVariant(fields) => self.fields::<T>(path, fields),
            Part::Named(named) => self.named::<T>(path, named),
        }
    }

    fn named<T: Deserialize<'static>>(
        &mut self,
        path: &mut Vec<Step>,
        Named { name, key, parts }: Named,
    ) -> Result<(), TooLong> {
        if let Some(place) = self.written.iter().position(|known| *known == key) {
            return self.write(format_args!("{name}^{place},"));
        }
        self.written.push(key);
        self.write(format_args!("{name}"))?;
        match parts {
            Parts::Newtype => self.tuple::<T>(path, 1),
            Parts::Tuple(length) => self.tuple::<T>(path, length),
            Parts::Fields(fields) => self.fields::<T>(path, fields),
            Parts::Variants(variants) => {
                self.write(format_args!("<"))?;
                for (place, variant) in variants.iter().enumerate() {
                    self.write(format_args!("{variant}"))?;
                    self.inner::<T>(path, place)?;
                }
                self.write(format_args!(">"))
            }
        }
    }

    fn tuple<T: Deserialize<'static>>(
        &mut self,
        path: &mut Vec<Step>,
        length: usize,
    ) -> Result<(), TooLong> {
        self.write(format_args!("("))?;
        for place in 0..length {
            self.inner::<T>(path, place)?;
        }
        self.write(format_args!(")"))
    }

    fn fields<T: Deserialize<'static>>(
        &mut self,
        path: &mut Vec<Step>,
        fields: &[&str],
    ) -> Result<(), TooLong> {
        self.write(format_args!("{{"))?;
        for (place, field) in fields.iter().enumerate() {
            self.write(format_args!("{field}:"))?;
            self.inner::<T>(path, place)?;
        }
        self.write(format_args!("}}"))
    }

    /// Writes a part of the part at the end of a path.
    fn inner<T: Deserialize<'static>>(
        &mut self,
        path: &mut Vec<Step>,
        part: usize,
    ) -> Result<(), TooLong> {
        if path.len() >= MAX_DEPTH {
            return Err(TooLong);
        }
        path.push(Step { part, by_position: false });
        if part_at::<T>(path).is_none() {
            // A type that is not derived may accept no names of fields.
            path.pop();
            path.push(Step { part, by_position: true });
        }
        let written = self.part::<T>(path);
        path.pop();
        written
    }

    fn write(&mut self, part: fmt::Arguments<'_>) -> Result<(), TooLong> {
        if self.text.len() > MAX_LENGTH {
            return Err(TooLong);
        }
        self.text.write_fmt(part).map_err(|_| TooLong)
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
        assert_eq!(shape::<one::Point>(), "Point{x:u32,y:u32,}");
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
            Both(u32, u8),
            Later(Option<Box<Answer>>),
        }
        assert_eq!(
            shape::<Answer>(),
            "Answer<Yes{surely:bool,}No,Both(u32,u8,)Later(option Answer^0,)>"
        );
    }

    #[test]
    fn a_type_that_rejects_values_hides_no_field() {
        struct Even(u32);
        impl<'de> Deserialize<'de> for Even {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Even, D::Error> {
                match u32::deserialize(deserializer)? {
                    odd if odd % 2 == 1 => Err(serde::de::Error::custom("odd")),
                    even => Ok(Even(even)),
                }
            }
        }
        #[derive(serde::Deserialize)]
        struct Pair {
            even: Even,
            number: u64,
            nested: Inner,
        }
        #[derive(serde::Deserialize)]
        struct Inner {
            even: Even,
            last: (u8, Even),
        }
        let whole = "Pair{even:u32,number:u64,nested:Inner{even:u32,last:(u8,u32,)}}";
        assert_eq!(shape::<Pair>(), whole);
        // What follows it in a tuple is not reached.
        let mut partial = Shape::default();
        partial.of::<(Even, u8)>();
        assert_eq!((partial.text(), partial.is_partial()), ("(u32,?,)", true));
    }

    #[test]
    fn a_type_without_a_shape_is_named_and_hides_no_field() {
        #[derive(Debug, PartialEq)]
        struct Anything<T>(Option<T>);
        impl<'de, T> Deserialize<'de> for Anything<T> {
            fn deserialize<D: serde::Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Anything<T>, D::Error> {
                struct Any<T>(std::marker::PhantomData<T>);
                impl<T> serde::de::Visitor<'_> for Any<T> {
                    type Value = Anything<T>;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("anything")
                    }
                }
                deserializer.deserialize_any(Any(std::marker::PhantomData))
            }
        }
        #[derive(serde::Deserialize)]
        struct Message {
            any: Anything<std::time::Duration>,
            number: u64,
        }
        let mut shape = Shape::default();
        shape.of::<Message>();
        assert_eq!(shape.text(), "Message{any:?Anything<Duration>,number:u64,}");
        assert!(shape.is_partial());
    }

    #[test]
    fn two_types_of_one_name_are_two() {
        mod one {
            #[derive(serde::Deserialize)]
            pub(super) struct Point(u8, u8);
        }
        #[derive(serde::Deserialize)]
        struct Point {
            one: one::Point,
            same: one::Point,
        }
        assert_eq!(shape::<Point>(), "Point{one:Point(u8,u8,)same:Point^1,}");
    }
}
