//! Enrolment, certificates and tries at shared secrets.

use async_trait::async_trait;
use ebp_core::scope::Scopes;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use uuid::Uuid;

use super::{
    SqliteStore,
    management::device::household_of,
    value::{Id, Instant},
};
use crate::{
    authority::{CertificateKind, RegisterEntry, Serial},
    store::{AccessStore, Digest, Enrolled, Enrolment, StoreError, TryLimits},
};

/// The source that stands for all of them.
const ALL: &str = "*";

#[async_trait]
impl AccessStore for SqliteStore {
    async fn create_enrolment(&self, enrolment: Enrolment) -> Result<(), StoreError> {
        self.writer.run(move |tx| create_enrolment(tx, &enrolment)).await
    }

    async fn redeem_enrolment(
        &self,
        token: Digest,
        key: Digest,
        at: Timestamp,
    ) -> Result<Enrolled, StoreError> {
        self.writer.run(move |tx| redeem_enrolment(tx, &token, &key, at)).await
    }

    async fn register_certificate(&self, entry: RegisterEntry) -> Result<(), StoreError> {
        self.writer.run(move |tx| register_certificate(tx, &entry)).await
    }

    async fn certificate(&self, serial: Serial) -> Result<Option<RegisterEntry>, StoreError> {
        self.readers.run(move |db| certificate(db, serial)).await
    }

    async fn certificates(&self, device: Uuid) -> Result<Vec<RegisterEntry>, StoreError> {
        self.readers.run(move |db| certificates(db, device)).await
    }

    async fn revoke_certificate(
        &self,
        entry: RegisterEntry,
        at: Timestamp,
    ) -> Result<RegisterEntry, StoreError> {
        self.writer.run(move |tx| revoke_certificate(tx, &entry, at)).await
    }

    async fn begin_try(
        &self,
        source: &str,
        limits: TryLimits,
        at: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let source = source.to_owned();
        self.writer.run(move |tx| begin_try(tx, &source, limits, at)).await
    }

    async fn forgive_try(&self, source: &str) -> Result<(), StoreError> {
        let source = source.to_owned();
        self.writer.run(move |tx| forgive_try(tx, &source)).await
    }
}

fn create_enrolment(tx: &Transaction<'_>, enrolment: &Enrolment) -> Result<(), StoreError> {
    require_device(tx, enrolment.device)?;
    let Enrolment { token, device, scopes, expires_at } = enrolment;
    tx.execute("DELETE FROM enrolment WHERE device = ?1 AND key IS NULL", [Id(*device)])?;
    tx.execute(
        "INSERT INTO enrolment (token, device, scopes, expires_at) VALUES (?1, ?2, ?3, ?4)",
        params![token, Id(*device), scopes.to_string(), Instant(*expires_at)],
    )?;
    Ok(())
}

/// The device is there and its household's consent is not revoked.
pub fn require_device(tx: &Transaction<'_>, device: Uuid) -> Result<(), StoreError> {
    let revoked: Option<bool> = tx
        .query_row(
            "SELECT consent.household IS NULL OR consent.revoked_at IS NOT NULL
             FROM measurement_device LEFT JOIN consent USING (household)
             WHERE measurement_device.uuid = ?1",
            [Id(device)],
            |row| row.get(0),
        )
        .optional()?;
    match revoked {
        None => Err(StoreError::NotFound),
        Some(true) => Err(StoreError::ConsentRevoked),
        Some(false) => Ok(()),
    }
}

fn redeem_enrolment(
    tx: &Transaction<'_>,
    token: &Digest,
    key: &Digest,
    at: Timestamp,
) -> Result<Enrolled, StoreError> {
    let found: Option<(Id, String, Option<Digest>)> = tx
        .query_row(
            "SELECT device, scopes, key FROM enrolment WHERE token = ?1 AND expires_at > ?2",
            params![token, Instant(at)],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .optional()?;
    let (Id(device), scopes, used_for) = found.ok_or(StoreError::NotFound)?;
    if used_for.is_some_and(|used_for| used_for != *key) {
        return Err(StoreError::NotFound);
    }
    require_device(tx, device)?;
    tx.execute("UPDATE enrolment SET key = ?2 WHERE token = ?1", params![token, key])?;
    let email: String = tx.query_row(
        "SELECT participant.email
         FROM measurement_device
         JOIN household ON household.uuid = measurement_device.household
         JOIN participant ON participant.id = household.participant
         WHERE measurement_device.uuid = ?1",
        [Id(device)],
        |row| row.get(0),
    )?;
    Ok(Enrolled { device, email, scopes: scopes_of(&scopes)? })
}

fn register_certificate(tx: &Transaction<'_>, entry: &RegisterEntry) -> Result<(), StoreError> {
    // The device may have been removed since the certificate was asked for.
    if let Some(device) = entry.device {
        match household_of(tx, device) {
            Ok(_) | Err(StoreError::ConsentRevoked) => {}
            Err(error) => return Err(error),
        }
    }
    tx.execute(
        "INSERT INTO certificate (serial, device, scopes, not_before, not_after, revoked_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
        params![
            entry.serial.octets(),
            entry.device.map(Id),
            entry.scopes.to_string(),
            Instant(entry.not_before),
            Instant(entry.not_after),
            entry.revoked_at.map(Instant)
        ],
    )?;
    Ok(())
}

const COLUMNS: &str = "serial, device, scopes, not_before, not_after, revoked_at";

fn certificate(db: &Connection, serial: Serial) -> Result<Option<RegisterEntry>, StoreError> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM certificate WHERE serial = ?1"))?
        .query_row([serial.octets()], entry)
        .optional()?
        .transpose()
}

fn certificates(db: &Connection, device: Uuid) -> Result<Vec<RegisterEntry>, StoreError> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM certificate WHERE device = ?1 ORDER BY not_before, serial"
    ))?
    .query_map([Id(device)], entry)?
    .map(|row| row?)
    .collect()
}

fn revoke_certificate(
    tx: &Transaction<'_>,
    entry: &RegisterEntry,
    at: Timestamp,
) -> Result<RegisterEntry, StoreError> {
    register_certificate(tx, entry)?;
    tx.execute(
        "UPDATE certificate SET revoked_at = ?2 WHERE serial = ?1 AND revoked_at IS NULL",
        params![entry.serial.octets(), Instant(at)],
    )?;
    certificate(tx, entry.serial)?.ok_or(StoreError::NotFound)
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Result<RegisterEntry, StoreError>> {
    let (serial, device): ([u8; 16], Option<Id>) = (row.get(0)?, row.get(1)?);
    let scopes: String = row.get(2)?;
    let (Instant(not_before), Instant(not_after)): (Instant, Instant) = (row.get(3)?, row.get(4)?);
    let revoked_at: Option<Instant> = row.get(5)?;
    let entry = |serial, scopes| RegisterEntry {
        serial,
        kind: CertificateKind::Client,
        device: device.map(|id| id.0),
        scopes,
        not_before,
        not_after,
        revoked_at: revoked_at.map(|at| at.0),
    };
    let serial = Serial::from_octets(&serial).ok_or(StoreError::Damaged("certificate"));
    Ok(serial.and_then(|serial| Ok(entry(serial, scopes_of(&scopes)?))))
}

fn scopes_of(text: &str) -> Result<Scopes, StoreError> {
    text.parse().map_err(|_| StoreError::Damaged("set of scopes"))
}

fn begin_try(
    tx: &Transaction<'_>,
    source: &str,
    limits: TryLimits,
    at: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let begun_before = at.checked_sub(limits.window).unwrap_or(Timestamp::MIN);
    // What is over is forgotten, and with it the addresses.
    tx.execute("DELETE FROM secret_try WHERE since <= ?1", [Instant(begun_before)])?;
    for (source, most) in [(source, limits.per_source), (ALL, limits.in_all)] {
        let full: Option<Instant> = tx
            .query_row(
                "SELECT since FROM secret_try WHERE source = ?1 AND tries >= ?2",
                params![source, most],
                |row| row.get(0),
            )
            .optional()?;
        if let Some(Instant(since)) = full {
            return Ok(Some(since.checked_add(limits.window).unwrap_or(Timestamp::MAX)));
        }
    }
    for source in [source, ALL] {
        tx.execute(
            "INSERT INTO secret_try (source, since, tries) VALUES (?1, ?2, 1)
             ON CONFLICT (source) DO UPDATE SET tries = tries + 1",
            params![source, Instant(at)],
        )?;
    }
    Ok(None)
}

fn forgive_try(tx: &Transaction<'_>, source: &str) -> Result<(), StoreError> {
    for source in [source, ALL] {
        tx.execute(
            "UPDATE secret_try SET tries = tries - 1 WHERE source = ?1 AND tries > 0",
            [source],
        )?;
    }
    Ok(())
}
