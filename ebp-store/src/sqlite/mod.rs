//! The survey in one SQLite file.
//!
//! Enters: what [`Store`] is asked. Leaves: rows, as the contract's bodies. Absent: any rule that
//! the schema (`migrations/sqlite/`) can keep by itself.
//!
//! One connection on a thread of its own writes, a few others read; SQLite's write-ahead log lets
//! them do so at the same time. Every commit is synced (`synchronous=FULL`), deleted content is
//! overwritten (`secure_delete`).

mod access;
mod certificate;
mod connection;
mod consent;
mod evaluation;
mod history;
mod household;
mod incident;
mod management;
mod masking;
mod measurement;
mod migrate;
mod quota;
mod reader;
mod register;
mod release;
mod status;
mod value;
mod writer;

use std::{
    path::Path,
    sync::{Arc, OnceLock},
};

use async_trait::async_trait;
use ebp_core::{
    contract::{
        Account, Consent, DeviceStatus, Household, MeasurementDevice, Registered, Registration,
    },
    model::{Incident, IncidentType, Measurement, Meter, PvSystem},
};
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    Actor, HouseholdId, Names, Outcome, Page, PageQuery, ParticipantId, Quota, Source, Store,
    StoreError, revoked::MaskedBy,
};
use reader::Readers;
use writer::Writer;

/// A [`Store`] in one SQLite file.
pub struct SqliteStore {
    writer: Writer,
    readers: Readers,
    masked_by: MaskedBy,
    quota: OnceLock<Quota>,
}

impl SqliteStore {
    /// Opens the file; makes (mode 0600) and migrates it where needed.
    ///
    /// # Errors
    /// If it cannot be opened, is no database, or is of a newer version of the program.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let path: Arc<Path> = path.into();
        let open = {
            let path = path.clone();
            move || connection::open_for_writing(&path)
        };
        let connection =
            tokio::task::spawn_blocking(open).await.map_err(|_| StoreError::Closed)??;
        Ok(Self {
            writer: Writer::start(connection)?,
            readers: Readers::new(path),
            masked_by: MaskedBy::default(),
            quota: OnceLock::new(),
        })
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn register(
        &self,
        registration: Registration,
        at: Timestamp,
    ) -> Result<Registered, StoreError> {
        self.writer.run(move |tx| register::register(tx, &registration, false, at)).await
    }

    async fn actor(&self, names: &Names) -> Result<Actor, StoreError> {
        let names = names.clone();
        self.readers.run(move |db| household::actor(db, &names)).await
    }

    async fn account(&self, participant: ParticipantId) -> Result<Account, StoreError> {
        self.readers.run(move |db| household::account(db, participant)).await
    }

    async fn household(&self, id: HouseholdId) -> Result<Household, StoreError> {
        self.readers.run(move |db| household::household(db, id)).await
    }

    async fn consent(&self, id: HouseholdId) -> Result<Consent, StoreError> {
        self.readers.run(move |db| consent::consent(db, id)).await
    }

    async fn grant_consent(&self, id: HouseholdId, at: Timestamp) -> Result<Consent, StoreError> {
        self.writer.run(move |tx| consent::grant(tx, id, at)).await
    }

    async fn revoke_consent(&self, id: HouseholdId, at: Timestamp) -> Result<Consent, StoreError> {
        let masking = self.masked_by.get();
        self.writer.run_and_erase(move |tx| consent::revoke(tx, id, at, masking.as_deref())).await
    }

    async fn devices(&self, id: HouseholdId) -> Result<Vec<MeasurementDevice>, StoreError> {
        self.readers.run(move |db| household::devices(db, id)).await
    }

    async fn meters(&self, id: HouseholdId) -> Result<Vec<Meter>, StoreError> {
        self.readers.run(move |db| household::meters(db, id)).await
    }

    async fn pv_systems(&self, id: HouseholdId) -> Result<Vec<PvSystem>, StoreError> {
        self.readers.run(move |db| household::pv_systems(db, id)).await
    }

    fn limit_measurements(&self, quota: Quota) {
        let _ = self.quota.set(quota);
    }

    async fn insert_measurements_of(
        &self,
        source: Source,
        id: HouseholdId,
        measurements: Vec<Measurement>,
        received_at: Timestamp,
    ) -> Result<Vec<Outcome>, StoreError> {
        let limit = self.quota.get().map(|quota| (*quota, source));
        self.writer
            .run(move |tx| measurement::insert(tx, id, &measurements, received_at, limit))
            .await
    }

    async fn measurements_page(
        &self,
        id: HouseholdId,
        meter: Uuid,
        query: PageQuery,
    ) -> Result<Page, StoreError> {
        self.readers.run(move |db| measurement::page(db, id, meter, query)).await
    }

    async fn touch_device(&self, device: Uuid, at: Timestamp) -> Result<(), StoreError> {
        self.writer.run(move |tx| household::touch_device(tx, device, at)).await
    }

    async fn report_status(
        &self,
        device: Uuid,
        status: DeviceStatus,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.writer.run(move |tx| status::report(tx, device, &status, at)).await
    }

    async fn incidents(&self, id: HouseholdId, meter: Uuid) -> Result<Vec<Incident>, StoreError> {
        self.readers.run(move |db| incident::list(db, id, meter)).await
    }

    async fn report_incident(
        &self,
        id: HouseholdId,
        meter: Uuid,
        kind: IncidentType,
        at: Timestamp,
    ) -> Result<Incident, StoreError> {
        self.writer.run(move |tx| incident::report(tx, id, meter, kind, at)).await
    }

    async fn resolve_incident(
        &self,
        id: HouseholdId,
        meter: Uuid,
        kind: IncidentType,
        at: Timestamp,
    ) -> Result<Incident, StoreError> {
        self.writer.run(move |tx| incident::resolve(tx, id, meter, kind, at)).await
    }

    async fn now(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(None)
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.readers.run(|db| Ok(db.query_row("SELECT 1", [], |_| Ok(()))?)).await
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.readers.close();
        self.writer.close().await
    }
}
