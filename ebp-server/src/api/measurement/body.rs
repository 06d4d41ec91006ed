//! An upload's body: received, unpacked and read, each within its bounds.

use std::io::Read;

use axum::{
    body::Bytes,
    http::{HeaderMap, header},
};
use ebp_core::{
    contract::limits,
    model::{Flag, Measurement, parse_data},
};
use flate2::read::MultiGzDecoder;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use uuid::Uuid;

use crate::{problem::ApiError, store::Refusal};

/// The largest window that is unpacked, as a power of two: 8 MiB (RFC 9659).
const ZSTD_WINDOW: u32 = 23;

/// How a body is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// Not at all.
    Plain,
    /// As gzip (RFC 1952).
    Gzip,
    /// As zstd (RFC 8878).
    Zstd,
}

impl Packing {
    /// What the headers say. The body's type may be left unsaid, but not be another than JSON.
    pub fn of(headers: &HeaderMap) -> Result<Self, ApiError> {
        let text = |name| match headers.get(name) {
            None => Ok(None),
            Some(value) => value.to_str().map(Some).map_err(|_| ApiError::UnsupportedMedia),
        };
        let essence = |value: &str| value.split(';').next().unwrap_or("").trim().to_lowercase();
        if text(header::CONTENT_TYPE)?.is_some_and(|value| essence(value) != "application/json") {
            return Err(ApiError::UnsupportedMedia);
        }
        match text(header::CONTENT_ENCODING)?.map(|value| value.trim().to_lowercase()).as_deref() {
            None | Some("identity") => Ok(Self::Plain),
            Some("gzip" | "x-gzip") => Ok(Self::Gzip),
            Some("zstd") => Ok(Self::Zstd),
            Some(_) => Err(ApiError::UnsupportedMedia),
        }
    }
}

/// Unpacks the body; a bomb is left off at the bound.
pub fn unpack(packed: Bytes, packing: Packing) -> Result<Bytes, ApiError> {
    let mut unpacked = Vec::new();
    let mut read = |from: &mut dyn Read, name: &str| {
        from.take(limits::UPLOAD_UNPACKED_BYTES as u64 + 1)
            .read_to_end(&mut unpacked)
            .map_err(|_| ApiError::Invalid(format!("the body is no {name}")))
    };
    match packing {
        Packing::Plain => return Ok(packed),
        Packing::Gzip => read(&mut MultiGzDecoder::new(&packed[..]), "gzip")?,
        Packing::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::new(&packed[..])
                .map_err(|error| ApiError::Internal(error.to_string()))?;
            decoder
                .window_log_max(ZSTD_WINDOW)
                .map_err(|error| ApiError::Internal(error.to_string()))?;
            read(&mut decoder, "zstd")?
        }
    };
    if unpacked.len() > limits::UPLOAD_UNPACKED_BYTES {
        return Err(ApiError::TooLarge(format!(
            "the body unpacks to more than {} bytes",
            limits::UPLOAD_UNPACKED_BYTES
        )));
    }
    Ok(unpacked.into())
}

/// A measurement as far as it could be read: whole, or its identifier and why not.
#[derive(Debug, PartialEq, Eq)]
pub enum Item {
    /// Whole.
    Measurement(Measurement),
    /// One that cannot be stored.
    Malformed(Uuid, Refusal),
}

/// Reads the measurements. One that is malformed does not hold up the others, unless its
/// identifier is, by which the answer would name it.
pub fn read(body: &[u8]) -> Result<Vec<Item>, ApiError> {
    let items = match read_whole(body) {
        Ok(items) => items,
        Err(_) => read_one_by_one(body)?,
    };
    if items.len() > limits::UPLOAD_ITEMS {
        let most = limits::UPLOAD_ITEMS;
        return Err(ApiError::TooLarge(format!("there are more than {most} measurements")));
    }
    Ok(items)
}

/// An [`UploadRequest`](ebp_core::contract::UploadRequest), with the data points as their text.
#[derive(Deserialize)]
struct Upload<'a> {
    #[serde(borrow)]
    measurements: Vec<Whole<'a>>,
}

#[derive(Deserialize)]
struct Whole<'a> {
    uuid: Uuid,
    meter: Uuid,
    measured_at: Timestamp,
    #[serde(borrow)]
    data: &'a RawValue,
    #[serde(default)]
    flags: Vec<Flag>,
}

fn read_whole(body: &[u8]) -> Result<Vec<Item>, serde_json::Error> {
    let upload: Upload = serde_json::from_slice(body)?;
    let whole = |whole: Whole| {
        let data = parse_data(whole.data.get())?;
        let Whole { uuid, meter, measured_at, flags, .. } = whole;
        Ok(Item::Measurement(Measurement { uuid, meter, measured_at, data, flags }))
    };
    upload.measurements.into_iter().map(whole).collect()
}

fn read_one_by_one(body: &[u8]) -> Result<Vec<Item>, ApiError> {
    #[derive(Deserialize)]
    struct Loose {
        measurements: Vec<Value>,
    }
    let loose: Loose = serde_json::from_slice(body).map_err(|error| {
        // The error's own text would repeat what the body says.
        let what = if error.is_data() {
            "the body must be an object with an array `measurements`"
        } else {
            "the body is no JSON"
        };
        let (line, column) = (error.line(), error.column());
        ApiError::Invalid(format!("{what} (line {line}, column {column})"))
    })?;
    loose
        .measurements
        .into_iter()
        .enumerate()
        .map(|(index, value)| {
            let uuid = member::<Uuid>(&value, "uuid").map_err(|_| {
                ApiError::Invalid(format!("`measurements[{index}].uuid` is missing or no UUID"))
            })?;
            Ok(match measurement(uuid, &value) {
                Ok(measurement) => Item::Measurement(measurement),
                Err(refusal) => Item::Malformed(uuid, refusal),
            })
        })
        .collect()
}

fn measurement(uuid: Uuid, value: &Value) -> Result<Measurement, Refusal> {
    Ok(Measurement {
        uuid,
        meter: member(value, "meter")?,
        measured_at: member(value, "measured_at")?,
        data: member(value, "data")?,
        flags: match value.get("flags") {
            Some(_) => member(value, "flags")?,
            None => Vec::new(),
        },
    })
}

fn member<'a, T: Deserialize<'a>>(value: &'a Value, name: &'static str) -> Result<T, Refusal> {
    value.get(name).and_then(|member| T::deserialize(member).ok()).ok_or(Refusal::Malformed(name))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    const GOOD: &str = r#"{"uuid":"00000000-0000-0000-0000-000000000001",
        "meter":"00000000-0000-0000-0000-000000000002","measured_at":"2026-01-31T12:00:00Z",
        "data":[{"0100010800ff":12345.6789}]}"#;

    fn upload(items: &[&str]) -> String {
        format!(r#"{{"measurements":[{}]}}"#, items.join(","))
    }

    #[test]
    fn a_malformed_one_does_not_hold_up_the_others() {
        let broken = |from: &str, to: &str| {
            let item = GOOD.replace(from, to);
            assert_ne!(item, GOOD);
            let items = read(upload(&[GOOD, &item]).as_bytes()).unwrap();
            let good = serde_json::from_str(GOOD).unwrap();
            assert_eq!(items[0], Item::Measurement(good));
            match &items[1] {
                Item::Malformed(uuid, Refusal::Malformed(name)) => {
                    assert_eq!(*uuid, Uuid::from_u128(1));
                    *name
                }
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(broken("12345.6789", "\"12345.6789\""), "data");
        assert_eq!(broken("12345.6789", "null"), "data");
        assert_eq!(broken("12345.6789", "1e999"), "data");
        assert_eq!(broken("0100010800ff", "1.8.0"), "data");
        assert_eq!(broken("2026-01-31T", "2026-02-31T"), "measured_at");
        assert_eq!(broken("000000000002", ""), "meter");
        assert_eq!(broken("\"data\"", "\"date\""), "data");
        for flags in ["[\"odd\"]", "null", "\"clock-corrected\""] {
            assert_eq!(broken("\"data\"", &format!("\"flags\":{flags},\"data\"")), "flags");
        }
    }

    #[test]
    fn what_is_wrong_is_told_without_values() {
        let told = |body: &str| match read(body.as_bytes()).unwrap_err() {
            ApiError::Invalid(what) => what,
            other => panic!("{other:?}"),
        };
        assert_eq!(told("{\"measurements\":[}"), "the body is no JSON (line 1, column 18)");
        assert_eq!(
            told("[\"secret\"]"),
            "the body must be an object with an array `measurements` (line 1, column 9)"
        );
        assert_eq!(
            told(&upload(&[GOOD, "{\"uuid\":\"secret\"}"])),
            "`measurements[1].uuid` is missing or no UUID"
        );
        let deep = upload(&[&"[".repeat(100_000)]);
        assert!(told(&deep).starts_with("the body is no JSON"));
    }

    #[test]
    fn a_bomb_is_left_off_at_the_bound() {
        let mut packed = GzEncoder::new(Vec::new(), Compression::best());
        let zeros = vec![b' '; 1 << 20];
        for _ in 0..64 {
            packed.write_all(&zeros).unwrap();
        }
        let packed = packed.finish().unwrap();
        assert!(packed.len() < limits::UPLOAD_BYTES);
        assert!(matches!(unpack(packed.into(), Packing::Gzip), Err(ApiError::TooLarge(_))));
        let cut = Bytes::from_static(&[0x1f, 0x8b, 8, 0]);
        assert!(matches!(unpack(cut, Packing::Gzip), Err(ApiError::Invalid(_))));
        let packed: Bytes = zstd::bulk::compress(&zeros.repeat(64), 3).unwrap().into();
        assert!(packed.len() < limits::UPLOAD_BYTES);
        let cut = packed.slice(..packed.len() / 2);
        assert!(matches!(unpack(packed, Packing::Zstd), Err(ApiError::TooLarge(_))));
        assert!(unpack(cut, Packing::Zstd).is_err());
        let other = Bytes::from_static(b"{}");
        assert!(matches!(unpack(other, Packing::Zstd), Err(ApiError::Invalid(_))));
    }

    proptest::proptest! {
        #[test]
        fn no_body_makes_it_panic(bytes: Vec<u8>, cut in 0..600_usize) {
            let _ = read(&bytes);
            let bytes = Bytes::from(bytes);
            let _ = unpack(bytes.clone(), Packing::Zstd);
            let _ = unpack(bytes, Packing::Gzip);
            let text = upload(&[GOOD, GOOD]);
            let _ = read(&text.as_bytes()[..cut.min(text.len())]);
        }
    }

    #[test]
    fn packings() {
        let of = |name: &'static str, value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            Packing::of(&headers).ok()
        };
        assert_eq!(of("content-encoding", "GZIP"), Some(Packing::Gzip));
        assert_eq!(of("content-encoding", "zstd"), Some(Packing::Zstd));
        assert_eq!(of("content-encoding", "br"), None);
        assert_eq!(of("content-encoding", "gzip, gzip"), None);
        assert_eq!(of("content-type", "application/json; charset=utf-8"), Some(Packing::Plain));
        assert_eq!(of("content-type", "text/plain"), None);
    }
}
