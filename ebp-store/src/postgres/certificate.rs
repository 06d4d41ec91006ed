//! Certificates that servers issued or revoked. Changes are serialised
//! ([`one_at_a_time`](super::register::one_at_a_time)).

use std::collections::HashMap;

use deadpool_postgres::{Client, GenericClient, Transaction};
use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use super::{
    device::require_device,
    list_page::{bounds, page},
    registered,
    store_error::or_gone,
    value::Instant,
};
use crate::{
    HouseholdId, Issuance, ListPage, ListQuery, NewCertificate, Origin, RENEWAL_PAUSE, StoreError,
    certificate::{CertificateKind, RegisterEntry, scopes_of},
    management::in_order,
    serial::Serial,
};

/// Registers a device's next certificate, unless the credential of the request has been revoked or
/// the device got another one recently.
pub async fn register(
    tx: &Transaction<'_>,
    new: &NewCertificate,
    at: Timestamp,
) -> Result<Issuance, StoreError> {
    require_device(tx, new.device).await?;
    let (renewed_by, keep) = match &new.origin {
        Origin::Enrolment(token) => {
            let good = tx
                .query_opt(
                    "SELECT FROM enrolment
                     WHERE token = $1 AND $2 IN (key, frontend_key) AND device = $3",
                    &[&token.as_slice(), &new.key.as_slice(), &new.device],
                )
                .await?;
            if good.is_none() {
                return Ok(Issuance::Ended);
            }
            (None, None)
        }
        Origin::Renewal(by) | Origin::Sibling(by) => {
            if find(tx, *by).await?.is_some_and(|by| by.revoked_at.is_some()) {
                return Ok(Issuance::Ended);
            }
            if let Some(next) = next_renewal(tx, new).await?
                && at < next
            {
                return Ok(Issuance::TooEarly(next));
            }
            (Some(*by), Some(*by).filter(|_| matches!(new.origin, Origin::Renewal(_))))
        }
    };
    end_surplus(tx, new, keep, at).await?;
    insert(tx, &new.entry, Some((new.key, renewed_by))).await?;
    Ok(Issuance::Registered)
}

/// When the device may renew again for that key.
async fn next_renewal(
    tx: &Transaction<'_>,
    new: &NewCertificate,
) -> Result<Option<Timestamp>, StoreError> {
    let last: Option<Instant> = tx
        .query_one(
            "SELECT max(not_before) FROM certificate
             WHERE device = $1 AND scopes = $2 AND renewed_by IS NOT NULL AND revoked_at IS NULL
                 AND key <> $3",
            &[&new.device, &new.entry.scopes.to_string(), &new.key.as_slice()],
        )
        .await?
        .try_get(0)?;
    Ok(last.map(|last| last.0.checked_add(RENEWAL_PAUSE).unwrap_or(Timestamp::MAX)))
}

/// Revokes the device's other certificates of those scopes, except the one that stays valid with
/// it.
async fn end_surplus(
    tx: &Transaction<'_>,
    new: &NewCertificate,
    keep: Option<Serial>,
    at: Timestamp,
) -> Result<(), StoreError> {
    let keep = keep.map(|keep| *keep.octets());
    tx.execute(
        "UPDATE certificate SET revoked_at = $3
         WHERE device = $1 AND scopes = $2 AND revoked_at IS NULL AND not_after > $3
             AND serial <> coalesce($4, (
                 SELECT serial FROM certificate
                 WHERE device = $1 AND scopes = $2 AND revoked_at IS NULL AND not_after > $3
                 ORDER BY not_before DESC, serial LIMIT 1))",
        &[
            &new.device,
            &new.entry.scopes.to_string(),
            &Instant(at),
            &keep.as_ref().map(<[u8; 16]>::as_slice),
        ],
    )
    .await?;
    Ok(())
}

/// A certificate that a server issued has its key's digest, and the credential of the request.
async fn insert(
    db: &impl GenericClient,
    entry: &RegisterEntry,
    issued: Option<([u8; 32], Option<Serial>)>,
) -> Result<(), StoreError> {
    let (key, by) = issued.unzip();
    let by = by.flatten().map(|by| *by.octets());
    db.execute(
        "INSERT INTO certificate
             (serial, device, scopes, not_before, not_after, revoked_at, key, renewed_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
        &[
            &entry.serial.octets().as_slice(),
            &entry.device,
            &entry.scopes.to_string(),
            &Instant(entry.not_before),
            &Instant(entry.not_after),
            &entry.revoked_at.map(Instant),
            &key.as_ref().map(<[u8; 32]>::as_slice),
            &by.as_ref().map(<[u8; 16]>::as_slice),
        ],
    )
    .await
    .map_err(or_gone)?;
    Ok(())
}

async fn find(
    db: &impl GenericClient,
    serial: Serial,
) -> Result<Option<RegisterEntry>, StoreError> {
    Ok(by_serial(db, &[serial]).await?.remove(&serial))
}

/// Those of these clients' certificates that servers or the authority's register have.
pub async fn by_serial(
    db: &impl GenericClient,
    serials: &[Serial],
) -> Result<HashMap<Serial, RegisterEntry>, StoreError> {
    let octets: Vec<&[u8]> = serials.iter().map(|serial| serial.octets().as_slice()).collect();
    let statement = db
        .prepare_cached(
            "SELECT serial, device, scopes, not_before, not_after, revoked_at, true
             FROM certificate WHERE serial = ANY ($1)
             UNION ALL
             SELECT serial, device, scopes, not_before, not_after, revoked_at, false
             FROM authority_certificate WHERE serial = ANY ($1) AND kind = 'client'",
        )
        .await?;
    let mut found: HashMap<Serial, RegisterEntry> = HashMap::new();
    for row in db.query(&statement, &[&octets]).await? {
        let (entry, of_servers) = (entry(&row)?, row.try_get(6)?);
        let serial = entry.serial;
        let (this, other) = (Some(entry), found.remove(&serial));
        let both = if of_servers {
            RegisterEntry::of_both(this, other)
        } else {
            RegisterEntry::of_both(other, this)
        };
        found.extend(both.map(|entry| (serial, entry)));
    }
    Ok(found)
}

/// A page of a device's certificates.
pub async fn list(
    db: &Client,
    device: Uuid,
    query: ListQuery,
) -> Result<ListPage<RegisterEntry>, StoreError> {
    let (at, serial, limit) = bounds(query);
    // No octets come before every serial number.
    let serial = query.after.map_or(Vec::new(), |_| serial.into_bytes().to_vec());
    let mut entries = Vec::new();
    for sql in [
        "SELECT serial, device, scopes, not_before, not_after, revoked_at
         FROM certificate WHERE device = $1 AND (not_before, serial) > ($2, $3)
         ORDER BY not_before, serial LIMIT $4",
        "SELECT serial, device, scopes, not_before, not_after, revoked_at
         FROM authority_certificate
         WHERE device = $1 AND (not_before, serial) > ($2, $3) AND kind = 'client'
         ORDER BY not_before, serial LIMIT $4",
    ] {
        let statement = db.prepare_cached(sql).await?;
        let rows = db.query(&statement, &[&device, &at, &serial, &limit]).await?;
        entries.extend(rows.iter().map(entry).collect::<Result<Vec<_>, _>>()?);
    }
    Ok(page(query, in_order(entries)))
}

/// All that are revoked.
pub async fn revoked(db: &Client) -> Result<Vec<RegisterEntry>, StoreError> {
    let sql = "SELECT serial, device, scopes, not_before, not_after, revoked_at
               FROM certificate WHERE revoked_at IS NOT NULL ORDER BY serial";
    db.query(sql, &[]).await?.iter().map(entry).collect()
}

/// Revokes a certificate wherever it is known. A client's is registered first where it is not; nobody
/// shows a server's to a server.
pub async fn revoke(
    tx: &Transaction<'_>,
    entry: &RegisterEntry,
    at: Timestamp,
) -> Result<RegisterEntry, StoreError> {
    registered::revoke(tx, entry.serial, at).await?;
    if entry.kind == CertificateKind::Server {
        return registered::find(tx, entry.serial).await?.ok_or(StoreError::NotFound);
    }
    insert(tx, entry, None).await?;
    tx.execute(
        "UPDATE certificate SET revoked_at = $2 WHERE serial = $1 AND revoked_at IS NULL",
        &[&entry.serial.octets().as_slice(), &Instant(at)],
    )
    .await?;
    find(tx, entry.serial).await?.ok_or(StoreError::NotFound)
}

/// Revokes every certificate of a device, and invalidates its one-time tokens.
pub async fn revoke_device(
    tx: &Transaction<'_>,
    device: Uuid,
    at: Timestamp,
) -> Result<u64, StoreError> {
    let there = "SELECT FROM measurement_device WHERE uuid = $1";
    tx.query_opt(there, &[&device]).await?.ok_or(StoreError::NotFound)?;
    registered::revoke_device(tx, device, at).await?;
    tx.execute("DELETE FROM enrolment WHERE device = $1", &[&device]).await?;
    tx.execute("DELETE FROM device_sign_in WHERE device = $1", &[&device]).await?;
    let revoke = "UPDATE certificate SET revoked_at = $2 WHERE device = $1 AND revoked_at IS NULL";
    Ok(tx.execute(revoke, &[&device, &Instant(at)]).await?)
}

/// Revokes the certificates of a household's devices.
pub async fn revoke_household(
    tx: &Transaction<'_>,
    household: HouseholdId,
    at: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE certificate SET revoked_at = greatest($2::timestamptz, not_before)
         WHERE revoked_at IS NULL
             AND device IN (SELECT uuid FROM measurement_device WHERE household = $1)",
        &[&household.0, &Instant(at)],
    )
    .await?;
    Ok(())
}

/// Revokes the certificates of all devices of the household's participant, and invalidates the
/// devices' one-time tokens.
pub async fn revoke_participant(
    tx: &Transaction<'_>,
    household: HouseholdId,
    at: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE certificate SET revoked_at = $2
         WHERE revoked_at IS NULL AND device IN (
             SELECT measurement_device.uuid
             FROM measurement_device JOIN household ON household.uuid = measurement_device.household
             WHERE participant = (SELECT participant FROM household WHERE uuid = $1))",
        &[&household.0, &Instant(at)],
    )
    .await?;
    tx.execute(
        "DELETE FROM enrolment WHERE device IN (
             SELECT measurement_device.uuid
             FROM measurement_device JOIN household ON household.uuid = measurement_device.household
             WHERE participant = (SELECT participant FROM household WHERE uuid = $1))",
        &[&household.0],
    )
    .await?;
    Ok(())
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
        holder: None,
        administrator: None,
    })
}
