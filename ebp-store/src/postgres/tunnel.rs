//! Tunnels and their sessions, in PostgreSQL.

use async_trait::async_trait;
use deadpool_postgres::{Client, Transaction};
use ebp_core::contract::{Tunnel, TunnelSession, TunnelSessionEnd};
use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use super::{
    PostgresStore, consent,
    list_page::{bounds, page},
    tunnel_session,
    value::Instant,
};
use crate::{
    HouseholdId, ListCursor, ListPage, ListQuery, NewTunnel, NewTunnelSession, StoreError,
    TunnelPlace, TunnelStore, TunnelTaken,
    rule::consent::require_not_revoked,
    rule::tunnel::{TUNNEL_FORGOTTEN, TunnelPast, TunnelVerdict, judge_tunnel},
    status::host_keys,
    tunnel::{SESSIONS_KEPT, stored_bytes},
};

#[async_trait]
impl TunnelStore for PostgresStore {
    async fn take_tunnel(&self, new: NewTunnel, at: Timestamp) -> Result<TunnelTaken, StoreError> {
        let mut client = self.client().await?;
        self.change(take(&mut client, &new, at)).await
    }

    async fn own_tunnels(&self, server: Uuid) -> Result<Vec<(Uuid, i64)>, StoreError> {
        let client = self.client().await?;
        self.look_up(own(&client, server)).await
    }

    async fn keep_tunnels(&self, server: Uuid, at: Timestamp) -> Result<(), StoreError> {
        let client = self.client().await?;
        self.change(keep(&client, server, at)).await
    }

    async fn release_tunnel(
        &self,
        device: Uuid,
        epoch: i64,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let client = self.client().await?;
        self.change(release(&client, device, epoch, at)).await
    }

    async fn tunnel_place(&self, device: Uuid) -> Result<TunnelPlace, StoreError> {
        let client = self.client().await?;
        self.look_up(place(&client, device)).await
    }

    async fn tunnels(
        &self,
        query: ListQuery,
        now: Timestamp,
    ) -> Result<ListPage<Tunnel>, StoreError> {
        let client = self.client().await?;
        self.look_up(tunnels(&client, query, now)).await
    }

    async fn begin_tunnel_session(
        &self,
        new: NewTunnelSession,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut client = self.client().await?;
        self.change(begin(&mut client, &new, at)).await
    }

    async fn end_tunnel_session(
        &self,
        session: Uuid,
        at: Timestamp,
        bytes: [u64; 2],
        end: TunnelSessionEnd,
    ) -> Result<(), StoreError> {
        let client = self.client().await?;
        self.change(end_session(&client, session, at, bytes, end)).await
    }

    async fn keep_tunnel_sessions(
        &self,
        sessions: Vec<Uuid>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let client = self.client().await?;
        self.change(keep_sessions(&client, &sessions, at)).await
    }

    async fn end_abandoned_sessions(
        &self,
        silent_since: Timestamp,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        let client = self.client().await?;
        self.change(end_abandoned(&client, silent_since, at)).await
    }

    async fn ask_session_end(
        &self,
        session: Uuid,
        administrator: String,
    ) -> Result<(), StoreError> {
        let client = self.client().await?;
        self.change(tunnel_session::ask_end(&client, session, &administrator)).await
    }

    async fn sessions_to_end(&self, sessions: Vec<Uuid>) -> Result<Vec<Uuid>, StoreError> {
        let client = self.client().await?;
        self.look_up(tunnel_session::to_end(&client, &sessions)).await
    }

    async fn tunnel_session(&self, session: Uuid) -> Result<TunnelSession, StoreError> {
        let client = self.client().await?;
        self.look_up(tunnel_session::one_session(&client, session)).await
    }

    async fn tunnel_sessions(
        &self,
        query: ListQuery,
    ) -> Result<ListPage<TunnelSession>, StoreError> {
        let client = self.client().await?;
        self.look_up(tunnel_session::sessions(&client, query)).await
    }
}

/// Fails unless there is the device, and its household has not revoked consent; a revocation waits
/// until the transaction ends.
async fn require_device(tx: &Transaction<'_>, device: Uuid) -> Result<(), StoreError> {
    let sql = "SELECT household FROM measurement_device WHERE uuid = $1";
    let row = tx.query_opt(sql, &[&device]).await?.ok_or(StoreError::NotFound)?;
    require_not_revoked(&consent::hold(tx, HouseholdId(row.try_get(0)?)).await?)
}

async fn take(
    client: &mut Client,
    new: &NewTunnel,
    at: Timestamp,
) -> Result<TunnelTaken, StoreError> {
    let tx = client.transaction().await?;
    require_device(&tx, new.device).await?;
    let past = tx
        .query_opt(
            "SELECT server IS NOT NULL AND seen_at > $2, instance, earlier_instance, returns,
                 returned_at
             FROM tunnel WHERE device = $1 FOR UPDATE",
            &[&new.device, &Instant(forgotten(at))],
        )
        .await?;
    let past = past.as_ref().map(past_of).transpose()?;
    let next = match judge_tunnel(past, new.instance, at) {
        TunnelVerdict::Replaces(next) => next,
        TunnelVerdict::Conflicts(next) => {
            tx.execute(
                "UPDATE tunnel SET returns = $2, returned_at = $3, conflict_at = $4,
                     conflict_instance = $5
                 WHERE device = $1",
                &[
                    &new.device,
                    &next.returns,
                    &next.returned_at.map(Instant),
                    &Instant(at),
                    &new.instance,
                ],
            )
            .await?;
            tx.commit().await?;
            return Ok(TunnelTaken::Conflict([next.instance, new.instance]));
        }
    };
    let row = tx
        .query_one(
            "INSERT INTO tunnel AS kept (device, server, url, epoch, instance, earlier_instance,
                 returns, returned_at, since, seen_at, ipv6, version)
             VALUES ($1, $2, $3, 1, $4, $5, $6, $7, $8, $8, $9, $10)
             ON CONFLICT (device) DO UPDATE SET
                 server = $2, url = $3, epoch = kept.epoch + 1, instance = $4,
                 earlier_instance = $5, returns = $6, returned_at = $7, since = $8, seen_at = $8,
                 ipv6 = $9, version = $10
             RETURNING epoch",
            &[
                &new.device,
                &new.server,
                &new.url,
                &new.instance,
                &next.earlier,
                &next.returns,
                &next.returned_at.map(Instant),
                &Instant(at),
                &new.ipv6,
                &new.version,
            ],
        )
        .await?;
    let epoch = row.try_get(0)?;
    tx.commit().await?;
    Ok(TunnelTaken::Taken(epoch))
}

fn past_of(row: &Row) -> Result<TunnelPast, StoreError> {
    let returned_at: Option<Instant> = row.try_get(4)?;
    Ok(TunnelPast {
        is_held: row.try_get(0)?,
        instance: row.try_get(1)?,
        earlier: row.try_get(2)?,
        returns: row.try_get(3)?,
        returned_at: returned_at.map(|Instant(at)| at),
    })
}

/// Servers that were last heard of by then are forgotten.
fn forgotten(now: Timestamp) -> Timestamp {
    now.checked_sub(TUNNEL_FORGOTTEN).unwrap_or(Timestamp::UNIX_EPOCH)
}

async fn keep(db: &Client, server: Uuid, at: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE tunnel SET seen_at = $2 WHERE server = $1";
    let statement = db.prepare_cached(sql).await?;
    db.execute(&statement, &[&server, &Instant(at)]).await?;
    Ok(())
}

async fn own(db: &Client, server: Uuid) -> Result<Vec<(Uuid, i64)>, StoreError> {
    let statement = db.prepare_cached("SELECT device, epoch FROM tunnel WHERE server = $1").await?;
    let rows = db.query(&statement, &[&server]).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

async fn release(db: &Client, device: Uuid, epoch: i64, at: Timestamp) -> Result<(), StoreError> {
    let statement = db
        .prepare_cached(
            "UPDATE tunnel SET server = NULL, url = NULL, seen_at = greatest(seen_at, $3)
             WHERE device = $1 AND epoch = $2",
        )
        .await?;
    db.execute(&statement, &[&device, &epoch, &Instant(at)]).await?;
    Ok(())
}

async fn place(db: &Client, device: Uuid) -> Result<TunnelPlace, StoreError> {
    let sql = "SELECT server, url, epoch, seen_at, instance FROM tunnel WHERE device = $1";
    let statement = db.prepare_cached(sql).await?;
    let row = db.query_opt(&statement, &[&device]).await?.ok_or(StoreError::NotFound)?;
    let Instant(seen_at) = row.try_get(3)?;
    Ok(TunnelPlace {
        server: row.try_get(0)?,
        url: row.try_get(1)?,
        epoch: row.try_get(2)?,
        instance: row.try_get(4)?,
        seen_at,
    })
}

async fn tunnels(
    db: &Client,
    query: ListQuery,
    now: Timestamp,
) -> Result<ListPage<Tunnel>, StoreError> {
    let (at, uuid, limit) = bounds(query);
    let statement = db
        .prepare_cached(
            "SELECT device, server IS NOT NULL AND seen_at > $4, since, seen_at, ipv6, version,
                 (SELECT count(*) FROM tunnel_session
                  WHERE tunnel_session.device = tunnel.device AND ended_at IS NULL),
                 conflict_at,
                 (SELECT host_keys FROM measurement_device_status AS status
                  WHERE status.device = tunnel.device)
             FROM tunnel WHERE (since, device) > ($1, $2) ORDER BY since, device LIMIT $3",
        )
        .await?;
    let rows = db.query(&statement, &[&at, &uuid, &limit, &Instant(forgotten(now))]).await?;
    Ok(page(query, rows.iter().map(tunnel).collect::<Result<_, _>>()?))
}

fn tunnel(row: &Row) -> Result<(ListCursor, Tunnel), StoreError> {
    let (device, Instant(since)): (Uuid, Instant) = (row.try_get(0)?, row.try_get(2)?);
    let Instant(seen_at) = row.try_get(3)?;
    let sessions: i64 = row.try_get(6)?;
    let conflict_at: Option<Instant> = row.try_get(7)?;
    let tunnel = Tunnel {
        device,
        connected: row.try_get(1)?,
        since,
        seen_at,
        ipv6: row.try_get(4)?,
        version: row.try_get(5)?,
        sessions: u32::try_from(sessions).unwrap_or(u32::MAX),
        conflict_at: conflict_at.map(|Instant(at)| at),
        host_keys: host_keys(row.try_get(8)?),
    };
    Ok((ListCursor { registered_at: since.as_microsecond(), uuid: device }, tunnel))
}

/// The tunnel of a device.
pub async fn of_device(
    db: &Client,
    device: Uuid,
    now: Timestamp,
) -> Result<Option<Tunnel>, StoreError> {
    let statement = db
        .prepare_cached(
            "SELECT device, server IS NOT NULL AND seen_at > $2, since, seen_at, ipv6, version,
                 (SELECT count(*) FROM tunnel_session
                  WHERE tunnel_session.device = tunnel.device AND ended_at IS NULL),
                 conflict_at,
                 (SELECT host_keys FROM measurement_device_status AS status
                  WHERE status.device = tunnel.device)
             FROM tunnel WHERE device = $1",
        )
        .await?;
    let row = db.query_opt(&statement, &[&device, &Instant(forgotten(now))]).await?;
    Ok(row.as_ref().map(tunnel).transpose()?.map(|(_, tunnel)| tunnel))
}

async fn begin(
    client: &mut Client,
    new: &NewTunnelSession,
    at: Timestamp,
) -> Result<(), StoreError> {
    let expired = at.checked_sub(SESSIONS_KEPT).unwrap_or(Timestamp::UNIX_EPOCH);
    let tx = client.transaction().await?;
    tx.execute("DELETE FROM tunnel_session WHERE began_at < $1", &[&Instant(expired)]).await?;
    require_device(&tx, new.device).await?;
    let NewTunnelSession { uuid, device, administrator, service } = new;
    tx.execute(
        "INSERT INTO tunnel_session (uuid, device, administrator, service, began_at, seen_at)
         VALUES ($1, $2, $3, $4, $5, $5)",
        &[uuid, device, administrator, service, &Instant(at)],
    )
    .await?;
    tx.commit().await?;
    Ok(())
}

async fn end_session(
    db: &Client,
    session: Uuid,
    at: Timestamp,
    [to_device, from_device]: [u64; 2],
    end: TunnelSessionEnd,
) -> Result<(), StoreError> {
    let statement = db
        .prepare_cached(
            "UPDATE tunnel_session SET ended_at = greatest(began_at, $2), bytes_to_device = $3,
                 bytes_from_device = $4, ended_by = $5
             WHERE uuid = $1 AND ended_at IS NULL",
        )
        .await?;
    let (to_device, from_device) = (stored_bytes(to_device), stored_bytes(from_device));
    db.execute(&statement, &[&session, &Instant(at), &to_device, &from_device, &end.name()])
        .await?;
    Ok(())
}

async fn keep_sessions(db: &Client, sessions: &[Uuid], at: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE tunnel_session SET seen_at = $2 WHERE uuid = ANY($1) AND ended_at IS NULL";
    let statement = db.prepare_cached(sql).await?;
    db.execute(&statement, &[&sessions, &Instant(at)]).await?;
    Ok(())
}

async fn end_abandoned(
    db: &Client,
    silent_since: Timestamp,
    at: Timestamp,
) -> Result<u64, StoreError> {
    let statement = db
        .prepare_cached(
            "UPDATE tunnel_session SET ended_at = greatest(began_at, $2), ended_by = 'broken'
             WHERE ended_at IS NULL AND seen_at < $1",
        )
        .await?;
    Ok(db.execute(&statement, &[&Instant(silent_since), &Instant(at)]).await?)
}
