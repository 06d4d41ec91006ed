//! The short way to read an upload: of the form that devices send, without any fault.

use std::fmt;

use ebp_core::contract::limits;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};

use super::item::{Item, Written};

/// The measurements, or nothing where the long way has to be taken.
pub fn read(body: &[u8]) -> Option<Vec<Item>> {
    let mut items = Vec::new();
    let mut reader = serde_json::Deserializer::from_slice(body);
    reader.deserialize_map(Envelope(&mut items)).and_then(|()| reader.end()).ok()?;
    Some(items)
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum Member {
    Measurements,
}

struct Envelope<'i>(&'i mut Vec<Item>);

impl<'de> Visitor<'de> for Envelope<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with the array `measurements` alone")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let Some(Member::Measurements) = members.next_key()? else {
            return Err(A::Error::missing_field("measurements"));
        };
        members.next_value_seed(List(self.0))?;
        match members.next_key()? {
            None => Ok(()),
            Some(Member::Measurements) => Err(A::Error::duplicate_field("measurements")),
        }
    }
}

struct List<'i>(&'i mut Vec<Item>);

impl<'de> DeserializeSeed<'de> for List<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("measurements")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(written) = list.next_element::<Written<'_>>()? {
            if self.0.len() == limits::UPLOAD_ITEMS {
                return Err(A::Error::custom("too many"));
            }
            self.0.push(written.read().ok_or_else(|| A::Error::custom("no data points"))?);
        }
        Ok(())
    }
}
