//! Data points: the registers of a measurement, as values and as JSON.
//!
//! Enters: values, or JSON by serde. Leaves: the same in the other form, digit by digit. Absent:
//! which registers a measurement should have.
//!
//! A server reads and writes the data points of every measurement, so the form in which they are
//! nearly always written has a fast path, [`read_data`] and [`write_data`]. Its results are the
//! same as serde's.

use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeMap};

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

#[derive(Serialize, Deserialize)]
struct Exact(#[serde(with = "crate::exact")] Decimal);

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

/// Writes data points as JSON, byte for byte as serde would, but without formatting each number
/// into a string and parsing it again.
///
/// # Errors
/// Returns an error if the output cannot be written.
pub fn write_data(data: &[DataPoint], to: &mut impl fmt::Write) -> fmt::Result {
    to.write_char('[')?;
    for (place, DataPoint { obis, value }) in data.iter().enumerate() {
        to.write_str(if place == 0 { "{\"" } else { ",{\"" })?;
        let digits = obis.digits();
        to.write_str(str::from_utf8(&digits).map_err(|_| fmt::Error)?)?;
        to.write_str("\":")?;
        write_number(*value, to)?;
        to.write_char('}')?;
    }
    to.write_char(']')
}

/// The same text as [`Decimal`]'s `Display`, which is slower because it uses 96 bits.
fn write_number(value: Decimal, to: &mut impl fmt::Write) -> fmt::Result {
    // At most a digit before the point, the point, and 28 digits after it.
    const ROOM: usize = 32;
    let scale = value.scale() as usize;
    let Ok(mut number) = u64::try_from(value.mantissa().unsigned_abs()) else {
        return write!(to, "{value}");
    };
    let mut text = [b'0'; ROOM];
    let mut start = ROOM;
    let mut behind = 0;
    while number != 0 || behind <= scale {
        if behind == scale && scale != 0 {
            start -= 1;
            text[start] = b'.';
        }
        start -= 1;
        text[start] = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
        behind += 1;
    }
    if value.is_sign_negative() {
        to.write_char('-')?;
    }
    to.write_str(str::from_utf8(&text[start..]).map_err(|_| fmt::Error)?)
}

/// Reads data points that are written as [`write_data`] writes them, with numbers of up to 18
/// digits. `None` for any other text, valid JSON or not: serde reads that, or reports the fault.
#[must_use]
pub fn read_data(text: &str) -> Option<MeasurementData> {
    let mut rest = text.as_bytes().strip_prefix(b"[")?;
    let mut data = Vec::with_capacity(4);
    loop {
        let after = rest.strip_prefix(b"{\"")?;
        let (digits, after) = after.split_first_chunk::<12>()?;
        let obis = ObisCode::of_digits(digits)?;
        let (value, after) = read_number(after.strip_prefix(b"\":")?)?;
        data.push(DataPoint { obis, value });
        rest = match after {
            [b'}', b']'] => return Some(data),
            [b'}', b',', rest @ ..] => rest,
            _ => return None,
        };
    }
}

/// Reads data points from JSON: by the fast path, otherwise by serde.
///
/// # Errors
/// Returns an error if the text is not JSON, or not an array of data points.
pub fn parse_data(text: &str) -> Result<MeasurementData, serde_json::Error> {
    read_data(text).map_or_else(|| serde_json::from_str(text), Ok)
}

/// The JSON number at the start, and the rest.
fn read_number(text: &[u8]) -> Option<(Decimal, &[u8])> {
    const DIGITS: usize = 18;
    let (negative, text) = text.strip_prefix(b"-").map_or((false, text), |text| (true, text));
    let (mut number, mut digits, mut scale) = (0_i64, 0, None);
    let mut place = 0;
    loop {
        match text.get(place)? {
            digit @ b'0'..=b'9' => {
                digits += 1;
                number = number.checked_mul(10)?.checked_add(i64::from(digit - b'0'))?;
                scale = scale.map(|scale| scale + 1);
            }
            b'.' if scale.is_none() && digits > 0 => scale = Some(0),
            _ => break,
        }
        place += 1;
    }
    let whole = digits - scale.unwrap_or(0) as usize;
    let leading = text[0] == b'0' && whole > 1;
    let odd = whole == 0 || digits > DIGITS || leading || scale == Some(0);
    if odd || (negative && number == 0) {
        return None;
    }
    let number = if negative { -number } else { number };
    Some((Decimal::new(number, scale.unwrap_or(0)), &text[place..]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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

    #[test]
    fn other_forms_are_left_to_serde() {
        let odd = [
            "",
            "[]",
            "[{}]",
            "[{\"0100010800ff\":1}",
            "[{\"0100010800ff\":1},]",
            "[{\"0100010800f\":1}]",
            "[{\"0100010800fg\":1}]",
            "[ {\"0100010800ff\":1}]",
            "[{\"0100010800ff\":1}] ",
        ];
        for text in odd {
            assert_eq!(read_data(text), None, "{text}");
        }
        for number in
            ["", "-", "01", "-0", "1.", ".1", "1e3", "1.2.3", "+1", "\"1\"", "1234567890123456789"]
        {
            assert_eq!(read_data(&format!("[{{\"0100010800ff\":{number}}}]")), None, "{number}");
        }
    }

    proptest! {
        #[test]
        fn data_is_written_as_serde_writes_it(
            points in proptest::collection::vec(
                (any::<[u8; 6]>(), any::<(u32, u32, u32, bool)>(), 0..96_u32, 0..=28_u32), 0..4),
        ) {
            let point = |(code, (low, middle, high, negative), shift, scale)| {
                let mantissa = u128::from(high) << 64 | u128::from(middle) << 32 | u128::from(low);
                let mantissa = i128::try_from(mantissa >> shift).unwrap();
                let mut value = Decimal::from_i128_with_scale(mantissa, scale);
                value.set_sign_negative(negative);
                DataPoint { obis: ObisCode(code), value }
            };
            let data: MeasurementData = points.into_iter().map(point).collect();
            let mut written = String::new();
            write_data(&data, &mut written).unwrap();
            prop_assert_eq!(&written, &serde_json::to_string(&data).unwrap());
            prop_assert_eq!(&serde_json::from_str::<MeasurementData>(&written).unwrap(), &data);
            if let Some(read) = read_data(&written) {
                prop_assert_eq!(read, data);
            }
        }

        #[test]
        fn data_is_read_as_serde_reads_it(
            numbers in proptest::collection::vec("-?(0|[1-9][0-9]{0,11})(\\.[0-9]{1,6})?", 1..4),
            (place, other) in (any::<prop::sample::Index>(), any::<char>()),
        ) {
            let points: Vec<_> =
                numbers.iter().map(|number| format!("{{\"0100010800ff\":{number}}}")).collect();
            let text = format!("[{}]", points.join(","));
            let by_serde = |text: &str| serde_json::from_str::<MeasurementData>(text).ok();
            let zero = |number: &String| number.starts_with("-0") && !number.contains(|c| ('1'..='9').contains(&c));
            let read = read_data(&text);
            prop_assert_eq!(read.is_none(), numbers.iter().any(zero));
            if let Some(read) = read {
                let mut written = String::new();
                write_data(&read, &mut written).unwrap();
                prop_assert_eq!((written, Some(read)), (text.clone(), by_serde(&text)));
            }
            // Every text that it accepts is read with the same result.
            let mut odd = text.clone();
            odd.remove(place.index(text.len()));
            odd.insert(place.index(text.len()), other);
            for text in [odd.as_str(), &text[..place.index(text.len())]] {
                let read = read_data(text);
                prop_assert!(read.is_none() || read == by_serde(text), "{}", text);
            }
        }
    }
}
