//! Framing without decoding.

use super::{super::encode::wrap, *};

fn payloads(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut scratch = Vec::new();
    frames(bytes).filter(Frame::is_whole).map(|f| f.payload(&mut scratch).to_vec()).collect()
}

fn with_padding(data: &[u8], padding: u8) -> Vec<u8> {
    let mut frame = [&START[..], data, &vec![0; padding.into()], &ESCAPE, &[END, padding]].concat();
    let checksum = Checksum::X25.on_wire(&frame);
    frame.extend_from_slice(&checksum);
    frame
}

#[test]
fn padding_of_zero_to_four_is_taken_off() {
    for padding in 0..=4 {
        assert_eq!(payloads(&with_padding(b"abcd", padding)), [b"abcd"], "{padding}");
    }
    assert!(payloads(&with_padding(b"abcd", 5)).is_empty());
}

#[test]
fn more_padding_than_data_is_no_panic() {
    let mut frame = [&START[..], &ESCAPE, &[END, 4]].concat();
    let checksum = Checksum::X25.on_wire(&frame);
    frame.extend_from_slice(&checksum);
    assert_eq!(payloads(&frame), [b""]);
}

#[test]
fn escapes_in_data() {
    for run in 0..13 {
        let data = [&b"ab"[..], &vec![0x1b; run], &[0]].concat();
        assert_eq!(payloads(&wrap(&data)), std::slice::from_ref(&data), "{run}");
        // A start in the data is data, once it is escaped.
        let data = [&data[..2 + run], &[1, 1, 1, 1, 0]].concat();
        assert_eq!(payloads(&wrap(&data)), [data], "{run}");
    }
}

#[test]
fn any_number_of_1b_before_a_start() {
    for run in 0..20 {
        let bytes = [vec![0x1b; run], wrap(b"data")].concat();
        assert_eq!(payloads(&bytes), [b"data"], "{run}");
    }
}

#[test]
fn a_start_inside_a_frame_begins_a_new_one() {
    let whole = wrap(b"data that is whole");
    for cut in 0..whole.len() {
        let bytes = [&whole[..cut], &whole].concat();
        assert_eq!(payloads(&bytes), [b"data that is whole"], "{cut}");
    }
}

#[test]
fn any_number_of_1b_before_an_end_or_a_start_inside_a_frame() {
    for run in 0..12 {
        let data = [&b"ab"[..], &vec![0x1b; run]].concat();
        let padded = data.len().next_multiple_of(4);
        // Without padding nothing stands between the data and the end.
        let exact = [&vec![0; padded - data.len()], &data[..]].concat();
        assert_eq!(payloads(&wrap(&exact)), [exact], "{run}");
        let broken_off = [&START[..], &data, &wrap(b"data")].concat();
        assert_eq!(payloads(&broken_off), [b"data"], "{run}");
    }
}

#[test]
fn an_end_whose_checksum_is_lost_does_not_eat_the_next_start() {
    let whole = wrap(b"data");
    for lost in 1..8 {
        let bytes = [&whole[..whole.len() - lost], &whole].concat();
        assert_eq!(payloads(&bytes), [b"data"], "{lost}");
    }
}

#[test]
fn a_frame_without_end_is_given_up_and_the_next_is_found() {
    for extra in 0..24 {
        let junk = vec![0x55; LONGEST - 16 + extra];
        let bytes = [&START[..], &junk, &wrap(b"data")].concat();
        assert_eq!(payloads(&bytes), [b"data"], "{extra}");
        // Looks like escaped data where it is cut.
        let bytes = [&START[..], &junk[8..], &ESCAPE, &wrap(b"data")].concat();
        assert_eq!(payloads(&bytes), [b"data"], "{extra}");
    }
}

#[test]
fn kermit_is_found_and_remembered() {
    let mut frame = [&START[..], b"data", &ESCAPE, &[END, 0]].concat();
    let checksum = Checksum::Kermit.on_wire(&frame);
    frame.extend_from_slice(&checksum);
    let bytes = [frame.clone(), frame].concat();
    let mut frames = frames(&bytes);
    assert_eq!(frames.next().unwrap().state, State::Whole(Checksum::Kermit));
    assert_eq!(frames.checksum, Checksum::Kermit);
    assert_eq!(frames.next().unwrap().state, State::Whole(Checksum::Kermit));
    assert!(frames.next().is_none());
}

#[test]
fn damage_is_told_apart() {
    let mut wrong = wrap(b"data");
    wrong[9] ^= 1;
    let bytes = [&wrong[..], &wrong[..12], &wrap(b"data"), &START].concat();
    let states: Vec<_> = frames(&bytes).map(|f| f.state).collect();
    assert_eq!(
        states,
        [State::WrongChecksum, State::Truncated, State::Whole(Checksum::X25), State::Truncated]
    );
}

#[test]
fn frames_together_are_all_the_bytes() {
    let noise = vec![0x1b; 2 * PORTION + 5];
    let bytes = [&noise[..], &wrap(b"data"), b"\x1b\x1b", &wrap(b"data")[..13]].concat();
    let all: Vec<_> = frames(&bytes).collect();
    assert_eq!(all.iter().flat_map(|f| f.raw).copied().collect::<Vec<_>>(), bytes);
    assert!(all.iter().filter(|f| f.state == State::Outside).all(|f| f.raw.len() <= PORTION));
    assert_eq!(all.iter().filter(|f| f.is_whole()).count(), 1);
}
