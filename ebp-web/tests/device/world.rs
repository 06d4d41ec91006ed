//! A device's page with doubles behind it, and a browser that is none.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, SaltString},
};
use axum::{Router, body::Body, http::Request};
use ebp_core::{
    clock::SimulatedClock,
    contract::{
        Account, AgreedText, Component, Consent, ConsentGrant, DeviceHealth, EnergySeries,
        EnergyStep, EnergySummary, ExactNumber, GivenPurpose, GrantChannel, Household,
        HouseholdRelease, Language, MeasurementDevice, Message, NewMessage, Notice, PurposeText,
        QuarterPrices, StoredMeasurement, SurveyContact, SurveyInformation, SurveyPrice,
        SurveyPurpose, SurveyText,
    },
    model::{
        Address, Battery, ConsentState, DataPoint, GenerationRegister, Incident, IncidentType,
        Location, Measurement, Metadata, Meter, MeterType, MeteringConcept, Participant, PvSystem,
    },
    obis::ObisCode,
};
use ebp_device::socket::{MeterStatus, Reason, Status, Telegram};
use ebp_fleet::tunnel::{TunnelAccess, local};
use ebp_web::{
    device::{
        ByteSink, Cloud, CloudError, DeviceWeb, Ended, EnergyRequest, Meterside, MetersideError,
        Parts, Sink, Tunnelside, TunnelsideError, router,
    },
    kit::{host::HostNames, moment::time_zone, session::SessionLimits},
};
use http_body_util::BodyExt;
use jiff::{SignedDuration, Timestamp, ToSpan, civil::Date, tz::TimeZone};
use rust_decimal::Decimal;
use tower::ServiceExt;
use uuid::Uuid;

use super::lifelike::{self, Energies, kilowatt_hours};

pub const HOST: &str = "ebp-7k3f.local";
pub const CODE: &str = "K7QM-2XTD";
const NOW: &str = "2026-06-15T12:00:00Z";
pub const GRID: Uuid = Uuid::from_u128(1);
pub const GENERATION: Uuid = Uuid::from_u128(2);
const DEVICE: Uuid = Uuid::from_u128(3);

/// What the double of the server does.
#[derive(Clone)]
pub struct Server {
    pub consent: ConsentState,
    pub granted_to: Option<ConsentGrant>,
    pub text_version: u32,
    /// Further text in the survey's own texts.
    pub survey_text: String,
    pub prices: Vec<SurveyPrice>,
    /// When a series of prices by quarter hours begins, if there is one.
    pub quarter_prices: Option<Timestamp>,
    /// Further purposes that the survey has, with their English texts.
    pub offered: Vec<(&'static str, &'static str)>,
    pub purposes: Vec<GivenPurpose>,
    /// Further purposes cannot be stored.
    pub refuses_purposes: bool,
    pub notices: Vec<Notice>,
    pub last_report: Option<Timestamp>,
    pub certificate_end: Option<Timestamp>,
    /// What it answers to every request.
    pub refuses: Option<CloudError>,
    pub away: bool,
    /// The next change is carried out, and its answer is lost.
    pub loses_answer: bool,
    /// After that the server is away as well.
    pub then_away: bool,
    pub has_generation: bool,
    pub locked: bool,
    pub gap: bool,
    pub reset: bool,
    /// Figures and texts are as a household could have them, for pictures.
    pub is_lifelike: bool,
    /// What people wrote: name, street, model, message.
    pub text: String,
    pub messages: Vec<Message>,
    /// Absent of a server that is older than the question.
    pub releases: Option<Vec<HouseholdRelease>>,
    pub requests: Vec<&'static str>,
}

pub struct FakeCloud(pub Mutex<Server>);

impl FakeCloud {
    pub fn change(&self, change: impl FnOnce(&mut Server)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub fn consent(&self) -> ConsentState {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).consent
    }

    fn ask<T>(
        &self,
        what: &'static str,
        answer: impl FnOnce(&mut Server) -> Result<T, CloudError>,
    ) -> Result<T, CloudError> {
        let mut server = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        server.requests.push(what);
        if server.away {
            return Err(CloudError::Away);
        }
        if let Some(error) = server.refuses {
            return Err(error);
        }
        if server.consent == ConsentState::Revoked && what != "revoke" {
            return Err(CloudError::Revoked);
        }
        answer(&mut server)
    }

    fn decide(
        &self,
        what: &'static str,
        state: ConsentState,
        grant: Option<ConsentGrant>,
    ) -> Result<Consent, CloudError> {
        self.ask(what, |server| {
            if grant.is_some_and(|grant| grant.text_version != Some(server.text_version)) {
                return Err(CloudError::TextChanged);
            }
            if server.consent == state {
                return Err(CloudError::Refused(409));
            }
            server.consent = state;
            server.granted_to = grant.or(server.granted_to);
            if std::mem::take(&mut server.loses_answer) {
                server.away = server.then_away;
                return Err(CloudError::Away);
            }
            Ok(consent(server))
        })
    }
}

fn consent(server: &Server) -> Consent {
    let at = "2026-06-01T08:00:00Z".parse().ok();
    Consent {
        state: server.consent,
        granted_at: at.filter(|_| server.consent != ConsentState::NotGranted),
        revoked_at: at.filter(|_| server.consent == ConsentState::Revoked),
        text: (server.consent == ConsentState::Granted).then(|| AgreedText {
            version: server.granted_to.and_then(|grant| grant.text_version).unwrap_or(3),
            language: server.granted_to.and_then(|grant| grant.language),
        }),
        granted_through: (server.consent == ConsentState::Granted).then_some(GrantChannel::Page),
        withdrawal: None,
        purposes: server.purposes.clone(),
    }
}

fn component() -> Component {
    Component { version: "0.4.0".into(), since: "2026-06-01T08:00:00Z".parse().unwrap() }
}

fn meters(server: &Server) -> Vec<Meter> {
    let meter = |uuid, kind| Meter {
        uuid,
        kind,
        model: format!("MT175{}", server.text),
        measurement_device: Some(DEVICE),
        removed_at: None,
        generation_register: (server.is_lifelike && kind == MeterType::PvGeneration)
            .then_some(GenerationRegister::Export),
    };
    let mut meters = vec![meter(GRID, MeterType::Electricity)];
    if server.has_generation {
        meters.push(meter(GENERATION, MeterType::PvGeneration));
    }
    meters
}

/// Two days of prices.
fn quarter_prices(from: Timestamp) -> QuarterPrices {
    let to = from + SignedDuration::from_hours(48);
    QuarterPrices { from, to, import: Vec::new(), export: Vec::new() }
}

fn exact(value: Decimal) -> Option<ExactNumber> {
    Some(ExactNumber(value))
}

fn steps(request: EnergyRequest, zone: &TimeZone) -> Vec<Timestamp> {
    let midnight = |day: Date| zone.to_timestamp(day.into()).unwrap();
    let (mut at, end) = (midnight(request.from), midnight(request.to));
    let mut day = request.from;
    let mut starts = Vec::new();
    while at < end {
        starts.push(at);
        at = match request.step {
            EnergyStep::Quarter => at + SignedDuration::from_mins(15),
            EnergyStep::Hour => at + SignedDuration::from_hours(1),
            EnergyStep::Day | EnergyStep::Month => {
                let span = if request.step == EnergyStep::Day { 1.day() } else { 1.month() };
                day = day.checked_add(span).unwrap();
                midnight(day)
            }
        };
    }
    starts
}

impl Cloud for FakeCloud {
    fn account(&self) -> Result<Account, CloudError> {
        self.ask("account", |server| {
            Ok(Participant {
                name: format!("Erika Mustermann{}", server.text),
                email: "erika@example.org".into(),
            })
        })
    }
    fn household(&self) -> Result<Household, CloudError> {
        self.ask("household", |server| {
            Ok(Household {
                uuid: Uuid::from_u128(9),
                address: Some(Address {
                    street: format!("Heidestraße 17{}", server.text),
                    postal_code: "51147".into(),
                    city: "Köln".into(),
                    country: "DE".into(),
                }),
                location: Some(Location::entered(50.85, 7.1)),
                metadata: Some(Metadata {
                    children: 1,
                    adults: 2,
                    adults_with_job: 1,
                    electric_vehicle_charger: true,
                    heat_pump: false,
                    home_battery: false,
                    metering_concept: MeteringConcept::default(),
                    battery: Battery::default(),
                }),
                consent: consent(server),
            })
        })
    }
    fn consent(&self) -> Result<Consent, CloudError> {
        self.ask("consent", |server| Ok(consent(server)))
    }
    fn grant(&self, grant: &ConsentGrant) -> Result<Consent, CloudError> {
        self.decide("grant", ConsentState::Granted, Some(*grant))
    }
    fn change_purpose(
        &self,
        name: &str,
        language: Option<Language>,
    ) -> Result<Consent, CloudError> {
        self.ask("change_purpose", |server| {
            if server.refuses_purposes {
                return Err(CloudError::Refused(500));
            }
            let at = "2026-06-15T10:00:00Z".parse().unwrap();
            let known = server.purposes.iter_mut().find(|known| known.name == name);
            match (known, language) {
                (Some(known), None) => known.withdrawn_at = Some(at),
                (None, None) => return Err(CloudError::Refused(404)),
                (_, Some(language)) => {
                    server.purposes.retain(|known| known.name != name);
                    let offered = server.offered.iter().find(|(offered, _)| *offered == name);
                    let (_, text) = offered.ok_or(CloudError::Refused(404))?;
                    server.purposes.push(GivenPurpose {
                        name: name.to_owned(),
                        language,
                        text: (*text).to_owned(),
                        given_at: at,
                        withdrawn_at: None,
                    });
                }
            }
            Ok(consent(server))
        })
    }
    fn revoke(&self) -> Result<Consent, CloudError> {
        self.decide("revoke", ConsentState::Revoked, None)
    }
    fn devices(&self) -> Result<Vec<MeasurementDevice>, CloudError> {
        self.ask("devices", |server| {
            Ok(vec![MeasurementDevice {
                uuid: DEVICE,
                components: [("ebp".to_owned(), component())].into(),
                last_activity: "2026-06-15T11:50:00Z".parse().ok(),
                last_report: server.last_report,
                meters: meters(server).iter().map(|meter| meter.uuid).collect(),
                health: Some(DeviceHealth {
                    reported_at: "2026-06-15T11:05:00Z".parse().unwrap(),
                    clock: None,
                    spool: None,
                    meters: Vec::new(),
                    notices: server.notices.clone(),
                }),
            }])
        })
    }
    fn meters(&self) -> Result<Vec<Meter>, CloudError> {
        self.ask("meters", |server| Ok(meters(server)))
    }
    fn releases(&self) -> Result<Vec<HouseholdRelease>, CloudError> {
        self.ask("releases", |server| server.releases.clone().ok_or(CloudError::Refused(404)))
    }
    fn pv_systems(&self) -> Result<Vec<PvSystem>, CloudError> {
        self.ask("pv_systems", |server| {
            Ok(vec![PvSystem {
                uuid: Uuid::from_u128(4),
                nominal_power: Decimal::new(748, 2),
                azimuth: Decimal::from(180),
                tilt: Decimal::from(35),
                installed_on: "2019-05-03".parse().unwrap(),
                meter: Some(GENERATION).filter(|_| server.has_generation),
            }])
        })
    }
    fn incidents(&self, meter: Uuid) -> Result<Vec<Incident>, CloudError> {
        self.ask("incidents", |server| {
            let kind = IncidentType::ObisCodesUnavailable;
            let incident = Incident { kind, reported_at: Timestamp::UNIX_EPOCH, resolved_at: None };
            Ok(if server.locked && meter == GRID { vec![incident] } else { Vec::new() })
        })
    }
    fn series(&self, request: EnergyRequest) -> Result<EnergySeries, CloudError> {
        self.ask("series", |server| {
            let zone = time_zone("Europe/Berlin").unwrap();
            let starts = steps(request, &zone);
            let now: Timestamp = NOW.parse().unwrap();
            let end = zone.to_timestamp(request.to.into()).unwrap();
            let mut series = EnergySeries {
                from: starts[0],
                to: starts[starts.len() - 1],
                step: request.step,
                zone: "Europe/Berlin".into(),
                import: Vec::new(),
                export: Vec::new(),
                generation: Vec::new(),
                coverage: Vec::new(),
                flags: Vec::new(),
                flag_names: [
                    "no_reading",
                    "late",
                    "end_open",
                    "clock_corrected",
                    "register_reset",
                    "outlier",
                    "coarse",
                ]
                .map(str::to_owned)
                .to_vec(),
                topology: (!server.has_generation).then(|| "no_generation_meter".to_owned()),
                assumed: Vec::new(),
                bounds: None,
                meters: None,
                starts,
            };
            for (place, start) in series.starts.iter().enumerate() {
                let hour = i64::from(zone.to_datetime(*start).hour());
                // A household with a solar roof: noon feeds in, evening draws.
                let sun = if request.step == EnergyStep::Quarter {
                    (6 - (hour - 13).abs()).max(0)
                } else {
                    5
                };
                let known = !server.locked
                    && *start < now
                    && !(server.gap && (place % 96) >= 20 && (place % 96) < 26);
                let value = |value: i64| exact(Decimal::new(value, 2)).filter(|_| known);
                let coverage = if known { Decimal::ONE } else { Decimal::ZERO };
                series.coverage.push(exact(coverage).filter(|_| *start < now));
                series.flags.push(if server.reset && place == 30 { 1 << 4 } else { 0 });
                if server.is_lifelike {
                    let end = series.starts.get(place + 1).copied().unwrap_or(end).min(now);
                    let energies = Energies::between(*start, end, &zone);
                    let shown = |units| kilowatt_hours(units).filter(|_| known);
                    series.import.push(shown(energies.import));
                    series.export.push(shown(energies.export));
                    series.generation.push(shown(energies.generation));
                    continue;
                }
                let wave = i64::try_from(place % 4).unwrap();
                series.import.push(value(if sun > 2 { wave } else { 9 + wave * 3 }));
                series.export.push(value((sun * 9 - 8).max(0)));
                series.generation.push(value(sun * 11).filter(|_| server.has_generation));
            }
            Ok(series)
        })
    }
    fn summary(&self, from: Date, to: Date) -> Result<EnergySummary, CloudError> {
        self.ask("summary", |server| {
            let of = |text: &str| exact(text.parse().unwrap()).filter(|_| !server.locked);
            let with = |text: &str| of(text).filter(|_| server.has_generation);
            let mut reasons = std::collections::BTreeMap::new();
            if !server.has_generation {
                for name in ["generation", "self_consumption", "self_consumption_share", "autarky"]
                {
                    reasons.insert(name.to_owned(), "no_generation_meter".to_owned());
                }
            }
            let bounds = [ExactNumber(Decimal::from(3)), ExactNumber(Decimal::from(5))];
            let mut summary = EnergySummary {
                from: Timestamp::UNIX_EPOCH,
                to: Timestamp::UNIX_EPOCH,
                zone: "Europe/Berlin".into(),
                complete: !server.gap,
                quarters: 96,
                measured: 90,
                coverage: exact(Decimal::new(9375, 4)),
                import: if from.day() == 15 { of("1234.5678") } else { of("987.6") },
                export: of("12.5"),
                generation: with("20"),
                consumption: with("1242.0678"),
                self_consumption: with("7.5"),
                autarky: with("0.006038"),
                self_consumption_share: with("0.375"),
                import_bounds: Some(bounds).filter(|_| server.locked),
                export_bounds: Some(bounds).filter(|_| server.locked),
                generation_bounds: None,
                reasons,
                has_battery: false,
                assumed: Vec::new(),
                flags: Vec::new(),
            };
            if server.is_lifelike {
                lifelike::sum_up(&mut summary, from, to, NOW.parse().unwrap());
            }
            Ok(summary)
        })
    }
    fn survey(&self) -> Result<SurveyInformation, CloudError> {
        self.ask("survey", |server| {
            let text = |language, summary: &str| SurveyText {
                language,
                summary: format!("{summary} {}", server.survey_text),
                details: "## Verantwortlich / Controller\n- Universität **X**".to_owned(),
                release: None,
            };
            let mut survey = SurveyInformation {
                name: Some("Studie".into()),
                controller: Some("Universität X, 12345 Y".into()),
                contacts: vec![SurveyContact {
                    name: "Dr. Z".into(),
                    email: Some("z@example.org".into()),
                    phone: Some("+49 1".into()),
                }],
                text_version: Some(server.text_version),
                texts: vec![
                    text(Language::De, &format!("Text {} auf Deutsch.", server.text_version)),
                    text(Language::En, &format!("Text {} in English.", server.text_version)),
                ],
                prices: server.prices.clone(),
                quarter_prices: server.quarter_prices.map(quarter_prices),
                purposes: server
                    .offered
                    .iter()
                    .map(|(name, text)| SurveyPurpose {
                        name: (*name).to_owned(),
                        texts: vec![PurposeText {
                            language: Language::En,
                            text: format!("{text}{}", server.survey_text),
                        }],
                    })
                    .collect(),
            };
            if server.is_lifelike {
                lifelike::describe_survey(&mut survey);
            }
            Ok(survey)
        })
    }
    fn survey_with_prices(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<SurveyInformation, CloudError> {
        let mut survey = self.survey()?;
        if let Some(prices) = &mut survey.quarter_prices {
            let mut at = from;
            while at < to {
                // From one euro on, a cent more each quarter hour; what is fed in has no price at first.
                let number = at.duration_since(prices.from).as_mins() / 15;
                let import = exact(Decimal::new(100 + number, 2));
                let is_known = at >= prices.from && at < prices.to;
                prices.import.push(import.filter(|_| is_known));
                prices.export.push(exact(Decimal::TWO).filter(|_| is_known && number >= 48));
                at += SignedDuration::from_mins(15);
            }
        }
        Ok(survey)
    }
    fn messages(&self) -> Result<Vec<Message>, CloudError> {
        self.ask("messages", |server| Ok(server.messages.clone()))
    }
    fn write_message(&self, message: &NewMessage) -> Result<(), CloudError> {
        self.ask("write_message", |server| {
            server.messages.push(Message {
                uuid: Uuid::nil(),
                household: Uuid::nil(),
                about: message.about,
                text: message.text.0.clone(),
                written_at: Timestamp::UNIX_EPOCH,
                answer: None,
                closed_at: None,
            });
            Ok(())
        })
    }
    fn export(&self, sink: &mut ByteSink<'_>) -> Result<(), CloudError> {
        self.ask("export", |_| Ok(()))?;
        for part in 0..100 {
            let text = format!("{{\"part\":{part},\"fill\":\"{}\"}}\n", "x".repeat(5_000));
            if !sink(text.as_bytes()) {
                break;
            }
        }
        Ok(())
    }
    fn measurements(
        &self,
        _: Uuid,
        sink: &mut Sink<'_, StoredMeasurement>,
    ) -> Result<(), CloudError> {
        self.ask("measurements", |_| Ok(()))?;
        let measured_at = "2026-06-15T10:00:00Z".parse().unwrap();
        let data = vec![DataPoint {
            obis: ObisCode::POSITIVE_ENERGY,
            value: Decimal::new(123_456_789, 4),
        }];
        sink(StoredMeasurement {
            uuid: Uuid::nil(),
            measured_at,
            received_at: measured_at,
            data,
            flags: Vec::new(),
        });
        Ok(())
    }
    fn regions(&self) -> Result<String, CloudError> {
        self.ask("regions", |_| {
            Ok("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1600 2200\" data-west=\"5.87\" \
                data-north=\"55.06\" data-east-unit=\"175.4\" data-south-unit=\"278.0\"><path \
                fill=\"#f4f1e8\" stroke=\"#8a8a8a\" d=\"M500 0L900 200L1400 300L1500 900L1000 1200L1300 1700L1000 \
                2150L300 2100L50 1500L100 800L400 500z\"/><text x=\"0\" y=\"2190\">© GeoBasis-DE / BKG \
                (2024)</text></svg>"
                .to_owned())
        })
    }
    fn certificate_end(&self) -> Option<Timestamp> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).certificate_end
    }
}

/// What the double of the measuring daemon does.
pub struct FakeMeterside(pub Mutex<Result<Status, MetersideError>>);

impl FakeMeterside {
    pub fn change(&self, change: impl FnOnce(&mut Status)) {
        let mut status = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(status.as_mut().unwrap());
    }
}

impl Meterside for FakeMeterside {
    fn status(&self) -> Result<Status, MetersideError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
    fn now(&self, meter: Uuid) -> Result<Telegram, MetersideError> {
        let status = self.status()?;
        if status.consent.as_deref() != Some("granted") {
            return Err(MetersideError::Refused(Reason::NoConsent));
        }
        let known = status.meters.into_iter().find(|known| known.meter == meter);
        let known = known.ok_or(MetersideError::Refused(Reason::UnknownMeter))?;
        if known.incidents.contains(&IncidentType::SerialPortUnavailable) {
            return Err(MetersideError::Refused(Reason::Silent));
        }
        let at = known.measured_at.ok_or(MetersideError::Refused(Reason::Silent))?;
        Ok(Telegram { meter, at, data: known.data })
    }
}

fn status() -> Status {
    let data = |power: i64| {
        let point = |obis, value, scale| DataPoint { obis, value: Decimal::new(value, scale) };
        vec![
            point(ObisCode::POSITIVE_ENERGY, 123_456_789, 4),
            point(ObisCode::NEGATIVE_ENERGY, 45_678, 4),
            point(ObisCode::SUM_POWER, power, 3),
        ]
    };
    let measured_at = "2026-06-15T11:45:02Z".parse().ok();
    let meter = |meter, power| MeterStatus {
        meter,
        model: "MT175".into(),
        measured_at,
        data: data(power),
        incidents: Vec::new(),
        good_telegrams: 100,
        damaged_telegrams: 0,
    };
    Status {
        components: std::collections::BTreeMap::new(),
        acknowledged: None,
        consent: Some("granted".into()),
        consent_as_of: measured_at,
        knows_the_time: true,
        pending: 2,
        unplaced: 0,
        refused: 0,
        newest: vec![Measurement {
            uuid: Uuid::nil(),
            meter: GRID,
            measured_at: measured_at.unwrap(),
            data: data(0),
            flags: Vec::new(),
        }],
        meters: vec![meter(GRID, -1250), meter(GENERATION, 2100)],
    }
}

/// What the double of the tunnel does.
pub struct FakeTunnelside(pub Mutex<Result<local::Status, TunnelsideError>>);

impl FakeTunnelside {
    pub fn change(&self, change: impl FnOnce(&mut local::Status)) {
        let mut status = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(status.as_mut().unwrap());
    }
}

impl Tunnelside for FakeTunnelside {
    fn status(&self) -> Result<local::Status, TunnelsideError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
    fn sessions(&self, most: u32) -> Result<Vec<local::LoggedSession>, TunnelsideError> {
        let mut sessions = self.status()?.connected;
        let text = sessions.first().map_or_else(String::new, |open| open.administrator.clone());
        sessions.push(session(&format!("max{text}"), Some(local::SessionEnd::Closed)));
        sessions.truncate(most.try_into().unwrap());
        Ok(sessions)
    }
    fn set_access(&self, until: Option<Timestamp>) -> Result<local::Status, TunnelsideError> {
        if self.status()?.access == TunnelAccess::Never {
            return Err(TunnelsideError::Refused);
        }
        let now: Timestamp = NOW.parse().unwrap();
        self.change(|status| {
            status.access_until = until;
            status.permitted =
                until.map_or(status.access == TunnelAccess::Always, |until| now < until);
        });
        self.status()
    }
}

/// A session that began at noon.
pub fn session(administrator: &str, end: Option<local::SessionEnd>) -> local::LoggedSession {
    local::LoggedSession {
        session: Uuid::nil(),
        administrator: administrator.to_owned(),
        service: "ssh".to_owned(),
        began_at: "2026-06-15T10:00:00Z".parse().unwrap(),
        ended_at: end.and_then(|_| "2026-06-15T11:05:30Z".parse().ok()),
        bytes_in: 1,
        bytes_out: 2,
        end,
    }
}

fn tunnel() -> local::Status {
    local::Status {
        connected_since: "2026-06-14T22:00:00Z".parse().ok(),
        trouble: None,
        permitted: true,
        access: TunnelAccess::Always,
        access_until: None,
        services: vec!["ssh".to_owned()],
        connected: Vec::new(),
    }
}

/// A page, and what is behind it.
pub struct World {
    pub web: Arc<DeviceWeb>,
    pub router: Router,
    pub cloud: Arc<FakeCloud>,
    pub meterside: Arc<FakeMeterside>,
    /// Without it, remote access is not set up.
    pub tunnelside: Option<Arc<FakeTunnelside>>,
    pub clock: Arc<SimulatedClock>,
    pub folder: tempfile::TempDir,
    pub port: u16,
}

impl World {
    pub fn new() -> Self {
        Self::at(80)
    }

    /// One whose pages are asked for at that port.
    pub fn at(port: u16) -> Self {
        let server = Server {
            consent: ConsentState::Granted,
            granted_to: None,
            text_version: 3,
            survey_text: String::new(),
            prices: Vec::new(),
            quarter_prices: None,
            offered: Vec::new(),
            purposes: Vec::new(),
            refuses_purposes: false,
            notices: Vec::new(),
            last_report: "2026-06-15T11:05:00Z".parse().ok(),
            certificate_end: "2026-09-01T08:00:00Z".parse().ok(),
            refuses: None,
            away: false,
            loses_answer: false,
            then_away: false,
            has_generation: true,
            locked: false,
            gap: false,
            reset: false,
            is_lifelike: false,
            text: String::new(),
            messages: Vec::new(),
            releases: Some(Vec::new()),
            requests: Vec::new(),
        };
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("hash"), hash(b"K7QM2XTD")).unwrap();
        let clock = Arc::new(SimulatedClock::new(NOW.parse().unwrap()));
        let cloud = Arc::new(FakeCloud(Mutex::new(server)));
        let meterside = Arc::new(FakeMeterside(Mutex::new(Ok(status()))));
        let tunnelside = Some(Arc::new(FakeTunnelside(Mutex::new(Ok(tunnel())))));
        let mut world = Self {
            web: build(&folder, port, &cloud, &meterside, tunnelside.as_ref(), &clock),
            router: Router::new(),
            cloud,
            meterside,
            tunnelside,
            clock,
            folder,
            port,
        };
        world.route();
        world
    }

    fn route(&mut self) {
        let hosts = HostNames::new("ebp-7k3f", &[]);
        self.router = router(Arc::clone(&self.web), hosts, "http");
    }

    /// Fills it with what a household could have, for pictures.
    pub fn make_lifelike(&self) {
        self.cloud.change(|server| server.is_lifelike = true);
        self.meterside.change(|status| lifelike::show_meters(status, NOW.parse().unwrap()));
    }

    /// Ends the process and starts another.
    pub fn restart(&mut self) {
        let tunnelside = self.tunnelside.as_ref();
        self.web =
            build(&self.folder, self.port, &self.cloud, &self.meterside, tunnelside, &self.clock);
        self.route();
    }

    /// The research group replaces the sign-in code.
    pub fn replace_code(&self) {
        std::fs::write(self.folder.path().join("hash"), hash(b"00000000")).unwrap();
    }

    pub fn host(&self) -> String {
        if self.port == 80 { HOST.to_owned() } else { format!("{HOST}:{}", self.port) }
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.map(|body| body.to_bytes().to_vec()).unwrap_or_default();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }
}

fn hash(code: &[u8]) -> String {
    let params = Params::new(4096, 1, 1, None).unwrap();
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let salt = SaltString::encode_b64(b"sixteen bytes ok").unwrap();
    argon.hash_password(code, &salt).unwrap().to_string()
}

fn build(
    folder: &tempfile::TempDir,
    port: u16,
    cloud: &Arc<FakeCloud>,
    meterside: &Arc<FakeMeterside>,
    tunnelside: Option<&Arc<FakeTunnelside>>,
    clock: &Arc<SimulatedClock>,
) -> Arc<DeviceWeb> {
    let ended = Ended::open(folder.path(), Timestamp::UNIX_EPOCH).unwrap();
    Arc::new(DeviceWeb::new(Parts {
        cloud: cloud.clone(),
        meterside: meterside.clone(),
        tunnelside: tunnelside.map(|tunnelside| Arc::clone(tunnelside) as Arc<dyn Tunnelside>),
        clock: clock.clone(),
        zone: time_zone("Europe/Berlin").unwrap(),
        sign_in_hash: folder.path().join("hash"),
        ended,
        port,
        limits: SessionLimits::default(),
    }))
}

pub struct Answer {
    pub status: u16,
    pub headers: axum::http::HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The text of `<main>`, without tags: what people read.
    pub fn text(&self) -> String {
        let main = self.body.split("<main").nth(1).and_then(|rest| rest.split("</main>").next());
        let mut text = String::new();
        let mut depth = 1;
        for letter in main.unwrap_or(&self.body).chars() {
            match letter {
                '<' => depth += 1,
                '>' => {
                    depth -= 1;
                    text.push(' ');
                }
                letter if depth == 0 => text.push(letter),
                _ => {}
            }
        }
        text.lines()
            .map(|line| {
                line.split([' ', '\t', '\r'])
                    .filter(|word| !word.is_empty())
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .filter(|line| !line.is_empty())
            .collect::<Vec<_>>()
            .join("\n")
    }
}

/// A browser: keeps cookies, follows redirects, fills in forms.
pub struct Browser<'a> {
    pub world: &'a World,
    pub cookies: Vec<(String, String)>,
    pub language: &'static str,
    pub posts: Vec<usize>,
}

impl<'a> Browser<'a> {
    pub fn new(world: &'a World) -> Self {
        Self { world, cookies: Vec::new(), language: "de", posts: Vec::new() }
    }

    pub async fn signed_in(world: &'a World) -> Self {
        let mut browser = Self::new(world);
        let answer = browser.post("/sign-in", &[("code", CODE)]).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        browser
    }

    pub fn cookie_header(&self) -> String {
        let pairs = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("; ")
    }

    fn request(&self, method: &str, path: &str) -> axum::http::request::Builder {
        Request::builder()
            .method(method)
            .uri(path)
            .header("host", self.world.host())
            .header("accept-language", self.language)
            .header("cookie", self.cookie_header())
    }

    fn keep(&mut self, answer: &Answer) {
        for cookie in answer.headers.get_all("set-cookie") {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.retain(|(other, _)| other != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
    }

    /// Without following.
    pub async fn get_once(&mut self, path: &str) -> Answer {
        let request = self.request("GET", path).body(Body::empty()).unwrap();
        let answer = self.world.send(request).await;
        self.keep(&answer);
        answer
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        let mut answer = self.get_once(path).await;
        for _ in 0..5 {
            let location = answer.header("location").to_owned();
            if location.is_empty() {
                break;
            }
            answer = self.get_once(&location).await;
        }
        answer
    }

    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body: Vec<_> = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", ebp_web::kit::page::encode(value)))
            .collect();
        let request = self
            .request("POST", path)
            .header("origin", format!("http://{}", self.world.host()))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(body.join("&")))
            .unwrap();
        self.posts.push(fields.len());
        let answer = self.world.send(request).await;
        self.keep(&answer);
        match answer.header("location").to_owned() {
            to if to.is_empty() => answer,
            to => self.get(&to).await,
        }
    }

    /// Sends the form with that action of a page, its hidden fields and those given.
    pub async fn submit(&mut self, page: &Answer, action: &str, fields: &[(&str, &str)]) -> Answer {
        let start = format!("action=\"{action}\"");
        let form = page
            .body
            .split(&start)
            .nth(1)
            .unwrap_or_else(|| panic!("no form {action}: {}", page.body));
        let form = form.split("</form>").next().unwrap().to_owned();
        let hidden: Vec<(String, String)> = form
            .split("<input type=\"hidden\" ")
            .skip(1)
            .map(|input| {
                let value = |name: &str| {
                    let start = format!("{name}=\"");
                    input.split(&start).nth(1).unwrap().split('"').next().unwrap().to_owned()
                };
                (value("name"), value("value"))
            })
            .collect();
        let hidden = hidden.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let all: Vec<_> = hidden.chain(fields.iter().copied()).collect();
        self.post(action, &all).await
    }

    pub async fn pass(&self, minutes: u64) {
        self.world.clock.advance(Duration::from_secs(60 * minutes));
    }
}
