//! The long way to read an upload: piece by piece, each as its text first, of which there is one at
//! a time and none larger than its bound.

use std::{collections::HashSet, fmt, marker::PhantomData};

use ebp_core::{
    contract::limits,
    model::{Measurement, parse_data},
};
use ebp_store::{
    Faults, Refusal,
    form::{
        self,
        repeated::{self, Flaw},
    },
};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{de::Read, value::RawValue};
use uuid::Uuid;

use super::{
    bounded::Bounds,
    item::{Item, Written, item},
};
use crate::problem::ApiError;

/// Members of the body's object, at most; one is known.
const MEMBERS: usize = 16;

/// Why a body is not read further.
#[derive(Debug)]
pub enum Stopped {
    /// It is not JSON, or does not match the schema; of serde's message only the place is used,
    /// since it quotes what the body says.
    Form(serde_json::Error),
    /// Something about one of its pieces.
    Piece(ApiError),
    /// A measurement, or a member beside them, is too large.
    LargePiece,
}

impl From<Stopped> for ApiError {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Form(error) => {
                let what = if error.is_data() {
                    "the body must be an object with an array `measurements`"
                } else {
                    "the body is no JSON"
                };
                let (line, column) = (error.line(), error.column());
                Self::Invalid(format!("{what} (line {line}, column {column})"))
            }
            Stopped::Piece(error) => error,
            Stopped::LargePiece => Self::TooLarge(format!(
                "a measurement or another member has more than {} bytes",
                limits::MEASUREMENT_BYTES
            )),
        }
    }
}

/// Reads a complete body.
pub fn read_slice(body: &[u8]) -> Result<Vec<Item>, Stopped> {
    let bounds = Bounds::new(usize::MAX, limits::MEASUREMENT_BYTES);
    read::<_, &RawValue>(&mut serde_json::Deserializer::from_slice(body), &bounds)
}

/// Reads a body as it comes.
pub fn read_stream<'de, R: Read<'de>>(
    reader: &mut serde_json::Deserializer<R>,
    bounds: &Bounds,
) -> Result<Vec<Item>, Stopped> {
    read::<_, Box<RawValue>>(reader, bounds)
}

fn read<'de, R: Read<'de>, T: Text<'de>>(
    reader: &mut serde_json::Deserializer<R>,
    bounds: &Bounds,
) -> Result<Vec<Item>, Stopped> {
    let mut reading = Reading { items: Vec::new(), bounds, stopped: None };
    bounds.next_piece();
    let envelope = Envelope::<T>(&mut reading, PhantomData);
    let read = reader.deserialize_map(envelope).and_then(|()| reader.end());
    match (reading.stopped, read) {
        (Some(stopped), _) => Err(stopped),
        (None, Err(error)) => Err(Stopped::Form(error)),
        (None, Ok(())) => Ok(reading.items),
    }
}

/// A piece's text: of the body, or its own.
trait Text<'de>: Deserialize<'de> {
    fn text(&self) -> &str;
}

impl<'de> Text<'de> for &'de RawValue {
    fn text(&self) -> &str {
        self.get()
    }
}

impl<'de> Text<'de> for Box<RawValue> {
    fn text(&self) -> &str {
        self.get()
    }
}

struct Reading<'b> {
    items: Vec<Item>,
    bounds: &'b Bounds,
    stopped: Option<Stopped>,
}

impl Reading<'_> {
    /// serde needs some error; this one is the actual cause.
    fn stop<E: Error>(&mut self, stopped: Stopped) -> E {
        self.stopped = Some(stopped);
        E::custom("stopped")
    }

    /// Takes a piece, of which the next one begins behind.
    fn take<E: Error>(&mut self, text: &str) -> Result<(), E> {
        self.bounds.next_piece();
        if text.len() > limits::MEASUREMENT_BYTES {
            return Err(self.stop(Stopped::LargePiece));
        }
        Ok(())
    }

    fn fail<E: Error>(&mut self, error: ApiError) -> E {
        self.stop(Stopped::Piece(error))
    }
}

struct Envelope<'r, 'b, T>(&'r mut Reading<'b>, PhantomData<T>);

impl<'de, T: Text<'de>> Visitor<'de> for Envelope<'_, '_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with an array `measurements`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let Self(reading, _) = self;
        let mut names = HashSet::new();
        while let Some(name) = members.next_key::<String>()? {
            reading.bounds.next_piece();
            let pointer = form::member("", &name);
            if names.contains(&name) {
                return Err(reading.fail(repeated(pointer)));
            }
            if names.len() == MEMBERS {
                let error = ApiError::TooLarge(format!("the body has more than {MEMBERS} members"));
                return Err(reading.fail(error));
            }
            if name == "measurements" {
                members.next_value_seed(List::<T>(reading, PhantomData))?;
                reading.bounds.next_piece();
            } else {
                // It may contain anything, but each name only once.
                let value = members.next_value::<T>()?;
                reading.take(value.text())?;
                check(value.text(), &pointer).map_err(|error| reading.fail(error))?;
            }
            names.insert(name);
        }
        if names.contains("measurements") {
            Ok(())
        } else {
            Err(A::Error::missing_field("measurements"))
        }
    }
}

struct List<'r, 'b, T>(&'r mut Reading<'b>, PhantomData<T>);

impl<'de, T: Text<'de>> DeserializeSeed<'de> for List<'_, '_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, T: Text<'de>> Visitor<'de> for List<'_, '_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Self(reading, _) = self;
        while let Some(piece) = list.next_element::<T>()? {
            reading.take(piece.text())?;
            let index = reading.items.len();
            if index == limits::UPLOAD_ITEMS {
                let error = ApiError::TooLarge(format!("there are more than {index} measurements"));
                return Err(reading.fail(error));
            }
            let item = measurement(piece.text(), index).map_err(|error| reading.fail(error))?;
            reading.items.push(item);
        }
        Ok(())
    }
}

fn repeated(pointer: String) -> ApiError {
    let mut faults = Faults::default();
    faults.repeated(pointer);
    ApiError::Faults(faults)
}

/// Checks that no member occurs in it twice.
fn check(text: &str, place: &str) -> Result<(), ApiError> {
    // There are no more values than octets.
    repeated::check(text.as_bytes(), limits::MEASUREMENT_BYTES).map_err(|flaw| match flaw {
        Flaw::Repeated(pointer) => repeated(format!("{place}{pointer}")),
        Flaw::TooMany | Flaw::Unreadable(_) => {
            ApiError::Invalid(format!("`{place}` is no JSON, or nested too deeply"))
        }
    })
}

/// The members of a measurement, each as its text.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Members<'a> {
    #[serde(borrow, deserialize_with = "text")]
    uuid: Option<&'a RawValue>,
    #[serde(borrow, deserialize_with = "text")]
    meter: Option<&'a RawValue>,
    #[serde(borrow, deserialize_with = "text")]
    measured_at: Option<&'a RawValue>,
    #[serde(borrow, deserialize_with = "text")]
    data: Option<&'a RawValue>,
    #[serde(borrow, deserialize_with = "text")]
    flags: Option<&'a RawValue>,
}

/// `null` is a text, too.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

fn measurement(text: &str, index: usize) -> Result<Item, ApiError> {
    if let Some(item) = serde_json::from_str::<Written<'_>>(text).ok().and_then(Written::read) {
        return Ok(item);
    }
    check(text, &format!("/measurements/{index}"))?;
    let object = text.starts_with('{');
    let members: Members<'_> =
        if object { serde_json::from_str(text).unwrap_or_default() } else { Members::default() };
    let uuid = member::<Uuid>(members.uuid, "uuid").map_err(|_| {
        ApiError::Invalid(format!("`measurements[{index}].uuid` is missing or no UUID"))
    })?;
    Ok(match members.read(uuid) {
        Ok(measurement) => item(measurement),
        Err(refusal) => Item::Malformed(uuid, refusal),
    })
}

impl Members<'_> {
    fn read(&self, uuid: Uuid) -> Result<Measurement, Refusal> {
        let data = self.data.and_then(|data| parse_data(data.get()).ok());
        Ok(Measurement {
            uuid,
            meter: member(self.meter, "meter")?,
            measured_at: member(self.measured_at, "measured_at")?,
            data: data.ok_or(Refusal::Malformed("data"))?,
            flags: match self.flags {
                Some(_) => member(self.flags, "flags")?,
                None => Vec::new(),
            },
        })
    }
}

fn member<'a, T: Deserialize<'a>>(
    text: Option<&'a RawValue>,
    name: &'static str,
) -> Result<T, Refusal> {
    text.and_then(|text| serde_json::from_str(text.get()).ok()).ok_or(Refusal::Malformed(name))
}
