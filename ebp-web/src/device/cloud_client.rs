//! [`Cloud`] over mutual TLS, with the certificate of this page.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::MetadataExt,
    sync::{Mutex, PoisonError},
};

use ebp_client::{
    Client, ClientError, ClientOptions, Validity,
    identity::{Identity, IdentityError},
};
use ebp_core::{
    contract::{
        Account, Consent, ConsentGrant, EnergySeries, EnergySummary, Household, HouseholdRelease,
        Language, MeasurementDevice, Message, NewMessage, PurposeGrant, StoredMeasurement,
        SurveyInformation, problem_type,
    },
    model::{Incident, Meter, PvSystem},
};
use jiff::{Timestamp, civil::Date};
use uuid::Uuid;

use super::{
    cloud::{ByteSink, Cloud, CloudError, EnergyRequest, Sink},
    config::Api,
};

/// The survey's server by its Data API.
pub struct CloudClient {
    api: Api,
    zone: String,
    connected: Mutex<Connected>,
}

/// A client, and which version of the certificate's file it was made with.
struct Connected {
    client: Client,
    version: Option<Version>,
}

/// A file's identity: a renewal puts another file in its place.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Version {
    inode: u64,
    changed: (i64, i64),
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The certificate or key of this page cannot be used.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The client cannot be set up.
    #[error(transparent)]
    Client(#[from] ClientError),
}

impl CloudClient {
    /// With the files that the configuration names; days are those of the zone. Nothing is asked yet.
    ///
    /// # Errors
    /// Returns [`ConnectError`] if one of the files is missing or cannot be used.
    pub fn new(api: Api, zone: String) -> Result<Self, ConnectError> {
        let connected = Mutex::new(connect(&api)?);
        Ok(Self { api, zone, connected })
    }

    /// The client with the present certificate: whoever renews it puts another file in its place. Where
    /// that cannot be used, as between the replacements of key and certificate, the one before stays.
    fn client(&self) -> Client {
        let mut connected = self.connected.lock().unwrap_or_else(PoisonError::into_inner);
        let version = version(&self.api);
        if version.is_some() && version != connected.version {
            match connect(&self.api) {
                Ok(renewed) => *connected = renewed,
                Err(error) => tracing::warn!("the renewed certificate cannot be used: {error}"),
            }
        }
        connected.client.clone()
    }
}

fn connect(api: &Api) -> Result<Connected, ConnectError> {
    let version = version(api);
    let identity = Identity::load(&api.certificate, &api.key, &api.ca)?;
    let options = ClientOptions { timeout: api.timeout(), ..ClientOptions::default() };
    Ok(Connected { client: Client::new(&api.url, &identity, options)?, version })
}

fn version(api: &Api) -> Option<Version> {
    let found = fs::metadata(&api.certificate).ok()?;
    Some(Version { inode: found.ino(), changed: (found.mtime(), found.mtime_nsec()) })
}

fn cannot(error: ClientError) -> CloudError {
    if error.consent_revoked() {
        return CloudError::Revoked;
    }
    let cause = match &error {
        ClientError::Problem { status: 409, kind, .. }
            if kind == problem_type::CONSENT_TEXT_CHANGED =>
        {
            CloudError::TextChanged
        }
        ClientError::Problem { status: 401 | 403, .. } => CloudError::NotAccepted,
        ClientError::Tls { .. } => CloudError::NotAccepted,
        ClientError::Problem { status, .. } if !error.is_temporary() => {
            CloudError::Refused(*status)
        }
        _ => CloudError::Away,
    };
    tracing::info!("the survey's server: {error}");
    cause
}

impl Cloud for CloudClient {
    fn account(&self) -> Result<Account, CloudError> {
        self.client().account().map_err(cannot)
    }
    fn household(&self) -> Result<Household, CloudError> {
        self.client().household().map_err(cannot)
    }
    fn consent(&self) -> Result<Consent, CloudError> {
        self.client().consent().map_err(cannot)
    }
    fn grant(&self, grant: &ConsentGrant) -> Result<Consent, CloudError> {
        self.client().grant_consent_to(grant).map_err(cannot)
    }
    fn change_purpose(
        &self,
        name: &str,
        language: Option<Language>,
    ) -> Result<Consent, CloudError> {
        let client = self.client();
        let changed = match language {
            Some(language) => client.give_purpose(name, PurposeGrant { language }),
            None => client.withdraw_purpose(name),
        };
        changed.map_err(cannot)
    }
    fn revoke(&self) -> Result<Consent, CloudError> {
        self.client().revoke_consent().map_err(cannot)
    }
    fn devices(&self) -> Result<Vec<MeasurementDevice>, CloudError> {
        self.client().measurement_devices().map_err(cannot)
    }
    fn meters(&self) -> Result<Vec<Meter>, CloudError> {
        self.client().meters().map_err(cannot)
    }
    fn releases(&self) -> Result<Vec<HouseholdRelease>, CloudError> {
        self.client().releases().map_err(cannot)
    }
    fn pv_systems(&self) -> Result<Vec<PvSystem>, CloudError> {
        self.client().pv_systems().map_err(cannot)
    }
    fn incidents(&self, meter: Uuid) -> Result<Vec<Incident>, CloudError> {
        self.client().incidents(meter).map_err(cannot)
    }
    fn series(&self, request: EnergyRequest) -> Result<EnergySeries, CloudError> {
        let EnergyRequest { from, to, step } = request;
        self.client().energy_series(from, to, step, &self.zone).map_err(cannot)
    }
    fn summary(&self, from: Date, to: Date) -> Result<EnergySummary, CloudError> {
        self.client().energy_summary(from, to, &self.zone).map_err(cannot)
    }
    fn survey(&self) -> Result<SurveyInformation, CloudError> {
        self.client().survey().map_err(cannot)
    }
    fn survey_with_prices(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<SurveyInformation, CloudError> {
        self.client().survey_with_prices(from, to).map_err(cannot)
    }
    fn messages(&self) -> Result<Vec<Message>, CloudError> {
        self.client().messages(None).map(|page| page.items).map_err(cannot)
    }
    fn write_message(&self, message: &NewMessage) -> Result<(), CloudError> {
        self.client().write_message(message).map(drop).map_err(cannot)
    }
    fn export(&self, sink: &mut ByteSink<'_>) -> Result<(), CloudError> {
        self.client().export(&mut Parts(sink)).map(drop).map_err(cannot)
    }
    fn measurements(
        &self,
        meter: Uuid,
        sink: &mut Sink<'_, StoredMeasurement>,
    ) -> Result<(), CloudError> {
        for measurement in self.client().measurements(meter, None, None) {
            if !sink(measurement.map_err(cannot)?) {
                break;
            }
        }
        Ok(())
    }
    fn regions(&self) -> Result<String, CloudError> {
        self.client().regions().map_err(cannot)
    }
    fn certificate_end(&self) -> Option<Timestamp> {
        Validity::from_file(&self.api.certificate).ok().map(|validity| validity.not_after)
    }
}

/// Writes to a sink; ends with an error once nobody wants more.
struct Parts<'a, 'b>(&'a mut ByteSink<'b>);

impl Write for Parts<'_, '_> {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        if (self.0)(part) { Ok(part.len()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
