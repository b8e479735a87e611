//! Rows on their way to users: what `write.rs` makes of a value is read back as that value.
//! It knows nothing of statements.

use serde::Deserializer;
use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Error as _, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::Error;

use super::{SqlRow, SqlValue};

pub(super) fn row<T: DeserializeOwned>(row: SqlRow) -> Result<T, Error> {
    T::deserialize(Row(row))
}

struct Row(SqlRow);

impl Row {
    fn only(self) -> Result<Cell, Error> {
        let columns = self.0.values.len();
        match <[SqlValue; 1]>::try_from(self.0.values) {
            Ok([value]) => Ok(Cell(value)),
            Err(_) => Err(Error::custom(format!(
                "it has {columns} columns; read it as a tuple or as a struct, or ask for one column"
            ))),
        }
    }
}

/// From the only column.
macro_rules! of_one_column {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.only()?.$method(visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for Row {
    type Error = Error;

    of_one_column! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_u8
        deserialize_u16 deserialize_u32 deserialize_u64 deserialize_f32 deserialize_f64 deserialize_char
        deserialize_str deserialize_string deserialize_bytes deserialize_byte_buf deserialize_identifier
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.values == [SqlValue::Null] { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let mut columns = SeqDeserializer::new(self.0.values.into_iter().map(Cell));
        let value = visitor.visit_seq(&mut columns)?;
        columns.end()?;
        Ok(value)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let SqlRow { columns, values } = self.0;
        let columns: Vec<String> = columns.to_vec();
        visitor.visit_map(MapDeserializer::new(columns.into_iter().zip(values.into_iter().map(Cell))))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.only()?.deserialize_enum(name, variants, visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }
}

/// What is kept as JSON.
fn structure(json: &str) -> Result<serde_json::Value, Error> {
    serde_json::from_str(json)
}

/// One column of a row.
struct Cell(SqlValue);

impl IntoDeserializer<'_, Error> for Cell {
    type Deserializer = Cell;

    fn into_deserializer(self) -> Cell {
        self
    }
}

impl<'de> Deserializer<'de> for Cell {
    type Error = Error;

    forward_to_deserialize_any! {
        i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf unit unit_struct identifier
        ignored_any
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            SqlValue::Null => visitor.visit_unit(),
            SqlValue::Integer(value) => visitor.visit_i64(value),
            SqlValue::Real(value) => visitor.visit_f64(value),
            SqlValue::Text(value) => visitor.visit_string(value),
            SqlValue::Blob(value) => visitor.visit_byte_buf(value),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            SqlValue::Integer(value @ (0 | 1)) => visitor.visit_bool(value == 1),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0 == SqlValue::Null { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            SqlValue::Text(json) => structure(&json)?.deserialize_seq(visitor),
            SqlValue::Blob(bytes) => visitor.visit_seq(SeqDeserializer::new(bytes.into_iter())),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            SqlValue::Text(json) => structure(&json)?.deserialize_map(visitor),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            SqlValue::Text(json) if json.starts_with('{') => {
                structure(&json)?.deserialize_enum(name, variants, visitor)
            }
            SqlValue::Text(variant) => visitor.visit_enum(variant.into_deserializer()),
            _ => self.deserialize_any(visitor),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fmt::Debug;

    use serde::{Deserialize, Serialize};

    use super::super::{SqlParams, SqlValue};
    use super::*;

    fn row_of(columns: &[&str], values: Vec<SqlValue>) -> SqlRow {
        SqlRow { columns: columns.iter().map(|name| (*name).to_owned()).collect(), values }
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Id(u32);

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    enum State {
        Open,
        Closed { by: String },
        Late(u8),
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Order {
        id: Id,
        paid: bool,
        note: Option<String>,
    }

    fn comes_back<T: Serialize + DeserializeOwned + PartialEq + Debug + Clone>(value: T) {
        let values = (value.clone(),).values().unwrap();
        assert_eq!(row_of(&["a"], values.clone()).read::<(T,)>().unwrap().0, value, "{values:?}");
    }

    #[test]
    fn what_is_written_is_read_back() {
        comes_back(true);
        comes_back(-7_i8);
        comes_back(u32::MAX);
        comes_back(1.5_f32);
        comes_back('x');
        comes_back("text".to_owned());
        comes_back(Some(7_u8));
        comes_back(None::<String>);
        comes_back(Id(7));
        comes_back(vec![1_u8, 2]);
        comes_back((1, "a".to_owned()));
        comes_back(BTreeMap::from([("a".to_owned(), 1)]));
        comes_back([State::Open, State::Closed { by: "me".into() }, State::Late(3)].to_vec());
        comes_back(State::Open);
        comes_back(State::Closed { by: "me".into() });
        comes_back(State::Late(3));
        comes_back(Order { id: Id(1), paid: true, note: None });
    }

    #[test]
    fn a_row_is_a_tuple_a_struct_or_its_only_column() {
        let values = || vec![SqlValue::Integer(1), SqlValue::Integer(0), SqlValue::Null];
        let row = || row_of(&["id", "paid", "note"], values());
        let order = Order { id: Id(1), paid: false, note: None };
        assert_eq!(row().read::<Order>().unwrap(), order);
        assert_eq!(row().read::<(u8, bool, Option<String>)>().unwrap(), (1, false, None));
        assert_eq!(row().read::<Option<Order>>().unwrap(), Some(order));
        let one = |value| row_of(&["a"], vec![value]);
        assert_eq!(one(SqlValue::Integer(7)).read::<u64>().unwrap(), 7);
        assert_eq!(one(SqlValue::Integer(7)).read::<Id>().unwrap(), Id(7));
        assert_eq!(one(SqlValue::Null).read::<Option<u64>>().unwrap(), None);
        assert_eq!(one(SqlValue::Text("Open".into())).read::<State>().unwrap(), State::Open);
        assert_eq!(one(SqlValue::Blob(vec![1, 2])).read::<(Vec<u8>,)>().unwrap().0, [1, 2]);
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let row = || row_of(&["id", "n"], vec![SqlValue::Integer(-1), SqlValue::Text("x".into())]);
        let text = |error: super::super::SqlError| error.to_string();
        assert!(text(row().read::<u64>().unwrap_err()).contains("2 columns"));
        assert!(text(row().read::<(u64, String)>().unwrap_err()).contains("-1"));
        assert!(text(row().read::<(i64,)>().unwrap_err()).contains("length 2"));
        assert!(text(row().read::<(i64, bool)>().unwrap_err()).contains("expected a boolean"));
        assert!(text((u64::MAX,).values().unwrap_err()).contains("parameter 1"));
        assert!(text((1, f64::NAN).values().unwrap_err()).contains("parameter 2"));
    }
}
