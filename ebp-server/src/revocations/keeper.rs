//! A running server's care for its list of revocations: completes it after each revocation and from
//! time to time, and applies it to a database that lost some of them.

use std::{sync::Arc, time::Duration};

use tokio::task::JoinHandle;

use super::{Applied, KeptRevocations, KeptRevocationsError};
use crate::{
    ServeError,
    geocoding::Geocoder,
    masking::{MaskingFiles, mask_by},
};
use ebp_store::{Database, Store, open_store};

/// How often what other servers and commands revoked is looked for.
const EVERY: Duration = Duration::from_secs(15);

/// Between two tries to apply the list to a database that cannot be reached.
const PAUSE: Duration = Duration::from_secs(1);

/// Keeps a server's list, and applies it where that is due.
pub struct Keeper {
    pub list: KeptRevocations,
    pub database: Database,
    pub masking: MaskingFiles,
    pub geocoder: Option<Arc<Geocoder>>,
}

impl Keeper {
    /// Applies the list to a store before that is served.
    pub async fn apply(&self, store: &dyn Store) -> Result<(), KeptRevocationsError> {
        let Applied { households, certificates, addresses, .. } = self.list.apply(store).await?;
        if let Some(geocoder) = self.geocoder.clone() {
            // If that goes wrong what is left is sealed.
            let forget = move || addresses.iter().for_each(|address| geocoder.forget(address));
            let _ = tokio::task::spawn_blocking(forget).await;
        }
        if households + certificates > 0 {
            tracing::warn!(
                households,
                certificates,
                "the database lacked revocations: they are applied again, from this server's list"
            );
        }
        Ok(())
    }

    /// Completes the list after a revocation, before that is answered. A failure is logged, and
    /// made up for later: the revocation counts.
    pub async fn complete(&self, store: &dyn Store) {
        if let Err(error) = self.list.complete(store).await {
            tracing::error!(
                %error,
                "a revocation is not on this server's own list yet: a standby that does not have \
                 it must not be promoted"
            );
        }
    }

    /// Completes the list from time to time, and follows the database to another history, until
    /// the task is aborted.
    pub fn keep(self: Arc<Self>, store: Arc<dyn Store>) -> JoinHandle<()> {
        tokio::spawn(async move {
            tokio::join!(self.complete_often(&*store), self.follow(&*store));
        })
    }

    async fn complete_often(&self, store: &dyn Store) {
        loop {
            tokio::time::sleep(EVERY).await;
            match self.list.complete_if_changed(store).await {
                Ok(_) => {}
                Err(KeptRevocationsError::Store(error)) => {
                    tracing::debug!(%error, "the database cannot be asked for revocations");
                }
                Err(error) => tracing::error!(%error, "revocations are not kept on this disk"),
            }
        }
    }

    async fn follow(&self, store: &dyn Store) {
        loop {
            store.wait_for_another_history().await;
            tracing::warn!(
                "the database goes on with another history: it is served once the list of \
                 revocations is applied to it"
            );
            while let Err(error) = self.apply_to_another_history(store).await {
                tracing::warn!(%error, "the list of revocations is not applied yet");
                tokio::time::sleep(PAUSE).await;
            }
            tracing::info!("the database's other history is served");
        }
    }

    /// By a store of its own: the one that serves makes no connection to that history yet.
    async fn apply_to_another_history(&self, serving: &dyn Store) -> Result<(), ServeError> {
        let store = open_store(&self.database).await?;
        mask_by(&store, &self.masking, false).await?;
        self.apply(&*store).await?;
        if let Some(history) = store.history() {
            serving.serve_history(history);
        }
        Ok(store.close().await?)
    }
}
