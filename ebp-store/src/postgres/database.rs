//! The opened PostgreSQL database and its background tasks.

use std::sync::{Arc, OnceLock};

use deadpool_postgres::Client;

use super::{
    connect::{self, PostgresSettings},
    erase::Eraser,
    lookup::Lookups,
    measurement::{self, Reports},
    migrate,
    patience::{CHANGE, Connections, LOOK_UP},
    pooler,
};
use crate::{Quota, StoreError, founding::Founding, revoked::MaskedBy};

/// A [`Store`](crate::Store) in a PostgreSQL database.
pub struct PostgresStore {
    pub(super) connections: Connections,
    pub(super) masked_by: MaskedBy,
    pub(super) quota: Arc<OnceLock<Quota>>,
    pub(super) reports: Reports,
    pub(super) lookups: Lookups,
    pub(super) eraser: Eraser,
}

impl PostgresStore {
    /// Connects to the database and migrates it if needed.
    ///
    /// # Errors
    /// Returns an error if the settings cannot be used, the database cannot be reached, or it is of
    /// a newer version of the program.
    pub async fn open(settings: &PostgresSettings) -> Result<Self, StoreError> {
        Self::open_as(settings, Founding::Allowed).await
    }

    pub(crate) async fn open_as(
        settings: &PostgresSettings,
        founding: Founding,
    ) -> Result<Self, StoreError> {
        let connections = connect::pool(settings)?;
        pooler::refuse(&connections).await?;
        let mut client = connections.get().await?;
        migrate::migrate(&mut client, founding).await?;
        drop(client);
        // Data that an interrupted revocation left in the files are erased now.
        let eraser = Eraser::start(connections.pool());
        // While one transaction is made durable another one is filled.
        let quota = Arc::<OnceLock<Quota>>::default();
        let senders = settings.connections.div_ceil(3).max(2);
        let reports = measurement::reports(&connections, senders, quota.clone());
        let lookups = Lookups::start(&connections);
        let masked_by = MaskedBy::default();
        Ok(Self { connections, masked_by, quota, reports, lookups, eraser })
    }

    pub(super) async fn client(&self) -> Result<Client, StoreError> {
        self.connections.get().await
    }

    /// The result of a query on a borrowed connection, with a timeout.
    pub(super) async fn look_up<T>(
        &self,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.connections.within(LOOK_UP, work).await
    }

    /// The result of a change on a borrowed connection, with a timeout.
    pub(super) async fn change<T>(
        &self,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.connections.within(CHANGE, work).await
    }
}
