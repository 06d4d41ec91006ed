//! A running server's care for its list of revocations: completes it from time to time, and applies
//! it to a database that lost some of them.

use std::{sync::Arc, time::Duration};

use ebp_store::{Database, open_store};
use tokio::task::JoinHandle;

use crate::{
    OpenError, Survey, SurveyError,
    masking::{MaskingFiles, mask_by},
    revocations::KeptRevocationsError,
};

/// How often what other servers and commands revoked is looked for.
const EVERY: Duration = Duration::from_secs(15);

/// How often silences of devices that are over are ended.
const SILENCES: Duration = Duration::from_secs(60);

/// Between two tries to apply the list to a database that cannot be reached.
const PAUSE: Duration = Duration::from_secs(1);

/// Keeps a server's list, and applies it where that is due.
pub struct Keeper {
    /// The survey that is served.
    pub survey: Arc<Survey>,
    /// Its database, which is opened again when it has another history.
    pub database: Database,
    /// What that is masked by.
    pub masking: MaskingFiles,
}

impl Keeper {
    /// Completes the list and ends silences from time to time, and follows the database to another history, until
    /// the task is aborted.
    pub fn keep(self) -> JoinHandle<()> {
        tokio::spawn(async move {
            tokio::join!(
                self.complete_often(),
                self.look_often(),
                self.follow(),
                self.end_silences_often()
            );
        })
    }

    async fn complete_often(&self) {
        let Some(list) = self.survey.kept() else { return };
        loop {
            tokio::time::sleep(EVERY).await;
            match list.complete_if_changed(&**self.survey.store()).await {
                Ok(_) => {}
                Err(KeptRevocationsError::Store(error)) => {
                    tracing::debug!(%error, "the database cannot be asked for revocations");
                }
                Err(error) => tracing::error!(%error, "revocations are not kept on this disk"),
            }
        }
    }

    /// What other servers did, and what time ends: the register's file may have been copied here, an
    /// address that the geocoder remembers may have ended, and one-time tokens expire.
    async fn look_often(&self) {
        loop {
            if let Err(error) = self.look().await {
                tracing::debug!(%error, "other servers' changes are not followed yet");
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    async fn look(&self) -> Result<(), SurveyError> {
        self.survey.import_register().await?;
        self.survey.forget_ended().await?;
        let now = self.survey.clock().now();
        self.survey.store().forget_expired_enrolments(now).await?;
        Ok(())
    }

    async fn end_silences_often(&self) {
        loop {
            tokio::time::sleep(SILENCES).await;
            match self.survey.end_silences().await {
                Ok(0) => {}
                Ok(ended) => tracing::info!(ended, "silences of devices have ended"),
                Err(error) => tracing::debug!(%error, "the database cannot be asked for silences"),
            }
        }
    }

    async fn follow(&self) {
        loop {
            self.survey.store().wait_for_another_history().await;
            tracing::warn!(
                "the database goes on with another history: it is served once the list of \
                 revocations is applied to it"
            );
            while let Err(error) = self.apply_to_another_history().await {
                tracing::warn!(%error, "the list of revocations is not applied yet");
                tokio::time::sleep(PAUSE).await;
            }
            tracing::info!("the database's other history is served");
        }
    }

    /// With a separate store: the one that serves makes no connection to that history yet.
    async fn apply_to_another_history(&self) -> Result<(), OpenError> {
        let store = open_store(&self.database).await?;
        mask_by(&store, &self.masking, false).await?;
        self.survey.apply_kept_revocations_to(&*store).await?;
        if let Some(history) = store.history() {
            self.survey.store().serve_history(history);
        }
        Ok(store.close().await?)
    }
}
