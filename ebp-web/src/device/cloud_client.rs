//! [`Cloud`] over mutual TLS, with the certificate of this page.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use ebp_client::{Client, ClientError, Validity};
use ebp_core::{
    contract::{
        Account, Consent, ConsentGrant, EnergySeries, EnergySummary, Household, MeasurementDevice,
        Message, NewMessage, StoredMeasurement, SurveyInformation, problem_type,
    },
    model::{Incident, Meter, PvSystem},
};
use jiff::{Timestamp, civil::Date};
use uuid::Uuid;

use super::cloud::{ByteSink, Cloud, CloudError, EnergyRequest, Sink};

/// The survey's server by its Data API.
#[derive(Clone)]
pub struct CloudClient {
    client: Client,
    zone: String,
    certificate: PathBuf,
}

impl CloudClient {
    /// By that client, whose certificate is in that file; days are those of the zone.
    #[must_use]
    pub const fn new(client: Client, zone: String, certificate: PathBuf) -> Self {
        Self { client, zone, certificate }
    }
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
        self.client.account().map_err(cannot)
    }
    fn household(&self) -> Result<Household, CloudError> {
        self.client.household().map_err(cannot)
    }
    fn consent(&self) -> Result<Consent, CloudError> {
        self.client.consent().map_err(cannot)
    }
    fn grant(&self, grant: &ConsentGrant) -> Result<Consent, CloudError> {
        self.client.grant_consent_to(grant).map_err(cannot)
    }
    fn revoke(&self) -> Result<Consent, CloudError> {
        self.client.revoke_consent().map_err(cannot)
    }
    fn devices(&self) -> Result<Vec<MeasurementDevice>, CloudError> {
        self.client.measurement_devices().map_err(cannot)
    }
    fn meters(&self) -> Result<Vec<Meter>, CloudError> {
        self.client.meters().map_err(cannot)
    }
    fn pv_systems(&self) -> Result<Vec<PvSystem>, CloudError> {
        self.client.pv_systems().map_err(cannot)
    }
    fn incidents(&self, meter: Uuid) -> Result<Vec<Incident>, CloudError> {
        self.client.incidents(meter).map_err(cannot)
    }
    fn series(&self, request: EnergyRequest) -> Result<EnergySeries, CloudError> {
        let EnergyRequest { from, to, step } = request;
        self.client.energy_series(from, to, step, &self.zone).map_err(cannot)
    }
    fn summary(&self, from: Date, to: Date) -> Result<EnergySummary, CloudError> {
        self.client.energy_summary(from, to, &self.zone).map_err(cannot)
    }
    fn survey(&self) -> Result<SurveyInformation, CloudError> {
        self.client.survey().map_err(cannot)
    }
    fn messages(&self) -> Result<Vec<Message>, CloudError> {
        self.client.messages(None).map(|page| page.items).map_err(cannot)
    }
    fn write_message(&self, message: &NewMessage) -> Result<(), CloudError> {
        self.client.write_message(message).map(drop).map_err(cannot)
    }
    fn export(&self, sink: &mut ByteSink<'_>) -> Result<(), CloudError> {
        self.client.export(&mut Parts(sink)).map(drop).map_err(cannot)
    }
    fn measurements(
        &self,
        meter: Uuid,
        sink: &mut Sink<'_, StoredMeasurement>,
    ) -> Result<(), CloudError> {
        for measurement in self.client.measurements(meter, None, None) {
            if !sink(measurement.map_err(cannot)?) {
                break;
            }
        }
        Ok(())
    }
    fn regions(&self) -> Result<String, CloudError> {
        self.client.regions().map_err(cannot)
    }
    fn certificate_end(&self) -> Option<Timestamp> {
        Validity::from_file(&self.certificate).ok().map(|validity| validity.not_after)
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
