//! A normal form of addresses, so that the same address is found however it is spelt. All flats of
//! a house have the same form; addresses that differ in more than spelling don't.

use ebp_core::model::Address;

/// Country, postal code, street and number without regard to case, blanks, punctuation, umlauts'
/// spelling and the abbreviation of "Straße". The city is left out: the postal code determines it,
/// and it is spelt in many ways.
pub fn normalised(address: &Address) -> String {
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
            // Marks a letter that was written as two characters.
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

    fn address(street: &str, postal_code: &str, city: &str) -> String {
        let [street, postal_code, city, country] =
            [street, postal_code, city, "DE"].map(str::to_owned);
        normalised(&Address { street, postal_code, city, country })
    }

    #[test]
    fn one_house_is_one_however_it_is_written() {
        let house = address("Königstraße 17 a", "51147", "Köln");
        for (street, city) in [
            ("Königstr. 17a", "Köln-Porz"),
            ("KÖNIGSTRASSE 17A", "KÖLN"),
            ("Koenigstrasse  17 A", "Cologne"),
            ("König-Straße 17a", "Köln"),
            ("König Str 17a", "Köln"),
            ("Ko\u{308}nigstr.17a", "Köln"),
        ] {
            assert_eq!(address(street, " 51147", city), house, "{street}");
        }
        for other in [
            address("Königstraße 17 b", "51147", "Köln"),
            address("Königstraße 17", "51147", "Köln"),
            address("Königstraße 1 7 a", "51147", "Köln"),
            address("Königsweg 17 a", "51147", "Köln"),
            address("Königstraße 17 a", "51149", "Köln"),
        ] {
            assert_ne!(other, house);
        }
    }
}
