//! Enrolment, and wrong shared secrets; certificates are in `certificate`.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use uuid::Uuid;

use super::{
    SqliteStore, certificate,
    device::require_device,
    value::{Id, Instant},
};
use crate::{
    AccessStore, Digest, Enrolled, Enrolment, Issuance, ListPage, ListQuery, NewCertificate,
    StoreError, TrySource,
    certificate::{RegisterEntry, scopes_of},
    serial::Serial,
};

#[async_trait]
impl AccessStore for SqliteStore {
    async fn redeem_enrolment(
        &self,
        token: Digest,
        key: Digest,
        frontend: Option<Digest>,
        at: Timestamp,
    ) -> Result<Enrolled, StoreError> {
        self.writer.run(move |tx| redeem_enrolment(tx, &token, &key, frontend.as_ref(), at)).await
    }

    async fn sign_in_hash(&self, device: Uuid) -> Result<Option<String>, StoreError> {
        self.readers
            .run(move |db| {
                Ok(db
                    .prepare_cached("SELECT hash FROM device_sign_in WHERE device = ?1")?
                    .query_row([Id(device)], |row| row.get(0))
                    .optional()?)
            })
            .await
    }

    async fn forget_expired_enrolments(&self, at: Timestamp) -> Result<u64, StoreError> {
        // Most of the time there is none, and nobody has to wait for the writer.
        let expired = move |db: &Connection| {
            Ok(db.query_row(
                "SELECT EXISTS (SELECT 1 FROM enrolment WHERE expires_at <= ?1)",
                [Instant(at)],
                |row| row.get(0),
            )?)
        };
        if !self.readers.run::<bool>(expired).await? {
            return Ok(0);
        }
        let forget = move |tx: &Transaction<'_>| {
            let forgotten =
                tx.execute("DELETE FROM enrolment WHERE expires_at <= ?1", [Instant(at)])?;
            Ok(u64::try_from(forgotten).unwrap_or(u64::MAX))
        };
        self.writer.run(forget).await
    }

    async fn participant(&self, email: &str) -> Result<Uuid, StoreError> {
        let email = email.to_owned();
        self.readers.run(move |db| participant(db, &email)).await
    }

    async fn register_certificate(
        &self,
        certificate: NewCertificate,
        at: Timestamp,
    ) -> Result<Issuance, StoreError> {
        self.writer.run(move |tx| certificate::register(tx, &certificate, at)).await
    }

    async fn certificate(&self, serial: Serial) -> Result<Option<RegisterEntry>, StoreError> {
        self.readers.run(move |db| certificate::find(db, serial)).await
    }

    async fn certificates(
        &self,
        device: Uuid,
        query: ListQuery,
    ) -> Result<ListPage<RegisterEntry>, StoreError> {
        self.readers.run(move |db| certificate::list(db, device, query)).await
    }

    async fn revoked_certificates(&self) -> Result<Vec<RegisterEntry>, StoreError> {
        self.readers.run(certificate::revoked).await
    }

    async fn revoke_certificate(
        &self,
        entry: RegisterEntry,
        at: Timestamp,
    ) -> Result<RegisterEntry, StoreError> {
        self.writer.run(move |tx| certificate::revoke(tx, &entry, at)).await
    }

    async fn begin_try(
        &self,
        sources: &[TrySource],
        at: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let sources = sources.to_vec();
        self.writer.run(move |tx| begin_try(tx, &sources, at)).await
    }

    async fn forgive_try(&self, sources: &[TrySource]) -> Result<(), StoreError> {
        let sources = sources.to_vec();
        self.writer.run(move |tx| forgive_try(tx, &sources)).await
    }

    async fn forget_tries(&self) -> Result<u64, StoreError> {
        self.writer.run(forget_tries).await
    }
}

fn participant(db: &Connection, email: &str) -> Result<Uuid, StoreError> {
    db.prepare_cached("SELECT uuid FROM participant WHERE email = ?1")?
        .query_row([email], |row| row.get(0).map(|Id(uuid)| uuid))
        .optional()?
        .ok_or(StoreError::NotFound)
}

/// Gives a device's page another sign-in code, which that of an earlier token does not replace.
pub fn set_sign_in_hash(tx: &Transaction<'_>, device: Uuid, hash: &str) -> Result<(), StoreError> {
    require_device(tx, device)?;
    tx.execute("UPDATE enrolment SET sign_in_hash = NULL WHERE device = ?1", [Id(device)])?;
    put_sign_in_hash(tx, device, hash)
}

/// Stores a one-time token in place of one that was not used.
pub fn create_enrolment(tx: &Transaction<'_>, enrolment: &Enrolment) -> Result<(), StoreError> {
    require_device(tx, enrolment.device)?;
    let Enrolment { token, device, scopes, expires_at, sign_in_hash } = enrolment;
    tx.execute("DELETE FROM enrolment WHERE device = ?1 AND key IS NULL", [Id(*device)])?;
    tx.execute(
        "INSERT INTO enrolment (token, device, scopes, expires_at, sign_in_hash)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        params![token, Id(*device), scopes.to_string(), Instant(*expires_at), sign_in_hash],
    )?;
    Ok(())
}

fn redeem_enrolment(
    tx: &Transaction<'_>,
    token: &Digest,
    key: &Digest,
    frontend: Option<&Digest>,
    at: Timestamp,
) -> Result<Enrolled, StoreError> {
    type Found = (Id, String, Option<Digest>, Option<Digest>, Option<String>);
    let found: Option<Found> = tx
        .query_row(
            "SELECT device, scopes, key, frontend_key, sign_in_hash
             FROM enrolment WHERE token = ?1 AND expires_at > ?2",
            params![token, Instant(at)],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)),
        )
        .optional()?;
    let (Id(device), scopes, used_for, used_for_frontend, sign_in_hash) =
        found.ok_or(StoreError::NotFound)?;
    let is_another = |used: Option<Digest>, asked: Option<&Digest>| {
        used.zip(asked).is_some_and(|(used, asked)| used != *asked)
    };
    if is_another(used_for, Some(key)) || is_another(used_for_frontend, frontend) {
        return Err(StoreError::NotFound);
    }
    require_device(tx, device)?;
    if let Some(hash) = sign_in_hash {
        put_sign_in_hash(tx, device, &hash)?;
    }
    tx.execute(
        "UPDATE enrolment SET key = ?2, frontend_key = coalesce(?3, frontend_key),
             sign_in_hash = NULL
         WHERE token = ?1",
        params![token, key, frontend],
    )?;
    let (Id(participant), email) = tx.query_row(
        "SELECT participant.uuid, participant.email
         FROM measurement_device
         JOIN household ON household.uuid = measurement_device.household
         JOIN participant ON participant.id = household.participant
         WHERE measurement_device.uuid = ?1",
        [Id(device)],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    Ok(Enrolled { device, participant, email, scopes: scopes_of(&scopes)? })
}

fn put_sign_in_hash(tx: &Transaction<'_>, device: Uuid, hash: &str) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO device_sign_in (device, hash) VALUES (?1, ?2)
         ON CONFLICT (device) DO UPDATE SET hash = ?2",
        params![Id(device), hash],
    )?;
    Ok(())
}

fn begin_try(
    tx: &Transaction<'_>,
    sources: &[TrySource],
    at: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    for TrySource { name, limits } in sources {
        let kept: Option<(Instant, u32)> = tx
            .query_row("SELECT last, tries FROM secret_try WHERE source = ?1", [name], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        let Some((Instant(last), tries)) = kept else { continue };
        let next = limits.next_at(tries, last);
        // A clock that was set back in between must not lengthen a delay.
        if at < next && at >= last {
            return Ok(Some(next));
        }
    }
    for TrySource { name, limits } in sources {
        let forgotten = at.checked_sub(limits.memory).unwrap_or(Timestamp::MIN);
        tx.execute(
            "INSERT INTO secret_try (source, last, tries) VALUES (?1, ?2, 1)
             ON CONFLICT (source) DO UPDATE SET last = ?2,
                 tries = CASE WHEN last <= ?3 THEN 1 ELSE tries + 1 END",
            params![name, Instant(at), Instant(forgotten)],
        )?;
    }
    // Expired counts are deleted, and with them the addresses.
    if let Some(memory) = sources.iter().map(|source| source.limits.memory).max() {
        let forgotten = at.checked_sub(memory).unwrap_or(Timestamp::MIN);
        tx.execute("DELETE FROM secret_try WHERE last <= ?1", [Instant(forgotten)])?;
    }
    Ok(None)
}

fn forgive_try(tx: &Transaction<'_>, sources: &[TrySource]) -> Result<(), StoreError> {
    for source in sources {
        tx.execute(
            "UPDATE secret_try SET tries = tries - 1 WHERE source = ?1 AND tries > 0",
            [&source.name],
        )?;
    }
    Ok(())
}

fn forget_tries(tx: &Transaction<'_>) -> Result<u64, StoreError> {
    Ok(u64::try_from(tx.execute("DELETE FROM secret_try", [])?).unwrap_or(u64::MAX))
}
