//! Which programs can use which schema: a device that goes back to the release before finds its spool
//! brought further by the newer one.

use rusqlite::{Connection, params};

use super::{super::open, *};

fn later(hours: i64) -> Slot {
    Cycle::QUARTER_HOUR.slot(at("2026-01-31T12:00:00Z") + jiff::SignedDuration::from_hours(hours))
}

/// What the next schema might add.
const ADDS: &str = "CREATE TABLE later (name TEXT NOT NULL PRIMARY KEY) STRICT;
    ALTER TABLE measurement ADD COLUMN later TEXT NOT NULL DEFAULT 'nothing';
    ALTER TABLE refused ADD COLUMN later TEXT;";

const BREAKS: &str = "-- Breaks older programs: they know no such table.
    ALTER TABLE measurement RENAME TO other;";

/// The file as a program with one step more leaves it.
fn brought_further(folder: &Path, step: &str) {
    let path = folder.join(FILE_NAME);
    let newer = Connection::open(&path).unwrap();
    open::migrate_by(&newer, &path, &[open::MIGRATIONS[0], open::MIGRATIONS[1], step]).unwrap();
}

#[test]
fn the_release_before_goes_on_with_a_spool_that_the_new_one_migrated() {
    let (dir, spool) = spool();
    for hour in 0..3 {
        spool.store(&measurement(later(hour)), later(hour)).unwrap();
    }
    drop(spool);
    brought_further(dir.path(), ADDS);

    // By the statements of this release.
    let spool = Spool::open(dir.path()).unwrap();
    assert_eq!(spool.len().unwrap(), 3);
    assert_eq!(spool.store(&measurement(later(1)), later(1)).unwrap(), Stored::AlreadyMeasured);
    for hour in 3..6 {
        assert_eq!(spool.store(&measurement(later(hour)), later(hour)).unwrap(), Stored::Stored);
    }
    let confirmed = measurement(later(0));
    spool.confirm(&[confirmed.uuid]).unwrap();
    let refused = measurement(later(1));
    spool.refuse(refused.uuid, "not of this household", at("2026-01-31T18:00:00Z")).unwrap();
    spool.note_component("reader", "0.1.0").unwrap();
    drop(spool);
    // It is opened again and again.
    drop(Spool::open(dir.path()).unwrap());

    // Read by the newer one: every row that was not confirmed.
    let path = dir.path().join(FILE_NAME);
    let newer = Connection::open(&path).unwrap();
    open::migrate_by(&newer, &path, &[open::MIGRATIONS[0], open::MIGRATIONS[1], ADDS]).unwrap();
    let rows = |sql: &str| -> Vec<(Vec<u8>, Option<String>)> {
        let mut statement = newer.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let kept = |hour| measurement(later(hour)).uuid.as_bytes().to_vec();
    let expected: Vec<_> = (2..6).map(|hour| (kept(hour), Some("nothing".to_owned()))).collect();
    assert_eq!(rows("SELECT uuid, later FROM measurement ORDER BY sequence"), expected);
    assert_eq!(rows("SELECT uuid, later FROM refused"), [(kept(1), None)]);
    newer.execute("INSERT INTO later VALUES (?1)", params!["something"]).unwrap();
}

#[test]
fn a_step_that_breaks_older_programs_is_not_used_by_them() {
    let (dir, spool) = spool();
    drop(spool);
    brought_further(dir.path(), BREAKS);
    let newer = Spool::open(dir.path()).unwrap_err();
    assert!(matches!(newer, SpoolError::Newer { version: 3, .. }), "{newer:?}");
}

/// The first schema's programs existed for a day and could not be updated. Their statements do not fit
/// the second one, which says so.
#[test]
fn what_the_first_schema_s_programs_write_does_not_fit_the_second() {
    let old = "INSERT INTO measurement (uuid, meter, measured_at, data) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (uuid) DO NOTHING";
    let (_dir, spool) = spool();
    assert!(spool.connection.prepare(old).is_err());
    let oldest: i64 =
        spool.connection.pragma_query_value(None, "application_id", |row| row.get(0)).unwrap();
    assert_eq!(oldest, 2);
}
