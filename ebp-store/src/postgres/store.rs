//! [`Store`] for PostgreSQL.

use async_trait::async_trait;
use ebp_core::{
    contract::{
        Account, Consent, ConsentGrant, DeviceStatus, GrantChannel, Household, MeasurementDevice,
        Registered, Registration, Withdrawal,
    },
    model::{Incident, IncidentType, Measurement, Meter, PvSystem},
};
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    PostgresStore, consent, household, incident, listing, lookup::Deed, migrate, register, release,
    report::Report, status, value::Instant,
};
use crate::{
    Actor, HouseholdId, InsertOutcome, Names, Page, PageQuery, ParticipantId, PoolStatus,
    PurposeChange, Quota, Source, Store, StoreError,
};

#[async_trait]
impl Store for PostgresStore {
    async fn register(
        &self,
        registration: Registration,
        at: Timestamp,
    ) -> Result<Registered, StoreError> {
        let mut client = self.client().await?;
        self.change(register::register(&mut client, &registration, false, at)).await
    }

    async fn actor(&self, names: &Names) -> Result<Actor, StoreError> {
        // PostgreSQL's texts have no such character, so no address contains it.
        if names.email.contains('\0') {
            return Ok(Actor::Unknown);
        }
        match names.device {
            Some(_) => self.lookups.actors.ask(names.clone()).await,
            None => {
                let client = self.client().await?;
                self.look_up(household::participant_actor(&client, names)).await
            }
        }
    }

    async fn account(&self, participant: ParticipantId) -> Result<Account, StoreError> {
        let client = self.client().await?;
        self.look_up(household::account(&client, participant)).await
    }

    async fn household(&self, id: HouseholdId) -> Result<Household, StoreError> {
        let client = self.client().await?;
        self.look_up(household::household(&client, id)).await
    }

    async fn consent(&self, id: HouseholdId) -> Result<Consent, StoreError> {
        let client = self.client().await?;
        self.look_up(consent::consent(&client, id)).await
    }

    async fn grant_consent_through(
        &self,
        id: HouseholdId,
        grant: ConsentGrant,
        through: Option<GrantChannel>,
        at: Timestamp,
    ) -> Result<Consent, StoreError> {
        let mut client = self.client().await?;
        self.change(consent::grant(&mut client, id, grant, through, at)).await
    }

    async fn change_purpose(
        &self,
        id: HouseholdId,
        change: PurposeChange,
        at: Timestamp,
    ) -> Result<Consent, StoreError> {
        let mut client = self.client().await?;
        self.change(consent::change_purpose(&mut client, id, change, at)).await
    }

    async fn revoke_consent_by(
        &self,
        id: HouseholdId,
        withdrawal: Option<Withdrawal>,
        at: Timestamp,
    ) -> Result<Consent, StoreError> {
        let masking = self.masked_by.get();
        let mut client = self.client().await?;
        let revoking = release::revoke(&mut client, id, withdrawal, at, masking.as_deref());
        let revoked = self.change(revoking).await?;
        drop(client);
        self.eraser.finish().await;
        Ok(revoked)
    }

    async fn devices(&self, id: HouseholdId) -> Result<Vec<MeasurementDevice>, StoreError> {
        let client = self.client().await?;
        self.look_up(household::devices(&client, id)).await
    }

    async fn meters(&self, id: HouseholdId) -> Result<Vec<Meter>, StoreError> {
        let client = self.client().await?;
        self.look_up(household::meters(&client, id)).await
    }

    async fn pv_systems(&self, id: HouseholdId) -> Result<Vec<PvSystem>, StoreError> {
        let client = self.client().await?;
        self.look_up(household::pv_systems(&client, id)).await
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
        self.reports.ask(Report { household: id, measurements, received_at, source }).await
    }

    async fn measurements_page(
        &self,
        id: HouseholdId,
        meter: Uuid,
        query: PageQuery,
    ) -> Result<Page, StoreError> {
        let client = self.client().await?;
        self.look_up(listing::page(&client, id, meter, query)).await
    }

    async fn touch_device(&self, device: Uuid, at: Timestamp) -> Result<(), StoreError> {
        self.lookups.notes.ask((device, Deed::Spoke, at)).await
    }

    async fn note_report(&self, device: Uuid, at: Timestamp) -> Result<(), StoreError> {
        self.lookups.notes.ask((device, Deed::Reported, at)).await
    }

    async fn report_status(
        &self,
        device: Uuid,
        status: DeviceStatus,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut client = self.client().await?;
        self.change(status::report(&mut client, device, &status, at)).await
    }

    async fn incidents(&self, id: HouseholdId, meter: Uuid) -> Result<Vec<Incident>, StoreError> {
        let client = self.client().await?;
        self.look_up(incident::list(&client, id, meter)).await
    }

    async fn report_incident(
        &self,
        id: HouseholdId,
        meter: Uuid,
        kind: IncidentType,
        at: Timestamp,
    ) -> Result<Incident, StoreError> {
        let client = self.client().await?;
        self.change(incident::report(&client, id, meter, kind, at)).await
    }

    async fn resolve_incident(
        &self,
        id: HouseholdId,
        meter: Uuid,
        kind: IncidentType,
        at: Timestamp,
    ) -> Result<Incident, StoreError> {
        let client = self.client().await?;
        self.change(incident::resolve(&client, id, meter, kind, at)).await
    }

    fn pool(&self) -> Option<PoolStatus> {
        let status = self.connections.pool().status();
        Some(PoolStatus {
            idle: status.available,
            used: status.size.saturating_sub(status.available),
            waiting: status.waiting,
            most: status.max_size,
        })
    }

    async fn ended_addresses(&self) -> Result<u64, StoreError> {
        let client = self.client().await?;
        let count = async {
            let row = client.query_one("SELECT count FROM ended_address", &[]).await?;
            Ok(row.try_get::<_, i64>(0)?.unsigned_abs())
        };
        self.look_up(count).await
    }

    async fn check_schema(&self) -> Result<(), StoreError> {
        let client = self.client().await?;
        self.look_up(migrate::check(&client)).await
    }

    async fn now(&self) -> Result<Option<Timestamp>, StoreError> {
        let client = self.client().await?;
        let asked = async {
            let row = client.query_one("SELECT clock_timestamp()", &[]).await?;
            Ok(Some(row.try_get::<_, Instant>(0)?.0))
        };
        self.look_up(asked).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        // By way of the workers that serve, not of a connection that happens to be free.
        let nothing = Report {
            household: HouseholdId(Uuid::nil()),
            measurements: Vec::new(),
            received_at: Timestamp::UNIX_EPOCH,
            source: Source::Device,
        };
        self.lookups.ping().await?;
        match self.reports.ask(nothing).await {
            Err(StoreError::NotFound | StoreError::ConsentRevoked) => Ok(()),
            other => other.map(drop),
        }
    }

    /// Work that holds a connection finishes; erasure that is still due is left to the next start.
    async fn close(&self) -> Result<(), StoreError> {
        self.connections.pool().close();
        Ok(())
    }
}
