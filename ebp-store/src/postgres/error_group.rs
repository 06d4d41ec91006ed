//! Groups of errors of devices, in PostgreSQL.

use async_trait::async_trait;
use deadpool_postgres::{Client, Transaction};
use ebp_core::contract::{FleetErrorGroup, ReportedErrorGroup};
use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use super::{PostgresStore, value::Instant};
use crate::{
    ErrorGroupStore, StoreError,
    error_group::{GroupRow, MOST_GROUPS, seen, stored_types, with_versions},
    job::signed,
};

#[async_trait]
impl ErrorGroupStore for PostgresStore {
    async fn error_groups(&self, limit: usize) -> Result<Vec<FleetErrorGroup>, StoreError> {
        let client = self.client().await?;
        self.look_up(list(&client, limit)).await
    }
}

/// Replaces the groups of a device whose status is stored.
pub async fn report(
    tx: &Transaction<'_>,
    device: Uuid,
    groups: &[ReportedErrorGroup],
    at: Timestamp,
) -> Result<(), StoreError> {
    let fingerprints: Vec<&str> = groups.iter().map(|group| &*group.fingerprint).collect();
    let statement = tx
        .prepare_cached(
            "DELETE FROM device_error_group WHERE device = $1 AND fingerprint <> ALL ($2::text[])",
        )
        .await?;
    tx.execute(&statement, &[&device, &fingerprints]).await?;
    if groups.is_empty() {
        return Ok(());
    }
    let mut known = known_of(tx, &fingerprints).await?;
    let new: Vec<_> = groups.iter().filter(|group| !known.contains(&group.fingerprint)).collect();
    if !new.is_empty() {
        know(tx, device, &new, at).await?;
        known = known_of(tx, &fingerprints).await?;
    }
    let groups: Vec<_> = groups.iter().filter(|group| known.contains(&group.fingerprint)).collect();
    let fingerprints: Vec<&str> = groups.iter().map(|group| &*group.fingerprint).collect();
    let counts: Vec<i64> = groups.iter().map(|group| signed(group.count)).collect();
    let (first, last): (Vec<Instant>, Vec<Instant>) =
        groups.iter().map(|group| seen(group, at)).map(|(a, b)| (Instant(a), Instant(b))).unzip();
    let statement = tx
        .prepare_cached(
            "INSERT INTO device_error_group AS kept
                 (device, fingerprint, count, first_seen, last_seen)
             SELECT $1, fingerprint, told.count, told.first_seen, told.last_seen
             FROM unnest($2::text[], $3::bigint[], $4::timestamptz[], $5::timestamptz[])
                 AS told (fingerprint, count, first_seen, last_seen)
             ON CONFLICT (device, fingerprint) DO UPDATE
                 SET count = excluded.count, first_seen = excluded.first_seen,
                     last_seen = excluded.last_seen
                 WHERE kept.count <> excluded.count OR kept.first_seen <> excluded.first_seen
                     OR kept.last_seen <> excluded.last_seen",
        )
        .await?;
    tx.execute(&statement, &[&device, &fingerprints, &counts, &first, &last]).await?;
    Ok(())
}

/// Those of them that are known.
async fn known_of(tx: &Transaction<'_>, fingerprints: &[&str]) -> Result<Vec<String>, StoreError> {
    let statement = tx
        .prepare_cached("SELECT fingerprint FROM error_group WHERE fingerprint = ANY ($1::text[])")
        .await?;
    let rows = tx.query(&statement, &[&fingerprints]).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Groups that no device has reported before, unless there are too many. Another transaction may know
/// them meanwhile.
async fn know(
    tx: &Transaction<'_>,
    device: Uuid,
    new: &[&ReportedErrorGroup],
    at: Timestamp,
) -> Result<(), StoreError> {
    let fingerprints: Vec<&str> = new.iter().map(|group| &*group.fingerprint).collect();
    let components: Vec<&str> = new.iter().map(|group| &*group.component).collect();
    let types: Vec<String> = new.iter().map(|group| stored_types(&group.types)).collect();
    let places: Vec<&str> = new.iter().map(|group| &*group.place).collect();
    // In one order, so that two devices that report the same new groups do not lock each other.
    let statement = tx
        .prepare_cached(
            "INSERT INTO error_group (fingerprint, component, types, place, known_at, device)
             SELECT fingerprint, component, types, place, $5, $6
             FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
                 AS told (fingerprint, component, types, place)
             WHERE (SELECT count(*) FROM error_group) < $7
             ORDER BY fingerprint
             ON CONFLICT DO NOTHING",
        )
        .await?;
    tx.execute(
        &statement,
        &[&fingerprints, &components, &types, &places, &Instant(at), &device, &MOST_GROUPS],
    )
    .await?;
    Ok(())
}

async fn list(db: &Client, limit: usize) -> Result<Vec<FleetErrorGroup>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let statement = db
        .prepare_cached(
            "SELECT error_group.fingerprint, component, types, place, known_at, count(*),
                    sum(count)::bigint, min(first_seen), max(last_seen) AS latest
             FROM device_error_group JOIN error_group USING (fingerprint)
             GROUP BY error_group.fingerprint ORDER BY latest DESC, error_group.fingerprint LIMIT $1",
        )
        .await?;
    let rows = db.query(&statement, &[&limit]).await?;
    let rows = rows.iter().map(group_row).collect::<Result<Vec<_>, StoreError>>()?;
    let statement = db
        .prepare_cached(
            "SELECT fingerprint, version, count(*) AS devices
             FROM device_error_group JOIN fleet_device USING (device)
             WHERE version IS NOT NULL GROUP BY fingerprint, version
             ORDER BY devices DESC, version",
        )
        .await?;
    let versions = db.query(&statement, &[]).await?;
    let version = |row: &Row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?));
    let versions = versions.iter().map(version).collect::<Result<Vec<_>, StoreError>>()?;
    with_versions(rows, &versions)
}

fn group_row(row: &Row) -> Result<GroupRow, StoreError> {
    let instants: [Instant; 3] = [row.try_get(4)?, row.try_get(7)?, row.try_get(8)?];
    let [Instant(known_at), Instant(first_seen), Instant(last_seen)] = instants;
    Ok(GroupRow {
        fingerprint: row.try_get(0)?,
        component: row.try_get(1)?,
        types: row.try_get(2)?,
        place: row.try_get(3)?,
        known_at,
        devices: row.try_get(5)?,
        count: row.try_get(6)?,
        first_seen,
        last_seen,
    })
}
