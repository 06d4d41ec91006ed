//! Every cause by recordings of real use, and by what may not be taken for it.

mod byte_text;
mod foreign;
mod holes;
mod terminal;

use proptest::{collection::vec, prelude::*};

use super::*;
use crate::sml::encode::{EncodeEntry, EncodeInt, EncodeValue, Telegram, encode};
use ebp_core::{obis::ObisCode, quantity::Unit};

const BUFFER: &[u8] = include_bytes!("../../tests/damaged/s06_q3c_buffer_overrun.raw");
const BITS: &[u8] = include_bytes!("../../tests/damaged/s08b_lgz_bit_lost_only.raw");
const BITS_AND_WHOLE: &[u8] = include_bytes!("../../tests/damaged/s08_lgz_bit_lost.raw");
const ICRNL: &[u8] = include_bytes!("../../tests/damaged/s09b_emh_icrnl.raw");
const CR_IN_VALUE: &[u8] = include_bytes!("../../tests/damaged/s09_emh_cr_in_value.raw");
const PAFAL: &[u8] = include_bytes!("../../tests/damaged/d24_pafal_ec3gr.raw");
const ZMD310: &[u8] = include_bytes!("../../tests/damaged/d20_lgz_zmd310.raw");

/// A telegram of a running meter with that many entries.
fn telegram(count: i64, entries: u8) -> Vec<u8> {
    let entry = |tariff| EncodeEntry {
        obis: ObisCode([1, 0, 1, 8, tariff, 255]),
        status: None,
        sec_index: None,
        unit: Some(Unit::WATT_HOUR),
        scaler: Some(-1),
        value: EncodeValue::Int(EncodeInt::signed(221_558_112 + count * 7919, 8)),
    };
    encode(&Telegram {
        server_id: vec![0x0a, 1, b'I', b'S', b'K', 0, 0, 0, 0, 1],
        file_id: u32::try_from(count).unwrap(),
        sec_index: Some(4711 + u32::try_from(count).unwrap()),
        list_name: None,
        entries: (0..entries).map(entry).collect(),
    })
    .unwrap()
}

fn telegrams() -> impl Iterator<Item = Vec<u8>> {
    (1..8).map(|count| telegram(count, 14))
}

#[test]
fn recordings_of_real_use() {
    assert_eq!(diagnose(BUFFER), Some(Cause::BufferTooSmall { bytes: 256 }));
    assert_eq!(diagnose(BITS), Some(Cause::BitsLost));
    assert_eq!(diagnose(BITS_AND_WHOLE), Some(Cause::BitsLost));
    assert_eq!(diagnose(ICRNL), Some(Cause::LineEnds(LineEnds::CrToLf)));
    for good in [CR_IN_VALUE, PAFAL, ZMD310] {
        assert_eq!(diagnose(good), None, "it has a telegram");
    }
}

#[test]
fn changed_line_ends_of_any_kind() {
    let change = |bytes: &[u8], from: u8, to: &[u8]| -> Vec<u8> {
        bytes.iter().flat_map(|b| if *b == from { to.to_vec() } else { vec![*b] }).collect()
    };
    let stream: Vec<u8> = telegrams().collect::<Vec<_>>().concat();
    assert!(stream.contains(&b'\r') && stream.contains(&b'\n'));
    for (from, to, expected) in [
        (b'\r', &b"\n"[..], LineEnds::CrToLf),
        (b'\n', b"\r", LineEnds::LfToCr),
        (b'\n', b"\r\n", LineEnds::LfToCrLf),
        (b'\r', b"\r\n", LineEnds::CrToCrLf),
        (b'\r', b"\r\0", LineEnds::CrToCrNul),
    ] {
        let changed = change(&stream, from, to);
        assert_eq!(diagnose(&changed), Some(Cause::LineEnds(expected)), "{expected:?}");
    }
    assert_eq!(diagnose(&change(CR_IN_VALUE, b'\r', b"")), Some(Cause::LineEnds(LineEnds::CrLost)));
}

#[test]
fn changed_line_ends_of_registers() {
    let change = |text: &[u8], from: &str, to: &str| -> Vec<u8> {
        String::from_utf8(text.to_vec()).unwrap().replace(from, to).into_bytes()
    };
    for telegram in [PAFAL, ZMD310] {
        for (from, to, expected) in [
            ("\r", "\n", LineEnds::CrToLf),
            ("\r", "", LineEnds::CrLost),
            ("\n", "\r\n", LineEnds::LfToCrLf),
            ("\r", "\r\n", LineEnds::CrToCrLf),
        ] {
            let changed = change(telegram, from, to);
            assert_eq!(diagnose(&changed), Some(Cause::LineEnds(expected)), "{expected:?}");
        }
    }
    let mut damaged = PAFAL.to_vec();
    damaged[60] ^= 0x04;
    assert_eq!(diagnose(&damaged), Some(Cause::BitsLost));
}

#[test]
fn a_customer_interfaces_checksum_tells_line_ends_from_bits() {
    let whole = "/ISk5\\2MT382-1003\r\n\r\n1-3:0.2.8(50)\r\n1-0:1.8.1(000512.345*kWh)\r\n\
                 1-0:1.8.2(000100.000*kWh)\r\n1-0:1.7.0(00.251*kW)\r\n!9980\r\n";
    assert_eq!(diagnose(whole.as_bytes()), None);
    for (from, to, expected) in [
        ("\r\n", "\n", Cause::LineEnds(LineEnds::CrLost)),
        ("\n", "\r\n", Cause::LineEnds(LineEnds::LfToCrLf)),
        ("512", "912", Cause::BitsLost),
    ] {
        assert_eq!(diagnose(whole.replace(from, to).as_bytes()), Some(expected), "{from:?}");
    }
}

/// A generator of the usual kind: any will do.
fn random(state: &mut u64, below: usize) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    usize::try_from(*state % below as u64).unwrap()
}

/// The end of one telegram and the beginning of the next.
#[test]
fn a_recording_of_less_than_two_telegrams_is_cut_short() {
    let [first, second] = [1, 2].map(|count| telegram(count, 14));
    for (from, to) in [(100, 200), (8, 60), (300, second.len() - 12), (first.len() - 8, 100)] {
        let recording = [&first[from..], &second[..to]].concat();
        assert_eq!(diagnose(&recording), Some(Cause::CutShort), "{from} {to}");
    }
}

#[test]
fn what_is_no_telegram() {
    let words = |text: &str| Some(Cause::Words(text.to_owned()));
    for (bytes, expected) in [
        (&b"Port already in use\r\n"[..], words("Port already in use")),
        (b"\xff\xfb\x03\xff\xfd\x03Port already in use\r\n", words("Port already in use")),
        (
            b"\r\nser2net port 2000\r\n\r\nDevice \"/dev/ttyUSB0\" is away\r\n",
            words("Device '/dev/ttyUSB0' is away"),
        ),
        (b"HTTP/1.0 400 Bad request\r\nServer: x\r\n\r\n", Some(Cause::WebServer)),
        (b"<!DOCTYPE HTML>\n<html lang=\"en\">", Some(Cause::WebServer)),
        ("Ger\u{e4}t belegt\u{202e}\r\n".as_bytes(), words("Ger\u{e4}t belegt?")),
        (b"\x15\x03\x01\x00\x02\x02\x46", Some(Cause::WebServer)),
        (b"\xff\xfb\x01\xff\xfd\x00", Some(Cause::Telnet)),
        (b"/?!\r\n", Some(Cause::OwnEcho)),
        (b"\0/?12345678!\r\n/?!\r\n\x06000\r\n", Some(Cause::OwnEcho)),
        (b"\xaf?!\x8d\n", Some(Cause::OwnEcho)),
        (
            b"/?!\r\n/PAF5EC3gr00006\r\n\x06050\r\n",
            Some(Cause::Named { manufacturer: "PAF".to_owned() }),
        ),
        (b"", None),
        (b"/?!", Some(Cause::OwnEcho)),
        (b"1.8.0(00123.4)\r\n", None),
        (&[0xf3; 400], None),
        (&[0x1b; 5000], None),
        (&[b'x'; 2000], None),
    ] {
        assert_eq!(diagnose(bytes), expected, "{}", bytes.escape_ascii());
    }
}

#[test]
fn words_are_short_and_printable() {
    let Some(Cause::Words(words)) = diagnose("no such port, ".repeat(60).as_bytes()) else {
        panic!()
    };
    assert!(words.len() <= 124 && words.ends_with(" ..."), "{words}");
    assert_eq!(diagnose(b"\x1b[31mred\x1b[0m alert"), None, "no control characters");
}

#[test]
fn an_eighth_bit_that_is_cut_off() {
    let cut: Vec<u8> = telegrams().collect::<Vec<_>>().concat().iter().map(|b| b & 0x7f).collect();
    assert_eq!(diagnose(&cut), Some(Cause::SevenBits));
}

/// A program that takes each byte for a character and writes UTF-8, one that reads UTF-8 and replaces
/// what is none, and one that knows ASCII only.
#[test]
fn bytes_that_were_taken_for_text() {
    let stream: Vec<u8> = telegrams().collect::<Vec<_>>().concat();
    let latin: String = stream.iter().map(|byte| char::from(*byte)).collect();
    let ascii: Vec<u8> = stream.iter().map(|b| if b.is_ascii() { *b } else { b'?' }).collect();
    let replaced = String::from_utf8_lossy(&stream).into_owned();
    for changed in [latin.as_bytes(), &latin.as_bytes()[..700], &ascii, replaced.as_bytes()] {
        assert_eq!(diagnose(changed), Some(Cause::TextConverted));
    }
}

/// `x=$(cat FILE)` of a shell drops each NUL.
#[test]
fn a_value_that_is_left_out() {
    let stream: Vec<u8> = telegrams().collect::<Vec<_>>().concat();
    for byte in [0x00, 0xff] {
        let without: Vec<u8> = stream.iter().copied().filter(|own| *own != byte).collect();
        assert_eq!(diagnose(&without), Some(Cause::ByteLeftOut { byte }));
    }
}

#[test]
fn a_recording_that_ends_too_early_is_no_turned_head() {
    let telegram = telegram(1, 14);
    for length in [40, 150, telegram.len() - 9] {
        assert_eq!(diagnose(&telegram[..length]), Some(Cause::CutShort), "{length}");
    }
    let two = [&telegram[..], &telegram[..150]].concat();
    assert_eq!(diagnose(&two), None, "the first is whole");
}

/// Pushed telegrams (mode D) have no check character: an EasyMeter Q3D's.
#[test]
fn line_ends_and_ends_of_telegrams_without_check() {
    let telegram = "/ESY5Q3DA1004 V3.04\r\n\r\n1-0:0.0.0*255(1336001234)\r\n\
        1-0:1.8.0*255(00032549.5061662*kWh)\r\n1-0:21.7.0*255(000557.29*W)\r\n\
        1-0:1.7.0*255(001688.21*W)\r\n!\r\n";
    let changed = |to: &str| diagnose(telegram.repeat(3).replace('\n', to).as_bytes());
    assert_eq!(changed("\r"), Some(Cause::LineEnds(LineEnds::LfToCr)));
    assert_eq!(changed(""), Some(Cause::LineEnds(LineEnds::LfLost)));
    assert_eq!(diagnose(&telegram.as_bytes()[..130]), Some(Cause::CutShort));
    assert_eq!(diagnose(telegram.as_bytes()), None);
}

/// EasyMeter Q3D V3.04 sends a number and `ff` behind each telegram (telegrams of dsmr_parser,
/// `TELEGRAM_ESY5Q3DB1024_V304`, its numbers replaced).
#[test]
fn what_stands_between_telegrams_is_no_damage() {
    let telegram = b"/ESY5Q3DB1024 V3.04\r\n\r\n1-0:0.0.0*255(0272031312345)\r\n\
        1-0:1.8.0*255(00052185.7825309*kWh)\r\n1-0:2.8.0*255(00019949.3221493*kWh)\r\n\
        1-0:1.7.0*255(002124.86*W)\r\n!\r\n  12345678\r\n";
    let between = [&telegram[..], &[0xff; 33], b"\r\n"].concat();
    assert_eq!(diagnose(&between), None);
    assert_eq!(diagnose(&between.repeat(3)), None);
    let mut damaged = between.repeat(3);
    damaged[60] = 0xb2;
    assert_eq!(diagnose(&damaged), Some(Cause::BitsLost));
}

#[test]
fn damage_inside_of_hex_text() {
    let text: String = ICRNL.iter().map(|byte| format!("{byte:02X} ")).collect();
    assert_eq!(diagnose(text.as_bytes()), Some(Cause::LineEnds(LineEnds::CrToLf)));
}

#[test]
fn a_recording_is_bounded_and_shows_no_bytes() {
    let mut recording = Recording::default();
    for _ in 0..100 {
        recording.note(&[b'7'; 1000]);
    }
    assert_eq!(recording.bytes().len(), ROOM);
    assert!(!format!("{recording:?}").contains("777"), "{recording:?}");
    recording.end();
    recording.note(b"more");
    assert_eq!(recording.bytes(), [b'7'; 16]);
}

/// Bytes that reach deep into the diagnosis more often than any would.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        vec(any::<u8>(), 0..40),
        Just(telegram(1, 3)),
        Just(telegram(1, 3)[..60].to_vec()),
        Just(telegram(1, 3)[40..].to_vec()),
        Just(b"\x1b\x1b\x1b\x1b\x01\x01\x01\x01".to_vec()),
        Just(b"\x1b\x1b\x1b\x1b\x1a\x00".to_vec()),
        Just(b"\x77\x07\x01\x00\x01\x08\x00\xff".to_vec()),
        Just(b"/ABC5x\r\n\x021.8.0(1.5*kWh)\n\n!\r\n\x03".to_vec()),
        Just(b"\xff\xfb\x03/?!\r\n".to_vec()),
        "[0-9a-f ]{0,40}".prop_map(String::into_bytes),
    ];
    vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_are_diagnosed_within_bounds(bytes in stream()) {
        if let Some(Cause::Words(words)) = diagnose(&bytes) {
            prop_assert!(words.chars().count() <= 124 && !words.contains(char::is_control));
        }
        let _ = diagnose(&bytes.repeat(3));
    }

    #[test]
    fn whole_telegrams_have_no_cause(entries in 1_u8..20, count in 1_i64..9) {
        prop_assert_eq!(diagnose(&telegram(count, entries).repeat(3)), None);
    }
}
