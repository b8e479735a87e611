//! Values of users on their way into a statement.
//! A scalar becomes a value of SQL; what has an inner structure becomes JSON.

use std::fmt;

use serde::Serialize;
use serde::ser::{Error as _, Impossible, Serializer};

use super::{SqlError, SqlErrorKind, SqlValue};

/// The parameters of a statement, in the order of its `?`: a tuple of what serde can write, an array, a slice or a
/// `Vec`; `()` for none.
///
/// `bool` becomes 0 or 1, a unit variant its name, bytes (`serde_bytes`) a blob; lists, maps and structs become JSON.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a list of parameters",
    label = "the parameters of the statement",
    note = "write a tuple: `(order, cents)`; one alone is `(order,)`, none are `()`"
)]
pub trait SqlParams {
    /// The values.
    ///
    /// # Errors
    /// When one of them has no form in SQL.
    fn values(&self) -> Result<Vec<SqlValue>, SqlError>;
}

impl SqlParams for () {
    fn values(&self) -> Result<Vec<SqlValue>, SqlError> {
        Ok(Vec::new())
    }
}

impl<T: Serialize> SqlParams for [T] {
    fn values(&self) -> Result<Vec<SqlValue>, SqlError> {
        self.iter().enumerate().map(|(position, value)| value_of(position, value)).collect()
    }
}

impl<T: Serialize, const N: usize> SqlParams for [T; N] {
    fn values(&self) -> Result<Vec<SqlValue>, SqlError> {
        self.as_slice().values()
    }
}

impl<T: Serialize> SqlParams for Vec<T> {
    fn values(&self) -> Result<Vec<SqlValue>, SqlError> {
        self.as_slice().values()
    }
}

impl<P: SqlParams + ?Sized> SqlParams for &P {
    fn values(&self) -> Result<Vec<SqlValue>, SqlError> {
        (**self).values()
    }
}

macro_rules! tuples {
    ($(($($type:ident $position:tt)*))*) => {$(
        impl<$($type: Serialize),*> SqlParams for ($($type,)*) {
            fn values(&self) -> Result<Vec<SqlValue>, SqlError> {
                Ok(vec![$(value_of($position, &self.$position)?),*])
            }
        }
    )*};
}

tuples! {
    (A 0) (A 0 B 1) (A 0 B 1 C 2) (A 0 B 1 C 2 D 3) (A 0 B 1 C 2 D 3 E 4) (A 0 B 1 C 2 D 3 E 4 F 5)
    (A 0 B 1 C 2 D 3 E 4 F 5 G 6) (A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7) (A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8)
    (A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9) (A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10)
    (A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11)
}

fn value_of(position: usize, value: &(impl Serialize + ?Sized)) -> Result<SqlValue, SqlError> {
    let value = match value.serialize(Scalar) {
        Ok(value) => return Ok(value),
        Err(Unfit::Structured) => serde_json::to_string(value).map_err(|error| error.to_string()),
        Err(Unfit::Wrong(message)) => Err(message),
    };
    value.map(SqlValue::Text).map_err(|message| {
        let message = format!("parameter {} cannot be written: {message}", position + 1);
        SqlError::new(SqlErrorKind::Mismatch, message)
    })
}

/// Takes what is one value of SQL, and nothing else.
struct Scalar;

#[derive(Debug)]
enum Unfit {
    /// It has an inner structure.
    Structured,
    Wrong(String),
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unfit::Structured => f.write_str("it is no single value"),
            Unfit::Wrong(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Unfit {}

impl serde::ser::Error for Unfit {
    fn custom<T: fmt::Display>(message: T) -> Unfit {
        Unfit::Wrong(message.to_string())
    }
}

macro_rules! whole_numbers {
    ($($method:ident: $type:ty,)*) => {$(
        fn $method(self, value: $type) -> Result<SqlValue, Unfit> {
            Ok(SqlValue::Integer(i64::from(value)))
        }
    )*};
}

macro_rules! structured {
    ($($method:ident($($argument:ty),*) -> $into:ident;)*) => {$(
        fn $method(self, $(_: $argument),*) -> Result<Self::$into, Unfit> {
            Err(Unfit::Structured)
        }
    )*};
}

type No = Impossible<SqlValue, Unfit>;

impl Serializer for Scalar {
    type Ok = SqlValue;
    type Error = Unfit;
    type SerializeSeq = No;
    type SerializeTuple = No;
    type SerializeTupleStruct = No;
    type SerializeTupleVariant = No;
    type SerializeMap = No;
    type SerializeStruct = No;
    type SerializeStructVariant = No;

    whole_numbers! {
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32,
    }

    structured! {
        serialize_seq(Option<usize>) -> SerializeSeq;
        serialize_tuple(usize) -> SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> SerializeTupleVariant;
        serialize_map(Option<usize>) -> SerializeMap;
        serialize_struct(&'static str, usize) -> SerializeStruct;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> SerializeStructVariant;
    }

    fn serialize_u64(self, value: u64) -> Result<SqlValue, Unfit> {
        let value = i64::try_from(value);
        value
            .map(SqlValue::Integer)
            .map_err(|_| Unfit::custom("it is more than a column of whole numbers can hold"))
    }

    fn serialize_f32(self, value: f32) -> Result<SqlValue, Unfit> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<SqlValue, Unfit> {
        // The database would make a NULL of it without a word.
        if value.is_nan() { Err(Unfit::custom("it is not a number")) } else { Ok(SqlValue::Real(value)) }
    }

    fn serialize_char(self, value: char) -> Result<SqlValue, Unfit> {
        Ok(SqlValue::Text(value.into()))
    }

    fn serialize_str(self, value: &str) -> Result<SqlValue, Unfit> {
        Ok(SqlValue::Text(value.to_owned()))
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<SqlValue, Unfit> {
        Ok(SqlValue::Blob(value.to_owned()))
    }

    fn serialize_none(self) -> Result<SqlValue, Unfit> {
        Ok(SqlValue::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<SqlValue, Unfit> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<SqlValue, Unfit> {
        Ok(SqlValue::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<SqlValue, Unfit> {
        Ok(SqlValue::Null)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<SqlValue, Unfit> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<SqlValue, Unfit> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<SqlValue, Unfit> {
        Err(Unfit::Structured)
    }
}
