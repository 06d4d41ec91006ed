//! Searches bytes for what must not be in a release (rule R3).

use aho_corasick::{AhoCorasick, BuildError};

/// What must not be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needle {
    /// What it is, without its value.
    pub what: &'static str,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Whether it counts only where no letter or digit stands beside it.
    pub is_word: bool,
}

impl Needle {
    /// A text, wherever it stands.
    #[must_use]
    pub fn text(what: &'static str, text: &str) -> Self {
        Self { what, bytes: text.as_bytes().to_vec(), is_word: false }
    }

    /// A text that stands by itself.
    #[must_use]
    pub fn word(what: &'static str, text: &str) -> Self {
        Self { is_word: true, ..Self::text(what, text) }
    }

    /// Bytes.
    #[must_use]
    pub const fn bytes(what: &'static str, bytes: Vec<u8>) -> Self {
        Self { what, bytes, is_word: false }
    }
}

/// Finds any of many needles in one pass, whether letters are capital or not.
#[derive(Debug)]
pub struct Finder {
    needles: Vec<Needle>,
    automaton: AhoCorasick,
}

impl Finder {
    /// Of these; empty ones are left out.
    ///
    /// # Errors
    /// [`BuildError`] if they are too many for the machine.
    pub fn new(mut needles: Vec<Needle>) -> Result<Self, BuildError> {
        needles.retain(|needle| needle.bytes.len() >= 3);
        let patterns = needles.iter().map(|needle| &needle.bytes);
        let automaton = AhoCorasick::builder().ascii_case_insensitive(true).build(patterns)?;
        Ok(Self { needles, automaton })
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.needles.len()
    }

    /// What is found first in some bytes, if anything is.
    #[must_use]
    pub fn find(&self, bytes: &[u8]) -> Option<&'static str> {
        let is_letter = |place: Option<usize>| {
            place.and_then(|place| bytes.get(place)).is_some_and(u8::is_ascii_alphanumeric)
        };
        self.automaton.find_overlapping_iter(bytes).find_map(|found| {
            let needle = self.needles.get(found.pattern().as_usize())?;
            let alone = !is_letter(found.start().checked_sub(1)) && !is_letter(Some(found.end()));
            (!needle.is_word || alone).then_some(needle.what)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needles_are_found_in_every_form() {
        let finder = Finder::new(vec![
            Needle::text("an e-mail address", "alice@example.org"),
            Needle::word("a postal code", "53113"),
            Needle::bytes("an identifier", vec![0, 159, 146, 150]),
            Needle::text("nothing", ""),
        ])
        .unwrap();
        assert_eq!(finder.count(), 3);
        assert_eq!(finder.find(b"to Alice@Example.org."), Some("an e-mail address"));
        assert_eq!(finder.find(b"x,53113,y"), Some("a postal code"));
        assert_eq!(finder.find(b"153113 53113a"), None);
        assert_eq!(finder.find(b"\x01\x00\x9f\x92\x96"), Some("an identifier"));
        assert_eq!(finder.find(b"nothing"), None);
    }
}
