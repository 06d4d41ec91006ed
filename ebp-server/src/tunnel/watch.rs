//! Holds what is stored of tunnels against what is there, and ends what does not count any more.

use std::{collections::HashMap, sync::Arc, time::Duration};

use ebp_store::{Actor, StoreError};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::tunnels::{OpenTunnel, Tunnels};
use crate::{auth::ClientCertificate, problem::ApiError};

/// How often tunnels are compared with their rows.
const LOOK: Duration = Duration::from_secs(10);

/// Every so many looks rows are kept, and certificates are held against the register: well within
/// the minute in which a revocation takes effect.
const KEEP: u32 = 3;

/// After that time without a word of its server a session has ended.
const ABANDONED: SignedDuration = SignedDuration::from_secs(90);

impl Tunnels {
    /// Watches as long as the server runs.
    pub(crate) async fn watch(self: Arc<Self>) {
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        for look in (0..KEEP).cycle() {
            looks.tick().await;
            if let Err(error) = self.compare().await {
                tracing::warn!(%error, "tunnels cannot be compared with their rows");
            }
            if look == 0
                && let Err(error) = self.keep().await
            {
                tracing::warn!(%error, "tunnels cannot be kept");
            }
        }
    }

    /// Ends tunnels that are another server's by now.
    async fn compare(&self) -> Result<(), StoreError> {
        let here: HashMap<Uuid, i64> =
            self.lock_open().iter().map(|(device, tunnel)| (*device, tunnel.epoch)).collect();
        if here.is_empty() {
            return Ok(());
        }
        let stored: HashMap<Uuid, i64> =
            self.survey.store().own_tunnels(self.server).await?.into_iter().collect();
        for (device, epoch) in here {
            if stored.get(&device) == Some(&epoch) {
                continue;
            }
            let place = match self.survey.store().tunnel_place(device).await {
                Err(StoreError::NotFound) => None,
                place => Some(place?),
            };
            // With the same epoch another server found nobody where this one is, for a moment.
            if place.as_ref().is_none_or(|place| place.epoch != epoch)
                && let Some(tunnel) = self.take_out(device, epoch)
            {
                match place {
                    Some(place) => {
                        let is_same = place.instance == tunnel.instance;
                        self.replace(tunnel, is_same);
                    }
                    // Consent is revoked, or the device removed: nobody has replaced it, and the
                    // device learns why when it asks for the next one.
                    None => tunnel.handle.end().await,
                }
            }
        }
        Ok(())
    }

    fn take_out(&self, device: Uuid, epoch: i64) -> Option<OpenTunnel> {
        let mut open = self.lock_open();
        open.get(&device).filter(|tunnel| tunnel.epoch == epoch)?;
        open.remove(&device)
    }

    /// Keeps rows, and ends tunnels and sessions whose certificates do not count any more.
    async fn keep(&self) -> Result<(), StoreError> {
        let (store, now) = (self.survey.store(), self.survey.clock().now());
        store.keep_tunnels(self.server, now).await?;
        let sessions: Vec<Uuid> = self.lock_sessions().keys().copied().collect();
        if !sessions.is_empty() {
            store.keep_tunnel_sessions(sessions, now).await?;
        }
        if let Ok(silent_since) = now.checked_sub(ABANDONED) {
            store.end_abandoned_sessions(silent_since, now).await?;
        }
        let tunnels: Vec<_> = {
            let open = self.lock_open();
            let parts = |tunnel: &OpenTunnel| (tunnel.certificate.clone(), tunnel.handle.clone());
            open.values().map(parts).collect()
        };
        for (certificate, handle) in tunnels {
            if !self.counts(&certificate, now).await? {
                tracing::info!("a tunnel's certificate ended");
                handle.end().await;
            }
        }
        for (session, certificate, revoked) in self.persons() {
            match self.authenticator.require_own(&certificate, now).await {
                Err(ApiError::Unauthenticated(_)) => {
                    tracing::info!(%session, "the certificate of a session's person ended");
                    revoked.notify_one();
                }
                Err(error) => tracing::warn!(%error, "a person's certificate cannot be checked"),
                Ok(()) => {}
            }
        }
        Ok(())
    }

    /// Whether a device's certificate is valid, registered and not revoked, and its household too.
    async fn counts(
        &self,
        certificate: &ClientCertificate,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        if now > certificate.not_after {
            return Ok(false);
        }
        let entry = self.survey.store().certificate(certificate.serial).await?;
        if entry.is_none_or(|entry| entry.revoked_at.is_some()) {
            return Ok(false);
        }
        let actor = self.survey.store().actor(&certificate.names).await?;
        Ok(matches!(actor, Actor::Participant { .. }))
    }
}
