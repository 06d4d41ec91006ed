//! The spool by itself.
//!
//! Enters: measurements, incidents, damage to the file. Leaves: what the spool must hold. Absent: the
//! network.

mod consent_copy;
mod damage;
mod erasure;
mod incidents;
mod pages;
mod placing;
mod readings;
mod schema;

use std::{fs, sync::Arc};

use jiff::Timestamp;
use uuid::Uuid;

use super::*;
use ebp_core::{
    cycle::{Cycle, Slot},
    model::{ConsentState, DataPoint, Measurement, measurement_id},
    obis::ObisCode,
};

const METER: Uuid = Uuid::from_u128(0x00c0_ffee);

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn slot(text: &str) -> Slot {
    Cycle::QUARTER_HOUR.slot(at(text))
}

fn measurement(slot: Slot) -> Measurement {
    Measurement {
        uuid: measurement_id(METER, slot),
        meter: METER,
        measured_at: slot.start(),
        data: vec![DataPoint {
            obis: ObisCode::POSITIVE_ENERGY,
            value: "4711081.5000".parse().unwrap(),
        }],
        flags: Vec::new(),
    }
}

/// In a folder in memory where there is one: thousands of stores wait for the disk otherwise.
fn spool() -> (tempfile::TempDir, Spool) {
    let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let spool = Spool::open(dir.path()).unwrap();
    (dir, spool)
}

fn ranges(spool: &Spool) -> Vec<(i64, i64)> {
    let mut statement =
        spool.connection.prepare("SELECT start, finish FROM measured ORDER BY start").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn what_was_stored_is_there_to_the_last_digit_after_reopening() {
    let (dir, spool) = spool();
    let first = Measurement {
        measured_at: at("2026-01-31T12:00:03.123456789Z"),
        ..measurement(slot("2026-01-31T12:00:00Z"))
    };
    let second = measurement(slot("2026-01-31T11:00:00Z"));
    assert_eq!(spool.store(&first, slot("2026-01-31T12:00:00Z")).unwrap(), Stored::Stored);
    assert_eq!(spool.store(&second, slot("2026-01-31T11:00:00Z")).unwrap(), Stored::Stored);
    drop(spool);
    let spool = Spool::open(dir.path()).unwrap();
    assert_eq!(spool.pending(10).unwrap(), [first.clone(), second]);
    assert_eq!(spool.pending(1).unwrap(), [first]);
    assert_eq!(spool.len().unwrap(), 2);
    assert_eq!(spool.pending(1).unwrap()[0].data[0].value.to_string(), "4711081.5000");
}

#[test]
fn a_slot_is_measured_once_even_after_its_measurement_was_sent() {
    let (dir, spool) = spool();
    let slot = slot("2026-01-31T12:00:00Z");
    let measurement = measurement(slot);
    assert!(!spool.has_slot(METER, slot).unwrap());
    spool.store(&measurement, slot).unwrap();
    assert_eq!(spool.store(&measurement, slot).unwrap(), Stored::AlreadyMeasured);
    spool.confirm(&[measurement.uuid, Uuid::nil()]).unwrap();
    assert!(spool.is_empty().unwrap());
    drop(spool);
    let spool = Spool::open(dir.path()).unwrap();
    assert!(spool.has_slot(METER, slot).unwrap());
    assert!(!spool.has_slot(Uuid::nil(), slot).unwrap());
    assert_eq!(spool.store(&measurement, slot).unwrap(), Stored::AlreadyMeasured);
    assert!(spool.is_empty().unwrap());
}

#[test]
fn adjoining_slots_are_one_row() {
    let (_dir, spool) = spool();
    for time in ["12:00", "12:30", "13:15", "12:15", "12:45", "13:00"] {
        let slot = slot(&format!("2026-01-31T{time}:00Z"));
        assert_eq!(spool.store(&measurement(slot), slot).unwrap(), Stored::Stored, "{time}");
    }
    let start = slot("2026-01-31T12:00:00Z").key();
    assert_eq!(ranges(&spool), [(start, start + 6 * 900)]);
}

#[test]
fn slots_of_another_length_count_where_they_overlap() {
    let (_dir, spool) = spool();
    let minute: Cycle = "1m".parse().unwrap();
    let short = minute.slot(at("2026-01-31T12:07:00Z"));
    spool.store(&measurement(short), short).unwrap();
    assert!(spool.has_slot(METER, slot("2026-01-31T12:00:00Z")).unwrap());
    assert!(!spool.has_slot(METER, slot("2026-01-31T12:15:00Z")).unwrap());
    assert!(!spool.has_slot(METER, minute.slot(at("2026-01-31T12:08:00Z"))).unwrap());
    assert!(!spool.has_slot(METER, minute.slot(at("2026-01-31T12:06:00Z"))).unwrap());
}

#[test]
fn a_refused_measurement_is_kept_aside_with_its_reason() {
    let (_dir, spool) = spool();
    let slot = slot("2026-01-31T12:00:00Z");
    let measurement = measurement(slot);
    spool.store(&measurement, slot).unwrap();
    let refused_at = at("2026-01-31T13:00:00Z");
    spool.refuse(measurement.uuid, "no such meter", refused_at).unwrap();
    spool.refuse(Uuid::nil(), "unknown", refused_at).unwrap();
    assert!(spool.is_empty().unwrap());
    assert_eq!(
        spool.refused().unwrap(),
        [Refused { measurement, reason: "no such meter".into(), refused_at }]
    );
    assert!(spool.has_slot(METER, slot).unwrap());
}

#[test]
fn consent_is_remembered() {
    let (dir, spool) = spool();
    assert_eq!(spool.consent().unwrap(), None);
    let (early, late) = (at("2026-01-31T12:00:00Z"), at("2026-01-31T13:00:00.5Z"));
    spool.remember_consent(ConsentState::NotGranted, early).unwrap();
    spool.remember_consent(ConsentState::Granted, late).unwrap();
    drop(spool);
    let spool = Spool::open(dir.path()).unwrap();
    let granted = KnownConsent { state: ConsentState::Granted, as_of: late };
    assert_eq!(spool.consent().unwrap(), Some(granted));
    assert!(!spool.is_revoked().unwrap());
}

#[test]
fn a_revocation_is_for_good() {
    let (dir, spool) = spool();
    let slot = slot("2026-01-31T12:00:00Z");
    let revoked_at = at("2026-01-31T14:00:00Z");
    spool.remember_consent(ConsentState::Revoked, revoked_at).unwrap();
    spool.purge(at("2026-02-01T00:00:00Z")).unwrap();
    drop(spool);
    let spool = Spool::open(dir.path()).unwrap();
    assert!(spool.is_revoked().unwrap());
    assert_eq!(spool.consent().unwrap().unwrap().as_of, revoked_at);
    let stored = spool.store(&measurement(slot), slot);
    assert!(matches!(stored, Err(SpoolError::Revoked { .. })), "{stored:?}");
    let granted = spool.remember_consent(ConsentState::Granted, revoked_at);
    assert!(matches!(granted, Err(SpoolError::Revoked { .. })), "{granted:?}");
    // Nor does the database itself let anyone.
    for sql in ["DELETE FROM consent", "UPDATE consent SET state = 'granted'"] {
        assert!(spool.connection.execute(sql, []).is_err(), "{sql}");
    }
}

/// Whether any file of the folder holds the bytes.
fn on_disk(dir: &Path, bytes: &[u8]) -> bool {
    let files = fs::read_dir(dir).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap());
    files.into_iter().any(|file| file.windows(bytes.len()).any(|window| window == bytes))
}

#[test]
fn a_purge_leaves_no_byte_of_a_measurement() {
    let (dir, spool) = spool();
    let start = slot("2026-01-31T12:00:00Z").start();
    for i in 0..3000 {
        let slot = Cycle::QUARTER_HOUR.slot(start + jiff::SignedDuration::from_secs(900 * i));
        spool.store(&measurement(slot), slot).unwrap();
    }
    let pending = spool.pending(5000).unwrap();
    let uuids: Vec<Uuid> = pending.iter().map(|m| m.uuid).collect();
    spool.confirm(&uuids[..1000]).unwrap();
    spool.refuse(uuids[1000], "no such meter", start).unwrap();
    assert!(on_disk(dir.path(), b"4711081.5"));
    assert!(on_disk(dir.path(), METER.as_bytes()));
    spool.purge(start).unwrap();
    let traces: [&[u8]; 6] = [
        b"4711081.5",
        b"0100010800ff",
        b"no such meter",
        METER.as_bytes(),
        uuids[0].as_bytes(),
        uuids[2999].as_bytes(),
    ];
    for trace in traces {
        assert!(!on_disk(dir.path(), trace), "{trace:x?}");
    }
    assert!(!spool.has_slot(METER, slot("2026-01-31T12:00:00Z")).unwrap());
}

#[test]
fn a_wipe_that_was_cut_short_is_made_up_for() {
    let (dir, spool) = spool();
    let slot = slot("2026-01-31T12:00:00Z");
    spool.store(&measurement(slot), slot).unwrap();
    // As far as a purge comes that is killed after its transaction.
    spool
        .connection
        .execute_batch(
            "BEGIN; INSERT INTO consent (id, state, as_of)
             VALUES (1, 'revoked', '2026-01-31T12:00:00Z'); DELETE FROM measurement;
             DELETE FROM reading; COMMIT;",
        )
        .unwrap();
    drop(spool);
    assert!(on_disk(dir.path(), b"4711081.5"));
    let spool = Spool::open(dir.path()).unwrap();
    assert!(spool.is_revoked().unwrap());
    assert!(!on_disk(dir.path(), b"4711081.5"));
}

#[test]
fn a_newer_schema_and_a_wrong_folder_are_refused() {
    // Of a program that does not say who else can use it, and of one that says that this one cannot.
    for oldest in [0, 99] {
        let (dir, spool) = spool();
        spool.connection.pragma_update(None, "user_version", 99).unwrap();
        spool.connection.pragma_update(None, "application_id", oldest).unwrap();
        drop(spool);
        let newer = Spool::open(dir.path()).unwrap_err();
        assert!(matches!(newer, SpoolError::Newer { version: 99, .. }), "{oldest}: {newer:?}");
    }

    let file = tempfile::NamedTempFile::new().unwrap();
    let folder = Spool::open(file.path()).unwrap_err();
    assert!(matches!(folder, SpoolError::Folder { .. }), "{folder:?}");

    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join(FILE_NAME)).unwrap();
    let open = Spool::open(dir.path()).unwrap_err();
    assert!(matches!(open, SpoolError::Open { .. }), "{open:?}");
}

#[test]
fn many_can_open_a_new_spool_at_once() {
    for _ in 0..10 {
        let dir = tempfile::tempdir().unwrap();
        let slot = slot("2026-01-31T12:00:00Z");
        let stored: Vec<Stored> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        Spool::open(dir.path()).unwrap().store(&measurement(slot), slot).unwrap()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(stored.iter().filter(|s| **s == Stored::Stored).count(), 1);
        assert_eq!(Spool::open(dir.path()).unwrap().len().unwrap(), 1);
    }
}
