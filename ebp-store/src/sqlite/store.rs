//! [`Store`] for SQLite.

use async_trait::async_trait;
use ebp_core::{
    contract::{
        Account, Consent, ConsentGrant, DeviceStatus, GrantChannel, Household, MeasurementDevice,
        Registered, Registration, Withdrawal,
    },
    model::{Incident, IncidentType, Measurement, Meter, PvSystem},
};
use jiff::Timestamp;
use rusqlite::Connection;
use rusqlite::Transaction;
use uuid::Uuid;

use super::{
    SqliteStore, consent, device, household, incident, measurement, migrate, register, release,
    status,
};
use crate::{
    Actor, HouseholdId, InsertOutcome, Names, Page, PageQuery, ParticipantId, PurposeChange, Quota,
    Source, Store, StoreError,
};

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

    async fn grant_consent_through(
        &self,
        id: HouseholdId,
        grant: ConsentGrant,
        through: Option<GrantChannel>,
        at: Timestamp,
    ) -> Result<Consent, StoreError> {
        self.writer.run(move |tx| consent::grant(tx, id, grant, through, at)).await
    }

    async fn change_purpose(
        &self,
        id: HouseholdId,
        change: PurposeChange,
        at: Timestamp,
    ) -> Result<Consent, StoreError> {
        self.writer.run(move |tx| consent::change_purpose(tx, id, change.clone(), at)).await
    }

    async fn revoke_consent_by(
        &self,
        id: HouseholdId,
        withdrawal: Option<Withdrawal>,
        at: Timestamp,
    ) -> Result<Consent, StoreError> {
        let masking = self.masked_by.get();
        let revoke =
            move |tx: &Transaction<'_>| release::revoke(tx, id, withdrawal, at, masking.as_deref());
        self.writer.run_and_erase(revoke).await
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
    ) -> Result<Vec<InsertOutcome>, StoreError> {
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
        self.writer.run(move |tx| device::touch_device(tx, device, at)).await
    }

    async fn note_report(&self, device: Uuid, at: Timestamp) -> Result<(), StoreError> {
        self.writer.run(move |tx| device::note_report(tx, device, at)).await
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

    async fn ended_addresses(&self) -> Result<u64, StoreError> {
        let count = |db: &Connection| {
            let count: i64 =
                db.query_row("SELECT count FROM ended_address", [], |row| row.get(0))?;
            Ok(count.unsigned_abs())
        };
        self.readers.run(count).await
    }

    async fn check_schema(&self) -> Result<(), StoreError> {
        self.readers.run(migrate::check).await
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
