//! Reading JSON with little code.
//!
//! Serde makes the code that reads a type anew for every kind of source, and `serde_json`'s own sources are
//! generous: they read structures from arrays, fields from numbers, everything from text as it is parsed. Here
//! the text becomes a tree once, and a source over the tree does only what JSON of ours needs. That is worth
//! tens of kilobytes in the browser.

use std::fmt;

use serde::de::value::StringDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer, MapAccess,
    SeqAccess, Unexpected, VariantAccess, Visitor,
};
use serde_json::{Map, Value};

/// Why a text could not be read. One word wide: it is passed through every function that reads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WireError(Box<Fault>);

/// What is wrong with a text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// It is not JSON.
    Syntax {
        /// It ends too early.
        cut: bool,
        /// Line, from 1.
        line: usize,
        /// Character of the line.
        column: usize,
    },
    /// It is JSON, but not of the wanted shape; in serde's words.
    Data(String),
}

impl WireError {
    /// What is wrong.
    pub fn fault(&self) -> &Fault {
        &self.0
    }
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Fault::Syntax { line, column, .. } => write!(f, "no JSON at line {line}, column {column}"),
            Fault::Data(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for WireError {}

impl serde::de::Error for WireError {
    #[cold]
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(Box::new(Fault::Data(message.to_string())))
    }
}

/// Reads a JSON text.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, WireError> {
    T::deserialize(Node(tree(text)?))
}

/// Reads a tree that is JSON already.
pub fn from_tree<T: DeserializeOwned>(tree: Value) -> Result<T, WireError> {
    T::deserialize(Node(tree))
}

fn tree(text: &str) -> Result<Value, WireError> {
    serde_json::from_str(text).map_err(|error| {
        WireError(Box::new(Fault::Syntax {
            cut: error.is_eof(),
            line: error.line(),
            column: error.column(),
        }))
    })
}

/// A place of the tree.
struct Node(Value);

impl Node {
    #[inline(never)]
    fn wrong(&self, wanted: &'static str) -> WireError {
        let found = match &self.0 {
            Value::Null => Unexpected::Unit,
            Value::Bool(flag) => Unexpected::Bool(*flag),
            Value::Number(number) => Unexpected::Float(number.as_f64().unwrap_or_default()),
            Value::String(text) => Unexpected::Str(text),
            Value::Array(_) => Unexpected::Seq,
            Value::Object(_) => Unexpected::Map,
        };
        WireError::invalid_type(found, &wanted)
    }
}

macro_rules! numbers {
    ($($name:ident)*) => {$(
        fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, WireError> {
            number(self, visitor)
        }
    )*};
}

fn number<'de, V: Visitor<'de>>(node: Node, visitor: V) -> Result<V::Value, WireError> {
    let Value::Number(number) = &node.0 else {
        return Err(node.wrong("a number"));
    };
    match (number.as_u64(), number.as_i64(), number.as_f64()) {
        (Some(number), ..) => visitor.visit_u64(number),
        (None, Some(number), _) => visitor.visit_i64(number),
        (None, None, Some(number)) => visitor.visit_f64(number),
        (None, None, None) => Err(node.wrong("a number in range")),
    }
}

fn text<'de, V: Visitor<'de>>(node: Node, visitor: V) -> Result<V::Value, WireError> {
    match node.0 {
        Value::String(text) => visitor.visit_string(text),
        other => Err(Node(other).wrong("a string")),
    }
}

fn list<'de, V: Visitor<'de>>(node: Node, visitor: V) -> Result<V::Value, WireError> {
    match node.0 {
        Value::Array(items) => visitor.visit_seq(Items(items.into_iter())),
        other => Err(Node(other).wrong("an array")),
    }
}

fn members<'de, V: Visitor<'de>>(node: Node, visitor: V) -> Result<V::Value, WireError> {
    match node.0 {
        Value::Object(map) => visitor.visit_map(Members::new(map)),
        other => Err(Node(other).wrong("an object")),
    }
}

impl<'de> Deserializer<'de> for Node {
    type Error = WireError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, WireError> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(flag) => visitor.visit_bool(flag),
            Value::Number(_) => number(self, visitor),
            Value::String(text) => visitor.visit_string(text),
            Value::Array(_) => list(self, visitor),
            Value::Object(_) => members(self, visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, WireError> {
        match self.0 {
            Value::Bool(flag) => visitor.visit_bool(flag),
            other => Err(Node(other).wrong("true or false")),
        }
    }

    numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_u8 deserialize_u16
        deserialize_u32 deserialize_u64 deserialize_f32 deserialize_f64
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, WireError> {
        text(self, visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, WireError> {
        text(self, visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, WireError> {
        text(self, visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, WireError> {
        text(self, visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, WireError> {
        text(self, visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, WireError> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, WireError> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, WireError> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, WireError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, WireError> {
        list(self, visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, WireError> {
        list(self, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, WireError> {
        list(self, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, WireError> {
        members(self, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, WireError> {
        members(self, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, WireError> {
        match self.0 {
            Value::String(name) => visitor.visit_enum(Variant { name, inside: None }),
            Value::Object(map) => match map.into_iter().next() {
                Some((name, inside)) => visitor.visit_enum(Variant {
                    name,
                    inside: Some(Node(inside)),
                }),
                None => Err(WireError::custom("an empty object names no variant")),
            },
            other => Err(Node(other).wrong("the name of a variant")),
        }
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, WireError> {
        text(self, visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, WireError> {
        visitor.visit_unit()
    }
}

struct Items(std::vec::IntoIter<Value>);

impl<'de> SeqAccess<'de> for Items {
    type Error = WireError;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, WireError> {
        match self.0.next() {
            Some(item) => seed.deserialize(Node(item)).map(Some),
            None => Ok(None),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

struct Members {
    rest: serde_json::map::IntoIter,
    value: Option<Value>,
}

impl Members {
    fn new(map: Map<String, Value>) -> Self {
        Self {
            rest: map.into_iter(),
            value: None,
        }
    }
}

impl<'de> MapAccess<'de> for Members {
    type Error = WireError;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, WireError> {
        match self.rest.next() {
            Some((key, value)) => {
                self.value = Some(value);
                let key: StringDeserializer<WireError> = key.into_deserializer();
                seed.deserialize(Key(key)).map(Some)
            }
            None => Ok(None),
        }
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, WireError> {
        seed.deserialize(Node(self.value.take().unwrap_or(Value::Null)))
    }
}

/// The name of a member: a text, or a type that is written as one.
struct Key(StringDeserializer<WireError>);

impl<'de> Deserializer<'de> for Key {
    type Error = WireError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, WireError> {
        self.0.deserialize_any(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, WireError> {
        visitor.visit_newtype_struct(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct Variant {
    name: String,
    inside: Option<Node>,
}

impl<'de> EnumAccess<'de> for Variant {
    type Error = WireError;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(mut self, seed: S) -> Result<(S::Value, Self), WireError> {
        let name = std::mem::take(&mut self.name);
        seed.deserialize(Node(Value::String(name)))
            .map(|name| (name, self))
    }
}

impl<'de> VariantAccess<'de> for Variant {
    type Error = WireError;

    fn unit_variant(self) -> Result<(), WireError> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, WireError> {
        seed.deserialize(self.inside.unwrap_or(Node(Value::Null)))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, WireError> {
        list(self.inside.unwrap_or(Node(Value::Null)), visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, WireError> {
        members(self.inside.unwrap_or(Node(Value::Null)), visitor)
    }
}

#[cfg(test)]
mod tests;
