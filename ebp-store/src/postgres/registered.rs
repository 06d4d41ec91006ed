//! The authority's register of certificates.

use std::collections::BTreeMap;

use deadpool_postgres::{Client, GenericClient, Transaction};
use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use super::{
    list_page::{bounds, page},
    value::Instant,
};
use crate::{
    ListCursor, ListPage, ListQuery, StoreError,
    certificate::{CertificateKind, RegisterEntry, scopes_of},
    serial::Serial,
};

/// Adds what the register lacks. Returns how many entries were added or revoked by this.
pub async fn add(db: &Client, entries: Vec<RegisterEntry>) -> Result<u64, StoreError> {
    // Each once, and in one order: servers that add the same at the same time wait for each other
    // and do not block each other.
    let mut each = BTreeMap::new();
    for entry in entries {
        let revoked_at = entry.revoked_at;
        let added: &mut RegisterEntry = each.entry(entry.serial).or_insert(entry);
        added.revoked_at = added.revoked_at.or(revoked_at);
    }
    let each: Vec<RegisterEntry> = each.into_values().collect();
    let serials: Vec<&[u8]> = each.iter().map(|entry| entry.serial.octets().as_slice()).collect();
    let kinds: Vec<&str> = each.iter().map(|entry| entry.kind.name()).collect();
    let devices: Vec<Option<Uuid>> = each.iter().map(|entry| entry.device).collect();
    let holders: Vec<Option<&str>> = each.iter().map(|entry| entry.holder.as_deref()).collect();
    let administrators: Vec<Option<&str>> =
        each.iter().map(|entry| entry.administrator.as_deref()).collect();
    let scopes: Vec<String> = each.iter().map(|entry| entry.scopes.to_string()).collect();
    let not_before: Vec<Instant> = each.iter().map(|entry| Instant(entry.not_before)).collect();
    let not_after: Vec<Instant> = each.iter().map(|entry| Instant(entry.not_after)).collect();
    let revoked: Vec<Option<Instant>> =
        each.iter().map(|entry| entry.revoked_at.map(Instant)).collect();
    let changed = db
        .execute(
            "INSERT INTO authority_certificate
                 (serial, kind, device, holder, scopes, not_before, not_after, revoked_at,
                  administrator)
             SELECT * FROM unnest($1::bytea[], $2::text[], $3::uuid[], $4::text[], $5::text[],
                                  $6::timestamptz[], $7::timestamptz[], $8::timestamptz[],
                                  $9::text[])
             ON CONFLICT (serial) DO UPDATE SET revoked_at = excluded.revoked_at
             WHERE authority_certificate.revoked_at IS NULL AND excluded.revoked_at IS NOT NULL",
            &[
                &serials,
                &kinds,
                &devices,
                &holders,
                &scopes,
                &not_before,
                &not_after,
                &revoked,
                &administrators,
            ],
        )
        .await?;
    Ok(changed)
}

/// An entry of the register.
pub async fn find(
    db: &impl GenericClient,
    serial: Serial,
) -> Result<Option<RegisterEntry>, StoreError> {
    let row = db
        .query_opt(
            "SELECT serial, kind, device, holder, scopes, not_before, not_after, revoked_at,
                    administrator
             FROM authority_certificate WHERE serial = $1",
            &[&serial.octets().as_slice()],
        )
        .await?;
    row.as_ref().map(entry).transpose()
}

/// A page of the register.
pub async fn list(db: &Client, query: ListQuery) -> Result<ListPage<RegisterEntry>, StoreError> {
    let (at, serial, limit) = bounds(query);
    // No octets come before every serial number.
    let serial = query.after.map_or(Vec::new(), |_| serial.into_bytes().to_vec());
    let rows = db
        .query(
            "SELECT serial, kind, device, holder, scopes, not_before, not_after, revoked_at,
                    administrator
             FROM authority_certificate WHERE (not_before, serial) > ($1, $2)
             ORDER BY not_before, serial LIMIT $3",
            &[&at, &serial, &limit],
        )
        .await?;
    let place = |row: &Row| entry(row).map(|entry| (ListCursor::of_certificate(&entry), entry));
    Ok(page(query, rows.iter().map(place).collect::<Result<_, _>>()?))
}

/// Revokes a certificate of the register, if it is one.
pub async fn revoke(tx: &Transaction<'_>, serial: Serial, at: Timestamp) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE authority_certificate SET revoked_at = $2
         WHERE serial = $1 AND revoked_at IS NULL",
        &[&serial.octets().as_slice(), &Instant(at)],
    )
    .await?;
    Ok(())
}

/// Registers a device's certificates of the register beside those that servers issued, and revokes
/// them in the register; the caller revokes the others.
pub async fn revoke_device(
    tx: &Transaction<'_>,
    device: Uuid,
    at: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO certificate (serial, device, scopes, not_before, not_after, revoked_at)
         SELECT serial, device, scopes, not_before, not_after, revoked_at
         FROM authority_certificate WHERE device = $1 AND kind = 'client'
         ON CONFLICT DO NOTHING",
        &[&device],
    )
    .await?;
    tx.execute(
        "UPDATE authority_certificate SET revoked_at = $2
         WHERE device = $1 AND revoked_at IS NULL",
        &[&device, &Instant(at)],
    )
    .await?;
    Ok(())
}

fn entry(row: &Row) -> Result<RegisterEntry, StoreError> {
    const DAMAGED: StoreError = StoreError::Damaged("certificate");
    let (octets, kind): (&[u8], &str) = (row.try_get(0)?, row.try_get(1)?);
    let (not_before, not_after): (Instant, Instant) = (row.try_get(5)?, row.try_get(6)?);
    let revoked_at: Option<Instant> = row.try_get(7)?;
    Ok(RegisterEntry {
        serial: Serial::from_octets(octets).ok_or(DAMAGED)?,
        kind: CertificateKind::from_name(kind).ok_or(DAMAGED)?,
        device: row.try_get(2)?,
        scopes: scopes_of(row.try_get(4)?)?,
        not_before: not_before.0,
        not_after: not_after.0,
        revoked_at: revoked_at.map(|at| at.0),
        holder: row.try_get(3)?,
        administrator: row.try_get(8)?,
    })
}
