//! Bits and bytes that are lost: at one place, at many, at random.

use super::*;

#[test]
fn a_buffer_that_is_too_small() {
    for size in [64, 120, 128, 256, 300] {
        // The rest of each telegram is lost up to some place,
        let with_end: Vec<u8> = telegrams()
            .enumerate()
            .flat_map(|(at, telegram)| {
                let rest = size + 90 + 7 * at;
                [&telegram[..size], &telegram[rest..]].concat()
            })
            .collect();
        let Some(Cause::BufferTooSmall { bytes }) = diagnose(&with_end) else {
            panic!("{size}: {:?}", diagnose(&with_end))
        };
        assert!(bytes.abs_diff(size) <= 24, "{bytes} for {size}");
        // or to its end, or from its beginning.
        let beginnings: Vec<u8> = telegrams().flat_map(|t| t[..size].to_vec()).collect();
        assert_eq!(diagnose(&beginnings), Some(Cause::BufferTooSmall { bytes: size }));
        let ends: Vec<u8> = telegrams().flat_map(|t| t[t.len() - size..].to_vec()).collect();
        assert_eq!(diagnose(&ends), Some(Cause::BufferTooSmall { bytes: size }));
    }
    let registers = "/ABC5x\r\n1.8.0(000001*kWh)\r\n2.8.0(000002*kWh)\r\n1.7.0(0.1*kW)\r\n2.7.0(0";
    let cut = Some(Cause::BufferTooSmall { bytes: registers.len() });
    assert_eq!(diagnose(registers.repeat(5).as_bytes()), cut);
}

/// A gap at one offset is one whatever its length, and wherever it lies.
#[test]
fn bytes_lost_at_one_offset() {
    let length = telegram(1, 14).len();
    let (mut total, mut others) = (0, Vec::new());
    for lost in 1..=40 {
        for at in (16 + lost..length - 60).step_by(113) {
            let stream: Vec<u8> =
                telegrams().flat_map(|t| [&t[..at], &t[at + lost..]].concat()).collect();
            total += 1;
            match diagnose(&stream) {
                Some(Cause::BufferTooSmall { bytes }) if bytes.abs_diff(at) <= 72 => {}
                Some(Cause::BytesLostAtOnePlace) => {}
                other => others.push((lost, at, other)),
            }
        }
    }
    // What follows may happen to fit, and the place is then elsewhere.
    assert!(others.len() * 50 <= total, "{} of {total}: {others:?}", others.len());
}

#[test]
fn bytes_inserted_at_one_offset_are_no_buffer() {
    for inserted in [&b"\0"[..], b"\xff\xff", b"\r\n\r\n"] {
        for at in [60, 133, 200, 256] {
            let stream: Vec<u8> =
                telegrams().flat_map(|t| [&t[..at], inserted, &t[at..]].concat()).collect();
            assert_eq!(diagnose(&stream), Some(Cause::BytesInserted), "{inserted:?} at {at}");
        }
    }
}

#[test]
fn holes_at_changing_places_are_no_buffer() {
    let holes: Vec<u8> = telegrams()
        .enumerate()
        .flat_map(|(at, telegram)| {
            let from = 70 + 53 * at;
            [&telegram[..from], &telegram[from + 19..]].concat()
        })
        .collect();
    assert_eq!(diagnose(&holes), Some(Cause::BytesLost));
}

/// A turned head loses the same bits of the same telegram each time: that is no buffer.
#[test]
fn bits_lost_at_one_place_are_no_buffer() {
    let stream = telegram(1, 14);
    for place in 0..stream.len() {
        for mask in [0x01, 0x10, 0x80] {
            let mut damaged = stream.clone();
            damaged[place] &= !mask;
            if damaged == stream {
                continue;
            }
            assert_eq!(diagnose(&damaged.repeat(5)), Some(Cause::BitsLost), "{place} {mask:02x}");
        }
    }
}

#[test]
fn bits_lost_at_random() {
    let mut state = 0x9e37_79b9_7f4a_7c15;
    for round in 0..300 {
        let damaged: Vec<u8> = telegrams()
            .flat_map(|mut telegram| {
                for _ in 0..=round % 8 {
                    let place = random(&mut state, telegram.len());
                    // Light that is not seen leaves a bit set.
                    telegram[place] |= 1 << random(&mut state, 8);
                }
                telegram
            })
            .collect();
        let found = diagnose(&damaged);
        let is_whole = crate::sml::frame::frames(&damaged).all(|frame| frame.is_whole());
        assert_eq!(found, (!is_whole).then_some(Cause::BitsLost), "{round}");
    }
}

#[test]
fn bytes_lost_at_random() {
    let mut state = 0x9e37_79b9_7f4a_7c15;
    for round in 0..300 {
        let damaged: Vec<u8> = telegrams()
            .flat_map(|mut telegram| {
                // As many as four are not told by the length.
                for _ in 0..=random(&mut state, 3) {
                    telegram.remove(8 + random(&mut state, telegram.len() - 16));
                }
                telegram
            })
            .collect();
        assert_eq!(diagnose(&damaged), Some(Cause::BytesLost), "{round}");
    }
}

#[test]
fn tabs_that_became_spaces_are_no_buffer() {
    let stream: Vec<u8> = telegrams().collect::<Vec<_>>().concat();
    let with_tabs: Vec<u8> = (1..8)
        .flat_map(|count| {
            // A count whose value has a tab.
            (0..).map(|more| telegram(count + 100 * more, 14)).find(|t| t.contains(&b'\t')).unwrap()
        })
        .collect();
    for width in [1, 4, 8] {
        let spaces = vec![b' '; width];
        let expanded: Vec<u8> = with_tabs
            .iter()
            .flat_map(|byte| if *byte == b'\t' { spaces.clone() } else { vec![*byte] })
            .collect();
        assert_eq!(diagnose(&expanded), Some(Cause::TabsExpanded), "{width}");
    }
    // A terminal's tabs reach to the next column that is a multiple of eight.
    let mut columns = Vec::new();
    for byte in &with_tabs {
        match byte {
            b'\t' => columns.resize((columns.len() / 8 + 1) * 8, b' '),
            other => columns.push(*other),
        }
    }
    assert_eq!(diagnose(&columns), Some(Cause::TabsExpanded));
    assert_eq!(diagnose(&stream), None);
}
