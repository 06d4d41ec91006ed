//! A device's way to the Data API, and what goes wrong on it.
//!
//! Enters: the real client, the faults. Leaves: the answers, or what comes instead. Absent: what is
//! asked for.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ebp_client::{Client, ClientError, DeviceKey, identity::Identity};
use ebp_core::{
    clock::SimulatedClock,
    contract::{
        Consent, DeviceCertificate, DeviceStatus, SignIn, UploadRequest, UploadResponse,
        problem_type,
    },
    model::{Incident, IncidentType, Meter},
};
use ebp_device::{
    connection::{Connect, DeviceApi},
    transmitter::{DataApi, Upload},
};
use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    card::Card,
    chance::{Chance, until},
    faults::Weather,
    plan::Sky,
    server,
    span::{Span, Spans},
    turn::Seat,
};

/// A device's way to the Data API in one run of its daemons, whatever certificate it shows.
#[derive(Clone)]
pub struct Link(Arc<Inner>);

struct Inner {
    url: String,
    clock: Arc<SimulatedClock>,
    folder: PathBuf,
    offline: Spans,
    sky: Arc<Sky>,
    seat: Option<Seat>,
    state: Mutex<State>,
}

struct State {
    chance: Chance,
    requests: u64,
    lost: u64,
    /// The power goes in the next upload, when the server has stored it.
    cut_in_upload: bool,
    /// What the card holds at that instant; nothing that happens afterwards has happened.
    cut: Option<Card>,
}

/// That way with a certificate.
struct Connection {
    client: Client,
    link: Link,
}

impl Connect for Link {
    fn connect(&self, identity: &Identity) -> Result<Arc<dyn DeviceApi>, ClientError> {
        let client = server::client(&self.0.url, identity, self.0.clock.clone())?;
        Ok(Arc::new(Connection { client, link: self.clone() }))
    }
}

impl Link {
    /// A way to the server at `url` for one run of a device, whose spool is in that folder.
    pub fn new(
        url: &str,
        clock: Arc<SimulatedClock>,
        folder: PathBuf,
        (offline, sky): (Spans, Arc<Sky>),
        chance: Chance,
        seat: Option<Seat>,
    ) -> Self {
        let state = State { chance, requests: 0, lost: 0, cut_in_upload: false, cut: None };
        let (url, state) = (url.to_owned(), Mutex::new(state));
        Self(Arc::new(Inner { url, clock, folder, offline, sky, seat, state }))
    }

    /// The power goes in the next upload.
    pub fn cut_in_upload(&self) {
        self.state().cut_in_upload = true;
    }

    /// What the card held when the power went in an upload, if it did.
    pub fn take_cut(&self) -> Option<Card> {
        self.state().cut.take()
    }

    /// How many requests there were, and how many answers were lost.
    pub fn counts(&self) -> (u64, u64) {
        let state = self.state();
        (state.requests, state.lost)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unreachable(&self, reason: &str) -> ClientError {
        ClientError::Unreachable { server: self.0.url.clone(), reason: reason.to_owned() }
    }

    fn problem(&self, status: u16, retry_after: Option<Duration>) -> ClientError {
        ClientError::Problem {
            server: self.0.url.clone(),
            status,
            kind: problem_type::INTERNAL.to_owned(),
            title: "not now".into(),
            faults: Box::default(),
            household: None,
            retry_after,
            trace_id: None,
        }
    }

    fn weather(&self, now: Timestamp) -> Option<(Span, Weather)> {
        self.0.sky.weather.iter().find(|(span, _)| span.from <= now && now < span.to).copied()
    }

    fn request<T>(&self, work: impl FnOnce() -> Result<T, ClientError>) -> Result<T, ClientError> {
        let now = self.0.clock.truth();
        if self.state().cut.is_some() {
            return Err(self.unreachable("the power is gone"));
        }
        if self.0.offline.at(now).is_some() {
            return Err(self.unreachable("no network"));
        }
        self.state().requests += 1;
        let work = || {
            self.0.seat.iter().for_each(Seat::wait);
            work()
        };
        match self.weather(now) {
            None => {
                let answer = work()?;
                let is_lost = self.state().chance.percent(self.0.sky.lost_answers);
                if is_lost {
                    self.state().lost += 1;
                    return Err(self.unreachable("no answer in time"));
                }
                Ok(answer)
            }
            Some((_, Weather::Broken)) => Err(self.problem(500, None)),
            Some((span, weather @ (Weather::Unavailable | Weather::TooMany))) => {
                let most = until(now, span.to).as_secs().clamp(1, 900);
                let wait = Duration::from_secs(self.state().chance.between(1, most));
                let status = if weather == Weather::TooMany { 429 } else { 503 };
                Err(self.problem(status, Some(wait)))
            }
            Some((_, Weather::Garbage)) => {
                work()?;
                Err(ClientError::Garbled {
                    server: self.0.url.clone(),
                    path: "/".to_owned(),
                    reason: "it is no JSON".to_owned(),
                })
            }
            Some((_, Weather::Late)) => {
                work()?;
                Err(self.unreachable("no answer in time"))
            }
        }
    }
}

impl Upload for Connection {
    fn upload(&self, request: &UploadRequest) -> Result<UploadResponse, ClientError> {
        let answer = self.link.request(|| {
            let answer = self.client.upload(request)?;
            let mut state = self.link.state();
            if std::mem::take(&mut state.cut_in_upload) {
                state.cut = Card::read(&self.link.0.folder).ok();
            }
            Ok(answer)
        })?;
        if self.link.state().cut.is_some() {
            return Err(self.link.unreachable("the power is gone"));
        }
        Ok(answer)
    }
}

impl DataApi for Connection {
    fn consent(&self) -> Result<Consent, ClientError> {
        self.link.request(|| self.client.consent())
    }

    fn incidents(&self, meter: Uuid) -> Result<Vec<Incident>, ClientError> {
        self.link.request(|| DataApi::incidents(&self.client, meter))
    }

    fn report_incident(
        &self,
        meter: Uuid,
        kind: IncidentType,
        at: Option<Timestamp>,
    ) -> Result<(), ClientError> {
        self.link.request(|| DataApi::report_incident(&self.client, meter, kind, at))
    }

    fn resolve_incident(
        &self,
        meter: Uuid,
        kind: IncidentType,
        at: Option<Timestamp>,
    ) -> Result<(), ClientError> {
        self.link.request(|| DataApi::resolve_incident(&self.client, meter, kind, at))
    }

    fn report_status(&self, status: &DeviceStatus) -> Result<(), ClientError> {
        self.link.request(|| DataApi::report_status(&self.client, status))
    }
}

impl DeviceApi for Connection {
    fn device_meters(&self) -> Result<Vec<Meter>, ClientError> {
        self.link.request(|| self.client.device_meters())
    }

    fn renew(&self, key: &DeviceKey) -> Result<DeviceCertificate, ClientError> {
        self.link.request(|| self.client.renew(key))
    }

    fn frontend(&self, key: &DeviceKey) -> Result<DeviceCertificate, ClientError> {
        self.link.request(|| self.client.frontend(key))
    }

    fn sign_in(&self) -> Result<SignIn, ClientError> {
        self.link.request(|| self.client.sign_in())
    }
}
