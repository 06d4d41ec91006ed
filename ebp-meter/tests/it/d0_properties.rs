//! What must hold for every stream of ASCII registers.

use ebp_core::obis::ObisCode;
use ebp_meter::{
    d0::{Decoder, Dialogue},
    decoder::{Decode, Event},
    readout::Readout,
};
use proptest::{collection::vec, prelude::*};
use rust_decimal::Decimal;

fn decode(pieces: &[&[u8]]) -> Vec<Event> {
    let mut decoder = Decoder::new();
    let mut events = Vec::new();
    for piece in pieces {
        decoder.push(piece);
        events.extend(std::iter::from_fn(|| decoder.next_event()));
    }
    decoder.finish();
    events.extend(std::iter::from_fn(|| decoder.next_event()));
    events
}

fn readouts(events: Vec<Event>) -> Vec<Readout> {
    let readout = |event| match event {
        Event::Readout(readout) => Some(readout),
        Event::Noise(_) => None,
    };
    events.into_iter().filter_map(readout).collect()
}

/// Bytes that reach deep into the decoder more often than any bytes would.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        vec(any::<u8>(), 0..20),
        Just(b"/ABC5x\r\n".to_vec()),
        Just(b"1.8.0(1.5*kWh)\r\n".to_vec()),
        Just(b"\x02".to_vec()),
        Just(b"\x03".to_vec()),
        Just(b"!\r\n".to_vec()),
        "[0-9.:*()&A-Za-z/!\\-]{0,30}".prop_map(String::into_bytes),
    ];
    vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn pieces_of_any_size_give_the_same_events(bytes in stream(), size in 1_usize..40) {
        let pieces: Vec<&[u8]> = bytes.chunks(size).collect();
        prop_assert_eq!(decode(&pieces), decode(&[&bytes]));
        let _ = Dialogue::new(false).push(&bytes);
    }

    #[test]
    fn no_event_says_more_bytes_than_came(bytes in stream()) {
        for readout in readouts(decode(&[&bytes])) {
            prop_assert!(readout.bytes <= bytes.len());
            prop_assert!(!readout.entries.is_empty());
        }
    }

    #[test]
    fn a_telegram_after_any_noise_is_found(noise in stream()) {
        // A noise that ends in an STX block takes the first telegram's beginning for its end.
        let telegram = b"\r\n/XYZ5meter\r\n\r\n1-0:2.8.0*255(7*kWh)\r\n!\r\n";
        let found = readouts(decode(&[&noise, telegram, telegram]));
        let last = found.last().unwrap();
        prop_assert_eq!(last.manufacturer.as_deref(), Some("XYZ"));
        prop_assert_eq!(last.entry(ObisCode::NEGATIVE_ENERGY).unwrap().exact(), Some(Decimal::from(7000)));
    }

    #[test]
    fn registers_come_back_exactly(
        registers in vec((any::<[u8; 6]>(), -9_999_999_999_i64..=9_999_999_999, 0_u32..8, 0_usize..4), 1..20),
        framed: bool,
        parity: bool,
    ) {
        let units = [("kWh", 30, 3), ("W", 27, 0), ("V", 35, 0), ("kvar", 29, 3)];
        let mut block = String::new();
        for (code, raw, places, unit) in &registers {
            let value = Decimal::new(*raw, *places);
            block += &format!("{}({value}*{})\r\n", ObisCode(*code), units[*unit].0);
        }
        block += "!\r\n";
        let mut telegram = b"/XYZ5meter\r\n".to_vec();
        if framed {
            telegram.push(2);
            telegram.extend_from_slice(block.as_bytes());
            telegram.push(3);
            telegram.push(block.bytes().fold(3, |check, byte| check ^ byte));
        } else {
            telegram.extend_from_slice(block.as_bytes());
        }
        if parity {
            for byte in &mut telegram {
                *byte |= if byte.count_ones() % 2 == 1 { 0x80 } else { 0 };
            }
        }
        let found = readouts(decode(&[&telegram]));
        prop_assert_eq!(found.len(), 1);
        prop_assert_eq!(found[0].entries.len(), registers.len());
        for (entry, (code, raw, places, unit)) in found[0].entries.iter().zip(registers) {
            let (_, dlms, power) = units[unit];
            let mut code = code;
            if code[3] == 7 && code[4] == 255 {
                code[4] = 0;
            }
            prop_assert_eq!(entry.obis, ObisCode(code));
            prop_assert_eq!(entry.unit.unwrap().0, dlms);
            let expected = Decimal::new(raw, places) * Decimal::from(10_u32.pow(power));
            prop_assert_eq!(entry.exact(), Some(expected.normalize()));
        }
    }
}
