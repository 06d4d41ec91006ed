//! JSON as The Update Framework signs it: integers only, in the canonical form of OLPC.
//!
//! Parsing is bounded in depth and in the number of values, on top of the bound on bytes that the
//! caller keeps, and refuses what two parsers could read differently: a member that is there twice,
//! fractions, exponents, integers beyond 64 bits, bytes after the end.

use std::{cell::Cell, collections::BTreeMap, fmt};

use serde::{
    Deserializer, Serialize, Serializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
    ser::{SerializeMap, SerializeSeq},
};

/// How many lists and objects may be within each other.
pub const DEEPEST: usize = 16;
/// How many values a document may have.
pub const MOST_VALUES: usize = 50_000;

/// How serde_json hands over a number of arbitrary precision.
const NUMBER: &str = "$serde_json::private::Number";

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A string.
    Text(String),
    /// An array.
    List(Vec<Json>),
    /// An object, its members in the order of their names' code points.
    Object(BTreeMap<String, Json>),
}

impl Json {
    /// Reads a document.
    ///
    /// # Errors
    /// Returns what is wrong with the text: no JSON, too deep, too many values, a member twice, a
    /// number that is no integer of 64 bits.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let mut deserializer = serde_json::Deserializer::from_slice(bytes);
        let left = Cell::new(MOST_VALUES);
        let seed = Seed { left: &left, depth: 0 };
        let value = seed.deserialize(&mut deserializer).map_err(|error| error.to_string())?;
        deserializer.end().map_err(|error| error.to_string())?;
        Ok(value)
    }

    /// The form that is signed: members in order, no spaces, and in strings only `"` and `\` escaped.
    #[must_use]
    pub fn canonical(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write_canonical(&mut out);
        out
    }

    /// The form that is stored: the same without spaces, but valid JSON for any string.
    #[must_use]
    pub fn compact(&self) -> Vec<u8> {
        // A value of ours has no form that serde_json refuses.
        serde_json::to_vec(self).unwrap_or_default()
    }

    fn write_canonical(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.extend(b"null"),
            Self::Bool(true) => out.extend(b"true"),
            Self::Bool(false) => out.extend(b"false"),
            Self::Integer(number) => out.extend(number.to_string().as_bytes()),
            Self::Text(text) => write_text(text, out),
            Self::List(items) => {
                out.push(b'[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    item.write_canonical(out);
                }
                out.push(b']');
            }
            Self::Object(members) => {
                out.push(b'{');
                for (index, (name, value)) in members.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    write_text(name, out);
                    out.push(b':');
                    value.write_canonical(out);
                }
                out.push(b'}');
            }
        }
    }

    /// The member of that name; `None` where there is none, or this is no object.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.members()?.get(name)
    }

    /// The members of an object.
    #[must_use]
    pub fn members(&self) -> Option<&BTreeMap<String, Self>> {
        if let Self::Object(members) = self { Some(members) } else { None }
    }

    /// The items of an array.
    #[must_use]
    pub fn items(&self) -> Option<&[Self]> {
        if let Self::List(items) = self { Some(items) } else { None }
    }

    /// A string's text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// A number from 1.
    #[must_use]
    pub fn positive(&self) -> Option<u64> {
        self.length().filter(|number| *number > 0)
    }

    /// A number from 0.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        if let Self::Integer(number) = self { u64::try_from(*number).ok() } else { None }
    }
}

/// An object of those members.
#[cfg(feature = "author")]
pub fn object<const COUNT: usize>(members: [(&str, Json); COUNT]) -> Json {
    Json::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<u64> for Json {
    /// A number that is too large becomes the largest.
    fn from(number: u64) -> Self {
        Self::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl FromIterator<Json> for Json {
    fn from_iter<I: IntoIterator<Item = Json>>(items: I) -> Self {
        Self::List(items.into_iter().collect())
    }
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for octet in text.bytes() {
        if matches!(octet, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(octet);
    }
    out.push(b'"');
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Integer(number) => serializer.serialize_i64(*number),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                items.iter().try_for_each(|item| list.serialize_element(item))?;
                list.end()
            }
            Self::Object(members) => {
                let mut object = serializer.serialize_map(Some(members.len()))?;
                members.iter().try_for_each(|(name, value)| object.serialize_entry(name, value))?;
                object.end()
            }
        }
    }
}

/// Reads one value, and counts.
#[derive(Clone, Copy)]
struct Seed<'a> {
    left: &'a Cell<usize>,
    depth: usize,
}

impl Seed<'_> {
    fn count<E: Error>(self) -> Result<(), E> {
        let left = self.left.get().checked_sub(1);
        self.left.set(left.ok_or_else(|| E::custom("too many values"))?);
        Ok(())
    }

    fn deeper<E: Error>(self) -> Result<Self, E> {
        if self.depth >= DEEPEST {
            return Err(E::custom("too deep"));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        self.count()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without fractions")
    }

    fn visit_unit<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Json, E> {
        Ok(Json::Integer(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Json, E> {
        i64::try_from(number).map(Json::Integer).map_err(|_| E::custom("an integer is too large"))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Json, E> {
        Ok(Json::from(text))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Json, E> {
        Ok(Json::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let within = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(within)? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let within = self.deeper()?;
        let mut object = BTreeMap::new();
        while let Some(name) = members.next_key::<String>()? {
            if name == NUMBER && object.is_empty() {
                let number: String = members.next_value()?;
                return number
                    .parse()
                    .map(Json::Integer)
                    .map_err(|_| A::Error::custom("a number is no integer of 64 bits"));
            }
            let value = members.next_value_seed(within)?;
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom("a member is there twice"));
            }
        }
        Ok(Json::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn canonical(text: &str) -> String {
        String::from_utf8(Json::parse(text.as_bytes()).unwrap().canonical()).unwrap()
    }

    /// The expected texts are those of securesystemslib 1.6.0's `encode_canonical`.
    #[test]
    fn the_canonical_form() {
        for (text, expected) in [
            (r#" { "y" : 2, "x" : 3 } "#, r#"{"x":3,"y":2}"#),
            (
                r#"{"A":[99,-0,-7,true,false,null,[],{}]}"#,
                r#"{"A":[99,0,-7,true,false,null,[],{}]}"#,
            ),
            (r#""a\"b\\c\u0001\/\u00e9\ud83d\ude00""#, "\"a\\\"b\\\\c\u{1}/é😀\""),
            // In the order of code points, which is not that of UTF-16.
            (r#"{"\ud83d\ude00":1,"\ufb33":2}"#, "{\"\u{fb33}\":2,\"😀\":1}"),
        ] {
            assert_eq!(canonical(text), expected);
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        let many = format!("[{}0]", "0,".repeat(MOST_VALUES));
        for wrong in [
            "",
            "{",
            "1.0",
            "1e3",
            "9223372036854775808",
            "-9223372036854775809",
            "[1] 2",
            "NaN",
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#""\ud800""#,
            "[1,]",
            "01",
            &deep(DEEPEST + 1),
            &deep(100_000),
            &many,
        ] {
            assert!(Json::parse(wrong.as_bytes()).is_err(), "{wrong:.60}");
        }
        assert!(Json::parse(b"\"\xff\"").is_err());
        assert!(Json::parse(deep(DEEPEST).as_bytes()).is_ok());
    }

    pub fn any_json() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::Bool),
            any::<i64>().prop_map(Json::Integer),
            any::<String>().prop_map(Json::Text),
        ];
        leaf.prop_recursive(4, 64, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Json::List),
                proptest::collection::btree_map(any::<String>(), inner, 0..6)
                    .prop_map(Json::Object),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_alike(json in any_json()) {
            prop_assert_eq!(Json::parse(&json.compact()).unwrap(), json);
        }
    }
}
