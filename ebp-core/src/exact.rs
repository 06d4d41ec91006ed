//! Numbers in JSON, to their last digit.
//!
//! Enters: a number's text. Leaves: the decimal that equals it, or a refusal. Absent: rounding, and
//! numbers in strings.
//!
//! For serde: `#[serde(with = "ebp_core::exact")]`, and `ebp_core::exact::option` for what may be
//! null.

use rust_decimal::Decimal;
pub use rust_decimal::serde::arbitrary_precision::serialize;
use serde::{Deserialize, Deserializer, de};

/// Reads a number as JSON writes it, with an exponent or without. `None` if no [`Decimal`] equals it.
#[must_use]
pub fn read(number: &str) -> Option<Decimal> {
    // Without an exponent the digits are kept as they stand, with zeros at the end, too.
    Decimal::from_str_exact(number).ok().or_else(|| read_value(number))
}

/// Reads it by its digits that are not zero, so that it is refused only for these.
fn read_value(number: &str) -> Option<Decimal> {
    let (base, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (is_negative, base) = base.strip_prefix('-').map_or((false, base), |base| (true, base));
    let (whole, fraction) = base.split_once('.').unwrap_or((base, ""));
    let digits = [whole, fraction].concat();
    if !digits.bytes().all(|digit| digit.is_ascii_digit()) || whole.is_empty() {
        return None;
    }
    let significant = digits.trim_end_matches('0');
    let behind = i64::try_from(digits.len() - significant.len()).ok()?;
    let significant = significant.trim_start_matches('0');
    if significant.is_empty() {
        return Some(Decimal::ZERO);
    }
    let exponent: i64 = exponent.parse().ok()?;
    let scale = i64::try_from(fraction.len()).ok()?.checked_sub(behind)?.checked_sub(exponent)?;
    let mut mantissa: i128 = significant.parse().ok()?;
    if scale < 0 {
        let power = u32::try_from(scale.checked_neg()?).ok()?;
        mantissa = mantissa.checked_mul(10_i128.checked_pow(power)?)?;
    }
    let mantissa = if is_negative { -mantissa } else { mantissa };
    Decimal::try_from_i128_with_scale(mantissa, u32::try_from(scale.max(0)).ok()?).ok()
}

/// Reads a JSON number; a string that contains a number is refused.
///
/// # Errors
/// Returns an error if there is no number, or one that no [`Decimal`] equals.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    let number = serde_json::Number::deserialize(deserializer)?;
    read(number.as_str()).ok_or_else(|| {
        de::Error::custom("the number is out of range, or has more digits than are kept")
    })
}

/// The same for what may be null.
pub mod option {
    use super::{Decimal, Deserialize, Deserializer};
    pub use rust_decimal::serde::arbitrary_precision_option::serialize;

    #[derive(Deserialize)]
    struct Exact(#[serde(with = "super")] Decimal);

    /// Reads a JSON number or null.
    ///
    /// # Errors
    /// Returns an error if there is neither, or a number that no [`Decimal`] equals.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Decimal>, D::Error> {
        Ok(Option::<Exact>::deserialize(deserializer)?.map(|Exact(number)| number))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Serialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Numbers {
        #[serde(with = "crate::exact")]
        one: Decimal,
        #[serde(with = "crate::exact::option")]
        other: Option<Decimal>,
    }

    fn decimal(text: &str) -> Decimal {
        Decimal::from_str_exact(text).unwrap()
    }

    #[test]
    fn what_is_kept_is_what_was_written() {
        for (number, kept) in [
            ("12.50", "12.50"),
            ("0.00", "0.00"),
            ("1.5e1", "15"),
            ("-1.25E-2", "-0.0125"),
            ("0e400", "0"),
            ("-0.0E-99999999999999999999", "0"),
            ("79228162514264337593543950335e-1", "7922816251426433759354395033.5"),
            ("7922816251426433759354395033.5e1", "79228162514264337593543950335"),
            ("79228162514264337593543950335", "79228162514264337593543950335"),
            ("7922816251426433759354395033500e-2", "79228162514264337593543950335"),
            ("100000000000000000000000000000000000000000e-41", "1"),
            ("0.5000000000000000000000000000000000000000", "0.5"),
            ("1e-28", "0.0000000000000000000000000001"),
        ] {
            let read = read(number).unwrap();
            assert_eq!((read, read.to_string()), (decimal(kept), kept.to_owned()), "{number}");
        }
    }

    #[test]
    fn what_would_be_rounded_is_refused() {
        for number in [
            "0.123456789012345678901234567890123",
            "0.123456789012345678901234567890123e0",
            "79228162514264337593543950335.4e0",
            "79228162514264337593543950336",
            "99999999999999999999999999999e-1",
            "1.23456789012345678901234567895E+1",
            "1e29",
            "1e-29",
            "1e99999999999999999999",
            "1e-9223372036854775808",
        ] {
            assert_eq!(read(number), None, "{number}");
            let numbers = format!(r#"{{"one":1,"other":{number}}}"#);
            assert!(serde_json::from_str::<Numbers>(&numbers).is_err(), "{number}");
            let numbers = format!(r#"{{"one":{number},"other":null}}"#);
            assert!(serde_json::from_str::<Numbers>(&numbers).is_err(), "{number}");
        }
    }

    #[test]
    fn strings_are_no_numbers() {
        let numbers = Numbers { one: decimal("7.480"), other: None };
        let text = r#"{"one":7.480,"other":null}"#;
        assert_eq!(serde_json::to_string(&numbers).unwrap(), text);
        assert_eq!(serde_json::from_str::<Numbers>(text).unwrap(), numbers);
        for text in [r#"{"one":"7.480","other":null}"#, r#"{"one":7.48,"other":"1"}"#] {
            assert!(serde_json::from_str::<Numbers>(text).is_err(), "{text}");
        }
    }

    /// The value as text: sign, digits from the first to the last that is not zero, and the power
    /// of ten of the last one.
    fn value(number: &str) -> (bool, String, i64) {
        let (base, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
        let exponent: i64 = exponent.parse().unwrap();
        let fraction = base.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        let mut digits = base.replace(['-', '.'], "");
        let mut power = exponent - i64::try_from(fraction).unwrap();
        while digits.ends_with('0') {
            digits.pop();
            power += 1;
        }
        let digits = digits.trim_start_matches('0').to_owned();
        if digits.is_empty() { (false, digits, 0) } else { (base.starts_with('-'), digits, power) }
    }

    /// Whether 96 bits and up to 28 digits after the point hold it.
    fn is_held((_, digits, power): &(bool, String, i64)) -> bool {
        const MOST: &str = "79228162514264337593543950335";
        if digits.is_empty() {
            return true;
        }
        let zeros = "0".repeat(usize::try_from((*power).clamp(0, 99)).unwrap());
        let mantissa = format!("{digits}{zeros}");
        *power >= -28 && (mantissa.len(), mantissa.as_str()) <= (MOST.len(), MOST)
    }

    proptest! {
        #[test]
        fn text_and_value_are_equal_or_it_is_refused(
            base in "-?(0|[1-9][0-9]{0,31})(\\.[0-9]{0,30}[0-9])?",
            zeros in 0..4_usize,
            exponent in prop_oneof![
                Just(String::new()), "[eE][+-]?[0-9]{1,2}", "[eE][+-]?[0-9]{1,3}"],
        ) {
            let zeros = if base.contains('.') { "0".repeat(zeros) } else { String::new() };
            let number = format!("{base}{zeros}{exponent}");
            let told: Result<serde_json::Number, _> = serde_json::from_str(&number);
            prop_assert!(told.is_ok(), "{}", number);
            let value_of_text = value(&number);
            match read(&number) {
                Some(read) => prop_assert_eq!(value(&read.to_string()), value_of_text),
                None => prop_assert!(!is_held(&value_of_text), "{}", number),
            }
        }
    }
}
