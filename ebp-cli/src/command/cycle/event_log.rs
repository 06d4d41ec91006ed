//! The messages of the measurement cycle: each incident once when it begins, and once when it ends.

use std::collections::BTreeMap;

use ebp_client::ClientError;
use ebp_core::model::IncidentType;
use ebp_device::{
    config::MeterEntry,
    daemon::MeasuringEvent,
    device::{Certificate, DeviceError},
    spool::SpoolError,
};
use ebp_meter::aggregator::{Event, MeasureError, Permission, ReadError};
use jiff::Timestamp;

use crate::{
    error_report,
    exit::{Code, Failure, chain, device},
    failure_log::FailureLog,
    output::phrase::{self, counted},
    tell::tell,
};

/// What a measurement cycle did.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Measured {
    /// Meters measured now.
    pub now: usize,
    /// Meters that had been measured in this slot before.
    pub before: usize,
}

/// A meter's name for people: its identifier in the survey and where it is.
struct Named {
    name: String,
    trouble: FailureLog,
}

/// Receives events and prints the relevant ones.
pub struct EventLog {
    meters: Vec<Named>,
    consent: FailureLog,
    once: bool,
    measured: Measured,
    /// Of a one-shot, by meter.
    failures: BTreeMap<usize, Failure>,
}

impl EventLog {
    /// For a daemon.
    pub fn for_good(meters: &[MeterEntry]) -> Self {
        Self::new(meters, false)
    }

    /// For a one-shot command, which reports failures at its end.
    pub fn for_once(meters: &[MeterEntry]) -> Self {
        Self::new(meters, true)
    }

    fn new(meters: &[MeterEntry], once: bool) -> Self {
        let named = |meter: &MeterEntry| Named {
            name: format!("meter {} at {}", meter.uuid, meter.port),
            trouble: FailureLog::default(),
        };
        Self {
            meters: meters.iter().map(named).collect(),
            consent: FailureLog::default(),
            once,
            measured: Measured::default(),
            failures: BTreeMap::new(),
        }
    }

    /// An event of the daemon.
    pub fn hear_daemon(&mut self, event: MeasuringEvent) {
        match event {
            MeasuringEvent::Meter(meter, event) => self.hear(meter, event),
            MeasuringEvent::Placed(count) => {
                let have = if count == 1 { "has" } else { "have" };
                let placed = counted(count, "measurement");
                tell!("ebp: the clock is right now: {placed} {have} got the true time");
            }
            MeasuringEvent::Consent(permission, unasked) => self.hear_consent(permission, unasked),
            MeasuringEvent::ConsentNotKept(error) => self.consent.failed(&device::spool(error)),
            MeasuringEvent::Certificate(certificate) => hear_certificate(&certificate),
            MeasuringEvent::NotRenewed(error) => hear_not_renewed(error),
            MeasuringEvent::Frontend(until) => hear_frontend(until),
            MeasuringEvent::FrontendNotRenewed(error) => hear_frontend_not_renewed(error),
            MeasuringEvent::NoSocket(error) => {
                tell!(
                    "ebp: measuring continues, but requests cannot be answered: {}",
                    chain(&error)
                );
            }
            // For outputs, not for people.
            MeasuringEvent::Heard(..) => {}
            MeasuringEvent::ErrorOfAnother(group) => error_report::take_over(&group),
            MeasuringEvent::SpoolReopened => tracing::info!("the spool was opened again"),
        }
    }

    /// Something happened to a meter, or to none.
    pub fn hear(&mut self, meter: Option<usize>, event: Event<SpoolError>) {
        let Some(index) = meter.filter(|index| *index < self.meters.len()) else {
            if let Event::NotKept(error) = event {
                self.consent.failed(&device::spool(error));
            }
            return;
        };
        let Named { name, trouble } = &mut self.meters[index];
        match event {
            Event::Measured(measurement) => {
                self.measured.now += 1;
                trouble.worked();
                let values = phrase::values(&measurement.data);
                tracing::info!("{name}: {values}, measured at {}", measurement.measured_at);
            }
            Event::MeasuredUnplaced(data) => {
                self.measured.now += 1;
                trouble.worked();
                tracing::info!(
                    "{name}: {}, at a time that is not known yet",
                    phrase::values(&data)
                );
            }
            Event::AlreadyMeasured => {
                self.measured.before += 1;
                trouble.worked();
            }
            Event::Failed(error) => {
                let failure = explain(name, error);
                if self.once {
                    self.failures.insert(index, failure);
                } else {
                    trouble.failed(&failure);
                }
            }
            Event::NotKept(error) => tell!("ebp: {name}: {}", device::spool(error)),
            Event::Unlocking => tell!("ebp: {name} is locked: its PIN is entered"),
            Event::Unlocked(_) => tell!("ebp: {name} shows its details"),
            Event::NotUnlocked(why) => tell!("ebp: {name} is not unlocked: {}", chain(&why)),
            Event::Incident(kind, is_present) => {
                tell!("ebp: {name} {}", incident(kind, is_present))
            }
            Event::OtherMeter => tell!(
                "ebp: {name}: another meter answers there than before; if it was exchanged, register \
                 the new one"
            ),
            Event::OtherMaker(maker) => tell!(
                "ebp: {name}: a meter of {maker} speaks there, which its `model` is not one of; \
                 `ebp meter identify` says which fit"
            ),
            Event::ManyDamaged(percent) => tell!(
                "ebp: {name}: {percent} % of its telegrams are damaged; the reading head may have slipped"
            ),
            Event::FewDamaged => tell!("ebp: {name}: its telegrams are whole again"),
            Event::Reset(Ok(())) => tell!("ebp: {name}: its reading head was reset"),
            Event::Reset(Err(why)) => tell!("ebp: {name}: its reading head was not reset: {why}"),
        }
    }

    fn hear_consent(&mut self, permission: Permission, unasked: Option<Box<ClientError>>) {
        match (permission, unasked) {
            (Permission::NotGranted, _) => self.consent.failed(&device::not_granted()),
            (Permission::Unknown, Some(error)) => self.consent.failed(&device::client(*error)),
            (_, unasked) => {
                if let Some(error) = unasked {
                    tracing::warn!(%error, "consent could not be asked for; it was granted");
                }
                self.consent.worked();
            }
        }
    }

    /// A one-shot's end: what was measured, or why some meter was not.
    pub fn conclusion(self) -> Result<Measured, Failure> {
        let all = self.meters.len();
        let count = self.failures.len();
        let mut failures = self.failures.into_values();
        let Some(mut first) = failures.next() else { return Ok(self.measured) };
        for failure in failures {
            tell!("ebp: {failure}");
        }
        if count > 1 {
            first.message =
                format!("{count} of {all} meters could not be measured; {}", first.message);
        }
        Err(first)
    }
}

/// Tells where others may know the key of a certificate that was taken up.
pub fn hear_certificate(certificate: &Certificate) {
    if let Certificate::Changed { exposed: Some(exposed), .. } = certificate {
        tracing::warn!("the device's key may be known to others: {exposed}");
    }
}

/// A failure costs nothing yet: a third of the lifetime is left.
pub fn hear_not_renewed(error: DeviceError) {
    tracing::warn!(failure = %device::device(error), "the certificate is not renewed");
}

/// The page of the device has another certificate.
pub fn hear_frontend(until: Timestamp) {
    tracing::info!("the certificate of the device's page is valid until {until}");
}

/// The page's certificate, or its sign-in code: measuring and sending go on.
pub fn hear_frontend_not_renewed(error: DeviceError) {
    let failure = device::device(error);
    tracing::warn!(%failure, "the files of the device's page are not renewed");
}

const fn incident(kind: IncidentType, is_present: bool) -> &'static str {
    match (kind, is_present) {
        (IncidentType::SerialPortUnavailable, true) => {
            "sends no telegrams: SERIAL-PORT-UNAVAILABLE is reported"
        }
        (IncidentType::SerialPortUnavailable, false) => {
            "sends telegrams again: SERIAL-PORT-UNAVAILABLE has ended"
        }
        (IncidentType::ObisCodesUnavailable, true) => {
            "shows no power and whole kWh only: OBIS-CODES-UNAVAILABLE is reported"
        }
        (IncidentType::ObisCodesUnavailable, false) => {
            "shows its details again: OBIS-CODES-UNAVAILABLE has ended"
        }
    }
}

fn explain(name: &str, error: MeasureError<SpoolError>) -> Failure {
    match error {
        MeasureError::Read(ReadError::Port(error)) => error.into(),
        MeasureError::Read(error @ ReadError::Hangs { .. }) => {
            Failure::new(Code::NothingRead, format!("{name}: {error}"))
                .typed(&error)
                .remedy("pull the reading head out and plug it in again, or allow `reset_usb`")
        }
        MeasureError::Read(error) => Failure::new(Code::NothingRead, format!("{name}: {error}"))
            .typed(&error)
            .remedy("check that the reading head sits on the meter's optical port"),
        MeasureError::NoSurveyValues => {
            Failure::failed(format!("{name} sends no values of the survey"))
                .typed(&error)
                .remedy("`ebp read --all` shows what it sends; it may be locked")
        }
        MeasureError::Keep(error) => device::spool(error),
        MeasureError::Crashed => Failure::failed(format!("{name}: {error}")).typed(&error),
    }
}
