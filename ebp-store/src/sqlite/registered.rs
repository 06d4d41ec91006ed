//! The authority's register of certificates.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use uuid::Uuid;

use super::{
    list_page::{bounds, page},
    value::{Id, Instant},
};
use crate::{
    ListCursor, ListPage, ListQuery, StoreError,
    certificate::{CertificateKind, RegisterEntry, scopes_of},
    serial::Serial,
};

const COLUMNS: &str =
    "serial, kind, device, holder, scopes, not_before, not_after, revoked_at, administrator";

/// Adds what the register lacks. Returns how many entries were added or revoked by this.
pub fn add(tx: &Transaction<'_>, entries: &[RegisterEntry]) -> Result<u64, StoreError> {
    let mut statement = tx.prepare_cached(
        "INSERT INTO authority_certificate
             (serial, kind, device, holder, scopes, not_before, not_after, revoked_at,
              administrator)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (serial) DO UPDATE SET revoked_at = excluded.revoked_at
         WHERE authority_certificate.revoked_at IS NULL AND excluded.revoked_at IS NOT NULL",
    )?;
    let mut changed = 0;
    for entry in entries {
        changed += statement.execute(params![
            entry.serial.octets(),
            entry.kind.name(),
            entry.device.map(Id),
            entry.holder,
            entry.scopes.to_string(),
            Instant(entry.not_before),
            Instant(entry.not_after),
            entry.revoked_at.map(Instant),
            entry.administrator
        ])?;
    }
    Ok(u64::try_from(changed).unwrap_or(u64::MAX))
}

/// An entry of the register.
pub fn find(db: &Connection, serial: Serial) -> Result<Option<RegisterEntry>, StoreError> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM authority_certificate WHERE serial = ?1"))?
        .query_row([serial.octets()], entry)
        .optional()?
        .transpose()
}

/// A page of the register.
pub fn list(db: &Connection, query: ListQuery) -> Result<ListPage<RegisterEntry>, StoreError> {
    let (at, serial, limit) = bounds(query);
    let rows = db
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM authority_certificate WHERE (not_before, serial) > (?1, ?2)
             ORDER BY not_before, serial LIMIT ?3"
        ))?
        .query_map(params![at, serial, limit], entry)?
        .map(|row| row?.map(|entry| (ListCursor::of_certificate(&entry), entry)))
        .collect::<Result<_, _>>()?;
    Ok(page(query, rows))
}

/// From when the youngest is valid.
pub fn last(db: &Connection) -> Result<Option<Timestamp>, StoreError> {
    let last: Option<Instant> =
        db.query_row("SELECT max(not_before) FROM authority_certificate", [], |row| row.get(0))?;
    Ok(last.map(|last| last.0))
}

/// Revokes a certificate of the register, if it is one.
pub fn revoke(tx: &Transaction<'_>, serial: Serial, at: Timestamp) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE authority_certificate SET revoked_at = ?2
         WHERE serial = ?1 AND revoked_at IS NULL",
        params![serial.octets(), Instant(at)],
    )?;
    Ok(())
}

/// Registers a device's certificates of the register beside those that servers issued, and revokes
/// them in the register; the caller revokes the others.
pub fn revoke_device(tx: &Transaction<'_>, device: Uuid, at: Timestamp) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO certificate (serial, device, scopes, not_before, not_after, revoked_at)
         SELECT serial, device, scopes, not_before, not_after, revoked_at
         FROM authority_certificate WHERE device = ?1 AND kind = 'client'
         ON CONFLICT DO NOTHING",
        [Id(device)],
    )?;
    tx.execute(
        "UPDATE authority_certificate SET revoked_at = ?2
         WHERE device = ?1 AND revoked_at IS NULL",
        params![Id(device), Instant(at)],
    )?;
    Ok(())
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Result<RegisterEntry, StoreError>> {
    let (serial, kind): ([u8; 16], String) = (row.get(0)?, row.get(1)?);
    let (device, scopes): (Option<Id>, String) = (row.get(2)?, row.get(4)?);
    let (Instant(not_before), Instant(not_after)): (Instant, Instant) = (row.get(5)?, row.get(6)?);
    let (holder, revoked_at): (_, Option<Instant>) = (row.get(3)?, row.get(7)?);
    let administrator = row.get(8)?;
    let entry = move || {
        Ok(RegisterEntry {
            serial: Serial::from_octets(&serial).ok_or(StoreError::Damaged("certificate"))?,
            kind: CertificateKind::from_name(&kind).ok_or(StoreError::Damaged("certificate"))?,
            device: device.map(|id| id.0),
            scopes: scopes_of(&scopes)?,
            not_before,
            not_after,
            revoked_at: revoked_at.map(|at| at.0),
            holder,
            administrator,
        })
    };
    Ok(entry())
}
