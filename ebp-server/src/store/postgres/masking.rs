//! Masked locations in PostgreSQL.
//!
//! Enters: true locations. Leaves: masked ones in their place, or the household withheld. Absent:
//! how a location is masked.

use std::sync::Arc;

use async_trait::async_trait;
use deadpool_postgres::{GenericClient, Transaction};
use ebp_anon::{Position, Release};
use ebp_core::model::{Location, Precision};
use tokio_postgres::Row;
use uuid::Uuid;

use super::{PostgresStore, household, register::one_at_a_time};
use crate::{
    masking::{self, KeyMark, Marks, Masking, Place, RegionsMark, Unmasked},
    store::{
        HouseholdId, MaskingStore, PendingReport, StoreError,
        masking::{release, whence},
    },
};

#[async_trait]
impl MaskingStore for PostgresStore {
    async fn marks(&self) -> Result<Option<Marks>, StoreError> {
        marks(&self.client().await?).await
    }

    async fn mask_by(&self, by: Arc<Masking>, change: bool) -> Result<(), StoreError> {
        let mut client = self.client().await?;
        let tx = client.transaction().await?;
        one_at_a_time(&tx).await?;
        let kept = marks(&tx).await?;
        let agreed = masking::agree(kept.clone(), &by.marks(), change)?;
        if kept.as_ref() != Some(&agreed) {
            put_marks(&tx, &agreed).await?;
        }
        tx.commit().await?;
        self.masked_by.set(by);
        Ok(())
    }

    async fn mask_pending(&self) -> Result<PendingReport, StoreError> {
        let mut client = self.client().await?;
        let report = mask_pending(&mut client, self.masked_by.get().as_deref()).await?;
        drop(client);
        if report.masked > 0 {
            self.eraser.finish().await;
        }
        Ok(report)
    }
}

async fn marks(db: &impl GenericClient) -> Result<Option<Marks>, StoreError> {
    let Some(row) = db.query_opt("SELECT key, regions, description FROM masking", &[]).await?
    else {
        return Ok(None);
    };
    let damaged = StoreError::Damaged("fingerprint");
    let (key, digest): (&[u8], Option<&[u8]>) = (row.try_get(0)?, row.try_get(1)?);
    let description: Option<String> = row.try_get(2)?;
    let regions = match digest.zip(description) {
        None => None,
        Some((digest, description)) => {
            let Ok(digest) = digest.try_into() else { return Err(damaged) };
            Some(RegionsMark { digest, description })
        }
    };
    Ok(Some(Marks { key: KeyMark(key.try_into().map_err(|_| damaged)?), regions }))
}

async fn put_marks(tx: &Transaction<'_>, marks: &Marks) -> Result<(), StoreError> {
    let regions = marks.regions.as_ref();
    tx.execute(
        "INSERT INTO masking (one, key, regions, description) VALUES (1, $1, $2, $3)
         ON CONFLICT (one) DO UPDATE SET key = $1, regions = $2, description = $3",
        &[
            &marks.key.0.as_slice(),
            &regions.map(|regions| regions.digest.as_slice()),
            &regions.map(|regions| &regions.description),
        ],
    )
    .await?;
    Ok(())
}

/// Stores a true location.
pub async fn put_location(
    tx: &Transaction<'_>,
    household: Uuid,
    location: &Location,
) -> Result<(), StoreError> {
    let precision = location.precision.unwrap_or(Precision::Entered).name();
    tx.execute(
        "INSERT INTO location (household, latitude, longitude, precision) VALUES ($1, $2, $3, $4)
         ON CONFLICT (household)
             DO UPDATE SET latitude = $2, longitude = $3, precision = $4",
        &[&household, &location.latitude, &location.longitude, &precision],
    )
    .await?;
    Ok(())
}

/// Puts the masked location into the true one's place. Where it cannot be made the household is
/// withheld, and the true location kept where nothing shows it. The address has to be there still,
/// and nobody else masks meanwhile ([`one_at_a_time`]).
pub async fn mask(
    tx: &Transaction<'_>,
    id: HouseholdId,
    by: Option<&Masking>,
) -> Result<(), StoreError> {
    let (place, origin) = whence(&household::household(tx, id).await?, by);
    tx.execute("DELETE FROM location WHERE household = $1", &[&id.0]).await?;
    if let Err(why) = settle(tx, id.0, by, place, origin).await? {
        tracing::warn!(%why, "a household that revoked its consent is withheld until it can be masked");
        tx.execute("UPDATE household SET withheld = true WHERE uuid = $1", &[&id.0]).await?;
        tx.execute(
            "INSERT INTO withheld_location (household, latitude, longitude, place)
             VALUES ($1, $2, $3, $4)",
            &[
                &id.0,
                &origin.map(Position::latitude),
                &origin.map(Position::longitude),
                &place.as_ref().map(|place| place.0.as_slice()),
            ],
        )
        .await?;
    }
    Ok(())
}

/// Stores the household's one release, if there can be one.
async fn settle(
    tx: &Transaction<'_>,
    household: Uuid,
    by: Option<&Masking>,
    place: Option<Place>,
    origin: Option<Position>,
) -> Result<Result<(), Unmasked>, StoreError> {
    let Some(by) = by else { return Ok(Err(Unmasked::NoRegions)) };
    let kept = match place {
        Some(place) => of_place(tx, place).await?,
        None => None,
    };
    let release = match by.release(kept, origin) {
        Ok(release) => release,
        Err(why) => return Ok(Err(why)),
    };
    let (at, bounds, region) = (release.position(), release.bounds(), release.region());
    let (latitude, longitude, density) = (at.latitude(), at.longitude(), release.density());
    let (nuts3, d_min, d_max) = (region.as_str(), bounds.min_m(), bounds.max_m());
    tx.execute(
        "INSERT INTO location (household, latitude, longitude, nuts3, density, d_min, d_max)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        &[&household, &latitude, &longitude, &nuts3, &density, &d_min, &d_max],
    )
    .await?;
    if let (Some(place), None) = (place, kept) {
        tx.execute(
            "INSERT INTO place_release (place, latitude, longitude, nuts3, density, d_min, d_max)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            &[&place.0.as_slice(), &latitude, &longitude, &nuts3, &density, &d_min, &d_max],
        )
        .await?;
    }
    Ok(Ok(()))
}

async fn of_place(tx: &Transaction<'_>, place: Place) -> Result<Option<Release>, StoreError> {
    let found = tx
        .query_opt(
            "SELECT latitude, longitude, nuts3, density, d_min, d_max
             FROM place_release WHERE place = $1",
            &[&place.0.as_slice()],
        )
        .await?;
    let kept = |row: Row| {
        let at = (row.try_get(0)?, row.try_get(1)?);
        release(at, row.try_get(2)?, row.try_get(3)?, (row.try_get(4)?, row.try_get(5)?))
    };
    found.map(kept).transpose()
}

async fn mask_pending(
    client: &mut deadpool_postgres::Client,
    by: Option<&Masking>,
) -> Result<PendingReport, StoreError> {
    let tx = client.transaction().await?;
    one_at_a_time(&tx).await?;
    let mut report = PendingReport::default();
    let pending = tx
        .query("SELECT household, latitude, longitude, place FROM withheld_location", &[])
        .await?;
    for row in pending {
        let household: Uuid = row.try_get(0)?;
        let (latitude, longitude): (Option<f64>, Option<f64>) = (row.try_get(1)?, row.try_get(2)?);
        let origin = latitude.zip(longitude).and_then(|(lat, lon)| Position::new(lat, lon).ok());
        let place: Option<&[u8]> = row.try_get(3)?;
        let place = place.and_then(|place| place.try_into().ok()).map(Place);
        match settle(&tx, household, by, place, origin).await? {
            Ok(()) => {
                tx.execute("DELETE FROM withheld_location WHERE household = $1", &[&household])
                    .await?;
                tx.execute("UPDATE household SET withheld = false WHERE uuid = $1", &[&household])
                    .await?;
                report.masked += 1;
            }
            Err(_) if origin.is_some() => report.outside += 1,
            Err(_) => {}
        }
    }
    if report.masked > 0 {
        tx.execute("INSERT INTO erasure_due DEFAULT VALUES", &[]).await?;
    }
    let withheld: i64 =
        tx.query_one("SELECT count(*) FROM household WHERE withheld", &[]).await?.try_get(0)?;
    report.without_location = u64::try_from(withheld).unwrap_or(0).saturating_sub(report.outside);
    tx.commit().await?;
    Ok(report)
}
