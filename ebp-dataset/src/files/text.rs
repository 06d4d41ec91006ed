//! Values as texts: in CSV files, keys and messages.

use jiff::Timestamp;

use crate::calendar::day_of;

/// An instant as `2026-01-31T12:00:00Z`, with as many decimals of the second as it has.
pub(super) fn instant(micros: i64) -> String {
    Timestamp::from_microsecond(micros).map_or_else(|_| micros.to_string(), |at| at.to_string())
}

/// A day as `2026-01-31`.
pub(super) fn day(days: i32) -> String {
    day_of(days.into()).map_or_else(|| days.to_string(), |day| day.to_string())
}

/// A number by as few digits as give it back, without an exponent.
pub(super) fn number(value: f64) -> String {
    // Negative zero is none.
    if value == 0.0 { "0".to_owned() } else { value.to_string() }
}

/// A text that no spreadsheet takes for a formula.
pub(super) fn harmless(text: &str) -> std::borrow::Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}").into()
    } else {
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_the_same_everywhere() {
        assert_eq!(instant(1_769_860_801_500_000), "2026-01-31T12:00:01.5Z");
        assert_eq!(instant(1_769_860_800_000_000), "2026-01-31T12:00:00Z");
        assert_eq!((day(0).as_str(), day(20_484).as_str()), ("1970-01-01", "2026-01-31"));
        // A file may name a day that no calendar has.
        assert_eq!(day(i32::MAX), "2147483647");
        assert_eq!((number(-0.0).as_str(), number(0.1481).as_str()), ("0", "0.1481"));
        assert_eq!(
            (number(12345.6789).as_str(), number(1e-8).as_str()),
            ("12345.6789", "0.00000001")
        );
        assert_eq!((harmless("=SUM(A1)").as_ref(), harmless("P1").as_ref()), ("'=SUM(A1)", "P1"));
    }
}
