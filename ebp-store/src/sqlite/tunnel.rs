//! Tunnels and their sessions, in SQLite.

use async_trait::async_trait;
use ebp_core::contract::{Tunnel, TunnelSession, TunnelSessionEnd};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use uuid::Uuid;

use super::{
    SqliteStore, consent,
    list_page::{bounds, page},
    tunnel_session,
    value::{Id, Instant},
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
impl TunnelStore for SqliteStore {
    async fn take_tunnel(&self, new: NewTunnel, at: Timestamp) -> Result<TunnelTaken, StoreError> {
        self.writer.run(move |tx| take(tx, &new, at)).await
    }

    async fn own_tunnels(&self, server: Uuid) -> Result<Vec<(Uuid, i64)>, StoreError> {
        self.readers.run(move |db| own(db, server)).await
    }

    async fn keep_tunnels(&self, server: Uuid, at: Timestamp) -> Result<(), StoreError> {
        self.writer.run(move |tx| keep(tx, server, at)).await
    }

    async fn release_tunnel(
        &self,
        device: Uuid,
        epoch: i64,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.writer.run(move |tx| release(tx, device, epoch, at)).await
    }

    async fn tunnel_place(&self, device: Uuid) -> Result<TunnelPlace, StoreError> {
        self.readers.run(move |db| place(db, device)).await
    }

    async fn tunnels(
        &self,
        query: ListQuery,
        now: Timestamp,
    ) -> Result<ListPage<Tunnel>, StoreError> {
        self.readers.run(move |db| tunnels(db, query, now)).await
    }

    async fn begin_tunnel_session(
        &self,
        new: NewTunnelSession,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.writer.run(move |tx| begin(tx, &new, at)).await
    }

    async fn end_tunnel_session(
        &self,
        session: Uuid,
        at: Timestamp,
        bytes: [u64; 2],
        end: TunnelSessionEnd,
    ) -> Result<(), StoreError> {
        self.writer.run(move |tx| end_session(tx, session, at, bytes, end)).await
    }

    async fn keep_tunnel_sessions(
        &self,
        sessions: Vec<Uuid>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.writer.run(move |tx| keep_sessions(tx, &sessions, at)).await
    }

    async fn end_abandoned_sessions(
        &self,
        silent_since: Timestamp,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        self.writer.run(move |tx| end_abandoned(tx, silent_since, at)).await
    }

    async fn ask_session_end(
        &self,
        session: Uuid,
        administrator: String,
    ) -> Result<(), StoreError> {
        self.writer.run(move |tx| tunnel_session::ask_end(tx, session, &administrator)).await
    }

    async fn sessions_to_end(&self, sessions: Vec<Uuid>) -> Result<Vec<Uuid>, StoreError> {
        self.readers.run(move |db| tunnel_session::to_end(db, &sessions)).await
    }

    async fn tunnel_session(&self, session: Uuid) -> Result<TunnelSession, StoreError> {
        self.readers.run(move |db| tunnel_session::one_session(db, session)).await
    }

    async fn tunnel_sessions(
        &self,
        query: ListQuery,
    ) -> Result<ListPage<TunnelSession>, StoreError> {
        self.readers.run(move |db| tunnel_session::sessions(db, query)).await
    }
}

/// Fails unless there is the device, and its household has not revoked consent.
fn require_device(tx: &Transaction<'_>, device: Uuid) -> Result<(), StoreError> {
    let household = tx
        .prepare_cached("SELECT household FROM measurement_device WHERE uuid = ?1")?
        .query_row([Id(device)], |row| row.get(0))
        .optional()?;
    let Id(household) = household.ok_or(StoreError::NotFound)?;
    require_not_revoked(&consent::consent(tx, HouseholdId(household))?)
}

fn take(tx: &Transaction<'_>, new: &NewTunnel, at: Timestamp) -> Result<TunnelTaken, StoreError> {
    require_device(tx, new.device)?;
    let past = tx
        .prepare_cached(
            "SELECT server IS NOT NULL AND seen_at > ?2, instance, earlier_instance, returns,
                 returned_at
             FROM tunnel WHERE device = ?1",
        )?
        .query_row(params![Id(new.device), Instant(forgotten(at))], |row| {
            let (Id(instance), earlier): (Id, Option<Id>) = (row.get(1)?, row.get(2)?);
            let returned_at: Option<Instant> = row.get(4)?;
            Ok(TunnelPast {
                is_held: row.get(0)?,
                instance,
                earlier: earlier.map(|Id(earlier)| earlier),
                returns: row.get(3)?,
                returned_at: returned_at.map(|Instant(at)| at),
            })
        })
        .optional()?;
    let next = match judge_tunnel(past, new.instance, at) {
        TunnelVerdict::Replaces(next) => next,
        TunnelVerdict::Conflicts(next) => {
            tx.prepare_cached(
                "UPDATE tunnel SET returns = ?2, returned_at = ?3, conflict_at = ?4,
                     conflict_instance = ?5
                 WHERE device = ?1",
            )?
            .execute(params![
                Id(new.device),
                next.returns,
                next.returned_at.map(Instant),
                Instant(at),
                Id(new.instance)
            ])?;
            return Ok(TunnelTaken::Conflict([next.instance, new.instance]));
        }
    };
    let epoch = tx
        .prepare_cached(
            "INSERT INTO tunnel (device, server, url, epoch, instance, earlier_instance, returns,
                 returned_at, since, seen_at, ipv6, version)
             VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6, ?7, ?8, ?8, ?9, ?10)
             ON CONFLICT (device) DO UPDATE SET
                 server = ?2, url = ?3, epoch = epoch + 1, instance = ?4, earlier_instance = ?5,
                 returns = ?6, returned_at = ?7, since = ?8, seen_at = ?8, ipv6 = ?9, version = ?10
             RETURNING epoch",
        )?
        .query_row(
            params![
                Id(new.device),
                Id(new.server),
                new.url,
                Id(new.instance),
                next.earlier.map(Id),
                next.returns,
                next.returned_at.map(Instant),
                Instant(at),
                new.ipv6,
                new.version
            ],
            |row| row.get(0),
        )?;
    Ok(TunnelTaken::Taken(epoch))
}

/// Servers that were last heard of by then are forgotten.
fn forgotten(now: Timestamp) -> Timestamp {
    now.checked_sub(TUNNEL_FORGOTTEN).unwrap_or(Timestamp::MIN)
}

fn keep(tx: &Transaction<'_>, server: Uuid, at: Timestamp) -> Result<(), StoreError> {
    tx.prepare_cached("UPDATE tunnel SET seen_at = ?2 WHERE server = ?1")?
        .execute(params![Id(server), Instant(at)])?;
    Ok(())
}

fn own(db: &Connection, server: Uuid) -> Result<Vec<(Uuid, i64)>, StoreError> {
    let own = db
        .prepare_cached("SELECT device, epoch FROM tunnel WHERE server = ?1")?
        .query_map([Id(server)], |row| {
            let Id(device) = row.get(0)?;
            Ok((device, row.get(1)?))
        })?
        .collect::<Result<_, _>>()?;
    Ok(own)
}

fn release(
    tx: &Transaction<'_>,
    device: Uuid,
    epoch: i64,
    at: Timestamp,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "UPDATE tunnel SET server = NULL, url = NULL, seen_at = max(seen_at, ?3)
         WHERE device = ?1 AND epoch = ?2",
    )?
    .execute(params![Id(device), epoch, Instant(at)])?;
    Ok(())
}

fn place(db: &Connection, device: Uuid) -> Result<TunnelPlace, StoreError> {
    db.prepare_cached("SELECT server, url, epoch, seen_at, instance FROM tunnel WHERE device = ?1")?
        .query_row([Id(device)], |row| {
            let Id(instance) = row.get(4)?;
            let (server, Instant(seen_at)): (Option<Id>, Instant) = (row.get(0)?, row.get(3)?);
            Ok(TunnelPlace {
                server: server.map(|Id(server)| server),
                url: row.get(1)?,
                epoch: row.get(2)?,
                instance,
                seen_at,
            })
        })
        .optional()?
        .ok_or(StoreError::NotFound)
}

fn tunnels(
    db: &Connection,
    query: ListQuery,
    now: Timestamp,
) -> Result<ListPage<Tunnel>, StoreError> {
    let (at, uuid, limit) = bounds(query);
    let rows = db
        .prepare_cached(
            "SELECT device, server IS NOT NULL AND seen_at > ?4, since, seen_at, ipv6, version,
                 (SELECT count(*) FROM tunnel_session
                  WHERE tunnel_session.device = tunnel.device AND ended_at IS NULL),
                 conflict_at,
                 (SELECT host_keys FROM measurement_device_status AS status
                  WHERE status.device = tunnel.device)
             FROM tunnel WHERE (since, device) > (?1, ?2) ORDER BY since, device LIMIT ?3",
        )?
        .query_map(params![at, uuid, limit, Instant(forgotten(now))], tunnel)?
        .collect::<Result<_, _>>()?;
    Ok(page(query, rows))
}

fn tunnel(row: &Row<'_>) -> rusqlite::Result<(ListCursor, Tunnel)> {
    let (Id(device), Instant(since)) = (row.get(0)?, row.get(2)?);
    let Instant(seen_at) = row.get(3)?;
    let conflict_at: Option<Instant> = row.get(7)?;
    let place = ListCursor { registered_at: since.as_microsecond(), uuid: device };
    let tunnel = Tunnel {
        device,
        connected: row.get(1)?,
        since,
        seen_at,
        ipv6: row.get(4)?,
        version: row.get(5)?,
        sessions: row.get(6)?,
        conflict_at: conflict_at.map(|Instant(at)| at),
        host_keys: host_keys(row.get(8)?),
    };
    Ok((place, tunnel))
}

/// The tunnel of a device.
pub fn of_device(
    db: &Connection,
    device: Uuid,
    now: Timestamp,
) -> Result<Option<Tunnel>, StoreError> {
    let found = db
        .prepare_cached(
            "SELECT device, server IS NOT NULL AND seen_at > ?2, since, seen_at, ipv6, version,
                 (SELECT count(*) FROM tunnel_session
                  WHERE tunnel_session.device = tunnel.device AND ended_at IS NULL),
                 conflict_at,
                 (SELECT host_keys FROM measurement_device_status AS status
                  WHERE status.device = tunnel.device)
             FROM tunnel WHERE device = ?1",
        )?
        .query_row(params![Id(device), Instant(forgotten(now))], tunnel)
        .optional()?;
    Ok(found.map(|(_, tunnel)| tunnel))
}

fn begin(tx: &Transaction<'_>, new: &NewTunnelSession, at: Timestamp) -> Result<(), StoreError> {
    let expired = at.checked_sub(SESSIONS_KEPT).unwrap_or(Timestamp::MIN);
    tx.prepare_cached("DELETE FROM tunnel_session WHERE began_at < ?1")?
        .execute([Instant(expired)])?;
    require_device(tx, new.device)?;
    tx.prepare_cached(
        "INSERT INTO tunnel_session (uuid, device, administrator, service, began_at, seen_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
    )?
    .execute(params![
        Id(new.uuid),
        Id(new.device),
        new.administrator,
        new.service,
        Instant(at)
    ])?;
    Ok(())
}

fn end_session(
    tx: &Transaction<'_>,
    session: Uuid,
    at: Timestamp,
    [to_device, from_device]: [u64; 2],
    end: TunnelSessionEnd,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "UPDATE tunnel_session SET ended_at = max(began_at, ?2), bytes_to_device = ?3,
             bytes_from_device = ?4, ended_by = ?5
         WHERE uuid = ?1 AND ended_at IS NULL",
    )?
    .execute(params![
        Id(session),
        Instant(at),
        stored_bytes(to_device),
        stored_bytes(from_device),
        end.name()
    ])?;
    Ok(())
}

fn keep_sessions(tx: &Transaction<'_>, sessions: &[Uuid], at: Timestamp) -> Result<(), StoreError> {
    let mut statement = tx.prepare_cached(
        "UPDATE tunnel_session SET seen_at = ?2 WHERE uuid = ?1 AND ended_at IS NULL",
    )?;
    for session in sessions {
        statement.execute(params![Id(*session), Instant(at)])?;
    }
    Ok(())
}

fn end_abandoned(
    tx: &Transaction<'_>,
    silent_since: Timestamp,
    at: Timestamp,
) -> Result<u64, StoreError> {
    let ended = tx
        .prepare_cached(
            "UPDATE tunnel_session SET ended_at = max(began_at, ?2), ended_by = 'broken'
             WHERE ended_at IS NULL AND seen_at < ?1",
        )?
        .execute(params![Instant(silent_since), Instant(at)])?;
    Ok(ended as u64)
}
