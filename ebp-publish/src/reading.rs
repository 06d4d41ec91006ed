//! What is published of a meter at an instant, and how the meter is named.

use ebp_core::{model::DataPoint, obis::ObisCode};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Map, Number, Value};
use uuid::Uuid;

/// The namespace of the identifiers that outputs show instead of the survey's.
const NAMESPACE: Uuid = Uuid::from_u128(0x6c1b_44f2_5f0e_4d5c_9a6e_8f3d_27a1_b905);

/// A meter as outputs name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meter {
    /// Its identifier in the survey, or one made of the port's name.
    pub uuid: Uuid,
    /// Its model, if it is known.
    pub model: Option<String>,
}

impl Meter {
    /// A meter of the survey.
    #[must_use]
    pub const fn new(uuid: Uuid, model: Option<String>) -> Self {
        Self { uuid, model }
    }

    /// A meter that no survey knows, at the port of that name: its identifier stays as long as the
    /// name does.
    #[must_use]
    pub fn at_port(port: &str, model: Option<String>) -> Self {
        Self { uuid: Uuid::new_v5(&NAMESPACE, port.as_bytes()), model }
    }

    /// Eight hexadecimal digits of a hash of its identifier, which topics and names contain: they do
    /// not show the identifier itself.
    #[must_use]
    pub fn short_id(&self) -> String {
        let hash = Uuid::new_v5(&NAMESPACE, self.uuid.as_bytes()).simple().to_string();
        hash.chars().take(8).collect()
    }
}

/// What a meter shows: exact values, import and export from the household's side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// When the telegram was complete.
    pub read_at: Timestamp,
    /// Energy from the grid so far, kWh.
    pub import_kwh: Option<Decimal>,
    /// Energy to the grid so far, kWh.
    pub export_kwh: Option<Decimal>,
    /// Power, kW: positive from the grid, negative to the grid.
    pub power_kw: Option<Decimal>,
}

impl Reading {
    /// A reading of nothing yet.
    #[must_use]
    pub const fn new(read_at: Timestamp) -> Self {
        Self { read_at, import_kwh: None, export_kwh: None, power_kw: None }
    }

    /// What of the survey's values is published.
    #[must_use]
    pub fn from_data(read_at: Timestamp, data: &[DataPoint]) -> Self {
        let value = |code| data.iter().find(|point| point.obis == code).map(|point| point.value);
        let positive = value(ObisCode::POSITIVE_POWER);
        let both = || positive?.checked_sub(value(ObisCode::NEGATIVE_POWER)?);
        Self {
            read_at,
            import_kwh: value(ObisCode::POSITIVE_ENERGY),
            export_kwh: value(ObisCode::NEGATIVE_ENERGY),
            power_kw: value(ObisCode::SUM_POWER).or_else(both).or(positive),
        }
    }

    /// The values that are there, with the names that every output uses.
    pub(crate) fn values(&self) -> impl Iterator<Item = (&'static str, Decimal)> {
        [
            ("import_kwh", self.import_kwh),
            ("export_kwh", self.export_kwh),
            ("power_kw", self.power_kw),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
    }

    /// As JSON, with every digit.
    #[cfg_attr(
        not(any(feature = "json", feature = "mqtt")),
        allow(dead_code, reason = "outputs write it")
    )]
    pub(crate) fn to_json(&self) -> Map<String, Value> {
        let mut object = Map::new();
        for (name, value) in self.values() {
            if let Ok(number) = value.to_string().parse::<Number>() {
                object.insert(name.to_owned(), Value::Number(number));
            }
        }
        object.insert("read_at".to_owned(), Value::String(self.read_at.to_string()));
        object
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(obis: ObisCode, value: &str) -> DataPoint {
        DataPoint { obis, value: value.parse().unwrap() }
    }

    #[test]
    fn power_is_the_sum_or_made_of_both_directions() {
        let at = Timestamp::UNIX_EPOCH;
        let power =
            |data: &[DataPoint]| Reading::from_data(at, data).power_kw.map(|kw| kw.to_string());
        let (from, to) =
            (point(ObisCode::POSITIVE_POWER, "0.100"), point(ObisCode::NEGATIVE_POWER, "0.350"));
        assert_eq!(power(&[]), None);
        assert_eq!(power(std::slice::from_ref(&from)).as_deref(), Some("0.100"));
        assert_eq!(power(std::slice::from_ref(&to)), None);
        assert_eq!(power(&[from, to]).as_deref(), Some("-0.250"));
        let sum = point(ObisCode::SUM_POWER, "-0.251");
        assert_eq!(power(&[from, to, sum]).as_deref(), Some("-0.251"));
    }

    #[test]
    fn json_has_every_digit_and_no_null() {
        let data = [point(ObisCode::POSITIVE_ENERGY, "12345.67890")];
        let json = Value::Object(Reading::from_data(Timestamp::UNIX_EPOCH, &data).to_json());
        assert_eq!(
            json.to_string(),
            r#"{"import_kwh":12345.67890,"read_at":"1970-01-01T00:00:00Z"}"#
        );
    }

    #[test]
    fn the_short_identifier_does_not_show_the_survey_s() {
        let uuid: Uuid = "6e9d3c5c-6a0e-4a7e-8b43-0f9ae6d6a002".parse().unwrap();
        let short = Meter::new(uuid, None).short_id();
        assert_eq!(short.len(), 8);
        assert!(!uuid.simple().to_string().contains(&short), "{short}");
        assert_ne!(short, Meter::at_port("/dev/ttyUSB0", None).short_id());
        assert_eq!(Meter::at_port("a", None), Meter::at_port("a", None));
    }
}
