//! A server in any weather, seen from a device with a clock that can be set.

use std::time::Duration;

use super::*;
use ebp_client::TlsRefusal;
use ebp_core::{
    clock::SimulatedClock,
    contract::{Consent, DeviceStatus},
    model::{Incident, IncidentType},
};

/// The trouble that the meter has at times.
pub const KIND: IncidentType = IncidentType::ObisCodesUnavailable;

/// The result of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    Fair,
    /// It never arrives.
    Down,
    Status(u16),
    /// The server is busy for that many seconds.
    Busy(u64),
    Garbage,
    /// It is done, and the answer is late.
    LateAnswer,
    /// It is done for the first half, and the answer is of that half.
    Half,
    ExpiredCertificate,
}

pub fn weather() -> impl Strategy<Value = Weather> {
    prop_oneof![
        6 => Just(Weather::Fair),
        2 => Just(Weather::Down),
        1 => prop::sample::select(vec![500, 502, 503, 504]).prop_map(Weather::Status),
        1 => (1..7200_u64).prop_map(Weather::Busy),
        1 => Just(Weather::Garbage),
        2 => Just(Weather::LateAnswer),
        2 => Just(Weather::Half),
        1 => Just(Weather::ExpiredCertificate),
    ]
}

pub struct World {
    pub clock: SimulatedClock,
    pub server: FakeServer,
    pub weather: RefCell<Weather>,
    pub consent: RefCell<ConsentState>,
    pub incident: RefCell<Option<bool>>,
    pub statuses: RefCell<Vec<DeviceStatus>>,
    pub requests: RefCell<Vec<(Timestamp, &'static str)>>,
    /// The server is of a release that knows no groups of errors.
    pub knows_no_errors: RefCell<bool>,
    /// Nobody may ask before this time.
    pub peace_until: RefCell<Timestamp>,
}

impl World {
    pub fn new() -> Self {
        Self {
            clock: SimulatedClock::new("2026-03-01T00:00:00Z".parse().unwrap()),
            server: FakeServer::default(),
            weather: RefCell::new(Weather::Fair),
            consent: RefCell::new(ConsentState::Granted),
            incident: RefCell::new(None),
            statuses: RefCell::default(),
            requests: RefCell::default(),
            knows_no_errors: RefCell::new(false),
            peace_until: RefCell::new(Timestamp::MIN),
        }
    }

    /// Whether the request is done, and what else the answer is.
    fn request<T>(&self, what: &'static str, work: impl FnOnce() -> T) -> Result<T, ClientError> {
        let truth = self.clock.truth();
        assert!(truth >= *self.peace_until.borrow(), "{what} at {truth}, against Retry-After");
        self.requests.borrow_mut().push((truth, what));
        let server = "https://api.example".to_owned();
        match *self.weather.borrow() {
            Weather::Fair | Weather::Half => Ok(work()),
            Weather::Down => Err(ClientError::Unreachable { server, reason: "down".into() }),
            Weather::Status(status) => Err(problem(status, "about:blank")),
            Weather::Busy(seconds) => {
                let wait = Duration::from_secs(seconds);
                *self.peace_until.borrow_mut() = truth + wait;
                Err(ClientError::Problem {
                    server,
                    status: 429,
                    kind: problem_type::INTERNAL.into(),
                    title: "busy".into(),
                    faults: Box::default(),
                    household: None,
                    retry_after: Some(wait),
                    trace_id: None,
                })
            }
            Weather::Garbage => {
                work();
                Err(ClientError::Garbled { server, path: "/".into(), reason: "no JSON".into() })
            }
            Weather::LateAnswer => {
                work();
                Err(ClientError::Unreachable { server, reason: "no answer in time".into() })
            }
            Weather::ExpiredCertificate => Err(ClientError::Tls {
                server,
                refusal: TlsRefusal::TheirsExpired,
                reason: "expired".into(),
            }),
        }
    }
}

impl Upload for World {
    fn upload(&self, request: &UploadRequest) -> Result<UploadResponse, ClientError> {
        let sent = &request.measurements;
        let half = *self.weather.borrow() == Weather::Half;
        let sent = if half { &sent[..sent.len() / 2] } else { &sent[..] };
        self.request("upload", || UploadResponse { items: self.server.store(sent) })
    }
}

impl DataApi for World {
    fn consent(&self) -> Result<Consent, ClientError> {
        let state = *self.consent.borrow();
        self.request("consent", || Consent {
            state,
            granted_at: None,
            revoked_at: None,
            text: None,
            granted_through: None,
            withdrawal: None,
            purposes: Vec::new(),
        })
    }

    fn incidents(&self, _: Uuid) -> Result<Vec<Incident>, ClientError> {
        let at = self.clock.truth();
        self.request("incidents", || {
            let held = *self.incident.borrow();
            let resolved = |open: bool| (!open).then_some(at);
            held.map(|open| Incident { kind: KIND, reported_at: at, resolved_at: resolved(open) })
                .into_iter()
                .collect()
        })
    }

    fn report_incident(
        &self,
        _: Uuid,
        _: IncidentType,
        _: Option<Timestamp>,
    ) -> Result<(), ClientError> {
        self.request("report", || *self.incident.borrow_mut() = Some(true))
    }

    fn resolve_incident(
        &self,
        _: Uuid,
        _: IncidentType,
        _: Option<Timestamp>,
    ) -> Result<(), ClientError> {
        if self.incident.borrow().is_none() {
            return self.request("resolve", || ()).and(Err(problem(404, problem_type::NOT_FOUND)));
        }
        self.request("resolve", || *self.incident.borrow_mut() = Some(false))
    }

    fn report_status(&self, status: &DeviceStatus) -> Result<(), ClientError> {
        assert_eq!(status.faults(), Vec::new());
        if *self.knows_no_errors.borrow() && !status.errors.is_empty() {
            return self.request("status", || ()).and(Err(problem(400, problem_type::INVALID)));
        }
        self.request("status", || self.statuses.borrow_mut().push(status.clone()))
    }
}
