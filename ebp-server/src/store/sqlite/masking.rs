//! Masked locations in SQLite.
//!
//! Enters: true locations. Leaves: masked ones in their place, or the household withheld. Absent:
//! how a location is masked.

use std::sync::Arc;

use async_trait::async_trait;
use ebp_anon::{Position, Release};
use ebp_core::model::{Location, Precision};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use uuid::Uuid;

use super::{SqliteStore, household, value::Id};
use crate::{
    masking::{self, KeyMark, Marks, Masking, Place, RegionsMark, Unmasked},
    store::{
        HouseholdId, MaskingStore, PendingReport, StoreError,
        masking::{release, whence},
    },
};

#[async_trait]
impl MaskingStore for SqliteStore {
    async fn marks(&self) -> Result<Option<Marks>, StoreError> {
        self.readers.run(marks).await
    }

    async fn mask_by(&self, by: Arc<Masking>, change: bool) -> Result<(), StoreError> {
        let given = by.marks();
        self.writer
            .run(move |tx| {
                let kept = marks(tx)?;
                let agreed = masking::agree(kept.clone(), &given, change)?;
                if kept.as_ref() != Some(&agreed) {
                    put_marks(tx, &agreed)?;
                }
                Ok(())
            })
            .await?;
        self.masked_by.set(by);
        Ok(())
    }

    async fn mask_pending(&self) -> Result<PendingReport, StoreError> {
        let by = self.masked_by.get();
        let work = move |tx: &Transaction<'_>| mask_pending(tx, by.as_deref());
        self.writer.run_and_erase(work).await
    }
}

fn marks(db: &Connection) -> Result<Option<Marks>, StoreError> {
    let marks = |row: &Row<'_>| {
        let (digest, description): (Option<_>, Option<_>) = (row.get(1)?, row.get(2)?);
        let regions = digest.zip(description);
        Ok(Marks {
            key: KeyMark(row.get(0)?),
            regions: regions.map(|(digest, description)| RegionsMark { digest, description }),
        })
    };
    let sql = "SELECT key, regions, description FROM masking";
    Ok(db.query_row(sql, [], marks).optional()?)
}

fn put_marks(tx: &Transaction<'_>, marks: &Marks) -> Result<(), StoreError> {
    let regions = marks.regions.as_ref();
    tx.execute(
        "INSERT INTO masking (one, key, regions, description) VALUES (1, ?1, ?2, ?3)
         ON CONFLICT (one) DO UPDATE SET key = ?1, regions = ?2, description = ?3",
        params![
            marks.key.0,
            regions.map(|regions| regions.digest),
            regions.map(|regions| &regions.description)
        ],
    )?;
    Ok(())
}

/// Stores a true location.
pub fn put_location(
    tx: &Transaction<'_>,
    household: Uuid,
    location: &Location,
) -> Result<(), StoreError> {
    let precision = location.precision.unwrap_or(Precision::Entered).name();
    tx.execute(
        "INSERT INTO location (household, latitude, longitude, precision) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (household)
             DO UPDATE SET latitude = ?2, longitude = ?3, precision = ?4",
        params![Id(household), location.latitude, location.longitude, precision],
    )?;
    Ok(())
}

/// Puts the masked location into the true one's place. Where it cannot be made the household is
/// withheld, and the true location kept where nothing shows it. The address has to be there still.
pub fn mask(tx: &Transaction<'_>, id: HouseholdId, by: Option<&Masking>) -> Result<(), StoreError> {
    let (place, origin) = whence(&household::household(tx, id)?, by);
    tx.execute("DELETE FROM location WHERE household = ?1", [Id(id.0)])?;
    if let Err(why) = settle(tx, id, by, place, origin)? {
        tracing::warn!(%why, "a household that revoked its consent is withheld until it can be masked");
        tx.execute("UPDATE household SET withheld = 1 WHERE uuid = ?1", [Id(id.0)])?;
        tx.execute(
            "INSERT INTO withheld_location (household, latitude, longitude, place)
             VALUES (?1, ?2, ?3, ?4)",
            params![
                Id(id.0),
                origin.map(Position::latitude),
                origin.map(Position::longitude),
                place.map(|place| place.0)
            ],
        )?;
    }
    Ok(())
}

/// Stores the household's one release, if there can be one.
fn settle(
    tx: &Transaction<'_>,
    id: HouseholdId,
    by: Option<&Masking>,
    place: Option<Place>,
    origin: Option<Position>,
) -> Result<Result<(), Unmasked>, StoreError> {
    let Some(by) = by else { return Ok(Err(Unmasked::NoRegions)) };
    let kept = match place {
        Some(place) => of_place(tx, place)?,
        None => None,
    };
    let release = match by.release(kept, origin) {
        Ok(release) => release,
        Err(why) => return Ok(Err(why)),
    };
    let (at, bounds) = (release.position(), release.bounds());
    let columns = "latitude, longitude, nuts3, density, d_min, d_max";
    let values = |key: &dyn rusqlite::ToSql, table: &str, name: &str| {
        tx.execute(
            &format!("INSERT INTO {table} ({name}, {columns}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"),
            params![
                key,
                at.latitude(),
                at.longitude(),
                release.region().as_str(),
                release.density(),
                bounds.min_m(),
                bounds.max_m()
            ],
        )
    };
    values(&Id(id.0), "location", "household")?;
    if let (Some(place), None) = (place, kept) {
        values(&place.0, "place_release", "place")?;
    }
    Ok(Ok(()))
}

fn of_place(tx: &Transaction<'_>, place: Place) -> Result<Option<Release>, StoreError> {
    let kept = |row: &Row<'_>| {
        let (nuts3, density): (String, f64) = (row.get(2)?, row.get(3)?);
        Ok(release((row.get(0)?, row.get(1)?), &nuts3, density, (row.get(4)?, row.get(5)?)))
    };
    let sql = "SELECT latitude, longitude, nuts3, density, d_min, d_max
               FROM place_release WHERE place = ?1";
    tx.query_row(sql, [place.0], kept).optional()?.transpose()
}

/// A household that waits to be masked: who, where, and at which address.
type Pending = (Id, Option<f64>, Option<f64>, Option<[u8; 32]>);

fn mask_pending(tx: &Transaction<'_>, by: Option<&Masking>) -> Result<PendingReport, StoreError> {
    let mut report = PendingReport::default();
    let pending: Vec<Pending> = tx
        .prepare("SELECT household, latitude, longitude, place FROM withheld_location")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?
        .collect::<Result<_, _>>()?;
    for (household, latitude, longitude, place) in pending {
        let origin = latitude.zip(longitude).and_then(|(lat, lon)| Position::new(lat, lon).ok());
        match settle(tx, HouseholdId(household.0), by, place.map(Place), origin)? {
            Ok(()) => {
                tx.execute("DELETE FROM withheld_location WHERE household = ?1", [household])?;
                tx.execute("UPDATE household SET withheld = 0 WHERE uuid = ?1", [household])?;
                report.masked += 1;
            }
            Err(_) if origin.is_some() => report.outside += 1,
            Err(_) => {}
        }
    }
    let withheld: i64 =
        tx.query_row("SELECT count(*) FROM household WHERE withheld", [], |row| row.get(0))?;
    report.without_location = u64::try_from(withheld).unwrap_or(0).saturating_sub(report.outside);
    Ok(report)
}
