//! What the pages ask of the survey's server.

use ebp_core::{
    contract::{
        Account, Consent, ConsentGrant, EnergySeries, EnergyStep, EnergySummary, Household,
        HouseholdRelease, Language, MeasurementDevice, Message, NewMessage, StoredMeasurement,
        SurveyInformation,
    },
    model::{Incident, Meter, PvSystem},
};
use jiff::{Timestamp, civil::Date};
use uuid::Uuid;

/// Why the server gave no answer that can be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CloudError {
    /// It cannot be reached, is overloaded or answers nonsense: it may answer later. Of a request that
    /// changes something nobody knows whether it was carried out.
    #[error("the survey's server cannot be reached")]
    Away,
    /// Consent is revoked, for good.
    #[error("consent is revoked")]
    Revoked,
    /// The survey's text is not the one that was agreed to.
    #[error("the text has changed")]
    TextChanged,
    /// The server does not accept this page's certificate.
    #[error("the server does not accept this page's certificate")]
    NotAccepted,
    /// It refuses the request as it stands.
    #[error("the server refuses the request with status {0}")]
    Refused(u16),
}

/// Days of energy: from the midnight before `from` to the midnight before `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnergyRequest {
    /// The first day.
    pub from: Date,
    /// The day after the last.
    pub to: Date,
    /// How long each row is.
    pub step: EnergyStep,
}

/// Takes a part of an answer that is too long to be held; `false` ends it.
pub type Sink<'a, T> = dyn FnMut(T) -> bool + 'a;

/// The same for bytes.
pub type ByteSink<'a> = dyn FnMut(&[u8]) -> bool + 'a;

/// The survey's server, as the household's own certificate may use it. Each call blocks its thread.
pub trait Cloud: Send + Sync {
    /// The participant.
    ///
    /// # Errors
    /// Returns [`CloudError`]; so does every function here.
    fn account(&self) -> Result<Account, CloudError>;
    /// The registration.
    ///
    /// # Errors
    /// See [`Self::account`].
    fn household(&self) -> Result<Household, CloudError>;
    /// The state of consent.
    ///
    /// # Errors
    /// See [`Self::account`].
    fn consent(&self) -> Result<Consent, CloudError>;
    /// Grants consent.
    ///
    /// # Errors
    /// [`CloudError::TextChanged`] if the text has another version by now.
    fn grant(&self, grant: &ConsentGrant) -> Result<Consent, CloudError>;
    /// Agrees to a further purpose in that language, or withdraws that without one.
    ///
    /// # Errors
    /// See [`Self::account`].
    fn change_purpose(&self, name: &str, language: Option<Language>)
    -> Result<Consent, CloudError>;
    /// Revokes consent, for good.
    ///
    /// # Errors
    /// See [`Self::account`].
    fn revoke(&self) -> Result<Consent, CloudError>;
    /// The measurement devices.
    ///
    /// # Errors
    /// See [`Self::account`].
    fn devices(&self) -> Result<Vec<MeasurementDevice>, CloudError>;
    /// The meters.
    ///
    /// # Errors
    /// See [`Self::account`].
    fn meters(&self) -> Result<Vec<Meter>, CloudError>;
    /// The photovoltaic systems.
    ///
    /// # Errors
    /// See [`Self::account`].
    fn pv_systems(&self) -> Result<Vec<PvSystem>, CloudError>;
    /// A meter's incidents.
    ///
    /// # Errors
    /// See [`Self::account`].
    fn incidents(&self, meter: Uuid) -> Result<Vec<Incident>, CloudError>;
    /// Energy, a row for each step.
    ///
    /// # Errors
    /// See [`Self::account`].
    fn series(&self, request: EnergyRequest) -> Result<EnergySeries, CloudError>;
    /// The figures of those days.
    ///
    /// # Errors
    /// See [`Self::account`].
    fn summary(&self, from: Date, to: Date) -> Result<EnergySummary, CloudError>;
    /// What the survey says of itself.
    ///
    /// # Errors
    /// See [`Self::account`].
    fn survey(&self) -> Result<SurveyInformation, CloudError>;
    /// The same, with what electricity costs in each quarter of an hour from one instant to another.
    ///
    /// # Errors
    /// See [`Self::account`].
    fn survey_with_prices(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<SurveyInformation, CloudError>;
    /// The household's messages, oldest first, a hundred at most.
    ///
    /// # Errors
    /// See [`Self::account`].
    fn messages(&self) -> Result<Vec<Message>, CloudError>;
    /// Writes to the researchers.
    ///
    /// # Errors
    /// See [`Self::account`].
    fn write_message(&self, message: &NewMessage) -> Result<(), CloudError>;
    /// The releases of the data set that the household is in, the first first.
    ///
    /// # Errors
    /// See [`Self::account`]; [`CloudError::Refused`] where the server is older than this question.
    fn releases(&self) -> Result<Vec<HouseholdRelease>, CloudError>;
    /// Everything about the household, as one JSON document in parts.
    ///
    /// # Errors
    /// See [`Self::account`]; what came until then is no whole document.
    fn export(&self, sink: &mut ByteSink<'_>) -> Result<(), CloudError>;
    /// A meter's measurements, oldest first.
    ///
    /// # Errors
    /// See [`Self::account`].
    fn measurements(
        &self,
        meter: Uuid,
        sink: &mut Sink<'_, StoredMeasurement>,
    ) -> Result<(), CloudError>;
    /// The outlines of all regions as a picture.
    ///
    /// # Errors
    /// See [`Self::account`]; [`CloudError::Refused`] where the server has no regions.
    fn regions(&self) -> Result<String, CloudError> {
        Err(CloudError::Refused(404))
    }
    /// Until when this page's certificate is valid, if that can be read.
    fn certificate_end(&self) -> Option<Timestamp> {
        None
    }
}
