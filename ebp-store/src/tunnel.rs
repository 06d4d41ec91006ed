//! Which server has the tunnel of which device, and the record of sessions.
//!
//! Enters: tunnels that begin and end, sessions. Leaves: where a device is connected, who had a
//! session with it. Absent: connections. Revocation of consent deletes a device's row and empties the
//! device of its sessions, in its transaction.

use std::time::Duration;

use async_trait::async_trait;
use ebp_core::contract::{Tunnel, TunnelSession, TunnelSessionEnd};
use jiff::Timestamp;
use uuid::Uuid;

use crate::{ListPage, ListQuery, StoreError};

/// How long sessions are kept.
pub(crate) const SESSIONS_KEPT: Duration = Duration::from_secs(366 * 86_400);

/// A tunnel that begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTunnel {
    /// The device.
    pub device: Uuid,
    /// The server's process.
    pub server: Uuid,
    /// Where other servers reach that one.
    pub url: Option<String>,
    /// The run of the device's program.
    pub instance: Uuid,
    /// Its version.
    pub version: String,
    /// Whether it connected by IPv6.
    pub ipv6: bool,
}

/// Whether a new tunnel is the device's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TunnelTaken {
    /// It is the device's, with that epoch.
    Taken(i64),
    /// Another process of the same device has the tunnel, and both come in turn: which ones.
    Conflict([Uuid; 2]),
}

/// Where a device is connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TunnelPlace {
    /// The server's process, if one has it.
    pub server: Option<Uuid>,
    /// Where that server is reached.
    pub url: Option<String>,
    /// Which tunnel it is.
    pub epoch: i64,
    /// Of which run of the device's program.
    pub instance: Uuid,
    /// When a server had it last.
    pub seen_at: Timestamp,
}

/// A session that begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTunnelSession {
    /// Its identifier.
    pub uuid: Uuid,
    /// The device.
    pub device: Uuid,
    /// Who connects.
    pub administrator: String,
    /// To which service.
    pub service: String,
}

/// What a store does about tunnels.
#[async_trait]
pub trait TunnelStore: Send + Sync {
    /// Notes that a device's tunnel begins; it replaces the one before, unless two processes use the
    /// device's certificate in turn.
    async fn take_tunnel(&self, new: NewTunnel, at: Timestamp) -> Result<TunnelTaken, StoreError>;

    /// Which tunnels a server has by what is stored: devices, each with its epoch.
    async fn own_tunnels(&self, server: Uuid) -> Result<Vec<(Uuid, i64)>, StoreError>;

    /// Notes that the server still has its tunnels.
    async fn keep_tunnels(&self, server: Uuid, at: Timestamp) -> Result<(), StoreError>;

    /// Notes that a tunnel has ended, or that its server does not have it, unless a newer one began.
    async fn release_tunnel(
        &self,
        device: Uuid,
        epoch: i64,
        at: Timestamp,
    ) -> Result<(), StoreError>;

    /// Where a device is connected.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if it never was, or there is no such device (any more).
    async fn tunnel_place(&self, device: Uuid) -> Result<TunnelPlace, StoreError>;

    /// A page of all tunnels, by when they began. `now` decides which servers are forgotten.
    async fn tunnels(
        &self,
        query: ListQuery,
        now: Timestamp,
    ) -> Result<ListPage<Tunnel>, StoreError>;

    /// Stores that a session begins. Sessions that are too old are deleted.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is no such device (any more).
    async fn begin_tunnel_session(
        &self,
        new: NewTunnelSession,
        at: Timestamp,
    ) -> Result<(), StoreError>;

    /// Stores how a session ended, with the bytes to and from the device.
    async fn end_tunnel_session(
        &self,
        session: Uuid,
        at: Timestamp,
        bytes: [u64; 2],
        end: TunnelSessionEnd,
    ) -> Result<(), StoreError>;

    /// Notes that sessions are still open.
    async fn keep_tunnel_sessions(
        &self,
        sessions: Vec<Uuid>,
        at: Timestamp,
    ) -> Result<(), StoreError>;

    /// Ends sessions that are open by what is stored but were not kept since `silent_since`: their
    /// server has ended. Returns how many.
    async fn end_abandoned_sessions(
        &self,
        silent_since: Timestamp,
        at: Timestamp,
    ) -> Result<u64, StoreError>;

    /// Notes that an administrator wants a session to end, for the server that carries it. One that
    /// has ended stays as it is.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is no such session.
    async fn ask_session_end(&self, session: Uuid, administrator: String)
    -> Result<(), StoreError>;

    /// Which of these sessions are to end.
    async fn sessions_to_end(&self, sessions: Vec<Uuid>) -> Result<Vec<Uuid>, StoreError>;

    /// A session.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is no such session.
    async fn tunnel_session(&self, session: Uuid) -> Result<TunnelSession, StoreError>;

    /// A page of all sessions, oldest first.
    async fn tunnel_sessions(
        &self,
        query: ListQuery,
    ) -> Result<ListPage<TunnelSession>, StoreError>;
}

/// Bytes as both databases store them.
pub(crate) fn stored_bytes(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
