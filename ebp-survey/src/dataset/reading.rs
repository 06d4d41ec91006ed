//! A measurement as the table of readings shows it.

use ebp_core::{contract::StoredMeasurement, model::Flag, obis::ObisCode};
use ebp_dataset::{Energy, Reading};
use rust_decimal::Decimal;

/// A row of readings; instants are microseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct ReadingRow {
    pub measured_at: i64,
    pub received_at: i64,
    pub import: Option<f64>,
    pub export: Option<f64>,
    pub decimals: Option<i8>,
    pub power: Option<f64>,
    pub drawn: Option<f64>,
    pub fed_in: Option<f64>,
    pub flags: u16,
}

impl ReadingRow {
    pub fn new(stored: &StoredMeasurement, reading: &Reading) -> Self {
        let find = |code: ObisCode| {
            stored.data.iter().find(|point| point.obis == code).map(|point| point.value)
        };
        let (import, export) = (find(ObisCode::POSITIVE_ENERGY), find(ObisCode::NEGATIVE_ENERGY));
        let (drawn, fed_in) = (find(ObisCode::POSITIVE_POWER), find(ObisCode::NEGATIVE_POWER));
        let bit = |flag: &Flag| Flag::ALL.iter().position(|one| one == flag);
        let flags = stored.flags.iter().filter_map(bit).fold(0, |bits, place| bits | 1 << place);
        Self {
            measured_at: stored.measured_at.as_microsecond(),
            received_at: stored.received_at.as_microsecond(),
            import: import.and_then(nearest),
            export: export.and_then(nearest),
            decimals: import.or(export).and_then(|value| i8::try_from(value.scale()).ok()),
            power: reading.power.map(|power| Energy(power).to_f64()),
            drawn: drawn.and_then(nearest),
            fed_in: fed_in.and_then(nearest),
            flags,
        }
    }
}

/// The nearest double.
#[expect(clippy::cast_precision_loss, reason = "both are exact below 2^53, and so their quotient")]
fn nearest(value: Decimal) -> Option<f64> {
    const EXACT: i128 = 1 << 53;
    let (mantissa, scale) = (value.mantissa(), value.scale());
    if mantissa.abs() < EXACT && scale <= 22 {
        return Some(mantissa as f64 / 10_f64.powi(i32::try_from(scale).ok()?));
    }
    value.to_string().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_give_the_decimal_back() {
        for text in ["12345.6789", "0.1481", "-0.015", "99999999.9999999", "0.00000001", "7"] {
            let double = nearest(text.parse().unwrap()).unwrap();
            assert_eq!(double.to_string(), text);
        }
        let long: Decimal = "1234567890123.45678901234".parse().unwrap();
        assert_eq!(nearest(long), Some(1_234_567_890_123.456_8));
    }
}
