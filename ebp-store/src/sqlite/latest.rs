//! What was there last, in SQLite.

use async_trait::async_trait;
use ebp_core::contract::{Tunnel, TunnelSession};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::{
    SqliteStore, tunnel, tunnel_session,
    value::{Id, Instant},
};
use crate::{LatestStore, ListCursor, StoreError, TimeOrderedList};

#[async_trait]
impl LatestStore for SqliteStore {
    async fn place_before(
        &self,
        list: TimeOrderedList,
        until: Option<ListCursor>,
        count: usize,
    ) -> Result<Option<ListCursor>, StoreError> {
        self.readers.run(move |db| place_before(db, list, until, count)).await
    }

    async fn device_tunnel(
        &self,
        device: Uuid,
        now: Timestamp,
    ) -> Result<Option<Tunnel>, StoreError> {
        self.readers.run(move |db| tunnel::of_device(db, device, now)).await
    }

    async fn device_tunnel_sessions(
        &self,
        device: Uuid,
        limit: usize,
    ) -> Result<Vec<TunnelSession>, StoreError> {
        self.readers.run(move |db| tunnel_session::sessions_of_device(db, device, limit)).await
    }
}

fn place_before(
    db: &Connection,
    list: TimeOrderedList,
    until: Option<ListCursor>,
    count: usize,
) -> Result<Option<ListCursor>, StoreError> {
    let sql = match list {
        TimeOrderedList::AlertMessages => {
            "SELECT created_at, uuid FROM alert_message WHERE (created_at, uuid) <= (?1, ?2)
             ORDER BY created_at DESC, uuid DESC LIMIT 1 OFFSET ?3"
        }
        TimeOrderedList::Jobs => {
            "SELECT created_at, uuid FROM job WHERE (created_at, uuid) <= (?1, ?2)
             ORDER BY created_at DESC, uuid DESC LIMIT 1 OFFSET ?3"
        }
    };
    let (at, uuid) = until.map_or((i64::MAX, Uuid::max()), |it| (it.registered_at, it.uuid));
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let place = db
        .prepare_cached(sql)?
        .query_row(params![at, Id(uuid), count], |row| {
            let (Instant(at), Id(uuid)) = (row.get(0)?, row.get(1)?);
            Ok(ListCursor { registered_at: at.as_microsecond(), uuid })
        })
        .optional()?;
    Ok(place)
}
