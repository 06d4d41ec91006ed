//! Members that occur in a JSON object more than once. Parsers differ in which of them they use
//! (RFC 8259, 4), so that none does here.

use std::{cell::RefCell, collections::HashSet, fmt};

use serde::{
    Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};

use super::member;

/// What is wrong with JSON of whatever form.
#[derive(Debug)]
pub enum Flaw {
    /// The member at this pointer (RFC 6901) occurs more than once.
    Repeated(String),
    /// There are more values than so many.
    TooMany,
    /// It is no JSON, or nested too deeply.
    Unreadable(serde_json::Error),
}

/// Looks for the first flaw, with that many values at most. Beside the text it takes memory for the
/// names of the objects that are open.
///
/// # Errors
/// The flaw.
pub fn check(json: &[u8], most: usize) -> Result<(), Flaw> {
    let found = RefCell::new(Found { left: most, path: Vec::new(), flaw: None });
    let mut reader = serde_json::Deserializer::from_slice(json);
    let walked = Walk(&found).deserialize(&mut reader).and_then(|()| reader.end());
    match (found.into_inner().flaw, walked) {
        (Some(flaw), _) => Err(flaw),
        (None, Err(error)) => Err(Flaw::Unreadable(error)),
        (None, Ok(())) => Ok(()),
    }
}

struct Found {
    left: usize,
    /// Where the walk is.
    path: Vec<Step>,
    flaw: Option<Flaw>,
}

enum Step {
    Index(usize),
    Name(String),
}

impl Found {
    fn pointer(&self) -> String {
        self.path.iter().fold(String::new(), |at, step| match step {
            Step::Index(index) => format!("{at}/{index}"),
            Step::Name(name) => member(&at, name),
        })
    }
}

/// Walks through one value.
#[derive(Clone, Copy)]
struct Walk<'a>(&'a RefCell<Found>);

impl Walk<'_> {
    fn enter(self, step: Step) {
        self.0.borrow_mut().path.push(step);
    }

    fn leave(self) {
        self.0.borrow_mut().path.pop();
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let mut found = self.0.borrow_mut();
        let Some(left) = found.left.checked_sub(1) else {
            found.flaw = Some(Flaw::TooMany);
            return Err(D::Error::custom("too many"));
        };
        found.left = left;
        drop(found);
        deserializer.deserialize_any(self)
    }
}

macro_rules! leaves {
    ($($name:ident $type:ty),*) => {$(
        fn $name<E: Error>(self, _: $type) -> Result<(), E> {
            Ok(())
        }
    )*};
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    leaves!(visit_bool bool, visit_i64 i64, visit_u64 u64, visit_f64 f64, visit_str &str);

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        for index in 0.. {
            self.enter(Step::Index(index));
            if sequence.next_element_seed(self)?.is_none() {
                self.leave();
                break;
            }
            self.leave();
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = members.next_key::<String>()? {
            self.enter(Step::Name(name.clone()));
            if !names.insert(name) {
                let mut found = self.0.borrow_mut();
                found.flaw = Some(Flaw::Repeated(found.pointer()));
                return Err(A::Error::custom("repeated"));
            }
            members.next_value_seed(self)?;
            self.leave();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(json: &str) -> Option<String> {
        match check(json.as_bytes(), 100) {
            Ok(()) => None,
            Err(Flaw::Repeated(pointer)) => Some(pointer),
            Err(other) => Some(format!("{other:?}")),
        }
    }

    #[test]
    fn the_first_one_is_named_wherever_it_is() {
        for good in [r#"{"a": 1, "b": [{"a": 1.50}, {"a": -2e9}], "A": null}"#, "[]", "1", "\"\""] {
            assert_eq!(found(good), None, "{good}");
        }
        assert_eq!(found(r#"{"a": 1, "a": 1}"#).as_deref(), Some("/a"));
        assert_eq!(found(r#"{"a": 1, "\u0061": 2, "b": 1, "b": 2}"#).as_deref(), Some("/a"));
        assert_eq!(
            found(r#"[0, {"x/y": {"b": {"c": [], "c": 1}}}]"#).as_deref(),
            Some("/1/x~1y/b/c")
        );
    }

    #[test]
    fn what_cannot_be_walked_through_is_told() {
        assert!(found("{").unwrap().starts_with("Unreadable"));
        assert!(found("1 2").unwrap().starts_with("Unreadable"));
        let deep = check("[".repeat(100_000).as_bytes(), usize::MAX);
        assert!(matches!(deep, Err(Flaw::Unreadable(_))));
        assert_eq!(found(&format!("[{}0]", "0,".repeat(100))).as_deref(), Some("TooMany"));
    }
}
