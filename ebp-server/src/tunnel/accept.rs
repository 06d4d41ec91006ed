//! A device's tunnel, from its request to its end.

use std::{
    net::IpAddr,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use ebp_fleet::tunnel::{Heartbeat, server::tunnel};
use ebp_store::{NewTunnel, TunnelTaken};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use uuid::Uuid;

use super::tunnels::{OpenTunnel, Tunnels};
use crate::{
    auth::ClientCertificate,
    problem::{ApiError, TunnelError},
};

/// Who asks for a tunnel.
pub(crate) struct Device {
    /// Its identifier.
    pub(crate) device: Uuid,
    /// By which certificate.
    pub(crate) certificate: Arc<ClientCertificate>,
    /// Which run of its program.
    pub(crate) instance: Uuid,
    /// Of which version.
    pub(crate) version: String,
    /// How often it proves that it is there.
    pub(crate) heartbeat: Heartbeat,
    /// Where it comes from.
    pub(crate) source: Option<IpAddr>,
}

/// Counts a tunnel while it is held.
struct Held(Arc<Tunnels>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.held.fetch_sub(1, Ordering::Relaxed);
        self.0.telemetry.tunnels.open.dec();
    }
}

impl Tunnels {
    fn take_place(self: &Arc<Self>) -> Result<Held, TunnelError> {
        if self.is_closing.load(Ordering::Relaxed) {
            return Err(TunnelError::Closing);
        }
        let held = self.held.fetch_add(1, Ordering::Relaxed);
        self.telemetry.tunnels.open.inc();
        let place = Held(self.clone());
        if held >= self.settings.most {
            return Err(TunnelError::Full);
        }
        Ok(place)
    }

    /// Accepts a device's tunnel, which begins with the upgrade.
    ///
    /// # Errors
    /// [`TunnelError::Full`], [`TunnelError::Closing`], [`TunnelError::Conflict`]; the store's.
    pub(crate) async fn accept(
        self: &Arc<Self>,
        device: Device,
        upgrade: OnUpgrade,
    ) -> Result<(), ApiError> {
        let place = self.take_place()?;
        let new = NewTunnel {
            device: device.device,
            server: self.server,
            url: self.settings.url.clone(),
            instance: device.instance,
            version: device.version.clone(),
            ipv6: device.source.is_some_and(|source| source.to_canonical().is_ipv6()),
        };
        let now = self.survey.clock().now();
        let epoch = match self.survey.store().take_tunnel(new, now).await? {
            TunnelTaken::Taken(epoch) => epoch,
            TunnelTaken::Conflict([holder, other]) => {
                self.telemetry.tunnels.conflicts.inc();
                // Which device it is, the alert says: the log has no identifier of one.
                tracing::error!(
                    %holder, %other,
                    "two processes use a device's certificate in turn: it was copied; revoke it"
                );
                return Err(TunnelError::Conflict.into());
            }
        };
        let tunnels = self.clone();
        tokio::spawn(async move { tunnels.hold(device, epoch, upgrade, place).await });
        Ok(())
    }

    async fn hold(self: Arc<Self>, device: Device, epoch: i64, upgrade: OnUpgrade, place: Held) {
        let Device { device, certificate, heartbeat, instance, .. } = device;
        if let Ok(connection) = upgrade.await {
            let (handle, holding) = tunnel(TokioIo::new(connection), heartbeat);
            let open = OpenTunnel { epoch, instance, handle, certificate };
            self.insert(device, open);
            tracing::info!("a tunnel begins");
            let end = holding.await;
            tracing::info!(?end, "a tunnel has ended");
        }
        self.remove(device, epoch);
        let now = self.survey.clock().now();
        if let Err(error) = self.survey.store().release_tunnel(device, epoch, now).await {
            tracing::warn!(%error, "the end of a tunnel is not stored");
        }
        drop(place);
    }

    /// Makes it the device's; the one before is replaced.
    fn insert(&self, device: Uuid, tunnel: OpenTunnel) {
        let (old, is_same) = {
            let mut open = self.lock_open();
            let is_same = open.get(&device).is_some_and(|old| old.instance == tunnel.instance);
            let old = match open.get(&device) {
                // A newer one was quicker with its upgrade.
                Some(newer) if newer.epoch > tunnel.epoch => Some(tunnel),
                _ => open.insert(device, tunnel),
            };
            (old, is_same)
        };
        if let Some(old) = old {
            self.replace(old, is_same);
        }
    }

    fn remove(&self, device: Uuid, epoch: i64) {
        let mut open = self.lock_open();
        if open.get(&device).is_some_and(|tunnel| tunnel.epoch == epoch) {
            open.remove(&device);
        }
    }

    /// Ends a tunnel that another one has replaced: at once, but that of the same run of the device's
    /// program, which itself leaves it behind its sessions. This end does not wait for ever.
    pub(super) fn replace(&self, old: OpenTunnel, is_same: bool) {
        let linger = if is_same { self.settings.linger } else { Duration::ZERO };
        tokio::spawn(async move {
            tokio::select! {
                () = old.handle.ended() => {}
                () = tokio::time::sleep(linger) => old.handle.supersede().await,
            }
        });
    }
}
