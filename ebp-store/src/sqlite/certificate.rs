//! Certificates that servers issued or revoked.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use uuid::Uuid;

use super::{
    device::{household_of, require_device},
    list_page::{bounds, page},
    registered,
    value::{Id, Instant},
};
use crate::{
    HouseholdId, Issuance, ListPage, ListQuery, NewCertificate, Origin, RENEWAL_PAUSE, StoreError,
    certificate::{CertificateKind, RegisterEntry, scopes_of},
    management::in_order,
    serial::Serial,
};

const COLUMNS: &str = "serial, device, scopes, not_before, not_after, revoked_at";

/// Registers a device's next certificate, unless the credential of the request has been revoked or
/// the device got another one recently.
pub fn register(
    tx: &Transaction<'_>,
    new: &NewCertificate,
    at: Timestamp,
) -> Result<Issuance, StoreError> {
    require_device(tx, new.device)?;
    let (renewed_by, keep) = match &new.origin {
        Origin::Enrolment(token) => {
            let good: bool = tx.query_row(
                "SELECT EXISTS (SELECT 1 FROM enrolment
                     WHERE token = ?1 AND ?2 IN (key, frontend_key) AND device = ?3)",
                params![token, new.key, Id(new.device)],
                |row| row.get(0),
            )?;
            if !good {
                return Ok(Issuance::Ended);
            }
            (None, None)
        }
        Origin::Renewal(by) | Origin::Sibling(by) => {
            if find(tx, *by)?.is_some_and(|by| by.revoked_at.is_some()) {
                return Ok(Issuance::Ended);
            }
            if let Some(next) = next_renewal(tx, new)?
                && at < next
            {
                return Ok(Issuance::TooEarly(next));
            }
            (Some(*by), Some(*by).filter(|_| matches!(new.origin, Origin::Renewal(_))))
        }
    };
    end_surplus(tx, new, keep, at)?;
    insert(tx, &new.entry, Some((new.key, renewed_by)))?;
    Ok(Issuance::Registered)
}

/// When the device may renew again for that key.
fn next_renewal(
    tx: &Transaction<'_>,
    new: &NewCertificate,
) -> Result<Option<Timestamp>, StoreError> {
    let last: Option<Instant> = tx.query_row(
        "SELECT max(not_before) FROM certificate
         WHERE device = ?1 AND scopes = ?2 AND renewed_by IS NOT NULL AND revoked_at IS NULL
             AND key <> ?3",
        params![Id(new.device), new.entry.scopes.to_string(), new.key],
        |row| row.get(0),
    )?;
    Ok(last.map(|last| last.0.checked_add(RENEWAL_PAUSE).unwrap_or(Timestamp::MAX)))
}

/// Revokes the device's other certificates of those scopes, except the one that stays valid with
/// it.
fn end_surplus(
    tx: &Transaction<'_>,
    new: &NewCertificate,
    keep: Option<Serial>,
    at: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE certificate SET revoked_at = ?3
         WHERE device = ?1 AND scopes = ?2 AND revoked_at IS NULL AND not_after > ?3
             AND serial <> coalesce(?4, (
                 SELECT serial FROM certificate
                 WHERE device = ?1 AND scopes = ?2 AND revoked_at IS NULL AND not_after > ?3
                 ORDER BY not_before DESC, serial LIMIT 1))",
        params![
            Id(new.device),
            new.entry.scopes.to_string(),
            Instant(at),
            keep.map(|keep| *keep.octets())
        ],
    )?;
    Ok(())
}

/// A certificate that a server issued has its key's digest, and the credential of the request.
fn insert(
    tx: &Transaction<'_>,
    entry: &RegisterEntry,
    issued: Option<([u8; 32], Option<Serial>)>,
) -> Result<(), StoreError> {
    // The device may have been removed since the certificate was asked for.
    if let Some(device) = entry.device {
        household_of(tx, device)?;
    }
    tx.execute(
        "INSERT INTO certificate
             (serial, device, scopes, not_before, not_after, revoked_at, key, renewed_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
        params![
            entry.serial.octets(),
            entry.device.map(Id),
            entry.scopes.to_string(),
            Instant(entry.not_before),
            Instant(entry.not_after),
            entry.revoked_at.map(Instant),
            issued.map(|(key, _)| key),
            issued.and_then(|(_, by)| by).map(|by| *by.octets())
        ],
    )?;
    Ok(())
}

/// A client's certificate, of servers or of the authority's register.
pub fn find(db: &Connection, serial: Serial) -> Result<Option<RegisterEntry>, StoreError> {
    let of_servers = db
        .prepare_cached(&format!("SELECT {COLUMNS} FROM certificate WHERE serial = ?1"))?
        .query_row([serial.octets()], entry)
        .optional()?
        .transpose()?;
    let registered =
        registered::find(db, serial)?.filter(|entry| entry.kind == CertificateKind::Client);
    Ok(RegisterEntry::of_both(of_servers, registered))
}

/// A page of a device's certificates.
pub fn list(
    db: &Connection,
    device: Uuid,
    query: ListQuery,
) -> Result<ListPage<RegisterEntry>, StoreError> {
    let (at, serial, limit) = bounds(query);
    let mut entries = Vec::new();
    for sql in [
        &format!(
            "SELECT {COLUMNS} FROM certificate
             WHERE device = ?1 AND (not_before, serial) > (?2, ?3)
             ORDER BY not_before, serial LIMIT ?4"
        ),
        &format!(
            "SELECT {COLUMNS} FROM authority_certificate
             WHERE device = ?1 AND (not_before, serial) > (?2, ?3) AND kind = 'client'
             ORDER BY not_before, serial LIMIT ?4"
        ),
    ] {
        let mut statement = db.prepare_cached(sql)?;
        let rows = statement.query_map(params![Id(device), at, serial, limit], entry)?;
        entries.extend(rows.map(|row| row?).collect::<Result<Vec<_>, _>>()?);
    }
    Ok(page(query, in_order(entries)))
}

/// All that are revoked.
pub fn revoked(db: &Connection) -> Result<Vec<RegisterEntry>, StoreError> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM certificate WHERE revoked_at IS NOT NULL ORDER BY serial"
    ))?;
    statement.query_map([], entry)?.map(|row| row?).collect()
}

/// Revokes a certificate wherever it is known. A client's is registered first where it is not; nobody
/// shows a server's to a server.
pub fn revoke(
    tx: &Transaction<'_>,
    entry: &RegisterEntry,
    at: Timestamp,
) -> Result<RegisterEntry, StoreError> {
    registered::revoke(tx, entry.serial, at)?;
    if entry.kind == CertificateKind::Server {
        return registered::find(tx, entry.serial)?.ok_or(StoreError::NotFound);
    }
    insert(tx, entry, None)?;
    tx.execute(
        "UPDATE certificate SET revoked_at = ?2 WHERE serial = ?1 AND revoked_at IS NULL",
        params![entry.serial.octets(), Instant(at)],
    )?;
    find(tx, entry.serial)?.ok_or(StoreError::NotFound)
}

/// Revokes every certificate of a device, and invalidates its one-time tokens.
pub fn revoke_device(tx: &Transaction<'_>, device: Uuid, at: Timestamp) -> Result<u64, StoreError> {
    household_of(tx, device)?;
    registered::revoke_device(tx, device, at)?;
    tx.execute("DELETE FROM enrolment WHERE device = ?1", [Id(device)])?;
    tx.execute("DELETE FROM device_sign_in WHERE device = ?1", [Id(device)])?;
    let revoked = tx.execute(
        "UPDATE certificate SET revoked_at = ?2 WHERE device = ?1 AND revoked_at IS NULL",
        params![Id(device), Instant(at)],
    )?;
    Ok(u64::try_from(revoked).unwrap_or(u64::MAX))
}

/// Revokes the certificates of a household's devices.
pub fn revoke_household(
    tx: &Transaction<'_>,
    household: HouseholdId,
    at: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE certificate SET revoked_at = max(?2, not_before)
         WHERE revoked_at IS NULL
             AND device IN (SELECT uuid FROM measurement_device WHERE household = ?1)",
        params![Id(household.0), Instant(at)],
    )?;
    Ok(())
}

/// Revokes the certificates of all devices of the household's participant, and invalidates the
/// devices' one-time tokens.
pub fn revoke_participant(
    tx: &Transaction<'_>,
    household: HouseholdId,
    at: Timestamp,
) -> Result<(), StoreError> {
    let id = Id(household.0);
    tx.execute(
        "UPDATE certificate SET revoked_at = ?2
         WHERE revoked_at IS NULL AND device IN (
             SELECT measurement_device.uuid
             FROM measurement_device JOIN household ON household.uuid = measurement_device.household
             WHERE participant = (SELECT participant FROM household WHERE uuid = ?1))",
        params![id, Instant(at)],
    )?;
    tx.execute(
        "DELETE FROM enrolment WHERE device IN (
             SELECT measurement_device.uuid
             FROM measurement_device JOIN household ON household.uuid = measurement_device.household
             WHERE participant = (SELECT participant FROM household WHERE uuid = ?1))",
        [id],
    )?;
    Ok(())
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
        holder: None,
        administrator: None,
    };
    let serial = Serial::from_octets(&serial).ok_or(StoreError::Damaged("certificate"));
    Ok(serial.and_then(|serial| Ok(entry(serial, scopes_of(&scopes)?))))
}
