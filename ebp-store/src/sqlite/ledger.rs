//! The ledger of releases, in SQLite.

use async_trait::async_trait;
use rusqlite::{Connection, Row, Transaction, params};
use uuid::Uuid;

use super::{
    SqliteStore,
    value::{Id, Instant},
};
use crate::{
    DataRelease, HouseholdId, LedgerStore, ReleasedHousehold, StoreError,
    job::signed,
    ledger::{from_number, tier},
};

#[async_trait]
impl LedgerStore for SqliteStore {
    async fn data_releases(&self) -> Result<Vec<DataRelease>, StoreError> {
        self.readers.run(list).await
    }

    async fn released_households(&self) -> Result<Vec<ReleasedHousehold>, StoreError> {
        self.readers.run(households).await
    }

    async fn releases_of(
        &self,
        household: HouseholdId,
    ) -> Result<Vec<(DataRelease, String)>, StoreError> {
        self.readers.run(move |db| of_household(db, household)).await
    }

    async fn add_data_release(
        &self,
        release: DataRelease,
        households: Vec<(Uuid, String)>,
    ) -> Result<(), StoreError> {
        self.writer.run(move |tx| add(tx, &release, &households)).await
    }
}

fn release(row: &Row<'_>) -> Result<DataRelease, StoreError> {
    let (Instant(as_of), Instant(confirmed_at)) = (row.get(4)?, row.get(13)?);
    Ok(DataRelease {
        number: from_number(row.get(0)?)?,
        name: row.get(1)?,
        tier: tier(&row.get::<_, String>(2)?)?,
        recipient: row.get(3)?,
        as_of,
        finest: row.get(5)?,
        households: from_number(row.get(6)?)?,
        seed_fingerprint: row.get(7)?,
        digest: row.get(8)?,
        made_by: row.get(9)?,
        made_signature: row.get(10)?,
        confirmed_by: row.get(11)?,
        confirmed_signature: row.get(12)?,
        confirmed_at,
    })
}

fn list(db: &Connection) -> Result<Vec<DataRelease>, StoreError> {
    let sql = "SELECT number, name, tier, recipient, as_of, finest, households, seed_fingerprint,
                   digest, made_by, made_signature, confirmed_by, confirmed_signature, confirmed_at
               FROM data_release ORDER BY number";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(release(row)?);
    }
    Ok(all)
}

fn of_household(
    db: &Connection,
    of: HouseholdId,
) -> Result<Vec<(DataRelease, String)>, StoreError> {
    let sql = "SELECT number, name, tier, recipient, as_of, finest, households, seed_fingerprint,
                   digest, made_by, made_signature, confirmed_by, confirmed_signature, confirmed_at, detail
               FROM data_release_household
               JOIN data_release ON data_release.number = data_release_household.data_release
         WHERE household = ?1 ORDER BY number";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query([Id(of.0)])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push((release(row)?, row.get(14)?));
    }
    Ok(all)
}

fn households(db: &Connection) -> Result<Vec<ReleasedHousehold>, StoreError> {
    let sql = "SELECT number, household, tier, detail FROM data_release_household
               JOIN data_release ON data_release.number = data_release_household.data_release
               ORDER BY number, household";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let Id(household) = row.get(1)?;
        all.push(ReleasedHousehold {
            release: from_number(row.get(0)?)?,
            household,
            tier: tier(&row.get::<_, String>(2)?)?,
            detail: row.get(3)?,
        });
    }
    Ok(all)
}

fn add(
    tx: &Transaction<'_>,
    release: &DataRelease,
    households: &[(Uuid, String)],
) -> Result<(), StoreError> {
    let added = tx.execute(
        "INSERT INTO data_release (number, name, tier, recipient, as_of, finest, households,
             seed_fingerprint, digest, made_by, made_signature, confirmed_by, confirmed_signature,
             confirmed_at)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14
         WHERE (SELECT coalesce(max(number), 0) + 1 FROM data_release) = ?1",
        params![
            signed(release.number),
            release.name,
            release.tier.name(),
            release.recipient,
            Instant(release.as_of),
            release.finest,
            signed(release.households),
            release.seed_fingerprint,
            release.digest,
            release.made_by,
            release.made_signature,
            release.confirmed_by,
            release.confirmed_signature,
            Instant(release.confirmed_at),
        ],
    )?;
    if added == 0 {
        return Err(StoreError::Changed);
    }
    let mut statement = tx.prepare_cached(
        "INSERT INTO data_release_household (data_release, household, detail)
         SELECT ?1, household, ?3 FROM consent WHERE household = ?2 AND revoked_at IS NULL",
    )?;
    for (household, detail) in households {
        statement.execute(params![signed(release.number), Id(*household), detail])?;
    }
    Ok(())
}
