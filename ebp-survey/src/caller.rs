//! For whom an operation is done.

use ebp_core::{contract::GrantChannel, scope::Scopes};
use ebp_store::{DeviceActivity, HouseholdId, Names, ParticipantId, Serial, Source, StoreError};
use uuid::Uuid;

use crate::SurveyError;

/// A participant, or one of their devices, whose identity is proven.
#[derive(Debug, Clone, Copy)]
pub struct Caller {
    /// The participant.
    pub participant: ParticipantId,
    /// The device's household or else the participant's only one; absent when there are several.
    pub household: Option<HouseholdId>,
    /// Whether that household consented when the caller was identified.
    pub consents: bool,
    /// The device that asks, with its activity before this request.
    pub device: Option<DeviceActivity>,
    /// Where the measurements that the caller sends come from.
    pub source: Source,
    /// By which kind of identity they ask, with which a grant of consent is stored.
    pub through: GrantChannel,
}

impl Caller {
    /// The household to act for.
    ///
    /// # Errors
    /// [`SurveyError::HouseholdAmbiguous`] if the identity names no device and the participant has
    /// not exactly one household.
    pub fn household(&self) -> Result<HouseholdId, SurveyError> {
        self.household.ok_or(SurveyError::HouseholdAmbiguous)
    }

    /// The household, which consents as far as was known when the caller was identified.
    ///
    /// # Errors
    /// [`SurveyError::HouseholdAmbiguous`]; [`StoreError::ConsentNotGranted`] if it does not.
    pub fn consenting_household(&self) -> Result<HouseholdId, SurveyError> {
        let household = self.household()?;
        if self.consents { Ok(household) } else { Err(StoreError::ConsentNotGranted.into()) }
    }
}

/// A device with its certificate: the next one has to say the same. It has no `Debug`, since it
/// holds an e-mail address.
#[derive(Clone)]
pub struct CertificateHolder {
    /// The device.
    pub device: Uuid,
    /// Participant and e-mail address of the certificate.
    pub names: Names,
    /// What the certificate permits.
    pub scopes: Scopes,
    /// Its serial number.
    pub serial: Serial,
}
