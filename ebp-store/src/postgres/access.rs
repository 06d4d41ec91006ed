//! Enrolment, and wrong shared secrets; certificates are in `certificate`.

use async_trait::async_trait;
use deadpool_postgres::Transaction;
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    PostgresStore, certificate, device::require_device, patience::SURVEY, register::one_at_a_time,
    value::Instant,
};
use crate::{
    AccessStore, Digest, Enrolled, Enrolment, Issuance, ListPage, ListQuery, NewCertificate,
    StoreError, TrySource,
    certificate::{RegisterEntry, scopes_of},
    serial::Serial,
};

/// Attempts are counted one after another.
const TRY_LOCK: i64 = 7_203_846_104;

#[async_trait]
impl AccessStore for PostgresStore {
    async fn redeem_enrolment(
        &self,
        token: Digest,
        key: Digest,
        frontend: Option<Digest>,
        at: Timestamp,
    ) -> Result<Enrolled, StoreError> {
        let mut client = self.client().await?;
        self.change(async {
            let tx = client.transaction().await?;
            one_at_a_time(&tx).await?;
            let enrolled = redeem_enrolment(&tx, &token, &key, frontend.as_ref(), at).await?;
            tx.commit().await?;
            Ok(enrolled)
        })
        .await
    }

    async fn sign_in_hash(&self, device: Uuid) -> Result<Option<String>, StoreError> {
        let client = self.client().await?;
        self.look_up(async {
            let statement =
                client.prepare_cached("SELECT hash FROM device_sign_in WHERE device = $1").await?;
            let row = client.query_opt(&statement, &[&device]).await?;
            Ok(row.map(|row| row.try_get(0)).transpose()?)
        })
        .await
    }

    async fn forget_expired_enrolments(&self, at: Timestamp) -> Result<u64, StoreError> {
        let client = self.client().await?;
        self.change(async {
            let sql = "DELETE FROM enrolment WHERE expires_at <= $1";
            Ok(client.execute(sql, &[&Instant(at)]).await?)
        })
        .await
    }

    async fn participant(&self, email: &str) -> Result<Uuid, StoreError> {
        let client = self.client().await?;
        self.look_up(async {
            let row = client
                .query_opt(
                    "SELECT uuid FROM participant
                 WHERE lower(email COLLATE \"C\") = lower($1 COLLATE \"C\")",
                    // PostgreSQL's texts have no such character.
                    &[&email.replace('\0', "")],
                )
                .await?
                .ok_or(StoreError::NotFound)?;
            Ok(row.try_get(0)?)
        })
        .await
    }

    async fn register_certificate(
        &self,
        new: NewCertificate,
        at: Timestamp,
    ) -> Result<Issuance, StoreError> {
        let mut client = self.client().await?;
        self.change(async {
            let tx = client.transaction().await?;
            one_at_a_time(&tx).await?;
            let issuance = certificate::register(&tx, &new, at).await?;
            tx.commit().await?;
            Ok(issuance)
        })
        .await
    }

    async fn certificate(&self, serial: Serial) -> Result<Option<RegisterEntry>, StoreError> {
        self.lookups.certificates.ask(serial).await
    }

    async fn certificates(
        &self,
        device: Uuid,
        query: ListQuery,
    ) -> Result<ListPage<RegisterEntry>, StoreError> {
        let client = self.client().await?;
        self.look_up(certificate::list(&client, device, query)).await
    }

    async fn revoked_certificates(&self) -> Result<Vec<RegisterEntry>, StoreError> {
        let client = self.client().await?;
        self.connections.within(SURVEY, certificate::revoked(&client)).await
    }

    async fn revoke_certificate(
        &self,
        entry: RegisterEntry,
        at: Timestamp,
    ) -> Result<RegisterEntry, StoreError> {
        let mut client = self.client().await?;
        self.change(async {
            let tx = client.transaction().await?;
            // A renewal by it that is under way comes first, or finds it revoked.
            one_at_a_time(&tx).await?;
            let kept = certificate::revoke(&tx, &entry, at).await?;
            tx.commit().await?;
            Ok(kept)
        })
        .await
    }

    async fn begin_try(
        &self,
        sources: &[TrySource],
        at: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let mut client = self.client().await?;
        self.change(async {
            let tx = client.transaction().await?;
            let until = begin_try(&tx, sources, at).await?;
            tx.commit().await?;
            Ok(until)
        })
        .await
    }

    async fn forgive_try(&self, sources: &[TrySource]) -> Result<(), StoreError> {
        let names: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
        let mut client = self.client().await?;
        self.change(async {
            let tx = client.transaction().await?;
            tx.execute("SELECT pg_advisory_xact_lock($1)", &[&TRY_LOCK]).await?;
            tx.execute(
                "UPDATE secret_try SET tries = tries - 1 WHERE source = ANY ($1) AND tries > 0",
                &[&names],
            )
            .await?;
            Ok(tx.commit().await?)
        })
        .await
    }

    async fn forget_tries(&self) -> Result<u64, StoreError> {
        let client = self.client().await?;
        self.change(async { Ok(client.execute("DELETE FROM secret_try", &[]).await?) }).await
    }
}

/// Stores a one-time token in place of one that was not used.
pub async fn create_enrolment(
    tx: &Transaction<'_>,
    enrolment: &Enrolment,
) -> Result<(), StoreError> {
    let Enrolment { token, device, scopes, expires_at, sign_in_hash } = enrolment;
    require_device(tx, *device).await?;
    tx.execute("DELETE FROM enrolment WHERE device = $1 AND key IS NULL", &[device]).await?;
    tx.execute(
        "INSERT INTO enrolment (token, device, scopes, expires_at, sign_in_hash)
         VALUES ($1, $2, $3, $4, $5)",
        &[&token.as_slice(), device, &scopes.to_string(), &Instant(*expires_at), sign_in_hash],
    )
    .await?;
    Ok(())
}

/// Gives a device's page another sign-in code, which that of an earlier token does not replace.
pub async fn set_sign_in_hash(
    tx: &Transaction<'_>,
    device: Uuid,
    hash: &str,
) -> Result<(), StoreError> {
    require_device(tx, device).await?;
    let forget = "UPDATE enrolment SET sign_in_hash = NULL WHERE device = $1";
    tx.execute(forget, &[&device]).await?;
    put_sign_in_hash(tx, device, hash).await
}

async fn redeem_enrolment(
    tx: &Transaction<'_>,
    token: &Digest,
    key: &Digest,
    frontend: Option<&Digest>,
    at: Timestamp,
) -> Result<Enrolled, StoreError> {
    let row = tx
        .query_opt(
            "SELECT device, scopes, key, frontend_key, sign_in_hash
             FROM enrolment WHERE token = $1 AND expires_at > $2",
            &[&token.as_slice(), &Instant(at)],
        )
        .await?
        .ok_or(StoreError::NotFound)?;
    let is_another = |used: Option<&[u8]>, asked: Option<&Digest>| {
        used.zip(asked).is_some_and(|(used, asked)| used != asked)
    };
    if is_another(row.try_get(2)?, Some(key)) || is_another(row.try_get(3)?, frontend) {
        return Err(StoreError::NotFound);
    }
    let device: Uuid = row.try_get(0)?;
    require_device(tx, device).await?;
    if let Some(hash) = row.try_get(4)? {
        put_sign_in_hash(tx, device, hash).await?;
    }
    tx.execute(
        "UPDATE enrolment SET key = $2, frontend_key = coalesce($3, frontend_key),
             sign_in_hash = NULL
         WHERE token = $1",
        &[&token.as_slice(), &key.as_slice(), &frontend.map(<[u8; 32]>::as_slice)],
    )
    .await?;
    let names = tx
        .query_one(
            "SELECT participant.uuid, participant.email
             FROM measurement_device
             JOIN household ON household.uuid = measurement_device.household
             JOIN participant ON participant.id = household.participant
             WHERE measurement_device.uuid = $1",
            &[&device],
        )
        .await?;
    Ok(Enrolled {
        device,
        participant: names.try_get(0)?,
        email: names.try_get(1)?,
        scopes: scopes_of(row.try_get(1)?)?,
    })
}

async fn put_sign_in_hash(
    tx: &Transaction<'_>,
    device: Uuid,
    hash: &str,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO device_sign_in (device, hash) VALUES ($1, $2)
         ON CONFLICT (device) DO UPDATE SET hash = $2",
        &[&device, &hash],
    )
    .await?;
    Ok(())
}

async fn begin_try(
    tx: &Transaction<'_>,
    sources: &[TrySource],
    at: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    tx.execute("SELECT pg_advisory_xact_lock($1)", &[&TRY_LOCK]).await?;
    for TrySource { name, limits } in sources {
        let kept =
            tx.query_opt("SELECT last, tries FROM secret_try WHERE source = $1", &[name]).await?;
        let Some(row) = kept else { continue };
        let (Instant(last), tries): (Instant, i64) = (row.try_get(0)?, row.try_get(1)?);
        let next = limits.next_at(u32::try_from(tries).unwrap_or(u32::MAX), last);
        // A clock that was set back in between must not lengthen a delay.
        if at < next && at >= last {
            return Ok(Some(next));
        }
    }
    for TrySource { name, limits } in sources {
        let forgotten = at.checked_sub(limits.memory).unwrap_or(Timestamp::MIN);
        tx.execute(
            "INSERT INTO secret_try (source, last, tries) VALUES ($1, $2, 1)
             ON CONFLICT (source) DO UPDATE SET last = $2,
                 tries = CASE WHEN secret_try.last <= $3 THEN 1 ELSE secret_try.tries + 1 END",
            &[name, &Instant(at), &Instant(forgotten)],
        )
        .await?;
    }
    // Expired counts are deleted, and with them the addresses.
    if let Some(memory) = sources.iter().map(|source| source.limits.memory).max() {
        let forgotten = at.checked_sub(memory).unwrap_or(Timestamp::MIN);
        tx.execute("DELETE FROM secret_try WHERE last <= $1", &[&Instant(forgotten)]).await?;
    }
    Ok(None)
}
