//! Masked locations in SQLite.
//!
//! Enters: true locations. Leaves: masked ones in their place, or the household withheld. Absent:
//! how a location is masked.

use std::sync::Arc;

use async_trait::async_trait;
use ebp_anon::Position;
use ebp_core::{contract::Withdrawal, model::Masked};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use uuid::Uuid;

use super::{
    SqliteStore, consent,
    location::settle,
    release,
    value::{Id, Instant, Text},
};
use crate::{
    MaskingStore, PendingReport, RevocationCounts, RevokedAgain, RevokedHousehold, StoreError,
    WithdrawnPurpose,
    masking::{self, Masking, RegionsMark},
    revoked::location,
    rule::{purpose::by_digest, revocation::draw},
};

#[async_trait]
impl MaskingStore for SqliteStore {
    async fn masked_by(&self) -> Result<Option<RegionsMark>, StoreError> {
        self.readers.run(mark).await
    }

    fn masking(&self) -> Option<Arc<Masking>> {
        self.masked_by.get()
    }

    async fn mask_by(&self, by: Arc<Masking>, change: bool) -> Result<(), StoreError> {
        let given = by.mark();
        self.writer
            .run(move |tx| {
                let kept = mark(tx)?;
                let agreed = masking::agree(kept.clone(), given.as_ref(), change)?;
                match &agreed {
                    Some(agreed) if kept.as_ref() != Some(agreed) => put_mark(tx, agreed),
                    _ => Ok(()),
                }
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

    async fn revocation_counts(&self) -> Result<RevocationCounts, StoreError> {
        let sql = "SELECT (SELECT count(*) FROM consent WHERE revoked_at IS NOT NULL),
                          (SELECT count(*) FROM location WHERE masked),
                          (SELECT count(*) FROM measurement_device WHERE household IS NULL),
                          (SELECT count(*) FROM certificate WHERE revoked_at IS NOT NULL)";
        self.readers
            .run(move |db| {
                let withdrawals = consent::withdrawals(db)?;
                let counts = |row: &Row<'_>| {
                    Ok(RevocationCounts {
                        households: row.get(0)?,
                        masked: row.get(1)?,
                        devices: row.get(2)?,
                        certificates: row.get(3)?,
                        purposes: withdrawals.len(),
                        last_purpose: withdrawals.iter().max().copied(),
                    })
                };
                Ok(db.query_row(sql, [], counts)?)
            })
            .await
    }

    async fn revoked_households(&self) -> Result<Vec<RevokedHousehold>, StoreError> {
        self.readers.run(revoked_households).await
    }

    async fn revoked_devices(&self) -> Result<Vec<Uuid>, StoreError> {
        self.readers
            .run(|db| {
                let sql = "SELECT uuid FROM measurement_device
                           WHERE household IS NULL ORDER BY uuid";
                let mut statement = db.prepare(sql)?;
                let devices = statement.query_map([], |row| row.get(0).map(|Id(uuid)| uuid))?;
                Ok(devices.collect::<Result<_, _>>()?)
            })
            .await
    }

    async fn revoke_again(&self, revoked: &RevokedHousehold) -> Result<RevokedAgain, StoreError> {
        let (revoked, by) = (revoked.clone(), self.masked_by.get());
        let work = move |tx: &Transaction<'_>| release::revoke_again(tx, &revoked, by.as_deref());
        self.writer.run_and_erase(work).await
    }

    async fn withdrawn_purposes(&self) -> Result<Vec<WithdrawnPurpose>, StoreError> {
        self.readers.run(consent::withdrawn_purposes).await
    }

    async fn withdraw_again(&self, withdrawn: &[WithdrawnPurpose]) -> Result<usize, StoreError> {
        if withdrawn.is_empty() {
            return Ok(0);
        }
        let withdrawn = by_digest(withdrawn);
        self.writer.run(move |tx| consent::withdraw_again(tx, &withdrawn)).await
    }

    async fn remember_revoked_device(&self, device: Uuid) -> Result<(), StoreError> {
        self.writer
            .run(move |tx| {
                let sql =
                    "INSERT INTO measurement_device (uuid) VALUES (?1) ON CONFLICT DO NOTHING";
                tx.execute(sql, [Id(device)])?;
                Ok(())
            })
            .await
    }
}

fn mark(db: &Connection) -> Result<Option<RegionsMark>, StoreError> {
    let mark = |row: &Row<'_>| Ok(RegionsMark { digest: row.get(0)?, description: row.get(1)? });
    Ok(db.query_row("SELECT regions, description FROM masking", [], mark).optional()?)
}

fn put_mark(tx: &Transaction<'_>, mark: &RegionsMark) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO masking (one, regions, description) VALUES (1, ?1, ?2)
         ON CONFLICT (one) DO UPDATE SET regions = ?1, description = ?2",
        params![mark.digest, mark.description],
    )?;
    Ok(())
}

fn revoked_households(db: &Connection) -> Result<Vec<RevokedHousehold>, StoreError> {
    let revoked = |row: &Row<'_>| {
        let (Id(household), Instant(granted_at)) = (row.get(0)?, row.get(1)?);
        let Instant(revoked_at) = row.get(2)?;
        let latitude: Option<f64> = row.get(3)?;
        let location = match latitude {
            None => None,
            Some(latitude) => {
                let masked = Masked { nuts3: row.get(5)? };
                Some(location((latitude, row.get(4)?), "", Some(masked)))
            }
        };
        let channel: Option<Text<_>> = row.get(6)?;
        let received_on: Option<Text<_>> = row.get(7)?;
        let withdrawal = channel
            .zip(received_on)
            .map(|(Text(channel), Text(received_on))| Withdrawal { received_on, channel });
        Ok(RevokedHousehold { household, granted_at, revoked_at, location, withdrawal })
    };
    Ok(db
        .prepare(
            "SELECT consent.household, granted_at, revoked_at, latitude, longitude, nuts3,
                    withdrawal_channel, withdrawal_received_on
             FROM consent LEFT JOIN location ON location.household = consent.household AND masked
             WHERE revoked_at IS NOT NULL ORDER BY consent.household",
        )?
        .query_map([], revoked)?
        .collect::<Result<_, _>>()?)
}

/// A household that waits to be masked: who, and where.
type Pending = (Id, Option<f64>, Option<f64>);

fn mask_pending(tx: &Transaction<'_>, by: Option<&Masking>) -> Result<PendingReport, StoreError> {
    let mut report = PendingReport::default();
    let pending: Vec<Pending> = tx
        .prepare("SELECT household, latitude, longitude FROM withheld_location")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_, _>>()?;
    for (household, latitude, longitude) in pending {
        let origin = latitude.zip(longitude).and_then(|(lat, lon)| Position::new(lat, lon).ok());
        match draw(by, origin) {
            Ok(masked) => {
                settle(tx, household, &masked)?;
                report.masked += 1;
            }
            Err(_) if origin.is_some() => report.outside += 1,
            Err(_) => report.without_location += 1,
        }
    }
    Ok(report)
}
