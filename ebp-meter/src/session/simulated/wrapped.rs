//! Bytes that are wrapped in something, and bridges that say other things.

use super::*;
use crate::diagnosis::Cause;

fn bridge(every: u64, stream: Vec<u8>) -> Simulated {
    let mut port = Simulated::new(push(LineSettings::SML, every, stream));
    port.adjustable = false;
    port.name = PortName::Tcp("bridge:3333".to_owned());
    port
}

/// A bit of the list's first entry is wrong.
fn damage(telegram: &mut [u8]) {
    let entry = telegram.windows(2).position(|pair| pair == [0x77, 0x07]).unwrap();
    telegram[entry + 2] ^= 0x10;
}

#[test]
fn a_telnet_bridge_is_understood() {
    let doubled: Vec<u8> =
        sml().into_iter().flat_map(|b| if b == 0xff { vec![b; 2] } else { vec![b] }).collect();
    let greeting = b"\xff\xfb\x03\xff\xfd\x03\xff\xfb\x01\xff\xfe\x01";
    for protocol in [None, Some(Protocol::Sml)] {
        let mut port = bridge(1000, doubled.clone());
        port.under_way.push_back((Duration::ZERO, LineSettings::SML, greeting.to_vec()));
        let time = port.time.clone();
        let mut session = port.session(ReadOptions { protocol, ..ReadOptions::default() });
        for _ in 0..3 {
            assert_eq!(first(&mut session, &time).0, Protocol::Sml);
            assert_eq!(session.wrapping(), Some(Wrapping::Telnet));
        }
    }
    let mut port = bridge(1000, d0());
    port.under_way.push_back((Duration::ZERO, LineSettings::SML, greeting.to_vec()));
    let time = port.time.clone();
    let mut session = port.session(ReadOptions::default());
    assert_eq!(first(&mut session, &time).0, Protocol::D0);
    assert_eq!(session.wrapping(), Some(Wrapping::Telnet));
}

#[test]
fn hex_text_is_understood_and_raw_bytes_are_not_taken_for_it() {
    let hex = |bytes: Vec<u8>| -> Vec<u8> {
        bytes.iter().flat_map(|byte| format!("{byte:02X} ").into_bytes()).collect()
    };
    for (telegram, protocol) in [(sml(), Protocol::Sml), (d0(), Protocol::D0)] {
        let port = bridge(2000, hex(telegram.clone()));
        let time = port.time.clone();
        let mut session = port.session(ReadOptions::default());
        assert_eq!(first(&mut session, &time).0, protocol);
        assert_eq!(session.wrapping(), Some(Wrapping::HexText));
        let port = bridge(2000, telegram);
        let time = port.time.clone();
        let mut session = port.session(ReadOptions::default());
        assert_eq!(first(&mut session, &time).0, protocol);
        assert_eq!(session.wrapping(), None);
    }
}

/// Forms that other programs write, one of which a right checksum proves.
#[test]
fn text_of_bytes_is_understood() {
    let lines = |bytes: &[u8], line: fn(&[u8]) -> String| -> Vec<u8> {
        bytes.chunks(20).flat_map(|part| line(part).into_bytes()).collect()
    };
    let forms: [fn(&[u8]) -> String; 3] = [
        |part| part.iter().map(|byte| format!("12:34:56.790 -> {byte:X}\r\n")).collect(),
        |part| {
            let numbers: Vec<String> = part.iter().map(u8::to_string).collect();
            format!("[D][uart_debug:114]: <<< {}\r\n", numbers.join(":"))
        },
        |part| format!("b\"{}\"\n", part.escape_ascii()),
    ];
    for (telegram, protocol) in [(sml(), Protocol::Sml), (d0(), Protocol::D0)] {
        for form in &forms {
            let port = bridge(2000, lines(&telegram, *form));
            let time = port.time.clone();
            let mut session = port.session(ReadOptions::default());
            assert_eq!(first(&mut session, &time).0, protocol);
            assert_eq!(session.wrapping(), Some(Wrapping::ByteText));
        }
    }
}

/// What was received at one line setting is kept at the next.
#[test]
fn a_cause_outlives_the_search() {
    let mut telegram = sml();
    damage(&mut telegram);
    let port = Simulated::new(push(LineSettings::SML, 1000, telegram));
    let mut session = port.session(ReadOptions::default());
    for _ in 0..30 {
        assert!(!matches!(session.next(Duration::from_secs(1)).unwrap(), SessionEvent::Readout(_)));
    }
    assert_eq!(session.cause(), Some(Cause::BitsLost));
}

#[test]
fn nothing_is_sent_into_a_bridge_whose_telegrams_are_damaged() {
    let mut telegram = sml();
    damage(&mut telegram);
    let port = bridge(1000, telegram);
    let record = port.record.clone();
    let mut session = port.session(ReadOptions::default());
    for _ in 0..30 {
        let _ = session.next(Duration::from_secs(1)).unwrap();
    }
    assert!(record.written.lock().unwrap().is_empty());
}
