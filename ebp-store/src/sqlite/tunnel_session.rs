//! The record of sessions through tunnels, and which of them are to end.

use ebp_core::contract::{TunnelSession, TunnelSessionEnd};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use uuid::Uuid;

use super::{
    list_page::{bounds, page},
    value::{Id, Instant, Text},
};
use crate::{ListCursor, ListPage, ListQuery, StoreError};

pub fn ask_end(tx: &Transaction<'_>, session: Uuid, administrator: &str) -> Result<(), StoreError> {
    one_session(tx, session)?;
    tx.prepare_cached(
        "UPDATE tunnel_session SET end_asked_by = ?2
         WHERE uuid = ?1 AND ended_at IS NULL AND end_asked_by IS NULL",
    )?
    .execute(params![Id(session), administrator])?;
    Ok(())
}

pub fn to_end(db: &Connection, sessions: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM tunnel_session
                        WHERE uuid = ?1 AND end_asked_by IS NOT NULL)",
    )?;
    let mut asked = Vec::new();
    for session in sessions {
        if statement.query_row([Id(*session)], |row| row.get(0))? {
            asked.push(*session);
        }
    }
    Ok(asked)
}

pub fn one_session(db: &Connection, session: Uuid) -> Result<TunnelSession, StoreError> {
    let found = db
        .prepare_cached(
            "SELECT uuid, device, administrator, service, began_at, ended_at, bytes_to_device,
                 bytes_from_device, ended_by, end_asked_by
             FROM tunnel_session WHERE uuid = ?1",
        )?
        .query_row([Id(session)], self::session)
        .optional()?;
    found.map(|(_, session)| session).ok_or(StoreError::NotFound)
}

pub fn sessions(db: &Connection, query: ListQuery) -> Result<ListPage<TunnelSession>, StoreError> {
    let (at, uuid, limit) = bounds(query);
    let rows = db
        .prepare_cached(
            "SELECT uuid, device, administrator, service, began_at, ended_at, bytes_to_device,
                 bytes_from_device, ended_by, end_asked_by
             FROM tunnel_session WHERE (began_at, uuid) > (?1, ?2)
             ORDER BY began_at, uuid LIMIT ?3",
        )?
        .query_map(params![at, uuid, limit], session)?
        .collect::<Result<_, _>>()?;
    Ok(page(query, rows))
}

/// The last sessions of a device, the latest first.
pub fn sessions_of_device(
    db: &Connection,
    device: Uuid,
    limit: usize,
) -> Result<Vec<TunnelSession>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = db
        .prepare_cached(
            "SELECT uuid, device, administrator, service, began_at, ended_at, bytes_to_device,
                 bytes_from_device, ended_by, end_asked_by
             FROM tunnel_session WHERE device = ?1
             ORDER BY began_at DESC, uuid DESC LIMIT ?2",
        )?
        .query_map(params![Id(device), limit], session)?
        .map(|found| found.map(|(_, session)| session))
        .collect::<Result<_, _>>()?;
    Ok(rows)
}

fn session(row: &Row<'_>) -> rusqlite::Result<(ListCursor, TunnelSession)> {
    let (Id(uuid), device): (Id, Option<Id>) = (row.get(0)?, row.get(1)?);
    let Instant(began_at) = row.get(4)?;
    let ended_at: Option<Instant> = row.get(5)?;
    let (to_device, from_device): (i64, i64) = (row.get(6)?, row.get(7)?);
    let end: Option<Text<TunnelSessionEnd>> = row.get(8)?;
    let session = TunnelSession {
        uuid,
        device: device.map(|Id(device)| device),
        administrator: row.get(2)?,
        service: row.get(3)?,
        began_at,
        ended_at: ended_at.map(|Instant(at)| at),
        bytes_to_device: to_device.unsigned_abs(),
        bytes_from_device: from_device.unsigned_abs(),
        end: end.map(|Text(end)| end),
        ended_by: row.get(9)?,
    };
    Ok((ListCursor { registered_at: began_at.as_microsecond(), uuid }, session))
}
