//! What real meters, heads and bridges do to telegrams: one test for each oddity that was observed.

use crate::sml_support::{build::*, decode, events, events_of_pieces};
use ebp_core::{obis::ObisCode, quantity::Unit};
use ebp_meter::{
    Readout,
    decoder::Noise,
    readout::{Correction, Integrity, MeterTime, Value},
    sml::{
        crc::Checksum,
        encode::{EncodeInt, EncodeValue, Telegram, encode, wrap},
        frame::{ESCAPE, START},
    },
};

/// The only readout in a stream without noise.
fn only(bytes: &[u8]) -> Readout {
    let (mut readouts, noise) = decode(bytes);
    assert_eq!(noise, []);
    assert_eq!(readouts.len(), 1);
    readouts.remove(0)
}

fn exact(readout: &Readout, obis: ObisCode) -> String {
    readout.entry(obis).unwrap().exact().unwrap().to_string()
}

/// Two entries: 1.8.0 with that element as its value, and 16.7.0.
fn with_value(value: &[u8]) -> Vec<u8> {
    telegram(&[energy(value), power()])
}

const VALUE: &[u8] = &[0x55, 0x00, 0x01, 0xe2, 0x40];

fn good() -> Vec<u8> {
    with_value(VALUE)
}

fn assert_good(readout: &Readout) {
    assert_eq!(exact(readout, ObisCode::POSITIVE_ENERGY), "12345.6");
    assert_eq!(exact(readout, ObisCode::SUM_POWER), "300");
}

#[test]
fn a_telegram_as_it_should_be() {
    let readout = only(&good());
    assert_good(&readout);
    assert_eq!(readout.manufacturer.as_deref(), Some("ISK"));
    assert_eq!(readout.entries[0].status, Some(0x182));
    assert_eq!(readout.entries[0].unit, Some(Unit::WATT_HOUR));
    assert_eq!(readout.bytes, good().len());
}

// Padding and checksums

#[test]
fn dzg_42123440_pads_with_four_bytes() {
    let mut data = file(&list_message(&[energy(VALUE), power()]));
    data.resize(data.len().next_multiple_of(4), 0);
    assert_good(&only(&frame_with(&data, 4, Checksum::X25)));
    // The count alone, without the bytes: the end marker of the last message is taken for padding.
    let mut data = file(&list_message(&[energy(VALUE), power()]));
    while !data.len().is_multiple_of(4) {
        data.insert(0, 0);
    }
    let bare = [&START[..], &data, &ESCAPE, &[0x1a, 4]].concat();
    let checksum = Checksum::X25.on_wire(&bare);
    assert_good(&only(&[&bare[..], &checksum].concat()));
}

#[test]
fn holley_checks_with_kermit_inside_and_outside() {
    let message =
        checked(unchecked(2, LIST_TAG, &response(&[energy(VALUE), power()])), Checksum::Kermit);
    let data = file(&message);
    let telegram = frame_with(&data, 0, Checksum::Kermit);
    assert_good(&only(&telegram));
    // Inside alone is enough to salvage it, once a whole frame has shown that the meter uses it.
    let cut = &telegram[..telegram.len() - 20];
    let (readouts, _) = decode(&[&telegram, cut].concat());
    assert_good(&readouts[1]);
    assert_eq!(readouts[1].integrity, Integrity::Salvaged);
    // One in 65,536 damaged messages is right by a checksum that its meter does not use.
    assert!(decode(cut).0.is_empty());
    // And the meter's neighbours with X-25 are still read by the same decoder.
    let both = [&good()[..], &telegram, cut].concat();
    assert_eq!(decode(&both).0.len(), 3);
}

#[test]
fn iskra_mt691_leaves_the_zero_of_an_inner_checksum_away() {
    let short = (0..=u16::MAX).find_map(|n| {
        let [a, b] = n.to_be_bytes();
        let value = [0x55, 0, 1, a, b];
        let mut message = unchecked(2, LIST_TAG, &response(&[energy(&value), power()]));
        let [0, low] = Checksum::X25.on_wire(&message) else { return None };
        message.extend_from_slice(&[0x62, low, 0]);
        Some(message)
    });
    let telegram = frame(&file(&short.unwrap()));
    assert_eq!(exact(&only(&telegram), ObisCode::SUM_POWER), "300");
    let (readouts, _) = decode(&telegram[..telegram.len() - 4]);
    assert_eq!(readouts[0].integrity, Integrity::Salvaged);
}

#[test]
fn ebz_dd3_has_a_wrong_inner_checksum_in_a_right_frame() {
    let mut message = list_message(&[energy(VALUE), power()]);
    let at = message.len() - 2;
    message[at] ^= 0xff;
    let telegram = frame(&file(&message));
    let readout = only(&telegram);
    assert_good(&readout);
    assert_eq!(readout.integrity, Integrity::Ok);
    // Neither right: nothing is believed.
    let (readouts, noise) = decode(&telegram[..telegram.len() - 4]);
    assert!(readouts.is_empty());
    assert_eq!(noise, [Noise::WrongChecksum { bytes: telegram.len() - 4 }]);
}

#[test]
fn a_message_without_checksum_in_a_right_frame() {
    let mut message = unchecked(2, LIST_TAG, &response(&[energy(VALUE), power()]));
    message.extend_from_slice(&[0x01, 0x00]);
    assert_good(&only(&frame(&file(&message))));
}

// Types and lengths

#[test]
fn holley_has_two_bytes_of_length_for_a_list() {
    let entries = [energy(VALUE), power()].concat();
    let long = [&[0xf0, 0x02][..], &entries].concat();
    let message = checked(unchecked(2, LIST_TAG, &response_of(ABSENT, &long)), Checksum::X25);
    assert_good(&only(&frame(&file(&message))));
    let many = [&[0xf1, 0x04][..], &[energy(VALUE), power()].concat().repeat(10)].concat();
    let message = checked(unchecked(2, LIST_TAG, &response_of(ABSENT, &many)), Checksum::X25);
    assert_eq!(only(&frame(&file(&message))).entries.len(), 20);
}

#[test]
fn numbers_of_one_to_eight_bytes() {
    for width in 1..=8_usize {
        let bytes = &(-5_i64).to_be_bytes()[8 - width..];
        let signed = [&[0x50 | (width as u8 + 1)][..], bytes].concat();
        assert_eq!(exact(&only(&with_value(&signed)), ObisCode::POSITIVE_ENERGY), "-0.5");
        let bytes = &1234_u64.to_be_bytes()[8 - width.max(2)..];
        let unsigned = [&[0x60 | (width.max(2) as u8 + 1)][..], bytes].concat();
        assert_eq!(exact(&only(&with_value(&unsigned)), ObisCode::POSITIVE_ENERGY), "123.4");
    }
}

#[test]
fn a_scaler_of_minus_five_with_five_bytes() {
    let value = [0x56, 0x02, 0x54, 0x0b, 0xe3, 0xff];
    let entry = entry(ENERGY, ABSENT, ABSENT, &[0x62, 30], &[0x52, 0xfb], &value);
    assert_eq!(exact(&only(&telegram(&[entry])), ObisCode::POSITIVE_ENERGY), "99999.99999");
}

#[test]
fn a_unit_in_two_bytes_and_a_scaler_in_other_forms() {
    for scaler in [&[0x52, 0xff][..], &[0x62, 0xff], &[0x53, 0xff, 0xff]] {
        let entry = entry(ENERGY, ABSENT, ABSENT, &[0x63, 0, 30], scaler, VALUE);
        let readout = only(&telegram(&[entry]));
        assert_eq!(readout.entries[0].unit, Some(Unit::WATT_HOUR));
        assert_eq!(exact(&readout, ObisCode::POSITIVE_ENERGY), "12345.6");
    }
    let entry = entry(ENERGY, ABSENT, ABSENT, &[0x63, 1, 30], ABSENT, VALUE);
    let readout = only(&telegram(&[entry]));
    assert_eq!(readout.entries[0].unit, None, "no DLMS unit has that code");
    assert_eq!(exact(&readout, ObisCode::POSITIVE_ENERGY), "123456");
}

#[test]
fn a_status_as_octets_or_with_a_sign() {
    for (status, expected) in [
        (&[0x65, 0x00, 0x1c, 0x01, 0x04][..], Some(0x1c_0104)),
        (&[0x05, 0x00, 0x1c, 0x01, 0x04], Some(0x1c_0104)),
        (&[0x03, 0x01, 0x82], Some(0x182)),
        (&[0x53, 0x81, 0x82], Some(0x8182)),
        (&[0x59, 0xff, 0, 0, 0, 0, 0, 0, 1], Some(0xff00_0000_0000_0001)),
        (&[0x42, 0x01], Some(1)),
        (&[0x0a, 0, 0, 0, 0, 0, 0, 0, 0, 1], None),
        (&[0x72, 0x01, 0x01], None),
    ] {
        let entry = entry(ENERGY, status, ABSENT, &[0x62, 30], &[0x52, 0xff], VALUE);
        let readout = only(&telegram(&[entry, power()]));
        assert_good(&readout);
        assert_eq!(readout.entries[0].status, expected);
    }
}

#[test]
fn emh_ehz_iw8e2a_has_an_entry_without_value() {
    let readout = only(&with_value(ABSENT));
    assert_eq!(readout.entries.len(), 2);
    assert_eq!(readout.entries[0].value, Value::Absent);
    assert_eq!(readout.entries[0].exact(), None);
    assert_eq!(exact(&readout, ObisCode::SUM_POWER), "300");
}

#[test]
fn truth_values() {
    assert_eq!(only(&with_value(&[0x42, 0])).entries[0].value, Value::Bool(false));
    assert_eq!(only(&with_value(&[0x42, 2])).entries[0].value, Value::Bool(true));
}

#[test]
fn an_entry_that_cannot_be_read_leaves_the_others() {
    let odd: [&[u8]; 6] = [
        &[0x61],                                  // a number of no bytes
        &[0x5a, 1, 2, 3, 4, 5, 6, 7, 8, 9],       // a number of nine bytes
        &[0x73, 0x01, 0x01, 0x01],                // a list that is no time
        &[0x72, 0x62, 0x02, 0x71, 0x01],          // a list of an unknown kind
        &[0x43, 0x01, 0x01],                      // a truth value of two bytes
        &[0x72, 0x62, 0x01, 0x72, 0x62, 1, 0x01], // a time without its content
    ];
    for value in odd {
        let readout = only(&with_value(value));
        assert_eq!(readout.entries.len(), 1, "{value:x?}");
        assert_eq!(exact(&readout, ObisCode::SUM_POWER), "300");
    }
    for bad in [
        octets(b"no list"),
        list(&[&octets(&ENERGY), ABSENT]),
        list(&[&octets(&[1, 8, 0]), ABSENT, ABSENT, ABSENT, ABSENT, VALUE, ABSENT]),
        entry(ENERGY, ABSENT, ABSENT, &octets(b"Wh"), ABSENT, VALUE),
    ] {
        let readout = only(&telegram(&[bad, power()]));
        assert_eq!(readout.entries.len(), 1);
        assert_eq!(exact(&readout, ObisCode::SUM_POWER), "300");
    }
}

#[test]
fn entries_with_an_element_less_or_more() {
    let scaler: &[u8] = &[0x52, 0xff];
    let code = octets(&ENERGY);
    let six = list(&[&code, ABSENT, ABSENT, &[0x62, 30], scaler, VALUE]);
    let eight = list(&[&code, ABSENT, ABSENT, &[0x62, 30], scaler, VALUE, ABSENT, &[0x71, 0x01]]);
    for first in [six, eight] {
        assert_good(&only(&telegram(&[first, power()])));
    }
}

// Times

#[test]
fn every_form_of_time() {
    let at = 0x6000_0000_u32;
    let number = [0x65, 0x60, 0, 0, 0];
    let local = list(&[&number, &[0x53, 0, 60], &[0x53, 0, 0x3c]]);
    let zoned = MeterTime::Local { timestamp: at, offset: 60, season: 60 };
    let forms: [(Vec<u8>, MeterTime); 7] = [
        (list(&[&[0x62, 1], &number]), MeterTime::SecIndex(at)),
        (list(&[&[0x62, 2], &number]), MeterTime::Timestamp(at)),
        // EMH EDL40 with E-MOC, FROETEC ZG22
        (list(&[&[0x62, 3], &local]), zoned),
        (list(&[&[0x62, 2], &local]), zoned),
        // Holley DTZ541
        (number.to_vec(), MeterTime::SecIndex(at)),
        (local.clone(), zoned),
        (list(&[&[0x62, 1], &[0x64, 0x60, 0, 0]]), MeterTime::SecIndex(0x60_0000)),
    ];
    for (form, expected) in forms {
        // Of the telegram, of an entry, and (but for a bare number) as a value.
        let timed = entry(ENERGY, ABSENT, &form, &[0x62, 30], &[0x52, 0xff], VALUE);
        let mut entries = vec![timed, power()];
        let is_number = form.len() == number.len();
        let value = entry([1, 0, 0, 9, 11, 255], ABSENT, ABSENT, ABSENT, ABSENT, &form);
        let nested = list(&[&[0x62, 1], &form]);
        let nested = entry([1, 0, 0, 9, 12, 255], ABSENT, ABSENT, ABSENT, ABSENT, &nested);
        if !is_number {
            entries.extend([value, nested]);
        }
        let all = list(&entries.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let message = checked(unchecked(2, LIST_TAG, &response_of(&form, &all)), Checksum::X25);
        let readout = only(&frame(&file(&message)));
        assert_good(&readout);
        assert_eq!(readout.meter_time, Some(expected));
        assert_eq!(readout.entries[0].time, Some(expected));
        assert_eq!(readout.entries[1].time, None);
        if !is_number {
            assert_eq!(readout.entries[2].value, Value::Time(expected));
            assert_eq!(readout.entries[3].value, Value::Time(expected));
        }
    }
}

#[test]
fn a_time_of_unknown_form_costs_nothing_else() {
    for form in
        [&[0x73, 0x01, 0x01, 0x01][..], &[0x05, 1, 2, 3, 4], &[0x69, 1, 2, 3, 4, 5, 6, 7, 8]]
    {
        let timed = entry(ENERGY, ABSENT, form, &[0x62, 30], &[0x52, 0xff], VALUE);
        let all = list(&[&timed, &power()]);
        let message = checked(unchecked(2, LIST_TAG, &response_of(form, &all)), Checksum::X25);
        let readout = only(&frame(&file(&message)));
        assert_good(&readout);
        assert_eq!(readout.meter_time, None);
        assert_eq!(readout.entries[0].time, None);
    }
}

// Messages

#[test]
fn unknown_messages_are_passed_over() {
    let deep = [vec![0x71; 300], vec![0x01]].concat();
    let attention = list(&[&octets(&SERVER), &octets(&[0x81, 0x81]), ABSENT, &deep]);
    let unknown = checked(unchecked(9, &[0x65, 0, 0, 0xff, 0x01], &attention), Checksum::X25);
    let list = list_message(&[energy(VALUE), power()]);
    let data = [&unknown[..], &open_message(), &unknown, &list, &unknown].concat();
    assert_good(&only(&frame(&data)));
}

#[test]
fn a_tag_in_four_bytes() {
    let content = response(&[energy(VALUE), power()]);
    let message = checked(unchecked(2, &[0x65, 0, 0, 0x07, 0x01], &content), Checksum::X25);
    assert_good(&only(&frame(&file(&message))));
}

#[test]
fn a_missing_end_marker() {
    let [open, list, close] =
        [open_message(), list_message(&[energy(VALUE), power()]), close_message()]
            .map(|message| message[..message.len() - 1].to_vec());
    assert_good(&only(&frame(&[open, list, close].concat())));
}

#[test]
fn extra_zeros_between_messages() {
    let list = list_message(&[energy(VALUE), power()]);
    let data = [&[0, 0][..], &open_message(), &[0; 5], &list, &[0], &close_message(), &[0; 9]];
    assert_good(&only(&frame(&data.concat())));
}

#[test]
fn a_list_response_alone() {
    assert_good(&only(&frame(&list_message(&[energy(VALUE), power()]))));
}

#[test]
fn an_empty_list_and_an_absent_one() {
    for empty in [&[0x70][..], ABSENT] {
        let message = checked(unchecked(2, LIST_TAG, &response_of(ABSENT, empty)), Checksum::X25);
        let readout = only(&frame(&file(&message)));
        assert_eq!(readout.entries, []);
        assert_eq!(readout.manufacturer.as_deref(), Some("ISK"));
    }
}

#[test]
fn several_list_responses_in_one_file() {
    let data = [list_message(&[energy(VALUE)]), list_message(&[power()])].concat();
    let (readouts, noise) = decode(&frame(&file(&data)));
    assert_eq!(noise, []);
    assert_eq!(exact(&readouts[0], ObisCode::POSITIVE_ENERGY), "12345.6");
    assert_eq!(exact(&readouts[1], ObisCode::SUM_POWER), "300");
    assert_eq!(readouts.len(), 2);
}

#[test]
fn a_file_without_a_list_says_so() {
    let telegram = frame(&[open_message(), close_message()].concat());
    let (readouts, noise) = decode(&telegram);
    assert!(readouts.is_empty());
    assert!(matches!(&noise[..], [Noise::Unreadable { bytes, .. }] if *bytes == telegram.len()));
}

#[test]
fn a_broken_message_does_not_take_the_next_one_with_it() {
    let broken = [&[0x76][..], &octets(b"broken"), &[0x7f, 0x7f, 0x2f]].concat();
    let data = [broken, list_message(&[energy(VALUE), power()])].concat();
    assert_good(&only(&frame(&data)));
}

#[test]
fn a_list_that_claims_more_entries_than_it_has_gives_those_it_has() {
    let all = [&[0x79][..], &energy(VALUE), &power()].concat();
    let message = checked(unchecked(2, LIST_TAG, &response_of(ABSENT, &all)), Checksum::X25);
    assert_good(&only(&frame(&message)));
}

#[test]
fn counts_that_lie_cost_no_memory() {
    for lie in [&[0xff, 0x8f, 0x8f, 0x8f, 0x0f][..], &[0x8f, 0x8f, 0x8f, 0x8f, 0x0f], &[0xff; 40]] {
        let message = checked(unchecked(2, LIST_TAG, &response_of(ABSENT, lie)), Checksum::X25);
        let (readouts, noise) = decode(&frame(&file(&message)));
        assert!(readouts.iter().all(|readout| readout.entries.is_empty()));
        assert_eq!(readouts.len() + noise.len(), 1);
    }
}

#[test]
fn an_identity_only_among_the_entries() {
    let id = entry([1, 0, 96, 1, 0, 255], ABSENT, ABSENT, ABSENT, ABSENT, &octets(&SERVER));
    let values = list(&[&id, &power()]);
    let content = list(&[ABSENT, ABSENT, ABSENT, ABSENT, &values, ABSENT, ABSENT]);
    let readout = only(&frame(&checked(unchecked(2, LIST_TAG, &content), Checksum::X25)));
    assert_eq!(readout.server_id.unwrap().0[..], SERVER);
    assert_eq!(readout.manufacturer.as_deref(), Some("ISK"));
}

// Values that are wrong as sent

#[test]
fn dzg_power_is_read_without_a_sign_while_importing() {
    let telegram = |status: u64, value: i64, width: u8| {
        let mut entry = ebp_meter::sml::encode::EncodeEntry {
            obis: ObisCode::POSITIVE_ENERGY,
            status: Some(EncodeInt::unsigned(status, 4)),
            sec_index: None,
            unit: Some(Unit::WATT_HOUR),
            scaler: Some(-1),
            value: EncodeValue::Int(EncodeInt::signed(1, 4)),
        };
        let energy = entry.clone();
        entry.obis = ObisCode::SUM_POWER;
        entry.status = None;
        entry.unit = Some(Unit::WATT);
        entry.scaler = Some(-2);
        entry.value = EncodeValue::Int(EncodeInt::signed(value, width));
        let server_id = vec![0x0a, 0x01, b'D', b'Z', b'G', 0, 0, 0, 0, 1];
        let entries = vec![energy, entry];
        let telegram =
            Telegram { server_id, file_id: 1, sec_index: None, list_name: None, entries };
        let readout = only(&encode(&telegram).unwrap());
        let power = readout.entry(ObisCode::SUM_POWER).unwrap();
        (power.exact().unwrap().to_string(), power.corrected)
    };
    assert_eq!(telegram(0x1c_0104, -29_912, 2), ("356.24".into(), Some(Correction::DzgSign)));
    assert_eq!(telegram(0x1c_0104, -29_912, 4), ("-299.12".into(), None));
    assert_eq!(telegram(0x1c_6904, -10_550, 2), ("-105.5".into(), None));
}

// Frames

#[test]
fn any_number_of_1b_before_a_start() {
    for run in 1..12 {
        let (readouts, noise) = decode(&[vec![0x1b; run], good()].concat());
        assert_good(&readouts[0]);
        assert_eq!(noise, [Noise::Garbage { bytes: run }]);
    }
}

#[test]
fn escaped_bytes_in_a_value() {
    for run in 4..10 {
        let octets = octets(&[&vec![0x1b; run][..], &[7]].concat());
        let data = file(&list_message(&[energy(&octets), power()]));
        let readout = only(&wrap(&data));
        let Value::Octets(found) = &readout.entries[0].value else { panic!() };
        assert_eq!(found[..run], *[0x1b].repeat(run));
        assert_eq!(exact(&readout, ObisCode::SUM_POWER), "300");
    }
}

#[test]
fn bridges_hand_over_four_bytes_at_a_time() {
    let bytes = [&b"abc"[..], &good(), &good()[..50], &good()].concat();
    for size in 1..9 {
        assert_eq!(events_of_pieces(bytes.chunks(size)), events(&bytes));
    }
}

#[test]
fn a_new_start_inside_a_telegram_at_every_place() {
    for cut in 1..good().len() {
        let (readouts, _) = decode(&[&good()[..cut], &good()].concat());
        assert_good(readouts.last().unwrap());
        assert!(readouts.len() <= 2);
        assert!(readouts[..readouts.len() - 1].iter().all(|r| r.integrity == Integrity::Salvaged));
    }
}

#[test]
fn lost_bytes_at_every_place() {
    for lost in 0..good().len() {
        for count in [1, 2, 5, 20] {
            let mut damaged = good();
            damaged.drain(lost..(lost + count).min(good().len()));
            let (readouts, _) = decode(&[damaged, good(), good()].concat());
            assert!(readouts.len() >= 2, "{lost}, {count}");
            readouts.iter().for_each(assert_good);
        }
    }
}

#[test]
fn a_damaged_frame_around_an_intact_message_is_salvaged_and_marked() {
    let telegram = good();
    let intact = list_message(&[energy(VALUE), power()]);
    let at = telegram.windows(intact.len()).position(|w| w == intact).unwrap();
    for damaged in 0..telegram.len() {
        let mut bytes = telegram.clone();
        bytes[damaged] ^= 0x10;
        let (readouts, noise) = decode(&bytes);
        // All but the end marker are covered by the inner checksum or needed to find it.
        if (at..at + intact.len() - 1).contains(&damaged) {
            assert!(readouts.is_empty(), "{damaged}");
            assert!(!noise.is_empty());
        } else {
            assert_good(&readouts[0]);
            assert_eq!(readouts[0].integrity, Integrity::Salvaged, "{damaged}");
        }
    }
}

#[test]
fn a_telegram_whose_start_was_missed_is_salvaged() {
    let (readouts, _) = decode(&[&good()[12..], &good()].concat());
    assert_eq!(readouts[0].integrity, Integrity::Salvaged);
    assert_eq!(readouts[1].integrity, Integrity::Ok);
    readouts.iter().for_each(assert_good);
}

#[test]
fn garbage_before_between_and_behind() {
    let ascii = b"/EBZ5DD32R06ETA_107\r\n\r\n1-0:0.0.0*255(1EBZ0100000000)\r\n!\r\n";
    let bytes = [&ascii[..], &good(), &[0xff; 30], &good(), &[0x1b; 3], &ascii[..]].concat();
    let (readouts, noise) = decode(&bytes);
    assert_eq!(readouts.len(), 2);
    let expected = [ascii.len(), 30, 3 + ascii.len()].map(|bytes| Noise::Garbage { bytes });
    assert_eq!(noise, expected);
}

#[test]
fn another_protocol_is_heard_of_before_the_stream_ends() {
    use ebp_meter::{decoder::Decode, sml::Decoder};
    let mut decoder = Decoder::new();
    decoder.push(&b"1-0:1.8.0*255(000001.0000*kWh)\r\n".repeat(200));
    assert!(decoder.next_event().is_some());
}

#[test]
fn a_telegram_is_told_with_its_last_byte() {
    use ebp_meter::{
        decoder::{Decode, Event},
        sml::Decoder,
    };
    let mut decoder = Decoder::new();
    let telegram = good();
    let (last, before) = telegram.split_last().unwrap();
    decoder.push(before);
    assert_eq!(decoder.next_event(), None);
    decoder.push(&[*last]);
    assert!(matches!(decoder.next_event(), Some(Event::Readout(_))));
}

// The line

#[test]
fn seven_data_bits_are_recognised() {
    let cut: Vec<u8> = good().iter().map(|byte| byte & 0x7f).collect();
    assert_eq!(decode(&cut), (vec![], vec![Noise::SevenBitLine]));
    // An ordinary damage is none.
    let mut damaged = good();
    let power = damaged.windows(6).position(|w| w == POWER).unwrap();
    damaged[power] ^= 1;
    assert_eq!(decode(&damaged).1, [Noise::WrongChecksum { bytes: damaged.len() }]);
}

#[test]
fn seven_data_bits_of_real_meters_are_recognised() {
    for (name, bytes) in ebp_testkit::recordings::dumps() {
        let cut: Vec<u8> = bytes.iter().map(|byte| byte & 0x7f).collect();
        let (readouts, noise) = decode(&cut);
        assert!(readouts.is_empty(), "{name}");
        // Recordings of which every telegram is cut to pieces have nothing to recognise.
        if name != "DZG_DVS-7420.2V.G2_mtr1_error" {
            assert!(noise.contains(&Noise::SevenBitLine), "{name}");
        }
        assert!(!decode(bytes).1.contains(&Noise::SevenBitLine), "{name}");
    }
}
