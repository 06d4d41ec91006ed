//! A session of an administrator with a service of a device.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use ebp_core::contract::TunnelSessionEnd;
use ebp_fleet::tunnel::{
    Upgraded,
    dial::Connection,
    relay::{Carried, RelayEnd, relay, splice},
    server::{OpenError, OpenRequest, OpenSession as Stream, TunnelHandle},
};
use ebp_store::{NewTunnelSession, StoreError};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::sync::Notify;
use uuid::Uuid;

use super::tunnels::{OpenSession, Tunnels};
use crate::{
    auth::{Administrator, Holder, OwnCertificate},
    problem::{ApiError, TunnelError},
    telemetry::TunnelMetrics,
};

/// How long an administrator's connection may take to be upgraded.
const UPGRADE: Duration = Duration::from_secs(10);

/// How often what an open session has carried is counted.
const COUNT: Duration = Duration::from_secs(5);

/// What an administrator asks for.
pub(crate) struct Connect {
    /// The device.
    pub(crate) device: Uuid,
    /// The name of the service.
    pub(crate) service: String,
    /// Who connects.
    pub(crate) administrator: Administrator,
}

/// What another server asks for.
pub(crate) struct Passed {
    /// The device.
    pub(crate) device: Uuid,
    /// What the device is asked for.
    pub(crate) request: OpenRequest,
}

/// The other side of a session.
enum Far {
    /// A stream of this server's tunnel.
    Here(Stream),
    /// A connection to the server that has the tunnel.
    There(Box<Upgraded<Connection>>),
}

/// Counts a session while it is carried.
struct Carrying<'a>(&'a Tunnels);

impl<'a> Carrying<'a> {
    fn begin(tunnels: &'a Tunnels) -> Self {
        tunnels.carrying.fetch_add(1, Ordering::Relaxed);
        Self(tunnels)
    }
}

impl Drop for Carrying<'_> {
    fn drop(&mut self) {
        self.0.carrying.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Counts what a session has carried, each byte once.
struct Counting {
    carried: Arc<Carried>,
    counted: [u64; 2],
}

impl Counting {
    fn count(&mut self, metrics: &TunnelMetrics) {
        let bytes = [self.carried.to_tunnel(), self.carried.from_tunnel()];
        let [to, from] = self.counted;
        metrics.carried([bytes[0].saturating_sub(to), bytes[1].saturating_sub(from)]);
        self.counted = bytes;
    }
}

impl Tunnels {
    /// Opens a session, and counts how that ends.
    ///
    /// # Errors
    /// Those of [`begin`](Self::begin).
    pub(crate) async fn connect(
        self: &Arc<Self>,
        connect: Connect,
        upgrade: OnUpgrade,
    ) -> Result<(), ApiError> {
        let begun = self.begin(connect, upgrade).await;
        self.telemetry.tunnels.asked(begun.as_ref().copied());
        begun
    }

    /// Opens a session, writes that it begins, and carries it once the connection is upgraded.
    ///
    /// # Errors
    /// [`TunnelError`] if the device cannot be reached or refuses, [`ApiError::Group`] if the shared
    /// secret is not enough; the store's.
    async fn begin(self: &Arc<Self>, connect: Connect, upgrade: OnUpgrade) -> Result<(), ApiError> {
        let Connect { device, service, administrator } = connect;
        if administrator.0.is_none() && !self.settings.shared_secret {
            return Err(ApiError::Group);
        }
        if self.is_closing.load(Ordering::Relaxed) {
            return Err(TunnelError::Closing.into());
        }
        let session = Uuid::new_v4();
        let name = administrator.name().to_owned();
        let request =
            OpenRequest { service: service.clone(), administrator: name.clone(), session };
        let far = self.reach(device, request).await?;
        let new = NewTunnelSession { uuid: session, device, administrator: name, service };
        let now = self.survey.clock().now();
        self.survey.store().begin_tunnel_session(new, now).await?;
        // Who and with which device is in the record of sessions, not in the log.
        tracing::info!(%session, "a session begins");
        self.telemetry.tunnels.sessions.inc();
        let revoked = Arc::<Notify>::default();
        let ended = Arc::<Notify>::default();
        let (certificate, revoked_by, ended_by) = (administrator.0, revoked.clone(), ended.clone());
        let open = OpenSession { certificate, revoked: revoked_by, ended: ended_by };
        self.lock_sessions().insert(session, open);
        let tunnels = self.clone();
        tokio::spawn(async move {
            let metrics = &tunnels.telemetry.tunnels;
            let carried = Arc::<Carried>::default();
            let mut counting = Counting { carried: carried.clone(), counted: [0; 2] };
            let mut counts = tokio::time::interval(COUNT);
            let end = {
                let carrying = tunnels.carry(far, upgrade, &carried);
                tokio::pin!(carrying);
                loop {
                    tokio::select! {
                        end = &mut carrying => break end,
                        () = revoked.notified() => break TunnelSessionEnd::Revoked,
                        () = ended.notified() => break TunnelSessionEnd::Stopped,
                        _ = counts.tick() => counting.count(metrics),
                    }
                }
            };
            counting.count(metrics);
            tunnels.write_end(session, &carried, end).await;
            tunnels.lock_sessions().remove(&session);
            metrics.sessions.dec();
        });
        Ok(())
    }

    /// Opens a session for another server, and carries it. That server writes it down.
    ///
    /// # Errors
    /// [`TunnelError`] if the device is not here, or refuses.
    pub(crate) async fn pass(
        self: &Arc<Self>,
        passed: Passed,
        upgrade: OnUpgrade,
    ) -> Result<(), ApiError> {
        let handle = self.handle(passed.device).ok_or(ApiError::NotFound)?;
        let far = Far::Here(handle.open(passed.request).await.map_err(refused)?);
        let tunnels = self.clone();
        tokio::spawn(async move { tunnels.carry(far, upgrade, &Arc::default()).await });
        Ok(())
    }

    fn handle(&self, device: Uuid) -> Option<TunnelHandle> {
        self.lock_open().get(&device).map(|tunnel| tunnel.handle.clone())
    }

    /// Opens a session at this server, or at the one that has the tunnel.
    async fn reach(&self, device: Uuid, request: OpenRequest) -> Result<Far, ApiError> {
        if let Some(handle) = self.handle(device) {
            match handle.open(request.clone()).await {
                Err(OpenError::Gone) => {}
                opened => return Ok(Far::Here(opened.map_err(refused)?)),
            }
        }
        let place = match self.survey.store().tunnel_place(device).await {
            Err(StoreError::NotFound) => return Err(self.never_connected(device).await),
            place => place?,
        };
        let elsewhere = place.server.filter(|server| *server != self.server);
        let (Some(_), Some(url)) = (elsewhere, &place.url) else {
            return Err(TunnelError::NotConnected(Some(place.seen_at)).into());
        };
        match self.forward(url, device, &request).await? {
            Some(connection) => Ok(Far::There(Box::new(connection))),
            None => {
                // Whoever is there does not have it: the row is of a server that has ended.
                let now = self.survey.clock().now();
                self.survey.store().release_tunnel(device, place.epoch, now).await?;
                Err(TunnelError::NotConnected(Some(place.seen_at)).into())
            }
        }
    }

    /// Why a device has no row: it never had a tunnel, or there is no such device.
    async fn never_connected(&self, device: Uuid) -> ApiError {
        match self.survey.store().managed_device(device).await {
            Ok(_) | Err(StoreError::ConsentRevoked) => TunnelError::NotConnected(None).into(),
            Err(error) => error.into(),
        }
    }

    async fn carry(
        &self,
        far: Far,
        upgrade: OnUpgrade,
        carried: &Arc<Carried>,
    ) -> TunnelSessionEnd {
        let upgraded = tokio::time::timeout(UPGRADE, upgrade).await;
        let Ok(Ok(near)) = upgraded else { return TunnelSessionEnd::Broken };
        let near = TokioIo::new(near);
        let _carrying = Carrying::begin(self);
        let end = match far {
            Far::Here(Stream { send, receive }) => {
                relay(near, send, receive, carried, self.limits).await
            }
            Far::There(connection) => splice(near, *connection, carried, self.limits).await,
        };
        match end {
            RelayEnd::Closed => TunnelSessionEnd::Closed,
            RelayEnd::Broken if self.is_closing.load(Ordering::Relaxed) => {
                TunnelSessionEnd::Stopped
            }
            RelayEnd::Broken => TunnelSessionEnd::Broken,
            RelayEnd::Idle => TunnelSessionEnd::Idle,
            RelayEnd::TooLong => TunnelSessionEnd::TooLong,
        }
    }

    async fn write_end(&self, session: Uuid, carried: &Carried, end: TunnelSessionEnd) {
        let bytes = [carried.to_tunnel(), carried.from_tunnel()];
        tracing::info!(%session, %end, "a session has ended");
        let now = self.survey.clock().now();
        let written = self.survey.store().end_tunnel_session(session, now, bytes, end).await;
        if let Err(error) = written {
            tracing::warn!(%error, "the end of a session is not stored");
        }
    }

    /// Sessions with the certificates of the persons who have them.
    pub(super) fn persons(&self) -> Vec<(Uuid, Arc<OwnCertificate>, Arc<Notify>)> {
        let sessions = self.lock_sessions();
        let of_person = sessions.iter().filter_map(|(session, open)| {
            let certificate = open.certificate.clone()?;
            let is_person = matches!(certificate.holder, Holder::Administrator(_));
            is_person.then(|| (*session, certificate, open.revoked.clone()))
        });
        of_person.collect()
    }
}

fn refused(error: OpenError) -> ApiError {
    let reason = match error {
        OpenError::Silent => TunnelError::Silent,
        OpenError::Refused(status) => match status.as_u16() {
            403 => TunnelError::SwitchedOff,
            404 => TunnelError::NoService,
            status => TunnelError::Refused(status),
        },
        _ => TunnelError::NotConnected(None),
    };
    reason.into()
}
