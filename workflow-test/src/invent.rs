//! Makes up values of any type that serde can read, and finds out the names that serde gives to variants.
//! It knows types only through what they ask of a deserializer; JSON is seen only where a message gets its key.

use std::cell::Cell;
use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer, MapAccess,
    SeqAccess, VariantAccess, Visitor,
};
use serde_json::Value;
use workflow_core::{Message, Payload};

/// The deepest nesting that is made up: beyond it, a type most likely contains itself.
const DEEPEST: u32 = 24;

/// Texts to try in turn, for types that read themselves from one: plain text first, then numbers, moments,
/// identifiers and addresses.
const TEXTS: [&str; 9] = [
    "",
    "a",
    "0",
    "1970-01-01T00:00:00Z",
    "1970-01-01",
    "00000000-0000-0000-0000-000000000000",
    "P1D",
    "127.0.0.1",
    "https://example.org/",
];

/// Numbers to try in turn: some types refuse zero.
const NUMBERS: [u8; 2] = [0, 1];

/// The names that serde gives to the error variants of a `Result`; `None` when its error is no plain enum.
pub(crate) fn error_names<T: DeserializeOwned>() -> Option<&'static [&'static str]> {
    let found = Cell::new(None);
    let inventor =
        Inventor { error: Some(usize::MAX), found: &found, text: "", number: 0, depth: 0, in_error: false };
    // It cannot succeed, since there is no such variant; what counts is what was asked for on the way.
    let _ = T::deserialize(inventor);
    found.get()
}

/// Makes up a value. With `Some(index)`, the type is a `Result` and the value is that variant of its error.
pub(crate) fn invent<T: DeserializeOwned>(error: Option<usize>) -> Option<T> {
    let found = Cell::new(None);
    let texts = TEXTS.iter().flat_map(|text| NUMBERS.iter().map(move |number| (*text, *number)));
    let mut values = texts.map(|(text, number)| {
        let inventor = Inventor { error, found: &found, text, number, depth: 0, in_error: false };
        T::deserialize(inventor).ok()
    });
    values.find_map(|value| value)
}

/// Makes up a message with this key: one of its fields is set to it.
pub(crate) fn invent_message<M: Message>(key: &str) -> Option<Payload> {
    let plain: M = invent(None)?;
    if plain.key() == key {
        return Payload::of(&plain).ok();
    }
    let value = serde_json::to_value(&plain).ok()?;
    let mut keys = vec![Value::from(key)];
    keys.extend(serde_json::from_str::<Value>(key).ok().filter(|key| key.is_number() || key.is_boolean()));
    let mut places = Vec::new();
    leaves(&value, String::new(), &mut places);
    let changed = places.iter().flat_map(|place| {
        keys.iter().filter_map(|key| {
            let mut changed = value.clone();
            *changed.pointer_mut(place)? = key.clone();
            Some(changed)
        })
    });
    let mut messages = changed.filter_map(|value| serde_json::from_value::<M>(value).ok());
    let message = messages.find(|message| message.key() == key)?;
    Payload::of(&message).ok()
}

/// Where there are texts and numbers, as JSON pointers.
fn leaves(value: &Value, place: String, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let name = name.replace('~', "~0").replace('/', "~1");
                leaves(value, format!("{place}/{name}"), found);
            }
        }
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                leaves(value, format!("{place}/{index}"), found);
            }
        }
        Value::Null => {}
        _ => found.push(place),
    }
}

#[derive(Clone, Copy)]
struct Inventor<'a> {
    /// The variant of the error that is wanted; taken away once the error is reached.
    error: Option<usize>,
    found: &'a Cell<Option<&'static [&'static str]>>,
    text: &'static str,
    number: u8,
    depth: u32,
    in_error: bool,
}

impl Inventor<'_> {
    fn deeper(self) -> Result<Self, Impossible> {
        if self.depth == DEEPEST {
            return Err(Impossible);
        }
        Ok(Inventor { depth: self.depth + 1, ..self })
    }
}

/// No value can be made up.
#[derive(Debug)]
struct Impossible;

impl fmt::Display for Impossible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no value can be made up")
    }
}

impl std::error::Error for Impossible {}

impl serde::de::Error for Impossible {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Impossible
    }
}

macro_rules! numbers {
    ($($method:ident $visit:ident $type:ty;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Impossible> {
            visitor.$visit(<$type>::from(self.number))
        }
    )*};
}

impl<'de> Deserializer<'de> for Inventor<'_> {
    type Error = Impossible;

    numbers! {
        deserialize_u8 visit_u8 u8; deserialize_u16 visit_u16 u16; deserialize_u32 visit_u32 u32;
        deserialize_u64 visit_u64 u64; deserialize_u128 visit_u128 u128; deserialize_i16 visit_i16 i16;
        deserialize_i32 visit_i32 i32; deserialize_i64 visit_i64 i64; deserialize_i128 visit_i128 i128;
        deserialize_f32 visit_f32 f32; deserialize_f64 visit_f64 f64;
    }

    fn deserialize_i8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Impossible> {
        visitor.visit_i8(i8::try_from(self.number).map_err(Impossible::custom)?)
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Impossible> {
        visitor.visit_unit()
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Impossible> {
        visitor.visit_bool(false)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Impossible> {
        visitor.visit_char('a')
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Impossible> {
        visitor.visit_str(self.text)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Impossible> {
        visitor.visit_str(self.text)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Impossible> {
        visitor.visit_bytes(&[])
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Impossible> {
        visitor.visit_bytes(&[])
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Impossible> {
        visitor.visit_none()
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Impossible> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Impossible> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Impossible> {
        visitor.visit_newtype_struct(self.deeper()?)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Impossible> {
        visitor.visit_seq(Parts { inventor: self.deeper()?, left: 0 })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Impossible> {
        visitor.visit_seq(Parts { inventor: self.deeper()?, left: len })
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Impossible> {
        self.deserialize_tuple(len, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Impossible> {
        visitor.visit_map(Fields { inventor: self.deeper()?, left: &[] })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Impossible> {
        visitor.visit_map(Fields { inventor: self.deeper()?, left: fields })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Impossible> {
        let inventor = self.deeper()?;
        let (index, inventor) = match self.error {
            // The outermost enum is the `Result` itself.
            Some(_) if !self.in_error => (1, Inventor { in_error: true, ..inventor }),
            Some(wanted) => {
                self.found.set(Some(variants));
                (wanted, Inventor { error: None, ..inventor })
            }
            None => (0, inventor),
        };
        let name = variants.get(index).ok_or(Impossible)?;
        visitor.visit_enum(Variant { inventor, name })
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Impossible> {
        visitor.visit_str(self.text)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Impossible> {
        visitor.visit_unit()
    }
}

struct Parts<'a> {
    inventor: Inventor<'a>,
    left: usize,
}

impl<'de> SeqAccess<'de> for Parts<'_> {
    type Error = Impossible;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Impossible> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        seed.deserialize(self.inventor).map(Some)
    }
}

struct Fields<'a> {
    inventor: Inventor<'a>,
    left: &'static [&'static str],
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Impossible;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Impossible> {
        let Some((first, rest)) = self.left.split_first() else { return Ok(None) };
        self.left = rest;
        let key: StrDeserializer<'_, Impossible> = first.into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Impossible> {
        seed.deserialize(self.inventor)
    }
}

struct Variant<'a> {
    inventor: Inventor<'a>,
    name: &'static str,
}

impl<'de> EnumAccess<'de> for Variant<'_> {
    type Error = Impossible;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Impossible> {
        let name: StrDeserializer<'_, Impossible> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = Impossible;

    fn unit_variant(self) -> Result<(), Impossible> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Impossible> {
        seed.deserialize(self.inventor)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Impossible> {
        self.inventor.deserialize_tuple(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Impossible> {
        visitor.visit_map(Fields { inventor: self.inventor, left: fields })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::net::IpAddr;
    use std::num::NonZeroU32;

    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Trouble {
        SoldOut,
        Unavailable(String),
        Limit { most: NonZeroU32, by: Option<String>, kind: Kind },
        Moved((IpAddr, u8)),
        Many(Vec<Kind>, BTreeMap<String, f64>, Box<Part>),
        Nested(Box<Trouble>),
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Kind {
        Daily,
        Weekly,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Part {
        id: i64,
        letter: char,
        nothing: (),
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "type")]
    enum Tagged {
        Unit,
    }

    type Output = Result<u32, Trouble>;

    #[test]
    fn every_variant_of_an_error_is_made_up() {
        let kind = Kind::Daily;
        let most = NonZeroU32::new(1).unwrap();
        let part = Part { id: 0, letter: 'a', nothing: () };
        let expected = [
            Trouble::SoldOut,
            Trouble::Unavailable(String::new()),
            Trouble::Limit { most, by: None, kind },
            Trouble::Moved((IpAddr::from([127, 0, 0, 1]), 0)),
            Trouble::Many(Vec::new(), BTreeMap::new(), Box::new(part)),
            Trouble::Nested(Box::new(Trouble::SoldOut)),
        ];
        for (index, expected) in expected.into_iter().enumerate() {
            assert_eq!(invent::<Output>(Some(index)), Some(Err(expected)));
        }
        assert_eq!(invent::<Output>(Some(6)), None);
        assert_eq!(invent::<Output>(None), Some(Ok(0)));
    }

    #[test]
    fn the_names_of_the_variants_are_those_of_serde() {
        let names = error_names::<Output>().unwrap();
        assert_eq!(names, ["sold_out", "unavailable", "limit", "moved", "many", "nested"]);
    }

    #[test]
    fn what_serde_reads_by_itself_cannot_be_made_up() {
        assert!(error_names::<Result<u32, Tagged>>().is_none());
        assert!(invent::<Result<u32, Tagged>>(Some(0)).is_none());
    }
}
