//! The last values of each meter, and the quality of its reception.

use super::*;
use ebp_core::model::Flag;

#[test]
fn the_last_reading_outlives_its_transmission() {
    let (dir, spool) = spool();
    assert_eq!(spool.last_reading(METER).unwrap(), None);
    let (early, late) = (slot("2026-01-31T11:00:00Z"), slot("2026-01-31T12:00:00Z"));
    let measurement = Measurement { flags: Flag::ALL.to_vec(), ..measurement(late) };
    spool.store_with(&measurement, late, Some(4711)).unwrap();
    spool.store(&super::measurement(early), early).unwrap();
    assert_eq!(spool.pending(1).unwrap()[0].flags, Flag::ALL);
    let uuids: Vec<Uuid> = spool.pending(10).unwrap().iter().map(|m| m.uuid).collect();
    spool.confirm(&uuids).unwrap();
    drop(spool);
    let spool = Spool::open(dir.path()).unwrap();
    let expected = LastReading { measured_at: measurement.measured_at, data: measurement.data };
    assert_eq!(spool.last_reading(METER).unwrap(), Some(expected));
}

#[test]
fn telegrams_are_written_with_the_next_measurement_and_told_once() {
    let (dir, spool) = spool();
    let other = Uuid::from_u128(7);
    let pages = || fs::metadata(open::beside(&spool.path, "-wal")).unwrap().len();
    let before = pages();
    spool.note_telegrams(METER, 3, 1);
    spool.note_telegrams(METER, 2, 0);
    spool.note_telegrams(other, 0, 5);
    assert_eq!(pages(), before, "not worth a write of their own");
    assert!(spool.telegrams().unwrap().is_empty());
    let first = slot("2026-01-31T11:00:00Z");
    spool.store(&measurement(first), first).unwrap();
    drop(spool);
    let spool = Spool::open(dir.path()).unwrap();
    let counted = spool.telegrams().unwrap();
    let expected =
        [(other, Telegrams { good: 0, damaged: 5 }), (METER, Telegrams { good: 5, damaged: 1 })];
    assert_eq!(counted, expected);
    spool.note_telegrams(METER, 1, 0);
    let second = slot("2026-01-31T12:00:00Z");
    spool.store(&measurement(second), second).unwrap();
    spool.telegrams_told(&counted).unwrap();
    assert_eq!(spool.telegrams().unwrap(), [(METER, Telegrams { good: 1, damaged: 0 })]);
    assert_eq!(spool.last_reading(other).unwrap(), None);
}

#[test]
fn a_consent_heard_again_is_not_written_again() {
    let (_dir, spool) = spool();
    let granted = at("2026-01-31T12:00:00Z");
    spool.remember_consent(ConsentState::Granted, granted).unwrap();
    spool.remember_consent(ConsentState::Granted, at("2026-01-31T17:59:59Z")).unwrap();
    assert_eq!(spool.consent().unwrap().unwrap().as_of, granted);
    // A clock that was set back is no reason to remember an hour that has not come yet.
    for time in ["2026-01-31T18:00:00Z", "2026-01-31T09:00:00Z"] {
        spool.remember_consent(ConsentState::Granted, at(time)).unwrap();
        assert_eq!(spool.consent().unwrap().unwrap().as_of, at(time));
    }
    let revoked_at = at("2026-01-31T09:00:01Z");
    spool.remember_consent(ConsentState::Revoked, revoked_at).unwrap();
    assert!(spool.is_revoked().unwrap());
}
