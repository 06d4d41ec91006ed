//! The record of sessions through tunnels, and which of them are to end.

use deadpool_postgres::Client;
use ebp_core::contract::TunnelSession;
use tokio_postgres::Row;
use uuid::Uuid;

use super::{
    list_page::{bounds, page},
    value::Instant,
};
use crate::{ListCursor, ListPage, ListQuery, StoreError};

pub async fn ask_end(db: &Client, session: Uuid, administrator: &str) -> Result<(), StoreError> {
    one_session(db, session).await?;
    let statement = db
        .prepare_cached(
            "UPDATE tunnel_session SET end_asked_by = $2
             WHERE uuid = $1 AND ended_at IS NULL AND end_asked_by IS NULL",
        )
        .await?;
    db.execute(&statement, &[&session, &administrator]).await?;
    Ok(())
}

pub async fn to_end(db: &Client, sessions: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
    let sql = "SELECT uuid FROM tunnel_session WHERE uuid = ANY ($1) AND end_asked_by IS NOT NULL";
    let statement = db.prepare_cached(sql).await?;
    let rows = db.query(&statement, &[&sessions]).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

pub async fn one_session(db: &Client, session: Uuid) -> Result<TunnelSession, StoreError> {
    let statement = db
        .prepare_cached(
            "SELECT uuid, device, administrator, service, began_at, ended_at, bytes_to_device,
                 bytes_from_device, ended_by, end_asked_by
             FROM tunnel_session WHERE uuid = $1",
        )
        .await?;
    let row = db.query_opt(&statement, &[&session]).await?.ok_or(StoreError::NotFound)?;
    Ok(self::session(&row)?.1)
}

pub async fn sessions(
    db: &Client,
    query: ListQuery,
) -> Result<ListPage<TunnelSession>, StoreError> {
    let (at, uuid, limit) = bounds(query);
    let statement = db
        .prepare_cached(
            "SELECT uuid, device, administrator, service, began_at, ended_at, bytes_to_device,
                 bytes_from_device, ended_by, end_asked_by
             FROM tunnel_session WHERE (began_at, uuid) > ($1, $2)
             ORDER BY began_at, uuid LIMIT $3",
        )
        .await?;
    let rows = db.query(&statement, &[&at, &uuid, &limit]).await?;
    Ok(page(query, rows.iter().map(session).collect::<Result<_, _>>()?))
}

/// The last sessions of a device, the latest first.
pub async fn sessions_of_device(
    db: &Client,
    device: Uuid,
    limit: usize,
) -> Result<Vec<TunnelSession>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let statement = db
        .prepare_cached(
            "SELECT uuid, device, administrator, service, began_at, ended_at, bytes_to_device,
                 bytes_from_device, ended_by, end_asked_by
             FROM tunnel_session WHERE device = $1
             ORDER BY began_at DESC, uuid DESC LIMIT $2",
        )
        .await?;
    let rows = db.query(&statement, &[&device, &limit]).await?;
    rows.iter().map(|row| session(row).map(|(_, session)| session)).collect()
}

fn session(row: &Row) -> Result<(ListCursor, TunnelSession), StoreError> {
    let (uuid, Instant(began_at)): (Uuid, Instant) = (row.try_get(0)?, row.try_get(4)?);
    let ended_at: Option<Instant> = row.try_get(5)?;
    let (to_device, from_device): (i64, i64) = (row.try_get(6)?, row.try_get(7)?);
    let end: Option<&str> = row.try_get(8)?;
    let end = end.map(str::parse).transpose();
    let session = TunnelSession {
        uuid,
        device: row.try_get(1)?,
        administrator: row.try_get(2)?,
        service: row.try_get(3)?,
        began_at,
        ended_at: ended_at.map(|Instant(at)| at),
        bytes_to_device: to_device.unsigned_abs(),
        bytes_from_device: from_device.unsigned_abs(),
        end: end.map_err(|_| StoreError::Damaged("session"))?,
        ended_by: row.try_get(9)?,
    };
    Ok((ListCursor { registered_at: began_at.as_microsecond(), uuid }, session))
}
