//! A value as the journal stores it: JSON text that was written by serde and reads back by serde.
//! It knows nothing of what the value means.

use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// What can be stored in the journal: serde writes it and reads it back.
#[diagnostic::on_unimplemented(
    message = "WF020: `{Self}` cannot be stored in the journal",
    label = "arguments, results and errors of steps and workflows are recorded",
    note = "derive it: `#[derive(serde::Serialize, serde::Deserialize)]`; it must own its data and be `Send`",
    note = "see docs/errors/WF020.md"
)]
pub trait Storable: Serialize + DeserializeOwned + Send + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Send + 'static> Storable for T {}

/// What a step can borrow: the call keeps an owned copy, which the journal stores.
#[diagnostic::on_unimplemented(
    message = "WF020: `{Self}` cannot be lent to a step",
    label = "the call keeps a copy of what it is lent, and the journal stores it",
    note = "derive it: `#[derive(Clone, serde::Serialize, serde::Deserialize)]`; it must own its data and be `Send`",
    note = "see docs/errors/WF020.md"
)]
pub trait Lendable: ToOwned {}

#[diagnostic::do_not_recommend]
impl<T: ToOwned<Owned: Storable> + ?Sized> Lendable for T {}

/// A type that exists only if `T` can be lent to a step; see [`Stored`].
#[doc(hidden)]
pub struct Lent<T: Lendable + ?Sized>(std::marker::PhantomData<T>);

/// A type that exists only if `T` can be stored: naming it in a signature is the check. A bound would be checked
/// as well, but the compiler would then speak of serde's traits and not of [`Storable`].
#[doc(hidden)]
pub struct Stored<T: Storable>(std::marker::PhantomData<T>);

/// A recorded value.
///
/// ```
/// use workflow_core::Payload;
/// let payload = Payload::of(&("order-42", 1200)).unwrap();
/// assert_eq!(payload.as_json(), r#"["order-42",1200]"#);
/// assert_eq!(payload.read::<(String, u32)>().unwrap().1, 1200);
/// ```
#[derive(Clone)]
pub struct Payload(Arc<RawValue>);

/// A value that cannot be written to, or read from, the journal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PayloadError(pub String);

impl Payload {
    /// Writes a value.
    ///
    /// # Errors
    /// When serde cannot write it as JSON, for example a map whose keys are not text.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<Payload, PayloadError> {
        let raw = serde_json::value::to_raw_value(value).map_err(|error| PayloadError(error.to_string()))?;
        Ok(Payload(Arc::from(raw)))
    }

    /// Takes JSON text as it stands.
    ///
    /// # Errors
    /// When the text is not JSON.
    pub fn from_json(json: String) -> Result<Payload, PayloadError> {
        let raw = RawValue::from_string(json).map_err(|error| PayloadError(error.to_string()))?;
        Ok(Payload(Arc::from(raw)))
    }

    /// The value `null`.
    pub fn null() -> Payload {
        Payload::of(&()).expect("serde writes the unit as null")
    }

    /// Reads the value back.
    ///
    /// # Errors
    /// When the text does not fit the type; the message says where.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, PayloadError> {
        serde_json::from_str(self.0.get()).map_err(|error| PayloadError(error.to_string()))
    }

    /// The JSON text.
    pub fn as_json(&self) -> &str {
        self.0.get()
    }

    pub(crate) fn raw(&self) -> &RawValue {
        &self.0
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Payload) -> bool {
        self.as_json() == other.as_json()
    }
}

impl Eq for Payload {}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_json())
    }
}

impl fmt::Display for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_json())
    }
}

impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Payload, D::Error> {
        Ok(Payload(Arc::from(Box::<RawValue>::deserialize(deserializer)?)))
    }
}
