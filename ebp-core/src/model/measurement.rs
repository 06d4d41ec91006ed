//! A measurement: the survey's data points of one meter at one instant (figure 4.8).

use std::fmt;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeMap};
use uuid::Uuid;

use crate::obis::ObisCode;

/// One value: an OBIS code and the kWh or kW it shows, exactly; `{"0100010800ff": 12345.6789}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataPoint {
    /// Which register.
    pub obis: ObisCode,
    /// Its value in kWh or kW.
    pub value: Decimal,
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for DataPoint {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        use utoipa::openapi::{ObjectBuilder, Type};
        let code = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[0-9a-f]{12}$"));
        ObjectBuilder::new()
            .description(Some("An OBIS code in hexadecimal digits, and the kWh or kW it shows"))
            .property_names(Some(code.build()))
            .additional_properties(Some(ObjectBuilder::new().schema_type(Type::Number)))
            .min_properties(Some(1))
            .max_properties(Some(1))
            .into()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for DataPoint {}

#[derive(Serialize)]
struct Exact(#[serde(with = "rust_decimal::serde::arbitrary_precision")] Decimal);

/// Reads a number, digit by digit, and nothing else: a text that looks like one is none.
impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = serde_json::Number::deserialize(deserializer)?;
        Decimal::from_str_exact(number.as_str())
            .or_else(|_| Decimal::from_scientific(number.as_str()))
            .map(Self)
            .map_err(|_| de::Error::custom("the number is out of range"))
    }
}

impl Serialize for DataPoint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(&self.obis, &Exact(self.value))?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for DataPoint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneEntry;
        impl<'de> de::Visitor<'de> for OneEntry {
            type Value = DataPoint;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of one entry, a hexadecimal OBIS code and its value")
            }
            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<DataPoint, A::Error> {
                let (obis, Exact(value)) =
                    map.next_entry()?.ok_or_else(|| de::Error::custom("the object is empty"))?;
                if map.next_key::<de::IgnoredAny>()?.is_some() {
                    return Err(de::Error::custom("the object has more than one entry"));
                }
                Ok(DataPoint { obis, value })
            }
        }
        deserializer.deserialize_map(OneEntry)
    }
}

/// The data points of a measurement.
pub type MeasurementData = Vec<DataPoint>;

/// Writes data points as JSON, digit by digit what serde makes of them, which makes a text of each
/// number first and reads it again. A server does this for every measurement that it stores.
///
/// # Errors
/// Those of what is written to.
pub fn write_data(data: &[DataPoint], to: &mut impl fmt::Write) -> fmt::Result {
    to.write_char('[')?;
    for (place, DataPoint { obis, value }) in data.iter().enumerate() {
        to.write_str(if place == 0 { "{\"" } else { ",{\"" })?;
        let digits = obis.digits();
        to.write_str(str::from_utf8(&digits).map_err(|_| fmt::Error)?)?;
        write!(to, "\":{value}}}")?;
    }
    to.write_char(']')
}

/// What is doubtful about a measurement. It is kept and sent all the same: whoever evaluates the
/// data decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Flag {
    /// An energy register shows less than it showed before.
    RegisterRanBackwards,
    /// A power is beyond what the meter can carry, or an energy register grew faster than it can.
    PowerOutOfRange,
    /// The device's clock was not synchronised when it measured; the time was set right afterwards.
    ClockCorrected,
}

impl Flag {
    /// All of them, in the order in which a measurement lists them.
    pub const ALL: [Self; 3] =
        [Self::RegisterRanBackwards, Self::PowerOutOfRange, Self::ClockCorrected];

    /// The name on the wire and in databases.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RegisterRanBackwards => "register-ran-backwards",
            Self::PowerOutOfRange => "power-out-of-range",
            Self::ClockCorrected => "clock-corrected",
        }
    }
}

/// What a meter showed at an instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Measurement {
    /// Identifies the measurement for ever; sending it again changes nothing.
    pub uuid: Uuid,
    /// The meter's identifier in the survey.
    pub meter: Uuid,
    /// When the telegram was complete, UTC.
    pub measured_at: Timestamp,
    /// The data points.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<DataPoint>))]
    pub data: MeasurementData,
    /// What is doubtful about it, each once; absent where nothing is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<Flag>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn flags_are_named_as_on_the_wire() {
        for flag in Flag::ALL {
            assert_eq!(serde_json::to_value(flag).unwrap(), flag.name());
        }
    }

    #[test]
    fn data_keeps_every_digit() {
        let text = r#"[{"0100010800ff":12345.6789},{"0100100700ff":0.015}]"#;
        let data: MeasurementData = serde_json::from_str(text).unwrap();
        assert_eq!(data[0].obis, ObisCode::POSITIVE_ENERGY);
        assert_eq!(serde_json::to_string(&data).unwrap(), text);
    }

    #[test]
    fn an_entry_is_one_pair() {
        for text in [
            "[{}]",
            r#"[{"0100010800ff":1,"0100020800ff":2}]"#,
            r#"[{"01":1}]"#,
            r#"[{"0100010800ff":"1"}]"#,
        ] {
            assert!(serde_json::from_str::<MeasurementData>(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn data_is_written_as_serde_writes_it(
            points in proptest::collection::vec((any::<[u8; 6]>(), any::<i64>(), 0..=28_u32), 0..4),
        ) {
            let point = |(code, number, scale)| DataPoint {
                obis: ObisCode(code),
                value: Decimal::new(number, scale),
            };
            let data: MeasurementData = points.into_iter().map(point).collect();
            let mut written = String::new();
            write_data(&data, &mut written).unwrap();
            prop_assert_eq!(&written, &serde_json::to_string(&data).unwrap());
            prop_assert_eq!(serde_json::from_str::<MeasurementData>(&written).unwrap(), data);
        }
    }
}
