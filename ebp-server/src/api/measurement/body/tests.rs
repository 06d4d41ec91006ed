//! Reading uploads: by the short and by the long way, whole and as a stream.

use std::io::Write;

use ebp_store::Refusal;
use flate2::{Compression, write::GzEncoder};
use serde_json::Value;
use uuid::Uuid;

use super::*;

const GOOD: &str = r#"{"uuid":"00000000-0000-0000-0000-000000000001",
    "meter":"00000000-0000-0000-0000-000000000002","measured_at":"2026-01-31T12:00:00Z",
    "data":[{"0100010800ff":12345.6789}]}"#;

fn upload(items: &[&str]) -> String {
    format!(r#"{{"measurements":[{}]}}"#, items.join(","))
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(body).unwrap();
    packed.finish().unwrap()
}

/// Reads it as it is sent plain, and by the long ways, which say the same.
fn read_both(body: &str) -> Result<Vec<Item>, ApiError> {
    let plain = read(body.as_bytes(), Packing::Plain).map(|upload| upload.items);
    let by_pieces = pieces::read_slice(body.as_bytes()).map_err(ApiError::from);
    let mut reader = serde_json::Deserializer::from_reader(body.as_bytes());
    let bounds = Bounds::new(usize::MAX, usize::MAX / 2);
    let streamed = pieces::read_stream(&mut reader, &bounds).map_err(ApiError::from);
    for other in [by_pieces, streamed] {
        match (&plain, other) {
            (Ok(plain), Ok(other)) => assert_eq!(*plain, other),
            // Where reading stopped is not counted alike.
            (Err(plain), Err(other)) => assert_eq!(what(plain), what(&other)),
            (plain, other) => panic!("{plain:?} {other:?}"),
        }
    }
    plain
}

fn what(error: &ApiError) -> String {
    let text = text(error);
    text.split(" (line ").next().unwrap().to_owned()
}

fn text(error: &ApiError) -> String {
    match error {
        ApiError::Invalid(what) => what.clone(),
        ApiError::TooLarge(what) => format!("too large: {what}"),
        ApiError::Faults(faults) => faults.iter().map(ToString::to_string).collect(),
        other => panic!("{other:?}"),
    }
}

fn refusal(body: &str) -> String {
    text(&read_both(body).unwrap_err())
}

#[test]
fn a_malformed_one_does_not_hold_up_the_others() {
    let broken = |from: &str, to: &str| {
        let item = GOOD.replace(from, to);
        assert_ne!(item, GOOD);
        let items = read_both(&upload(&[GOOD, &item])).unwrap();
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
fn members_that_are_not_known_are_passed_over() {
    let good = serde_json::from_str(GOOD).map(Item::Measurement).unwrap();
    let more = GOOD.replace("{\"uuid\"", "{\"more\":{\"a\":[1,{\"a\":2}]},\"uuid\"");
    let body = format!(r#"{{"a":1.5,"measurements":[{more}],"b":[null]}}"#);
    assert_eq!(read_both(&body).unwrap(), [good]);
}

#[test]
fn repeated_members_are_refused_by_their_name() {
    let twice = |member: &str| GOOD.replacen('{', &format!("{{{member},"), 1);
    for (name, item) in [
        ("uuid", twice(r#""uuid":"00000000-0000-0000-0000-000000000009""#)),
        ("data", twice(r#""data":[]"#)),
        ("flags", twice(r#""flags":[],"flags":[]"#)),
        ("more", twice(r#""more":"secret","\u006dore":1"#)),
        ("more/b", twice(r#""more":{"b":1,"b":2}"#)),
        ("data/0/0100010800ff", twice(r#""x":1"#).replace("6789}", "6789,\"0100010800ff\":1}")),
    ] {
        let refused = refusal(&upload(&[GOOD, &item]));
        assert_eq!(refused, format!("measurements/1/{name}: occurs more than once"));
    }
    let body = format!(r#"{{"measurements":[],"measurements":[{GOOD}]}}"#);
    assert_eq!(refusal(&body), "measurements: occurs more than once");
    assert_eq!(refusal(r#"{"a":1,"a":1,"measurements":[]}"#), "a: occurs more than once");
    assert_eq!(refusal(r#"{"a":{"b":1,"b":1},"measurements":[]}"#), "a/b: occurs more than once");
}

#[test]
fn what_is_wrong_is_told_without_values() {
    assert_eq!(refusal("{\"measurements\":[}"), "the body is no JSON (line 1, column 18)");
    for wrong in ["[\"secret\"]", "{\"measurements\":\"secret\"}", "{}", "7", "\"secret\""] {
        let refused = refusal(wrong);
        assert!(refused.starts_with("the body must be an object with an array"), "{refused}");
        assert!(!refused.contains("secret"));
    }
    for wrong in ["{\"uuid\":\"secret\"}", "[]", "0", "null", "\"secret\""] {
        let refused = refusal(&upload(&[GOOD, wrong]));
        assert_eq!(refused, "`measurements[1].uuid` is missing or no UUID");
    }
    let deep = upload(&[&"[".repeat(100_000)]);
    assert!(refusal(&deep).starts_with("the body is no JSON"));
    let deep = upload(&[&format!("{}{}", "[".repeat(200), "]".repeat(200))]);
    assert!(refusal(&deep).contains("nested too deeply"));
}

#[test]
fn pieces_and_their_number_are_bounded() {
    let long = GOOD.replace("2026", &"2".repeat(limits::MEASUREMENT_BYTES));
    assert!(refusal(&upload(&[GOOD, &long])).starts_with("too large: a measurement"));
    let long = format!("{{\"a\":{long},\"measurements\":[]}}");
    assert!(refusal(&long).starts_with("too large: a measurement"));
    let members: String = (0..17).map(|i| format!("\"{i}\":0,")).collect();
    assert!(refusal(&format!("{{{members}\"measurements\":[]}}")).contains("16 members"));
    let many = upload(&vec![GOOD; limits::UPLOAD_ITEMS]);
    assert_eq!(read_both(&many).unwrap().len(), limits::UPLOAD_ITEMS);
    let many = upload(&vec![GOOD; limits::UPLOAD_ITEMS + 1]);
    assert!(refusal(&many).contains("more than 10000 measurements"));
    let points = "{\"0100010800ff\":1},".repeat(limits::DATA_POINTS);
    let item = GOOD.replace("\"data\":[", &format!("\"data\":[{points}"));
    let refused = Item::Malformed(Uuid::from_u128(1), Refusal::TooManyPoints);
    assert_eq!(read_both(&upload(&[&item])).unwrap(), [refused]);
}

#[test]
fn a_bomb_is_left_off_at_the_bound() {
    let zeros = vec![b' '; 64 << 20];
    let packed = gzip(&zeros);
    assert!(packed.len() < limits::UPLOAD_BYTES);
    assert!(matches!(read(&packed, Packing::Gzip), Err(ApiError::TooLarge(_))));
    assert!(matches!(read(&[0x1f, 0x8b, 8, 0], Packing::Gzip), Err(ApiError::Invalid(_))));
    let packed = zstd::bulk::compress(&zeros, 3).unwrap();
    assert!(matches!(read(&packed, Packing::Zstd), Err(ApiError::TooLarge(_))));
    assert!(read(&packed[..packed.len() / 2], Packing::Zstd).is_err());
    assert!(matches!(read(b"{}", Packing::Zstd), Err(ApiError::Invalid(_))));
}

/// Of all sizes around what is read at once, up to the largest.
#[test]
fn large_ones_are_read_as_they_are_unpacked() {
    let wide = GOOD.replace("{\"uuid\"", &format!("{{\"more\":\"{}\",\"uuid\"", "x".repeat(1200)));
    for count in [700, 800, 10_000] {
        let body = upload(&vec![wide.as_str(); count]);
        let zstd = zstd::bulk::compress(body.as_bytes(), 3).unwrap();
        for (packed, packing) in [(gzip(body.as_bytes()), Packing::Gzip), (zstd, Packing::Zstd)] {
            let read = read(&packed, packing).unwrap();
            assert_eq!((read.items.len(), read.octets), (count, body.len()), "{packing:?}");
            assert!(matches!(read.items[count - 1], Item::Measurement(_)));
        }
    }
    let broken = {
        let mut packed = gzip(upload(&vec![wide.as_str(); 5000]).as_bytes());
        let end = packed.len() - 4;
        packed[end] ^= 1;
        packed
    };
    assert_eq!(text(&read(&broken, Packing::Gzip).unwrap_err()), "the body is no gzip");
}

proptest::proptest! {
    #[test]
    fn no_body_makes_it_panic(bytes: Vec<u8>, cut in 0..600_usize) {
        let _ = read(&bytes, Packing::Plain);
        let _ = read(&bytes, Packing::Zstd);
        let _ = read(&bytes, Packing::Gzip);
        let text = upload(&[GOOD, GOOD]);
        let _ = read(&text.as_bytes()[..cut.min(text.len())], Packing::Plain);
    }

    /// Whatever is put into a good one, all ways say the same of it.
    #[test]
    fn all_ways_say_the_same(place in 0..700_usize, with in "[\\[\\]{}\",:0a ]{0,3}", length in 0..9_usize) {
        let text = upload(&[GOOD, GOOD]);
        let place = place.min(text.len());
        let end = (place + length).min(text.len());
        if text.is_char_boundary(place) && text.is_char_boundary(end) {
            let body = format!("{}{with}{}", &text[..place], &text[end..]);
            if let (Ok(items), Ok(value)) = (read_both(&body), serde_json::from_str::<Value>(&body)) {
                proptest::prop_assert_eq!(Some(items.len()), value["measurements"].as_array().map(Vec::len));
            }
        }
    }
}
