//! What must hold for every telegram and every stream.

use crate::sml_support::{
    any::{bytes, stream, telegram},
    decode, events, events_of_pieces,
};
use ebp_meter::{
    decoder::{Event, Noise},
    readout::{Integrity, MeterTime, Value},
    sml::{
        encode::{EncodeValue, encode},
        frame::{Frame, frames},
    },
};
use proptest::{collection::vec, prelude::*};

proptest! {
    // Streams are up to half a megabyte long.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_encoded_is_decoded(telegram in telegram()) {
        let bytes = encode(&telegram).unwrap();
        let (readouts, noise) = decode(&bytes);
        prop_assert_eq!(noise, []);
        let [readout] = readouts.as_slice() else { panic!("{} readouts", readouts.len()) };
        prop_assert_eq!(&readout.server_id.as_ref().unwrap().0[..], &telegram.server_id[..]);
        prop_assert_eq!(readout.meter_time, telegram.sec_index.map(MeterTime::SecIndex));
        prop_assert_eq!(readout.bytes, bytes.len());
        prop_assert_eq!(readout.integrity, Integrity::Ok);
        prop_assert_eq!(readout.entries.len(), telegram.entries.len());
        for (found, sent) in readout.entries.iter().zip(&telegram.entries) {
            prop_assert_eq!(found.obis, sent.obis);
            prop_assert_eq!(found.unit, sent.unit);
            prop_assert_eq!(found.scaler, sent.scaler.unwrap_or(0));
            prop_assert_eq!(found.status, sent.status.map(|s| u64::try_from(s.value).unwrap()));
            prop_assert_eq!(found.time, sent.sec_index.map(MeterTime::SecIndex));
            let value = match &sent.value {
                EncodeValue::Int(int) => Value::Integer(int.value),
                EncodeValue::Octets(octets) if !octets.is_empty() => Value::Octets(octets.as_slice().into()),
                EncodeValue::Octets(_) | EncodeValue::Absent => Value::Absent,
            };
            if found.corrected.is_none() {
                prop_assert!(found.value == value);
            }
        }
    }

    #[test]
    fn pieces_give_the_same_events_as_the_whole(
        bytes in stream(),
        sizes in vec(prop_oneof![1..10_usize, 1..5000_usize, 1..100_000_usize], 1..20),
    ) {
        let mut pieces = Vec::new();
        let mut rest = bytes.as_slice();
        for size in sizes.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, behind) = rest.split_at((*size).min(rest.len()));
            pieces.push(piece);
            rest = behind;
        }
        prop_assert_eq!(events_of_pieces(pieces), events(&bytes));
    }

    #[test]
    fn single_bytes_give_the_same_events_as_the_whole(bytes in stream()) {
        prop_assert_eq!(events_of_pieces(bytes.chunks(1)), events(&bytes));
    }

    #[test]
    fn a_good_telegram_after_any_noise_is_found(noise in stream(), telegram in telegram()) {
        let good = encode(&telegram).unwrap();
        let found = decode(&[noise, good.clone()].concat()).0;
        let alone = decode(&good).0;
        prop_assert!(found.ends_with(&alone));
    }

    #[test]
    fn frames_of_any_stream_are_all_its_bytes(bytes in stream()) {
        let raw: Vec<u8> = frames(&bytes).flat_map(|frame| frame.raw).copied().collect();
        prop_assert_eq!(raw, bytes);
    }

    #[test]
    fn what_the_frame_cannot_vouch_for_is_marked(mut noise in stream(), telegram in telegram()) {
        let at = noise.len() / 2;
        noise.splice(at..at, encode(&telegram).unwrap());
        let whole = frames(&noise).filter(Frame::is_whole).count();
        let (readouts, unreadable) = decode(&noise);
        let ok = readouts.iter().filter(|r| r.integrity == Integrity::Ok).count();
        let without = unreadable.iter().filter(|n| matches!(n, Noise::Unreadable { .. })).count();
        prop_assert_eq!(ok + without, whole);
    }

    #[test]
    fn arbitrary_data_in_a_whole_frame_is_no_panic(data in bytes(400)) {
        for event in events(&ebp_meter::sml::encode::wrap(&data)) {
            if let Event::Readout(readout) = event {
                let _ = (readout.survey(), readout.is_detailed(), format!("{readout:?}"));
            }
        }
    }

    #[test]
    fn a_damaged_byte_behind_a_right_checksum_is_no_panic(
        telegram in telegram(),
        at: prop::sample::Index,
        mask in 1..=255_u8,
    ) {
        // The outer checksum is made to fit, so that the damage reaches the parser.
        let mut file = ebp_meter::sml::encode::encode_file(&telegram).unwrap();
        let at = at.index(file.len());
        file[at] ^= mask;
        let (readouts, _) = decode(&ebp_meter::sml::encode::wrap(&file));
        for readout in readouts {
            // An entry has at least 13 bytes: no count in the data makes more of them.
            prop_assert!(readout.entries.len() <= file.len() / 13);
        }
    }
}
