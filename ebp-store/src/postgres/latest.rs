//! What was there last, in PostgreSQL.

use async_trait::async_trait;
use deadpool_postgres::Client;
use ebp_core::contract::{Tunnel, TunnelSession};
use jiff::Timestamp;
use uuid::Uuid;

use super::{PostgresStore, tunnel, tunnel_session, value::Instant};
use crate::{LatestStore, ListCursor, StoreError, TimeOrderedList};

#[async_trait]
impl LatestStore for PostgresStore {
    async fn place_before(
        &self,
        list: TimeOrderedList,
        until: Option<ListCursor>,
        count: usize,
    ) -> Result<Option<ListCursor>, StoreError> {
        let client = self.client().await?;
        self.look_up(place_before(&client, list, until, count)).await
    }

    async fn device_tunnel(
        &self,
        device: Uuid,
        now: Timestamp,
    ) -> Result<Option<Tunnel>, StoreError> {
        let client = self.client().await?;
        self.look_up(tunnel::of_device(&client, device, now)).await
    }

    async fn device_tunnel_sessions(
        &self,
        device: Uuid,
        limit: usize,
    ) -> Result<Vec<TunnelSession>, StoreError> {
        let client = self.client().await?;
        self.look_up(tunnel_session::sessions_of_device(&client, device, limit)).await
    }
}

async fn place_before(
    db: &Client,
    list: TimeOrderedList,
    until: Option<ListCursor>,
    count: usize,
) -> Result<Option<ListCursor>, StoreError> {
    let sql = match list {
        TimeOrderedList::AlertMessages => {
            "SELECT created_at, uuid FROM alert_message WHERE (created_at, uuid) <= ($1, $2)
             ORDER BY created_at DESC, uuid DESC LIMIT 1 OFFSET $3"
        }
        TimeOrderedList::Jobs => {
            "SELECT created_at, uuid FROM job WHERE (created_at, uuid) <= ($1, $2)
             ORDER BY created_at DESC, uuid DESC LIMIT 1 OFFSET $3"
        }
    };
    let (at, uuid) = until.map_or((i64::MAX, Uuid::max()), |it| (it.registered_at, it.uuid));
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let statement = db.prepare_cached(sql).await?;
    let row = db.query_opt(&statement, &[&Instant::within(at), &uuid, &count]).await?;
    let place = |row: tokio_postgres::Row| {
        let Instant(at) = row.try_get(0)?;
        Ok(ListCursor { registered_at: at.as_microsecond(), uuid: row.try_get(1)? })
    };
    row.map(place).transpose()
}
