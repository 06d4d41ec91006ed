//! Disks that are full, files that are damaged or lost, and schemas of yesterday.

use super::*;
use ebp_core::{clock::FixedClock, contract::Notice, model::Flag};

const PAGE: usize = open::PAGE_BYTES as usize;

fn later(number: i64) -> Slot {
    let start = slot("2026-01-31T12:00:00Z").start();
    Cycle::QUARTER_HOUR.slot(start + jiff::SignedDuration::from_secs(900 * number))
}

/// A spool with so many measurements, all of them in the file itself.
fn filled(count: i64) -> (tempfile::TempDir, Vec<Measurement>) {
    let (dir, spool) = spool();
    let stored: Vec<Measurement> = (0..count)
        .map(|number| {
            let measurement = measurement(later(number));
            spool.store(&measurement, later(number)).unwrap();
            measurement
        })
        .collect();
    spool.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    (dir, stored)
}

fn set_aside(dir: &Path) -> Vec<String> {
    let names = fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names
        .filter(|name| name.contains(".damaged-"))
        .filter(|name| !name.ends_with("-wal") && !name.ends_with("-shm"))
        .collect();
    names.sort();
    names
}

#[test]
fn a_full_disk_says_so_and_takes_nothing() {
    let (_dir, spool) = spool();
    let start = slot("2026-01-31T12:00:00Z").start();
    let pages: i64 =
        spool.connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    spool.connection.pragma_query(None, "max_page_count", |_| Ok(())).unwrap();
    spool.connection.pragma_update(None, "max_page_count", pages + 2).unwrap();
    let mut stored = Vec::new();
    let full = (0..10_000)
        .find_map(|i| {
            let slot = Cycle::QUARTER_HOUR.slot(start + jiff::SignedDuration::from_secs(900 * i));
            match spool.store(&measurement(slot), slot) {
                Ok(_) => {
                    stored.push(measurement(slot));
                    None
                }
                Err(error) => Some(error),
            }
        })
        .unwrap();
    assert!(matches!(full, SpoolError::Full { .. }), "{full:?}");
    assert!(full.to_string().contains("spool.sqlite"), "{full}");
    assert_eq!(spool.pending(10_000).unwrap(), stored);
    // Room comes back as the server confirms.
    let uuids: Vec<Uuid> = stored.iter().map(|m| m.uuid).collect();
    spool.confirm(&uuids).unwrap();
    let slot = slot("2020-01-01T00:00:00Z");
    assert_eq!(spool.store(&measurement(slot), slot).unwrap(), Stored::Stored);
}

#[test]
fn at_its_limit_it_refuses_the_new_and_drops_nothing() {
    let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let options = SpoolOptions { max_bytes: 100_000, ..SpoolOptions::default() };
    let spool = Spool::open_with(dir.path(), options).unwrap();
    let mut stored = Vec::new();
    let error = (0..10_000)
        .find_map(|number| match spool.store(&measurement(later(number)), later(number)) {
            Ok(_) => {
                stored.push(measurement(later(number)));
                None
            }
            Err(error) => Some(error),
        })
        .unwrap();
    assert!(matches!(error, SpoolError::LimitReached { max_bytes: 100_000, .. }), "{error:?}");
    assert!(spool.is_full().unwrap() && stored.len() > 300, "{}", stored.len());
    assert_eq!(spool.pending(10_000).unwrap(), stored);
    assert!(!spool.has_slot(METER, later(stored.len() as i64)).unwrap());
    assert_eq!(spool.notices().unwrap()[0].notice, Notice::SpoolFull);
    assert!(spool.bytes_on_disk() >= 100_000);
    // Consent and all else that is not a measurement has room still.
    spool.remember_consent(ConsentState::Granted, at("2026-01-31T12:00:00Z")).unwrap();
    let uuids: Vec<Uuid> = stored.iter().map(|m| m.uuid).collect();
    spool.confirm(&uuids).unwrap();
    spool.notices_told(&[Notice::SpoolFull]).unwrap();
    assert!(spool.notices().unwrap().is_empty() && !spool.is_full().unwrap());
    assert_eq!(spool.store(&measurement(later(9999)), later(9999)).unwrap(), Stored::Stored);
}

#[test]
fn what_is_no_database_is_set_aside_and_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(FILE_NAME);
    let text = "this is no database, but long enough to be looked at ".repeat(100);
    fs::write(&path, &text).unwrap();
    let clock = Arc::new(FixedClock(at("2026-01-31T12:00:00Z")));
    for expected in 1..3 {
        let options = SpoolOptions { clock: clock.clone(), ..SpoolOptions::default() };
        let spool = Spool::open_with(dir.path(), options).unwrap();
        assert!(spool.is_empty().unwrap());
        assert_eq!(set_aside(dir.path()).len(), expected);
        let noted = &spool.notices().unwrap()[0];
        assert_eq!((noted.notice, noted.noted_at), (Notice::SpoolSetAside, clock.0));
        drop(spool);
        // The journal has every page of a young file.
        fs::remove_file(open::beside(&path, "-wal")).unwrap();
        fs::write(&path, &text).unwrap();
    }
    let names = set_aside(dir.path());
    assert_eq!(names[0], "spool.sqlite.damaged-20260131T120000Z");
    assert_eq!(fs::read_to_string(dir.path().join(&names[0])).unwrap(), text);
}

#[test]
fn what_can_be_read_of_a_damaged_file_is_taken_over() {
    for damage in 0..3_usize {
        let (dir, stored) = filled(400);
        let path = dir.path().join(FILE_NAME);
        let mut bytes = fs::read(&path).unwrap();
        let page = bytes.len() / 2 / PAGE * PAGE;
        match damage {
            // A page in the middle is rubbish.
            0 => bytes[page..page + PAGE].fill(0xa5),
            // The end is gone.
            1 => bytes.truncate(bytes.len() / 8 * 7 / PAGE * PAGE),
            // The header is overwritten.
            _ => bytes[..100].fill(0),
        }
        fs::write(&path, bytes).unwrap();
        let spool = Spool::open(dir.path()).unwrap();
        let pending = spool.pending(1000).unwrap();
        assert!(pending.iter().all(|m| stored.contains(m)), "damage {damage}: others appear");
        let mut uuids: Vec<_> = pending.iter().map(|m| m.uuid).collect();
        uuids.dedup();
        assert_eq!(uuids.len(), pending.len(), "damage {damage}: one appears twice");
        let least = [390, 250, 400][damage];
        assert!(pending.len() >= least, "damage {damage}: {} of 400", pending.len());
        for measurement in &pending {
            let slot = Cycle::QUARTER_HOUR.slot(measurement.measured_at);
            assert!(spool.has_slot(METER, slot).unwrap(), "damage {damage}");
            assert_eq!(spool.store(measurement, slot).unwrap(), Stored::AlreadyMeasured);
        }
        assert_eq!(spool.notices().unwrap()[0].notice, Notice::SpoolSetAside);
        assert_eq!(set_aside(dir.path()).len(), 1);
    }
}

#[test]
fn a_process_that_still_holds_the_damaged_file_is_told_and_loses_nothing() {
    let (dir, stored) = filled(20);
    let mut holder = Spool::open(dir.path()).unwrap();
    let (spare, next) = (later(100), later(101));
    holder.store(&measurement(spare), spare).unwrap();
    let aside = super::super::damage::rename(&holder.path, at("2026-01-31T12:00:00Z")).unwrap();
    let spool = Spool::of_file(&holder.path, &SpoolOptions::default()).unwrap();
    spool.salvage(&aside).unwrap();
    assert_eq!(spool.len().unwrap(), stored.len() as u64 + 1);
    let error = holder.store(&measurement(next), next).unwrap_err();
    assert!(error.wants_reopening(), "{error:?}");
    drop(spool);
    holder.reopen().unwrap();
    holder.store(&measurement(next), next).unwrap();
    assert_eq!(holder.len().unwrap(), stored.len() as u64 + 2);
}

#[test]
fn rows_that_cannot_be_understood_are_named() {
    let (_dir, spool) = spool();
    let slot = slot("2026-01-31T12:00:00Z");
    spool.store(&measurement(slot), slot).unwrap();
    for damage in ["data = '[{'", "measured_at = 'noon'", "meter = x'00'", "flags = 'odd'"] {
        spool.connection.execute_batch("BEGIN").unwrap();
        spool.connection.execute(&format!("UPDATE measurement SET {damage}"), []).unwrap();
        let error = spool.pending(1).unwrap_err();
        assert!(error.is_damaged(), "{damage}: {error:?}");
        spool.connection.execute_batch("ROLLBACK").unwrap();
    }
}

#[test]
fn the_memory_of_a_revocation_survives_the_loss_of_the_file() {
    let (dir, _) = filled(3);
    let revoked_at = at("2026-01-31T14:00:00Z");
    let spool = Spool::open(dir.path()).unwrap();
    spool.purge(revoked_at).unwrap();
    drop(spool);
    for suffix in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(open::beside(&dir.path().join(FILE_NAME), suffix));
    }
    let spool = Spool::open(dir.path()).unwrap();
    assert!(spool.is_revoked().unwrap());
    assert_eq!(spool.consent().unwrap().unwrap().as_of, revoked_at);
    let stored = spool.store(&measurement(later(0)), later(0));
    assert!(matches!(stored, Err(SpoolError::Revoked { .. })), "{stored:?}");
}

#[test]
fn a_revocation_removes_what_was_set_aside() {
    let (dir, _) = filled(50);
    let path = dir.path().join(FILE_NAME);
    let mut bytes = fs::read(&path).unwrap();
    let end = bytes.len() - PAGE;
    bytes[end..].fill(0xa5);
    fs::write(&path, bytes).unwrap();
    let spool = Spool::open(dir.path()).unwrap();
    assert!(!set_aside(dir.path()).is_empty());
    spool.purge(at("2026-01-31T14:00:00Z")).unwrap();
    assert!(set_aside(dir.path()).is_empty());
    assert!(!on_disk(dir.path(), b"4711081.5"));
}

#[test]
fn a_spool_of_the_first_schema_is_taken_over() {
    let dir = tempfile::tempdir().unwrap();
    let slot = slot("2026-01-31T12:00:00Z");
    let measurement = measurement(slot);
    let old = Connection::open(dir.path().join(FILE_NAME)).unwrap();
    old.execute_batch(include_str!("../1.sql")).unwrap();
    old.pragma_update(None, "user_version", 1).unwrap();
    old.execute(
        "INSERT INTO measurement (uuid, meter, measured_at, data) VALUES (?1, ?2, ?3, ?4)",
        rusqlite::params![
            measurement.uuid.as_bytes(),
            METER.as_bytes(),
            measurement.measured_at.to_string(),
            serde_json::to_string(&measurement.data).unwrap()
        ],
    )
    .unwrap();
    let seconds = slot.seconds();
    old.execute(
        "INSERT INTO measured VALUES (?1, ?2, ?3)",
        rusqlite::params![METER.as_bytes(), seconds.start, seconds.end],
    )
    .unwrap();
    drop(old);
    let spool = Spool::open(dir.path()).unwrap();
    assert_eq!(spool.pending(10).unwrap(), std::slice::from_ref(&measurement));
    assert_eq!(spool.store(&measurement, slot).unwrap(), Stored::AlreadyMeasured);
    let flagged =
        Measurement { flags: vec![Flag::PowerOutOfRange], ..super::measurement(later(1)) };
    spool.store(&flagged, later(1)).unwrap();
    assert_eq!(spool.pending(10).unwrap(), [measurement, flagged]);
}
