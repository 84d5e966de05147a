//! A serializer that wraps another one and enforces a [`Budget`]. It also nests the errors that a method returns.
//!
//! It must not know the encoding.

use serde::ser::{
    Error as _, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use super::budget::{Budget, cut};
use crate::error::{NESTED_INDEX, UNNESTED};

/// The role of an encoded value in its message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    /// The error that a method returns. An [`Error`](crate::Error) in it was caused by another call than this one, and is
    /// written as `Nested`.
    Failure,
    /// Any other value.
    Value,
}

/// Wraps a serializer, value or accessor of serde, and enforces the budget.
pub(crate) struct Bounded<'b, T> {
    inner: T,
    budget: &'b Budget,
    role: Role,
}

impl<'b, T> Bounded<'b, T> {
    pub(crate) fn new(inner: T, budget: &'b Budget, role: Role) -> Bounded<'b, T> {
        Bounded { inner, budget, role }
    }

    fn wrap<U>(&self, inner: U) -> Bounded<'b, U> {
        Bounded { inner, budget: self.budget, role: self.role }
    }
}

impl<T: Serialize + ?Sized> Serialize for Bounded<'_, &T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let _level = self.budget.enter_writing()?;
        self.inner.serialize(self.wrap(serializer)).map_err(|error| cut(error, S::Error::custom))
    }
}

macro_rules! forward_serialize {
    ($($method:ident($type:ty)),* $(,)?) => {$(
        fn $method(self, value: $type) -> Result<S::Ok, S::Error> {
            self.inner.$method(value)
        }
    )*};
}

impl<'b, S: Serializer> Serializer for Bounded<'b, S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Bounded<'b, S::SerializeSeq>;
    type SerializeTuple = Bounded<'b, S::SerializeTuple>;
    type SerializeTupleStruct = Bounded<'b, S::SerializeTupleStruct>;
    type SerializeTupleVariant = Bounded<'b, S::SerializeTupleVariant>;
    type SerializeMap = Bounded<'b, S::SerializeMap>;
    type SerializeStruct = Bounded<'b, S::SerializeStruct>;
    type SerializeStructVariant = Bounded<'b, S::SerializeStructVariant>;

    forward_serialize! {
        serialize_bool(bool), serialize_i8(i8), serialize_i16(i16), serialize_i32(i32), serialize_i64(i64),
        serialize_i128(i128), serialize_u8(u8), serialize_u16(u16), serialize_u32(u32), serialize_u64(u64),
        serialize_u128(u128), serialize_f32(f32), serialize_f64(f64), serialize_char(char), serialize_str(&str),
        serialize_bytes(&[u8]), serialize_unit_struct(&'static str),
    }

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.inner.serialize_none()
    }

    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        let value = self.wrap(value);
        self.inner.serialize_some(&value)
    }

    fn serialize_unit_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
    ) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit_variant(name, index, variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        if self.role == Role::Failure && name == UNNESTED {
            let value = Bounded::new(value, self.budget, Role::Value);
            return self.inner.serialize_newtype_variant("Error", NESTED_INDEX, "Nested", &value);
        }
        let value = self.wrap(value);
        self.inner.serialize_newtype_struct(name, &value)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let value = self.wrap(value);
        self.inner.serialize_newtype_variant(name, index, variant, &value)
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        let Bounded { inner, budget, role } = self;
        Ok(Bounded::new(inner.serialize_seq(length)?, budget, role))
    }

    fn serialize_tuple(self, length: usize) -> Result<Self::SerializeTuple, S::Error> {
        let Bounded { inner, budget, role } = self;
        Ok(Bounded::new(inner.serialize_tuple(length)?, budget, role))
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        length: usize,
    ) -> Result<Self::SerializeTupleStruct, S::Error> {
        let Bounded { inner, budget, role } = self;
        Ok(Bounded::new(inner.serialize_tuple_struct(name, length)?, budget, role))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        let Bounded { inner, budget, role } = self;
        Ok(Bounded::new(inner.serialize_tuple_variant(name, index, variant, length)?, budget, role))
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        let Bounded { inner, budget, role } = self;
        Ok(Bounded::new(inner.serialize_map(length)?, budget, role))
    }

    fn serialize_struct(
        self,
        name: &'static str,
        length: usize,
    ) -> Result<Self::SerializeStruct, S::Error> {
        let Bounded { inner, budget, role } = self;
        Ok(Bounded::new(inner.serialize_struct(name, length)?, budget, role))
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        let Bounded { inner, budget, role } = self;
        Ok(Bounded::new(
            inner.serialize_struct_variant(name, index, variant, length)?,
            budget,
            role,
        ))
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

macro_rules! forward_elements {
    ($($trait:ident::$method:ident),* $(,)?) => {$(
        impl<S: $trait> $trait for Bounded<'_, S> {
            type Ok = S::Ok;
            type Error = S::Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
                let value = self.wrap(value);
                self.inner.$method(&value)
            }

            fn end(self) -> Result<S::Ok, S::Error> {
                self.inner.end()
            }
        }
    )*};
}

forward_elements! {
    SerializeTuple::serialize_element, SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field,
}

macro_rules! forward_fields {
    ($($trait:ident),* $(,)?) => {$(
        impl<S: $trait> $trait for Bounded<'_, S> {
            type Ok = S::Ok;
            type Error = S::Error;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), S::Error> {
                let value = self.wrap(value);
                self.inner.serialize_field(key, &value)
            }

            fn skip_field(&mut self, key: &'static str) -> Result<(), S::Error> {
                self.inner.skip_field(key)
            }

            fn end(self) -> Result<S::Ok, S::Error> {
                self.inner.end()
            }
        }
    )*};
}

forward_fields!(SerializeStruct, SerializeStructVariant);

impl<S: SerializeSeq> SerializeSeq for Bounded<'_, S> {
    type Ok = S::Ok;
    type Error = S::Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
        self.budget.element_writing()?;
        let before = self.budget.bytes();
        let value = self.wrap(value);
        self.inner.serialize_element(&value)?;
        self.budget.after_element_writing(before)
    }

    fn end(self) -> Result<S::Ok, S::Error> {
        self.inner.end()
    }
}

impl<S: SerializeMap> SerializeMap for Bounded<'_, S> {
    type Ok = S::Ok;
    type Error = S::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), S::Error> {
        self.budget.element_writing()?;
        let before = self.budget.bytes();
        let key = self.wrap(key);
        self.inner.serialize_key(&key)?;
        // An entry whose key has no bytes is the only one of its map.
        self.budget.after_element_writing(before)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
        let value = self.wrap(value);
        self.inner.serialize_value(&value)
    }

    fn end(self) -> Result<S::Ok, S::Error> {
        self.inner.end()
    }
}
