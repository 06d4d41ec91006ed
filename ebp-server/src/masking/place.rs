//! An address as it is remembered: a keyed hash of what two ways of writing it have in common.
//!
//! Enters: an address. Leaves: [`Place`]. Absent: the address. Flats of one house are one place;
//! addresses that differ in more than spelling are not.

use std::fmt;

use ebp_core::model::Address;
use ring::hmac;

/// The keyed hash of an address. Who has no key cannot tell which address it is of; who has the
/// key can try all the country's addresses.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place(pub [u8; 32]);

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Place(redacted)")
    }
}

impl Place {
    /// An address' under that key.
    #[must_use]
    pub fn of(key: &hmac::Key, address: &Address) -> Self {
        let tag = hmac::sign(key, normalised(address).as_bytes());
        let mut place = [0; 32];
        place.copy_from_slice(tag.as_ref());
        Self(place)
    }
}

/// Country, postal code, street and number without regard to case, blanks, punctuation, umlauts'
/// spelling and the abbreviation of "Straße". The city is left out: the postal code says it, and it
/// is spelt in many ways.
pub(crate) fn normalised(address: &Address) -> String {
    let Address { street, postal_code, country, .. } = address;
    let code: String = postal_code.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("{country}\n{}\n{}", code.to_ascii_uppercase(), normalised_street(street))
}

fn normalised_street(street: &str) -> String {
    let mut plain = String::with_capacity(street.len());
    for letter in street.chars().flat_map(char::to_lowercase) {
        match letter {
            'ä' => plain.push_str("ae"),
            'ö' => plain.push_str("oe"),
            'ü' => plain.push_str("ue"),
            'ß' => plain.push_str("ss"),
            // What marks a letter that was written as two characters.
            '\u{308}' => plain.push('e'),
            letter if letter.is_alphanumeric() => plain.push(letter),
            _ => plain.push(' '),
        }
    }
    let mut normal = String::with_capacity(plain.len());
    for word in plain.split_whitespace() {
        // 12 3 is not 123.
        if normal.ends_with(|last: char| last.is_ascii_digit())
            && word.starts_with(|first: char| first.is_ascii_digit())
        {
            normal.push(' ');
        }
        // The number may follow without a blank.
        let letters = word.find(|c: char| c.is_ascii_digit()).unwrap_or(word.len());
        let (name, number) = word.split_at(letters);
        normal.push_str(name);
        if name.ends_with("str") {
            normal.push_str("asse");
        }
        normal.push_str(number);
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(street: &str, postal_code: &str, city: &str) -> Address {
        let [street, postal_code, city, country] =
            [street, postal_code, city, "DE"].map(str::to_owned);
        Address { street, postal_code, city, country }
    }

    #[test]
    fn one_house_is_one_place_however_it_is_written() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"a key");
        let house = Place::of(&key, &address("Königstraße 17 a", "51147", "Köln"));
        for (street, city) in [
            ("Königstr. 17a", "Köln-Porz"),
            ("KÖNIGSTRASSE 17A", "KÖLN"),
            ("Koenigstrasse  17 A", "Cologne"),
            ("König-Straße 17a", "Köln"),
            ("König Str 17a", "Köln"),
            ("Ko\u{308}nigstr.17a", "Köln"),
        ] {
            assert_eq!(Place::of(&key, &address(street, " 51147", city)), house, "{street}");
        }
        let others = [
            address("Königstraße 17 b", "51147", "Köln"),
            address("Königstraße 17", "51147", "Köln"),
            address("Königstraße 1 7 a", "51147", "Köln"),
            address("Königsweg 17 a", "51147", "Köln"),
            address("Königstraße 17 a", "51149", "Köln"),
        ];
        for other in others {
            assert_ne!(Place::of(&key, &other), house);
        }
        let other_key = hmac::Key::new(hmac::HMAC_SHA256, b"another key");
        assert_ne!(Place::of(&other_key, &address("Königstraße 17 a", "51147", "Köln")), house);
        assert_eq!(format!("{house:?}"), "Place(redacted)");
    }
}
