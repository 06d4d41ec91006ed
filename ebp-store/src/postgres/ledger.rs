//! The ledger of releases, in PostgreSQL.

use async_trait::async_trait;
use deadpool_postgres::Client;
use tokio_postgres::Row;
use uuid::Uuid;

use super::{PostgresStore, value::Instant};
use crate::{
    DataRelease, HouseholdId, LedgerStore, ReleasedHousehold, StoreError,
    job::signed,
    ledger::{from_number, tier},
};

#[async_trait]
impl LedgerStore for PostgresStore {
    async fn data_releases(&self) -> Result<Vec<DataRelease>, StoreError> {
        let client = self.client().await?;
        self.look_up(list(&client)).await
    }

    async fn released_households(&self) -> Result<Vec<ReleasedHousehold>, StoreError> {
        let client = self.client().await?;
        self.look_up(households(&client)).await
    }

    async fn releases_of(
        &self,
        household: HouseholdId,
    ) -> Result<Vec<(DataRelease, String)>, StoreError> {
        let client = self.client().await?;
        self.look_up(of_household(&client, household)).await
    }

    async fn add_data_release(
        &self,
        release: DataRelease,
        households: Vec<(Uuid, String)>,
    ) -> Result<(), StoreError> {
        let mut client = self.client().await?;
        self.change(add(&mut client, &release, &households)).await
    }
}

fn release(row: &Row) -> Result<DataRelease, StoreError> {
    let (Instant(as_of), Instant(confirmed_at)) = (row.try_get(4)?, row.try_get(13)?);
    Ok(DataRelease {
        number: from_number(row.try_get(0)?)?,
        name: row.try_get(1)?,
        tier: tier(row.try_get(2)?)?,
        recipient: row.try_get(3)?,
        as_of,
        finest: row.try_get(5)?,
        households: from_number(row.try_get(6)?)?,
        seed_fingerprint: row.try_get(7)?,
        digest: row.try_get(8)?,
        made_by: row.try_get(9)?,
        made_signature: row.try_get(10)?,
        confirmed_by: row.try_get(11)?,
        confirmed_signature: row.try_get(12)?,
        confirmed_at,
    })
}

async fn list(db: &Client) -> Result<Vec<DataRelease>, StoreError> {
    let sql = "SELECT number, name, tier, recipient, as_of, finest, households, seed_fingerprint,
                   digest, made_by, made_signature, confirmed_by, confirmed_signature, confirmed_at
               FROM data_release ORDER BY number";
    let statement = db.prepare_cached(sql).await?;
    db.query(&statement, &[]).await?.iter().map(release).collect()
}

async fn of_household(
    db: &Client,
    of: HouseholdId,
) -> Result<Vec<(DataRelease, String)>, StoreError> {
    let sql = "SELECT number, name, tier, recipient, as_of, finest, households, seed_fingerprint,
                   digest, made_by, made_signature, confirmed_by, confirmed_signature, confirmed_at, detail
               FROM data_release_household
               JOIN data_release ON data_release.number = data_release_household.data_release
         WHERE household = $1 ORDER BY number";
    let statement = db.prepare_cached(sql).await?;
    let rows = db.query(&statement, &[&of.0]).await?;
    rows.iter().map(|row| Ok((release(row)?, row.try_get(14)?))).collect()
}

async fn households(db: &Client) -> Result<Vec<ReleasedHousehold>, StoreError> {
    let sql = "SELECT number, household, tier, detail FROM data_release_household
               JOIN data_release ON data_release.number = data_release_household.data_release
               ORDER BY number, household";
    let statement = db.prepare_cached(sql).await?;
    let household = |row: &Row| {
        Ok(ReleasedHousehold {
            release: from_number(row.try_get(0)?)?,
            household: row.try_get(1)?,
            tier: tier(row.try_get(2)?)?,
            detail: row.try_get(3)?,
        })
    };
    db.query(&statement, &[]).await?.iter().map(household).collect()
}

/// Of two releases at the same time the second finds the first one's row.
async fn add(
    db: &mut Client,
    release: &DataRelease,
    households: &[(Uuid, String)],
) -> Result<(), StoreError> {
    let tx = db.transaction().await?;
    let added = tx
        .execute(
            "INSERT INTO data_release (number, name, tier, recipient, as_of, finest, households,
                 seed_fingerprint, digest, made_by, made_signature, confirmed_by,
                 confirmed_signature, confirmed_at)
             SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14
             WHERE (SELECT coalesce(max(number), 0) + 1 FROM data_release) = $1
             ON CONFLICT DO NOTHING",
            &[
                &signed(release.number),
                &release.name,
                &release.tier.name(),
                &release.recipient,
                &Instant(release.as_of),
                &release.finest,
                &signed(release.households),
                &release.seed_fingerprint,
                &release.digest,
                &release.made_by,
                &release.made_signature,
                &release.confirmed_by,
                &release.confirmed_signature,
                &Instant(release.confirmed_at),
            ],
        )
        .await?;
    if added == 0 {
        return Err(StoreError::Changed);
    }
    let (ids, details): (Vec<Uuid>, Vec<&str>) =
        households.iter().map(|(id, detail)| (*id, detail.as_str())).unzip();
    // Revocations wait for the consents that are read, or are seen.
    tx.execute(
        "INSERT INTO data_release_household (data_release, household, detail)
         SELECT $1, consent.household, given.detail
         FROM unnest($2::uuid[], $3::text[]) AS given (household, detail)
         JOIN (SELECT household FROM consent
               WHERE household = ANY ($2) AND revoked_at IS NULL FOR SHARE) AS consent
             ON consent.household = given.household",
        &[&signed(release.number), &ids, &details],
    )
    .await?;
    tx.commit().await?;
    Ok(())
}
