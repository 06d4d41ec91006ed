//! Numbers for people: `1.234,5 kWh` in German, `1,234.5 kWh` in English.

use rust_decimal::{Decimal, RoundingStrategy};

use super::language::Language;

/// Between a number and its unit: a space at which no line breaks.
const SPACE: char = '\u{a0}';

/// A number with that many decimal places, rounded half away from zero, with groups of three digits.
#[must_use]
pub fn number(language: Language, value: Decimal, places: u32) -> String {
    let (group, point) = match language {
        Language::De => ('.', ','),
        Language::En => (',', '.'),
    };
    let mut value = value.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero);
    value.rescale(places);
    let digits = value.abs().to_string();
    let (whole, part) = digits.split_once('.').unwrap_or((&digits, ""));
    let mut text = String::with_capacity(digits.len() + 8);
    if value.is_sign_negative() && !value.is_zero() {
        text.push('\u{2212}');
    }
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            text.push(group);
        }
        text.push(digit);
    }
    if !part.is_empty() {
        text.push(point);
        text.push_str(part);
    }
    text
}

/// A quantity with its unit.
#[must_use]
pub fn quantity(language: Language, value: Decimal, places: u32, unit: &str) -> String {
    let mut text = number(language, value, places);
    text.push(SPACE);
    text.push_str(unit);
    text
}

/// A share between 0 and 1 as percent.
#[must_use]
pub fn percent(language: Language, share: Decimal) -> String {
    let hundredfold = share.checked_mul(Decimal::ONE_HUNDRED).unwrap_or(share);
    let mut text = number(language, hundredfold, 0);
    if language == Language::De {
        text.push(SPACE);
    }
    text.push('%');
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_look_as_people_write_them() {
        let value: Decimal = "1234.5".parse().unwrap();
        assert_eq!(quantity(Language::De, value, 1, "kWh"), "1.234,5\u{a0}kWh");
        assert_eq!(quantity(Language::En, value, 1, "kWh"), "1,234.5\u{a0}kWh");
        let number = |text: &str, places| number(Language::De, text.parse().unwrap(), places);
        assert_eq!(number("0", 2), "0,00");
        assert_eq!(number("-0.004", 2), "0,00");
        assert_eq!(number("-0.005", 2), "−0,01");
        assert_eq!(number("999999.95", 1), "1.000.000,0");
        assert_eq!(number("123", 0), "123");
        assert_eq!(percent(Language::De, "0.345".parse().unwrap()), "35\u{a0}%");
        assert_eq!(percent(Language::En, "0.344".parse().unwrap()), "34%");
    }

    proptest! {
        /// Both languages write the same digits, and reading them back gives the rounded value.
        #[test]
        fn digits_stay_the_same(mantissa in any::<i64>(), scale in 0..12_u32, places in 0..6_u32) {
            let value = Decimal::new(mantissa, scale);
            let english = number(Language::En, value, places).replace(',', "").replace('−', "-");
            let german = number(Language::De, value, places).replace('.', "").replace(',', ".").replace('−', "-");
            prop_assert_eq!(&english, &german);
            let rounded = value.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero);
            prop_assert_eq!(english.parse::<Decimal>().unwrap(), rounded);
        }
    }
}
