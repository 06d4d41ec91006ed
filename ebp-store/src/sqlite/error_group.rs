//! Groups of errors of devices, in SQLite.

use async_trait::async_trait;
use ebp_core::contract::{FleetErrorGroup, ReportedErrorGroup};
use jiff::Timestamp;
use rusqlite::{Connection, Row, Transaction, params};
use uuid::Uuid;

use super::{
    SqliteStore,
    value::{Id, Instant},
};
use crate::{
    ErrorGroupStore, StoreError,
    error_group::{GroupRow, MOST_GROUPS, seen, stored_types, with_versions},
    job::signed,
};

#[async_trait]
impl ErrorGroupStore for SqliteStore {
    async fn error_groups(&self, limit: usize) -> Result<Vec<FleetErrorGroup>, StoreError> {
        self.readers.run(move |db| list(db, limit)).await
    }
}

/// Replaces the groups of a device whose status is stored.
pub fn report(
    tx: &Transaction<'_>,
    device: Uuid,
    groups: &[ReportedErrorGroup],
    at: Timestamp,
) -> Result<(), StoreError> {
    let kept: Vec<String> = tx
        .prepare_cached("SELECT fingerprint FROM device_error_group WHERE device = ?1")?
        .query_map([Id(device)], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for fingerprint in kept {
        if !groups.iter().any(|group| group.fingerprint == fingerprint) {
            tx.prepare_cached(
                "DELETE FROM device_error_group WHERE device = ?1 AND fingerprint = ?2",
            )?
            .execute(params![Id(device), fingerprint])?;
        }
    }
    let mut known = tx.prepare_cached("SELECT 1 FROM error_group WHERE fingerprint = ?1")?;
    for group in groups {
        if !known.exists([&group.fingerprint])? {
            know(tx, device, group, at)?;
        }
        let (first, last) = seen(group, at);
        tx.prepare_cached(
            "INSERT INTO device_error_group (device, fingerprint, count, first_seen, last_seen)
             SELECT ?1, fingerprint, ?3, ?4, ?5 FROM error_group WHERE fingerprint = ?2
             ON CONFLICT (device, fingerprint) DO UPDATE
                 SET count = ?3, first_seen = ?4, last_seen = ?5
                 WHERE count <> ?3 OR first_seen <> ?4 OR last_seen <> ?5",
        )?
        .execute(params![
            Id(device),
            group.fingerprint,
            signed(group.count),
            Instant(first),
            Instant(last)
        ])?;
    }
    Ok(())
}

/// A group that no device has reported before, unless there are too many.
fn know(
    tx: &Transaction<'_>,
    device: Uuid,
    group: &ReportedErrorGroup,
    at: Timestamp,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO error_group (fingerprint, component, types, place, known_at, device)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE (SELECT count(*) FROM error_group) < ?7",
    )?
    .execute(params![
        group.fingerprint,
        group.component,
        stored_types(&group.types),
        group.place,
        Instant(at),
        Id(device),
        MOST_GROUPS
    ])?;
    Ok(())
}

fn list(db: &Connection, limit: usize) -> Result<Vec<FleetErrorGroup>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = db.prepare_cached(
        "SELECT fingerprint, component, types, place, known_at, count(*), sum(count),
                min(first_seen), max(last_seen) AS latest
         FROM device_error_group JOIN error_group USING (fingerprint)
         GROUP BY fingerprint ORDER BY latest DESC, fingerprint LIMIT ?1",
    )?;
    let rows = statement.query_map([limit], group_row)?.collect::<Result<Vec<_>, _>>()?;
    let versions = db
        .prepare_cached(
            "SELECT fingerprint, version, count(*) AS devices
             FROM device_error_group JOIN fleet_device USING (device)
             WHERE version IS NOT NULL GROUP BY fingerprint, version
             ORDER BY devices DESC, version",
        )?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<Vec<_>, _>>()?;
    with_versions(rows, &versions)
}

fn group_row(row: &Row<'_>) -> rusqlite::Result<GroupRow> {
    let instants: [Instant; 3] = [row.get(4)?, row.get(7)?, row.get(8)?];
    let [Instant(known_at), Instant(first_seen), Instant(last_seen)] = instants;
    Ok(GroupRow {
        fingerprint: row.get(0)?,
        component: row.get(1)?,
        types: row.get(2)?,
        place: row.get(3)?,
        known_at,
        devices: row.get(5)?,
        count: row.get(6)?,
        first_seen,
        last_seen,
    })
}
