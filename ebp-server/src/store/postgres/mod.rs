//! The survey in a PostgreSQL database, for any number of servers.
//!
//! Enters: what [`Store`] is asked. Leaves: rows, as the contract's bodies. Absent:
//! any rule that the schema (`migrations/postgres/`) can keep by itself, and anything remembered
//! between two calls that another server would have to know.
//!
//! Each method takes a connection from the pool and gives it back. A broken one is thrown away, and
//! the next method makes a new one: PostgreSQL may go and come again at any time. What it had not
//! yet acknowledged is told as a temporary failure and may be there all the same: all of it or
//! nothing, which is why measurements have identifiers.

mod access;
mod connect;
mod consent;
mod copy;
mod erase;
mod error;
mod evaluation;
mod gather;
mod household;
mod incident;
mod listing;
mod lookup;
mod management;
mod masking;
mod measurement;
mod migrate;
mod register;
mod release;
mod status;
mod tls;
mod value;

use async_trait::async_trait;
use deadpool_postgres::{Client, Pool};
use ebp_core::{
    contract::{
        Account, Consent, DeviceStatus, Household, MeasurementDevice, Registered, Registration,
    },
    model::{Incident, IncidentType, Measurement, Meter, PvSystem},
};
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    Actor, HouseholdId, Outcome, Page, PageQuery, ParticipantId, PoolStatus, Store, StoreError,
    masking::MaskedBy,
};
pub use connect::{DatabaseUrl, PostgresSettings};
pub use error::PostgresError;
use lookup::Lookups;
use measurement::{Report, Reports};

/// A [`Store`] in a PostgreSQL database.
pub struct PostgresStore {
    pool: Pool,
    masked_by: MaskedBy,
    reports: Reports,
    lookups: Lookups,
}

impl PostgresStore {
    /// Connects to the database and migrates it where needed.
    ///
    /// # Errors
    /// If the settings cannot be used, the database cannot be reached, or it is of a newer version
    /// of the program.
    pub async fn open(settings: &PostgresSettings) -> Result<Self, StoreError> {
        let pool = connect::pool(settings)?;
        let mut client = pool.get().await?;
        migrate::migrate(&mut client).await?;
        drop(client);
        // What an interrupted revocation left in the files goes now.
        drop(erase::start(pool.clone()));
        // While one transaction is made durable another one is filled.
        let reports = measurement::reports(&pool, settings.connections.div_ceil(3).max(2));
        let lookups = Lookups::start(&pool);
        Ok(Self { pool, masked_by: MaskedBy::default(), reports, lookups })
    }

    async fn client(&self) -> Result<Client, StoreError> {
        Ok(self.pool.get().await?)
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn register(
        &self,
        registration: Registration,
        at: Timestamp,
    ) -> Result<Registered, StoreError> {
        register::register(&mut self.client().await?, &registration, at).await
    }

    async fn actor(&self, email: &str, device: Option<Uuid>) -> Result<Actor, StoreError> {
        // PostgreSQL's texts have no such character, and so nobody's address has.
        if email.contains('\0') {
            return Ok(Actor::Unknown);
        }
        match device {
            Some(device) => self.lookups.actors.ask((email.to_owned(), device)).await,
            None => household::participant_actor(&self.client().await?, email).await,
        }
    }

    async fn account(&self, participant: ParticipantId) -> Result<Account, StoreError> {
        household::account(&self.client().await?, participant).await
    }

    async fn household(&self, id: HouseholdId) -> Result<Household, StoreError> {
        household::household(&self.client().await?, id).await
    }

    async fn consent(&self, id: HouseholdId) -> Result<Consent, StoreError> {
        consent::consent(&self.client().await?, id).await
    }

    async fn grant_consent(&self, id: HouseholdId, at: Timestamp) -> Result<Consent, StoreError> {
        consent::grant(&mut self.client().await?, id, at).await
    }

    async fn revoke_consent(&self, id: HouseholdId, at: Timestamp) -> Result<Consent, StoreError> {
        let masking = self.masked_by.get();
        let mut client = self.client().await?;
        let revoked = consent::revoke(&mut client, id, at, masking.as_deref()).await?;
        drop(client);
        erase::finish(&self.pool).await;
        Ok(revoked)
    }

    async fn devices(&self, id: HouseholdId) -> Result<Vec<MeasurementDevice>, StoreError> {
        household::devices(&self.client().await?, id).await
    }

    async fn meters(&self, id: HouseholdId) -> Result<Vec<Meter>, StoreError> {
        household::meters(&self.client().await?, id).await
    }

    async fn pv_systems(&self, id: HouseholdId) -> Result<Vec<PvSystem>, StoreError> {
        household::pv_systems(&self.client().await?, id).await
    }

    async fn insert_measurements(
        &self,
        id: HouseholdId,
        measurements: Vec<Measurement>,
        received_at: Timestamp,
    ) -> Result<Vec<Outcome>, StoreError> {
        self.reports.ask(Report { household: id, measurements, received_at }).await
    }

    async fn measurements_page(
        &self,
        id: HouseholdId,
        meter: Uuid,
        query: PageQuery,
    ) -> Result<Page, StoreError> {
        listing::page(&self.client().await?, id, meter, query).await
    }

    async fn touch_device(&self, device: Uuid, at: Timestamp) -> Result<(), StoreError> {
        self.lookups.notes.ask((device, at)).await
    }

    async fn report_status(
        &self,
        device: Uuid,
        status: DeviceStatus,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        status::report(&mut self.client().await?, device, &status, at).await
    }

    async fn incidents(&self, id: HouseholdId, meter: Uuid) -> Result<Vec<Incident>, StoreError> {
        incident::list(&self.client().await?, id, meter).await
    }

    async fn report_incident(
        &self,
        id: HouseholdId,
        meter: Uuid,
        kind: IncidentType,
        at: Timestamp,
    ) -> Result<Incident, StoreError> {
        incident::report(&self.client().await?, id, meter, kind, at).await
    }

    async fn resolve_incident(
        &self,
        id: HouseholdId,
        meter: Uuid,
        kind: IncidentType,
        at: Timestamp,
    ) -> Result<Incident, StoreError> {
        incident::resolve(&self.client().await?, id, meter, kind, at).await
    }

    fn pool(&self) -> Option<PoolStatus> {
        let status = self.pool.status();
        Some(PoolStatus {
            idle: status.available,
            used: status.size.saturating_sub(status.available),
            waiting: status.waiting,
            most: status.max_size,
        })
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(self.client().await?.batch_execute("").await?)
    }

    /// Work that holds a connection finishes; erasure that is still due is left to the next start.
    async fn close(&self) -> Result<(), StoreError> {
        self.pool.close();
        Ok(())
    }
}
