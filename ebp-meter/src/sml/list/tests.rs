//! Reading entries the short way and the long way.

use proptest::prelude::*;

use super::*;

/// Entries of the shapes that meters send, and near misses.
fn entries() -> impl Strategy<Value = Vec<u8>> {
    let element = |shapes: &'static [&'static [u8]]| prop::sample::select(shapes);
    let absent: &[u8] = &[0x01];
    let time: &[u8] = &[0x72, 0x62, 0x01, 0x65, 1, 2, 3, 4];
    let status =
        prop::sample::select(vec![absent, &[0x62, 4], &[0x64, 1, 2, 3], &[0x65, 0, 0x1c, 1, 4]]);
    let times = prop::sample::select(vec![absent, time, &[0x65, 1, 2, 3, 4]]);
    let value = element(&[
        &[0x01],
        &[0x52, 0x80],
        &[0x63, 0xff, 0xff],
        &[0x54, 0x80, 0, 0],
        &[0x56, 0xff, 1, 2, 3, 4],
        &[0x59, 0x80, 1, 2, 3, 4, 5, 6, 7],
        &[0x69, 0xff, 1, 2, 3, 4, 5, 6, 7],
        &[0x04, b'E', b'M', b'H'],
        &[0x42, 1],
    ]);
    let unit = element(&[&[0x01], &[0x62, 30], &[0x63, 0, 30]]);
    let scaler = element(&[&[0x01], &[0x52, 0xff], &[0x62, 0xff]]);
    let damage = prop::option::of((any::<prop::sample::Index>(), any::<u8>()));
    (any::<[u8; 6]>(), status, times, unit, scaler, value, 0..20_usize, damage).prop_map(
        |(obis, status, time, unit, scaler, value, behind, damage)| {
            let mut bytes =
                [&[0x77, 0x07][..], &obis, status, time, unit, scaler, value, &[0x01]].concat();
            if let Some((at, byte)) = damage {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            bytes.resize(bytes.len() + behind, 0x63);
            bytes
        },
    )
}

proptest! {
    /// The short way must say what the long way says, whenever it says anything.
    #[test]
    fn both_ways_to_read_an_entry_agree(bytes in entries()) {
        let mut short = Cursor::new(&bytes);
        if let Some(entry) = RawEntry::read_common(&mut short) {
            let mut long = Cursor::new(&bytes);
            prop_assert_eq!(RawEntry::read_any(&mut long), Ok(entry));
            prop_assert_eq!(short.rest(), long.rest());
        } else {
            prop_assert_eq!(short.rest(), &bytes[..], "nothing is read");
        }
    }
}

#[test]
fn the_short_way_is_taken() {
    let plain =
        [0x77, 0x07, 1, 0, 16, 7, 0, 255, 1, 1, 0x62, 27, 0x52, 0, 0x53, 1, 44, 1, 0, 0, 0, 0, 0];
    assert!(RawEntry::read_common(&mut Cursor::new(&plain)).is_some());
    let text = [0x77, 0x07, 1, 0, 96, 50, 1, 1, 1, 1, 1, 1, 0x04, b'E', b'M', b'H', 1];
    assert!(RawEntry::read_common(&mut Cursor::new(&text)).is_some());
    let head = [0x77, 0x07, 129, 129, 199, 130, 5, 255, 1, 1, 1, 1, 0x83, 0x02];
    let key = [&head[..], &[7; 48], &[1]].concat();
    assert!(RawEntry::read_common(&mut Cursor::new(&key)).is_some());
}
