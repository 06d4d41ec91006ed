//! The trait [`Store`] and its types: households, actors, measurements.

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

use crate::{
    Actor, HouseholdId, Names, Page, PageQuery, ParticipantId, PurposeChange,
    access::AccessStore,
    alert::AlertStore,
    alert_rule::AlertRuleStore,
    authority::AuthorityStore,
    device_edit::DeviceEditStore,
    error::StoreError,
    error_group::ErrorGroupStore,
    evaluation::EvaluationStore,
    fleet::FleetStore,
    history::HistoryStore,
    job::JobStore,
    latest::LatestStore,
    ledger::LedgerStore,
    management::ManagementStore,
    message::MessageStore,
    quota::{Quota, Source},
    revoked::MaskingStore,
    rollout::RolloutStore,
    rule::admission::Refusal,
    series::SeriesStore,
    survey_text::SurveyTextStore,
    tunnel::TunnelStore,
    web_session::WebSessionStore,
};

/// The result for a measurement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InsertOutcome {
    /// It is stored, durably.
    Accepted,
    /// The same measurement was stored before.
    Duplicate,
    /// It is not stored.
    Refused(Refusal),
}

/// A database of the survey.
///
/// Every implementation guarantees: what a method has returned is durable; each method takes effect
/// completely or not at all; consent goes from not granted to granted to revoked, each step once
/// and permanently; any number of processes may use the same database at once. Instants are kept to
/// the microsecond.
#[async_trait]
pub trait Store:
    ManagementStore
    + AccessStore
    + EvaluationStore
    + MaskingStore
    + HistoryStore
    + JobStore
    + SeriesStore
    + MessageStore
    + SurveyTextStore
    + AuthorityStore
    + FleetStore
    + AlertStore
    + AlertRuleStore
    + ErrorGroupStore
    + LatestStore
    + LedgerStore
    + RolloutStore
    + DeviceEditStore
    + TunnelStore
    + WebSessionStore
{
    /// Registers a household. A participant with the same e-mail address and name is the same one.
    ///
    /// # Errors
    /// Returns [`StoreError::Registration`], which lists every fault of the registration;
    /// [`StoreError::RegisteredAlready`] names the participant's household at the same address.
    async fn register(
        &self,
        registration: Registration,
        at: Timestamp,
    ) -> Result<Registered, StoreError>;

    /// For whom these names stand. The identifier decides, and the e-mail address must still be the
    /// participant's; it counts without regard to case.
    async fn actor(&self, names: &Names) -> Result<Actor, StoreError>;

    /// The participant's contact details.
    ///
    /// # Errors
    /// Returns [`StoreError::ConsentRevoked`] if the participant is gone.
    async fn account(&self, participant: ParticipantId) -> Result<Account, StoreError>;

    /// The household's registration details.
    async fn household(&self, household: HouseholdId) -> Result<Household, StoreError>;

    /// The household's consent.
    ///
    /// # Errors
    /// Returns [`StoreError::ConsentRevoked`] if it is not known (any more).
    async fn consent(&self, household: HouseholdId) -> Result<Consent, StoreError>;

    /// Grants consent, where the survey has no texts.
    ///
    /// # Errors
    /// Returns the same errors as [`grant_consent_to`](Self::grant_consent_to).
    async fn grant_consent(
        &self,
        household: HouseholdId,
        at: Timestamp,
    ) -> Result<Consent, StoreError> {
        self.grant_consent_to(household, ConsentGrant::default(), at).await
    }

    /// Grants consent to a version of the survey's text, by no way that is told.
    ///
    /// # Errors
    /// Returns the same errors as [`grant_consent_through`](Self::grant_consent_through).
    async fn grant_consent_to(
        &self,
        household: HouseholdId,
        grant: ConsentGrant,
        at: Timestamp,
    ) -> Result<Consent, StoreError> {
        self.grant_consent_through(household, grant, None, at).await
    }

    /// Grants consent to a version of the survey's text, which is stored with it, as is by which way it
    /// was granted.
    ///
    /// # Errors
    /// Returns [`StoreError::ConsentAlreadyGranted`] if consent was granted before, and
    /// [`StoreError::ConsentRevoked`] if it was revoked; [`StoreError::Registration`] if the survey
    /// has texts and the grant does not say which, or the other way round;
    /// [`StoreError::ConsentTextChanged`] if the texts have another version.
    async fn grant_consent_through(
        &self,
        household: HouseholdId,
        grant: ConsentGrant,
        through: Option<GrantChannel>,
        at: Timestamp,
    ) -> Result<Consent, StoreError>;

    /// Stores what the participant decides about a further purpose of consent.
    ///
    /// # Errors
    /// Returns [`StoreError::ConsentNotGranted`], [`StoreError::ConsentRevoked`];
    /// [`StoreError::NotFound`] if a purpose is withdrawn that was never agreed to.
    async fn change_purpose(
        &self,
        household: HouseholdId,
        change: PurposeChange,
        at: Timestamp,
    ) -> Result<Consent, StoreError>;

    /// Revokes consent: removes contact details (unless they are another household's, too), address
    /// and incidents, puts a masked location into the true one's place (none if nothing was
    /// measured), coarsens the photovoltaic systems and the instants of registration and consent to
    /// their months, and gives household, meters and systems other identifiers; its devices are
    /// known as revoked, and no longer whose they were. Where it cannot be masked (yet), the
    /// household is withheld, and only its location is kept, and never shown. Of the removed values
    /// no byte stays in the database's files.
    ///
    /// # Errors
    /// Returns [`StoreError::ConsentNotGranted`], [`StoreError::ConsentRevoked`] which is also
    /// told of a household that is not known any more.
    async fn revoke_consent(
        &self,
        household: HouseholdId,
        at: Timestamp,
    ) -> Result<Consent, StoreError> {
        self.revoke_consent_by(household, None, at).await
    }

    /// The same of a consent that was withdrawn elsewhere: how, and in which month, is stored with
    /// what is left of the household.
    ///
    /// # Errors
    /// Returns the same errors as [`revoke_consent`](Self::revoke_consent);
    /// [`StoreError::Registration`] if it cannot have come on that day.
    async fn revoke_consent_by(
        &self,
        household: HouseholdId,
        withdrawal: Option<Withdrawal>,
        at: Timestamp,
    ) -> Result<Consent, StoreError>;

    /// The household's measurement devices.
    async fn devices(&self, household: HouseholdId) -> Result<Vec<MeasurementDevice>, StoreError>;

    /// The household's meters, in the registration's order.
    async fn meters(&self, household: HouseholdId) -> Result<Vec<Meter>, StoreError>;

    /// The household's photovoltaic systems, in the registration's order.
    async fn pv_systems(&self, household: HouseholdId) -> Result<Vec<PvSystem>, StoreError>;

    /// From now on no more of a meter's measurements are stored than the quota allows; any number
    /// without one. The first one stays.
    fn limit_measurements(&self, quota: Quota);

    /// Stores measurements of a device and returns the result for each, in order.
    ///
    /// # Errors
    /// Returns [`StoreError::ConsentNotGranted`] if consent was never granted, and
    /// [`StoreError::ConsentRevoked`] if it was revoked.
    async fn insert_measurements(
        &self,
        household: HouseholdId,
        measurements: Vec<Measurement>,
        received_at: Timestamp,
    ) -> Result<Vec<InsertOutcome>, StoreError> {
        self.insert_measurements_of(Source::Device, household, measurements, received_at).await
    }

    /// The same of any source.
    ///
    /// # Errors
    /// Returns the same errors as [`insert_measurements`](Self::insert_measurements).
    async fn insert_measurements_of(
        &self,
        source: Source,
        household: HouseholdId,
        measurements: Vec<Measurement>,
        received_at: Timestamp,
    ) -> Result<Vec<InsertOutcome>, StoreError>;

    /// A page of a meter's measurements.
    ///
    /// # Errors
    /// Returns [`StoreError::NotFound`] if the household has no such meter.
    async fn measurements_page(
        &self,
        household: HouseholdId,
        meter: Uuid,
        query: PageQuery,
    ) -> Result<Page, StoreError>;

    /// Notes that a device spoke. Nothing is noted of one whose household has revoked its consent.
    async fn touch_device(&self, device: Uuid, at: Timestamp) -> Result<(), StoreError>;

    /// Notes that a device has sent measurements. A status is noted as it is
    /// [stored](Self::report_status).
    async fn note_report(&self, device: Uuid, at: Timestamp) -> Result<(), StoreError>;

    /// Replaces a device's stored status. Nothing of it is left once consent is revoked.
    ///
    /// # Errors
    /// Returns [`StoreError::Registration`], which lists every fault, also meters that the device
    /// does not read; [`StoreError::NotFound`] if there is no such device,
    /// [`StoreError::ConsentRevoked`].
    async fn report_status(
        &self,
        device: Uuid,
        status: DeviceStatus,
        at: Timestamp,
    ) -> Result<(), StoreError>;

    /// The meter's incidents, by type.
    ///
    /// # Errors
    /// Returns [`StoreError::NotFound`] if the household has no such meter.
    async fn incidents(
        &self,
        household: HouseholdId,
        meter: Uuid,
    ) -> Result<Vec<Incident>, StoreError>;

    /// Opens the meter's incident of that type; one that is open stays as it is.
    ///
    /// # Errors
    /// Returns [`StoreError::NotFound`] if the household has no such meter.
    async fn report_incident(
        &self,
        household: HouseholdId,
        meter: Uuid,
        kind: IncidentType,
        at: Timestamp,
    ) -> Result<Incident, StoreError>;

    /// Ends the meter's incident of that type; one that has ended stays as it is.
    ///
    /// # Errors
    /// Returns [`StoreError::NotFound`] if the household has no such meter, or it never was
    /// reported.
    async fn resolve_incident(
        &self,
        household: HouseholdId,
        meter: Uuid,
        kind: IncidentType,
        at: Timestamp,
    ) -> Result<Incident, StoreError>;

    /// How many addresses of households have ended: changed, revoked or removed, by any server. By
    /// this a server finds out that it may remember one that another server ended.
    async fn ended_addresses(&self) -> Result<u64, StoreError>;

    /// Whether the schema can still be used: a newer program may have changed it since the store was
    /// opened.
    ///
    /// # Errors
    /// Returns [`StoreError::Newer`] or [`PostgresError::Newer`](crate::PostgresError::Newer) if it
    /// has, and an error if the database cannot be asked.
    async fn check_schema(&self) -> Result<(), StoreError>;

    /// How its connections are used, where it has a pool of them.
    fn pool(&self) -> Option<PoolStatus> {
        None
    }

    /// The database's time, if it has its own clock.
    async fn now(&self) -> Result<Option<Timestamp>, StoreError>;

    /// Whether the database answers.
    async fn ping(&self) -> Result<(), StoreError>;

    /// Finishes what is under way and closes the database.
    async fn close(&self) -> Result<(), StoreError>;
}

/// How many connections to the database there are, and for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolStatus {
    /// Connected, and waiting for work.
    pub idle: usize,
    /// At work.
    pub used: usize,
    /// Requests that wait for a connection.
    pub waiting: usize,
    /// Connections at most.
    pub most: usize,
}
