//! Masked locations in PostgreSQL.
//!
//! Enters: true locations. Leaves: masked ones in their place, or the household withheld. Absent:
//! how a location is masked.

use std::sync::Arc;

use async_trait::async_trait;
use deadpool_postgres::{GenericClient, Transaction};
use ebp_anon::Position;
use ebp_core::model::Masked;
use tokio_postgres::Row;
use uuid::Uuid;

use super::{
    PostgresStore, consent, location::settle, patience::SURVEY, register::one_at_a_time, release,
    value::Instant,
};
use crate::{
    MaskingStore, PendingReport, RevocationCounts, RevokedAgain, RevokedHousehold, StoreError,
    WithdrawnPurpose,
    masking::{self, Masking, RegionsMark},
    revoked::location,
    rule::{purpose::by_digest, revocation::draw},
};

#[async_trait]
impl MaskingStore for PostgresStore {
    async fn masked_by(&self) -> Result<Option<RegionsMark>, StoreError> {
        mark(&self.client().await?).await
    }

    fn masking(&self) -> Option<Arc<Masking>> {
        self.masked_by.get()
    }

    async fn mask_by(&self, by: Arc<Masking>, change: bool) -> Result<(), StoreError> {
        let mut client = self.client().await?;
        let tx = client.transaction().await?;
        one_at_a_time(&tx).await?;
        let kept = mark(&tx).await?;
        let agreed = masking::agree(kept.clone(), by.mark().as_ref(), change)?;
        if let Some(agreed) = agreed.filter(|agreed| kept.as_ref() != Some(agreed)) {
            put_mark(&tx, &agreed).await?;
        }
        tx.commit().await?;
        self.masked_by.set(by);
        Ok(())
    }

    async fn mask_pending(&self) -> Result<PendingReport, StoreError> {
        let mut client = self.client().await?;
        let by = self.masked_by.get();
        let pending = mask_pending(&mut client, by.as_deref());
        let report = self.connections.within(SURVEY, pending).await?;
        drop(client);
        if report.masked > 0 {
            self.eraser.finish().await;
        }
        Ok(report)
    }

    async fn revocation_counts(&self) -> Result<RevocationCounts, StoreError> {
        let client = self.client().await?;
        let sql = "SELECT (SELECT count(*) FROM consent WHERE revoked_at IS NOT NULL),
                          (SELECT count(*) FROM location WHERE masked),
                          (SELECT count(*) FROM measurement_device WHERE household IS NULL),
                          (SELECT count(*) FROM certificate WHERE revoked_at IS NOT NULL)";
        let asked = async {
            let withdrawals = consent::withdrawals(&client).await?;
            Ok::<_, StoreError>((client.query_one(sql, &[]).await?, withdrawals))
        };
        let (row, withdrawals) = self.connections.within(SURVEY, asked).await?;
        Ok(RevocationCounts {
            households: row.try_get(0)?,
            masked: row.try_get(1)?,
            devices: row.try_get(2)?,
            certificates: row.try_get(3)?,
            purposes: withdrawals.len(),
            last_purpose: withdrawals.iter().max().copied(),
        })
    }

    async fn revoked_households(&self) -> Result<Vec<RevokedHousehold>, StoreError> {
        let client = self.client().await?;
        let sql = "SELECT consent.household, granted_at, revoked_at, latitude, longitude, nuts3,
                          withdrawal_channel, withdrawal_received_on
                   FROM consent
                   LEFT JOIN location ON location.household = consent.household AND masked
                   WHERE revoked_at IS NOT NULL ORDER BY consent.household";
        let asked = async { Ok::<_, StoreError>(client.query(sql, &[]).await?) };
        let rows = self.connections.within(SURVEY, asked).await?;
        rows.iter().map(revoked_household).collect()
    }

    async fn revoked_devices(&self) -> Result<Vec<Uuid>, StoreError> {
        let client = self.client().await?;
        let sql = "SELECT uuid FROM measurement_device WHERE household IS NULL ORDER BY uuid";
        client.query(sql, &[]).await?.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }

    async fn revoke_again(&self, revoked: &RevokedHousehold) -> Result<RevokedAgain, StoreError> {
        let mut client = self.client().await?;
        let by = self.masked_by.get();
        let done = self.change(release::revoke_again(&mut client, revoked, by.as_deref())).await?;
        drop(client);
        if matches!(done, RevokedAgain::Revoked(_) | RevokedAgain::Masked) {
            self.eraser.finish().await;
        }
        Ok(done)
    }

    async fn withdrawn_purposes(&self) -> Result<Vec<WithdrawnPurpose>, StoreError> {
        let client = self.client().await?;
        self.connections.within(SURVEY, consent::withdrawn_purposes(&client)).await
    }

    async fn withdraw_again(&self, withdrawn: &[WithdrawnPurpose]) -> Result<usize, StoreError> {
        if withdrawn.is_empty() {
            return Ok(0);
        }
        let withdrawn = by_digest(withdrawn);
        let mut client = self.client().await?;
        self.change(consent::withdraw_again(&mut client, &withdrawn)).await
    }

    async fn remember_revoked_device(&self, device: Uuid) -> Result<(), StoreError> {
        let sql = "INSERT INTO measurement_device (uuid) VALUES ($1) ON CONFLICT DO NOTHING";
        self.client().await?.execute(sql, &[&device]).await?;
        Ok(())
    }
}

fn revoked_household(row: &Row) -> Result<RevokedHousehold, StoreError> {
    let (Instant(granted_at), Instant(revoked_at)) = (row.try_get(1)?, row.try_get(2)?);
    let latitude: Option<f64> = row.try_get(3)?;
    let location = match latitude {
        None => None,
        Some(latitude) => {
            let masked = Masked { nuts3: row.try_get(5)? };
            Some(location((latitude, row.try_get(4)?), "", Some(masked)))
        }
    };
    let withdrawal = consent::withdrawal(row, 6)?;
    let household = row.try_get(0)?;
    Ok(RevokedHousehold { household, granted_at, revoked_at, location, withdrawal })
}

async fn mark(db: &impl GenericClient) -> Result<Option<RegionsMark>, StoreError> {
    let Some(row) = db.query_opt("SELECT regions, description FROM masking", &[]).await? else {
        return Ok(None);
    };
    let digest: &[u8] = row.try_get(0)?;
    let digest = digest.try_into().map_err(|_| StoreError::Damaged("fingerprint"))?;
    Ok(Some(RegionsMark { digest, description: row.try_get(1)? }))
}

async fn put_mark(tx: &Transaction<'_>, mark: &RegionsMark) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO masking (one, regions, description) VALUES (1, $1, $2)
         ON CONFLICT (one) DO UPDATE SET regions = $1, description = $2",
        &[&mark.digest.as_slice(), &mark.description],
    )
    .await?;
    Ok(())
}

async fn mask_pending(
    client: &mut deadpool_postgres::Client,
    by: Option<&Masking>,
) -> Result<PendingReport, StoreError> {
    let tx = client.transaction().await?;
    one_at_a_time(&tx).await?;
    let mut report = PendingReport::default();
    let pending =
        tx.query("SELECT household, latitude, longitude FROM withheld_location", &[]).await?;
    for row in pending {
        let household: Uuid = row.try_get(0)?;
        let (latitude, longitude): (Option<f64>, Option<f64>) = (row.try_get(1)?, row.try_get(2)?);
        let origin = latitude.zip(longitude).and_then(|(lat, lon)| Position::new(lat, lon).ok());
        match draw(by, origin) {
            Ok(masked) => {
                settle(&tx, household, &masked).await?;
                report.masked += 1;
            }
            Err(_) if origin.is_some() => report.outside += 1,
            Err(_) => report.without_location += 1,
        }
    }
    if report.masked > 0 {
        tx.execute("INSERT INTO erasure_due DEFAULT VALUES", &[]).await?;
    }
    tx.commit().await?;
    Ok(report)
}
