//! Enrolment, certificates and tries at shared secrets.

use std::collections::HashMap;

use async_trait::async_trait;
use deadpool_postgres::{GenericClient, Transaction};
use ebp_core::scope::Scopes;
use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use super::{PostgresStore, error::or_gone, register::one_at_a_time, value::Instant};
use crate::{
    authority::{CertificateKind, RegisterEntry, Serial},
    store::{AccessStore, Digest, Enrolled, Enrolment, StoreError, TryLimits},
};

/// The source that stands for all of them.
const ALL: &str = "*";

/// Tries are counted one after another.
const TRY_LOCK: i64 = 7_203_846_104;

#[async_trait]
impl AccessStore for PostgresStore {
    async fn create_enrolment(&self, enrolment: Enrolment) -> Result<(), StoreError> {
        let mut client = self.client().await?;
        let tx = client.transaction().await?;
        one_at_a_time(&tx).await?;
        let Enrolment { token, device, scopes, expires_at } = enrolment;
        require_device(&tx, device).await?;
        tx.execute("DELETE FROM enrolment WHERE device = $1 AND key IS NULL", &[&device]).await?;
        tx.execute(
            "INSERT INTO enrolment (token, device, scopes, expires_at) VALUES ($1, $2, $3, $4)",
            &[&token.as_slice(), &device, &scopes.to_string(), &Instant(expires_at)],
        )
        .await?;
        Ok(tx.commit().await?)
    }

    async fn redeem_enrolment(
        &self,
        token: Digest,
        key: Digest,
        at: Timestamp,
    ) -> Result<Enrolled, StoreError> {
        let mut client = self.client().await?;
        let tx = client.transaction().await?;
        one_at_a_time(&tx).await?;
        let enrolled = redeem_enrolment(&tx, &token, &key, at).await?;
        tx.commit().await?;
        Ok(enrolled)
    }

    async fn register_certificate(&self, entry: RegisterEntry) -> Result<(), StoreError> {
        register_certificate(&self.client().await?, &entry).await
    }

    async fn certificate(&self, serial: Serial) -> Result<Option<RegisterEntry>, StoreError> {
        self.lookups.certificates.ask(serial).await
    }

    async fn certificates(&self, device: Uuid) -> Result<Vec<RegisterEntry>, StoreError> {
        let client = self.client().await?;
        let sql = format!(
            "SELECT {COLUMNS} FROM certificate WHERE device = $1 ORDER BY not_before, serial"
        );
        client.query(&sql, &[&device]).await?.iter().map(entry).collect()
    }

    async fn revoke_certificate(
        &self,
        entry: RegisterEntry,
        at: Timestamp,
    ) -> Result<RegisterEntry, StoreError> {
        let mut client = self.client().await?;
        let tx = client.transaction().await?;
        register_certificate(&tx, &entry).await?;
        tx.execute(
            "UPDATE certificate SET revoked_at = $2 WHERE serial = $1 AND revoked_at IS NULL",
            &[&entry.serial.octets().as_slice(), &Instant(at)],
        )
        .await?;
        let kept = certificate(&tx, entry.serial).await?.ok_or(StoreError::NotFound)?;
        tx.commit().await?;
        Ok(kept)
    }

    async fn begin_try(
        &self,
        source: &str,
        limits: TryLimits,
        at: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let mut client = self.client().await?;
        let tx = client.transaction().await?;
        let until = begin_try(&tx, source, limits, at).await?;
        tx.commit().await?;
        Ok(until)
    }

    async fn forgive_try(&self, source: &str) -> Result<(), StoreError> {
        let mut client = self.client().await?;
        let tx = client.transaction().await?;
        tx.execute("SELECT pg_advisory_xact_lock($1)", &[&TRY_LOCK]).await?;
        tx.execute(
            "UPDATE secret_try SET tries = tries - 1 WHERE source = ANY ($1) AND tries > 0",
            &[&[source, ALL].as_slice()],
        )
        .await?;
        Ok(tx.commit().await?)
    }
}

/// The device is there and its household's consent is not revoked.
async fn require_device(tx: &Transaction<'_>, device: Uuid) -> Result<(), StoreError> {
    let row = tx
        .query_opt(
            "SELECT consent.household IS NULL OR consent.revoked_at IS NOT NULL
             FROM measurement_device LEFT JOIN consent USING (household)
             WHERE measurement_device.uuid = $1",
            &[&device],
        )
        .await?
        .ok_or(StoreError::NotFound)?;
    if row.try_get(0)? { Err(StoreError::ConsentRevoked) } else { Ok(()) }
}

async fn redeem_enrolment(
    tx: &Transaction<'_>,
    token: &Digest,
    key: &Digest,
    at: Timestamp,
) -> Result<Enrolled, StoreError> {
    let row = tx
        .query_opt(
            "SELECT device, scopes, key FROM enrolment WHERE token = $1 AND expires_at > $2",
            &[&token.as_slice(), &Instant(at)],
        )
        .await?
        .ok_or(StoreError::NotFound)?;
    let used_for: Option<&[u8]> = row.try_get(2)?;
    if used_for.is_some_and(|used_for| used_for != key) {
        return Err(StoreError::NotFound);
    }
    let device: Uuid = row.try_get(0)?;
    require_device(tx, device).await?;
    tx.execute(
        "UPDATE enrolment SET key = $2 WHERE token = $1",
        &[&token.as_slice(), &key.as_slice()],
    )
    .await?;
    let email = tx
        .query_one(
            "SELECT participant.email
             FROM measurement_device
             JOIN household ON household.uuid = measurement_device.household
             JOIN participant ON participant.id = household.participant
             WHERE measurement_device.uuid = $1",
            &[&device],
        )
        .await?
        .try_get(0)?;
    Ok(Enrolled { device, email, scopes: scopes_of(row.try_get(1)?)? })
}

async fn register_certificate(
    db: &impl GenericClient,
    entry: &RegisterEntry,
) -> Result<(), StoreError> {
    db.execute(
        "INSERT INTO certificate (serial, device, scopes, not_before, not_after, revoked_at)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
        &[
            &entry.serial.octets().as_slice(),
            &entry.device,
            &entry.scopes.to_string(),
            &Instant(entry.not_before),
            &Instant(entry.not_after),
            &entry.revoked_at.map(Instant),
        ],
    )
    .await
    .map_err(or_gone)?;
    Ok(())
}

const COLUMNS: &str = "serial, device, scopes, not_before, not_after, revoked_at";

async fn certificate(
    db: &impl GenericClient,
    serial: Serial,
) -> Result<Option<RegisterEntry>, StoreError> {
    Ok(certificates_by_serial(db, &[serial]).await?.remove(&serial))
}

/// Those of these certificates that are registered.
pub async fn certificates_by_serial(
    db: &impl GenericClient,
    serials: &[Serial],
) -> Result<HashMap<Serial, RegisterEntry>, StoreError> {
    let octets: Vec<&[u8]> = serials.iter().map(|serial| serial.octets().as_slice()).collect();
    let statement = db
        .prepare_cached(
            "SELECT serial, device, scopes, not_before, not_after, revoked_at
             FROM certificate WHERE serial = ANY ($1)",
        )
        .await?;
    let rows = db.query(&statement, &[&octets]).await?;
    rows.iter().map(|row| entry(row).map(|entry| (entry.serial, entry))).collect()
}

fn entry(row: &Row) -> Result<RegisterEntry, StoreError> {
    let octets: &[u8] = row.try_get(0)?;
    let (not_before, not_after): (Instant, Instant) = (row.try_get(3)?, row.try_get(4)?);
    let revoked_at: Option<Instant> = row.try_get(5)?;
    Ok(RegisterEntry {
        serial: Serial::from_octets(octets).ok_or(StoreError::Damaged("certificate"))?,
        kind: CertificateKind::Client,
        device: row.try_get(1)?,
        scopes: scopes_of(row.try_get(2)?)?,
        not_before: not_before.0,
        not_after: not_after.0,
        revoked_at: revoked_at.map(|at| at.0),
    })
}

fn scopes_of(text: &str) -> Result<Scopes, StoreError> {
    text.parse().map_err(|_| StoreError::Damaged("set of scopes"))
}

async fn begin_try(
    tx: &Transaction<'_>,
    source: &str,
    limits: TryLimits,
    at: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    tx.execute("SELECT pg_advisory_xact_lock($1)", &[&TRY_LOCK]).await?;
    let begun_before = at.checked_sub(limits.window).unwrap_or(Timestamp::MIN);
    // What is over is forgotten, and with it the addresses.
    tx.execute("DELETE FROM secret_try WHERE since <= $1", &[&Instant(begun_before)]).await?;
    for (source, most) in [(source, limits.per_source), (ALL, limits.in_all)] {
        let full = tx
            .query_opt(
                "SELECT since FROM secret_try WHERE source = $1 AND tries >= $2",
                &[&source, &i64::from(most)],
            )
            .await?;
        if let Some(row) = full {
            let since: Instant = row.try_get(0)?;
            return Ok(Some(since.0.checked_add(limits.window).unwrap_or(Timestamp::MAX)));
        }
    }
    for source in [source, ALL] {
        tx.execute(
            "INSERT INTO secret_try (source, since, tries) VALUES ($1, $2, 1)
             ON CONFLICT (source) DO UPDATE SET tries = secret_try.tries + 1",
            &[&source, &Instant(at)],
        )
        .await?;
    }
    Ok(None)
}
