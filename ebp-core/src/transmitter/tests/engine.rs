//! The report cycle through weeks of simulated time, against a server that fails in every way.

use std::time::Duration;

use jiff::SignedDuration;

use super::*;
use crate::{
    client::TlsRefusal,
    clock::{Clock, SimulatedClock},
    contract::{Consent, DeviceStatus},
    model::{Incident, IncidentType},
};

const METER: Uuid = Uuid::from_u128(3);
const KIND: IncidentType = IncidentType::ObisCodesUnavailable;

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weather {
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

fn weather() -> impl Strategy<Value = Weather> {
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

struct World {
    clock: SimulatedClock,
    server: FakeServer,
    weather: RefCell<Weather>,
    consent: RefCell<ConsentState>,
    incident: RefCell<Option<bool>>,
    statuses: RefCell<Vec<DeviceStatus>>,
    requests: RefCell<Vec<(Timestamp, &'static str)>>,
    /// Nobody may ask before this time.
    peace_until: RefCell<Timestamp>,
}

impl World {
    fn new() -> Self {
        Self {
            clock: SimulatedClock::new("2026-03-01T00:00:00Z".parse().unwrap()),
            server: FakeServer::default(),
            weather: RefCell::new(Weather::Fair),
            consent: RefCell::new(ConsentState::Granted),
            incident: RefCell::new(None),
            statuses: RefCell::default(),
            requests: RefCell::default(),
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
                    faults: Vec::new(),
                    retry_after: Some(wait),
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
        self.request("consent", || Consent { state, granted_at: None, revoked_at: None })
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

    fn report_incident(&self, _: Uuid, _: IncidentType) -> Result<(), ClientError> {
        self.request("report", || *self.incident.borrow_mut() = Some(true))
    }

    fn resolve_incident(&self, _: Uuid, _: IncidentType) -> Result<(), ClientError> {
        if self.incident.borrow().is_none() {
            return self.request("resolve", || ()).and(Err(problem(404, problem_type::NOT_FOUND)));
        }
        self.request("resolve", || *self.incident.borrow_mut() = Some(false))
    }

    fn report_status(&self, status: &DeviceStatus) -> Result<(), ClientError> {
        assert_eq!(status.faults(), Vec::new());
        self.request("status", || self.statuses.borrow_mut().push(status.clone()))
    }
}

fn engine(spool: &Spool) -> ReportEngine {
    let schedule = Schedule::of(Uuid::from_u128(42), Cycle::HOUR);
    ReportEngine::new(schedule, vec![METER], spool).unwrap()
}

fn measure(spool: &Spool, clock: &SimulatedClock) -> Option<Measurement> {
    let slot = Cycle::QUARTER_HOUR.slot(clock.truth());
    if spool.has_slot(METER, slot).unwrap() {
        return None;
    }
    let data = vec![DataPoint { obis: ObisCode::POSITIVE_ENERGY, value: slot.key().into() }];
    let measurement = Measurement {
        uuid: measurement_id(METER, slot),
        meter: METER,
        measured_at: clock.truth(),
        data,
        flags: Vec::new(),
    };
    let stored = spool.store(&measurement, slot).unwrap() == Stored::Stored;
    stored.then_some(measurement)
}

/// Runs the device for that long, minute by minute; `each` sees the outcome of each step. Nothing is
/// measured that the server dislikes.
fn run(
    world: &World,
    spool: &Spool,
    engine: &mut ReportEngine,
    minutes: u32,
    mut each: impl FnMut(&Outcome),
) {
    for minute in 0..minutes {
        if !is_disliked(measurement_id(METER, Cycle::QUARTER_HOUR.slot(world.clock.truth()))) {
            measure(spool, &world.clock);
        }
        let random = minute.wrapping_mul(2_654_435_761);
        each(&engine.step(spool, world, &world.clock, random).unwrap());
        world.clock.advance(Duration::from_secs(60));
    }
}

#[test]
fn in_fair_weather_each_hour_has_one_report_at_the_devices_own_minute() {
    let (world, dir) = (World::new(), folder());
    let spool = Spool::open(dir.path()).unwrap();
    spool.note_component("transmitter", "0.1.0").unwrap();
    let mut engine = engine(&spool);
    let mut reports = 0;
    run(&world, &spool, &mut engine, 24 * 60, |outcome| match outcome {
        Outcome::Reported(_) => reports += 1,
        other => assert!(matches!(other, Outcome::NotDue), "{other:?}"),
    });
    // The first is at once; the second comes when the device's own cycle begins.
    assert_eq!(reports, 25);
    let requests = world.requests.borrow();
    let times = |what| requests.iter().filter(move |(_, asked)| *asked == what).map(|(at, _)| *at);
    assert_eq!((times("consent").count(), times("incidents").count()), (25, 1));
    assert_eq!(times("status").count(), 1);
    let minute = |at: Timestamp| at.as_second() / 60 % 60;
    let own = minute(times("consent").nth(1).unwrap());
    assert!(times("consent").skip(1).all(|at| minute(at) == own) && own != 0);
    let status = &world.statuses.borrow()[0];
    assert_eq!(status.components["transmitter"], "0.1.0");
}

#[test]
fn a_status_is_told_when_it_changes_and_once_a_day() {
    let (world, dir) = (World::new(), folder());
    let spool = Spool::open(dir.path()).unwrap();
    let mut engine = engine(&spool);
    let mut day = |hours: u32, expected: usize| {
        run(&world, &spool, &mut engine, hours * 60, |_| {});
        assert_eq!(world.statuses.borrow().len(), expected);
    };
    day(20, 1);
    day(10, 2);
    spool.note_component("reader", "0.2.0").unwrap();
    day(2, 3);
    spool.note(crate::contract::Notice::SpoolSetAside, "").unwrap();
    spool.note_telegrams(METER, 10, 2);
    day(3, 4);
    let last = world.statuses.borrow().last().unwrap().clone();
    assert_eq!(last.notices, [crate::contract::Notice::SpoolSetAside]);
    assert_eq!((last.meters[0].telegrams, last.meters[0].damaged), (12, 2));
    assert!(spool.notices().unwrap().is_empty() && spool.telegrams().unwrap().is_empty());
    world.clock.lose_synchronisation();
    day(2, 5);
    day(20, 5);
}

#[test]
fn after_an_outage_it_reports_at_once_and_was_polite_meanwhile() {
    let (world, dir) = (World::new(), folder());
    let spool = Spool::open(dir.path()).unwrap();
    let mut engine = engine(&spool);
    run(&world, &spool, &mut engine, 120, |_| {});
    world.requests.borrow_mut().clear();
    world.weather.replace(Weather::Down);
    run(&world, &spool, &mut engine, 3 * 24 * 60, |_| {});
    let asked = world.requests.borrow().len();
    // Ten minutes apart at most, five at least, once it has been down for some time.
    assert!((3 * 24 * 6..3 * 24 * 12).contains(&asked), "{asked} requests in three days");
    world.weather.replace(Weather::Fair);
    run(&world, &spool, &mut engine, 11, |_| {});
    assert!(spool.is_empty().unwrap());
    // The server asks for more than the device would wait by itself.
    world.weather.replace(Weather::Busy(5 * 3600));
    run(&world, &spool, &mut engine, 60, |_| {});
    assert!(engine.asked_to_wait(world.clock.now()).unwrap() > Duration::from_secs(4 * 3600));
    world.weather.replace(Weather::Fair);
    let before = world.requests.borrow().len();
    run(&world, &spool, &mut engine, 60, |outcome| assert!(matches!(outcome, Outcome::NotDue)));
    assert_eq!(world.requests.borrow().len(), before);
    run(&world, &spool, &mut engine, 5 * 60, |_| {});
    assert!(spool.is_empty().unwrap());
}

#[test]
fn a_clock_that_was_set_back_does_not_silence_the_device() {
    let (world, dir) = (World::new(), folder());
    let spool = Spool::open(dir.path()).unwrap();
    let mut engine = engine(&spool);
    for weather in [Weather::Fair, Weather::Down] {
        world.clock.step(SignedDuration::from_hours(24 * 365));
        world.weather.replace(weather);
        run(&world, &spool, &mut engine, 120, |_| {});
        world.clock.step(SignedDuration::from_hours(-24 * 365));
        world.weather.replace(Weather::Fair);
        let mut reports = 0;
        run(&world, &spool, &mut engine, 70, |outcome| {
            reports += usize::from(matches!(outcome, Outcome::Reported(_)));
        });
        assert!(reports > 0 && reports <= 3, "{reports}");
    }
}

#[test]
fn trouble_is_told_once_and_its_end_too() {
    let (world, dir) = (World::new(), folder());
    let spool = Spool::open(dir.path()).unwrap();
    world.incident.replace(Some(true));
    let mut engine = engine(&spool);
    let count = |what| world.requests.borrow().iter().filter(|(_, asked)| *asked == what).count();
    let note = |present| spool.note_incident(METER, KIND, present, world.clock.truth()).unwrap();
    // The server holds it from before; the device sees it still.
    note(true);
    run(&world, &spool, &mut engine, 120, |_| {});
    assert_eq!((count("report"), count("resolve")), (0, 0));
    note(false);
    run(&world, &spool, &mut engine, 120, |_| {});
    assert_eq!((count("report"), count("resolve")), (0, 1));
    // It comes and goes while the server is down.
    world.weather.replace(Weather::Down);
    note(true);
    run(&world, &spool, &mut engine, 120, |_| {});
    note(false);
    run(&world, &spool, &mut engine, 120, |_| {});
    world.weather.replace(Weather::Fair);
    run(&world, &spool, &mut engine, 120, |_| {});
    assert_eq!((count("report"), count("resolve")), (1, 2));
    assert_eq!(*world.incident.borrow(), Some(false));
}

#[test]
fn a_revocation_ends_it_wherever_it_is_heard() {
    let (world, dir) = (World::new(), folder());
    let spool = Spool::open(dir.path()).unwrap();
    let mut engine = engine(&spool);
    run(&world, &spool, &mut engine, 30, |_| {});
    world.consent.replace(ConsentState::Revoked);
    let mut over = false;
    for _ in 0..61 {
        over = matches!(engine.step(&spool, &world, &world.clock, 0).unwrap(), Outcome::Over);
        if over {
            break;
        }
        world.clock.advance(Duration::from_secs(60));
    }
    assert!(over && spool.is_revoked().unwrap() && spool.is_empty().unwrap());
    let before = world.requests.borrow().len();
    assert!(matches!(engine.report(&spool, &world, &world.clock, 0).unwrap(), Outcome::Over));
    assert_eq!(world.requests.borrow().len(), before, "a revoked device stays silent");
}

/// The requests of two days with an outage, by one engine or by a new one in each minute.
fn requests(is_daemon: bool) -> Vec<(Timestamp, &'static str)> {
    let (world, dir) = (World::new(), folder());
    let mut spool = Spool::open(dir.path()).unwrap();
    let mut running = engine(&spool);
    for minute in 0..2 * 24 * 60 {
        world.weather.replace(match minute {
            300..700 => Weather::Down,
            900..905 => Weather::Busy(1800),
            1200..1300 => Weather::Half,
            _ => Weather::Fair,
        });
        if !is_daemon {
            spool = Spool::open(dir.path()).unwrap();
            running = engine(&spool);
        }
        run(&world, &spool, &mut running, 1, |_| {});
    }
    assert!(spool.len().unwrap() < 5);
    world.requests.take()
}

#[test]
fn a_daemon_and_a_timer_do_the_same() {
    assert_eq!(requests(true), requests(false));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Days of any weather, restarts at any minute, a clock that is set: not one measurement is
    /// lost, and not one comes twice (the server asserts that itself); Retry-After is kept to; what
    /// the server holds of a trouble is in the end what the device sees.
    #[test]
    fn whatever_the_weather_nothing_is_lost_and_nothing_doubled(
        spells in prop::collection::vec(
            (weather(), 1..240_u32, any::<bool>(), any::<bool>(), -3..4_i64), 1..40
        )
    ) {
        let (world, dir) = (World::new(), folder());
        let mut spool = Spool::open(dir.path())?;
        spool.remember_consent(ConsentState::Granted, world.clock.now())?;
        let mut running = engine(&spool);
        let mut taken = BTreeMap::new();
        let mut present = false;
        for (weather, minutes, restart, trouble, hours) in spells {
            world.weather.replace(weather);
            present = trouble;
            for _ in 0..minutes {
                if let Some(measurement) = measure(&spool, &world.clock) {
                    taken.insert(measurement.uuid, measurement);
                }
                spool.note_incident(METER, KIND, present, world.clock.now())?;
                running.step(&spool, &world, &world.clock, minutes.wrapping_mul(97_531_357))?;
                world.clock.advance(Duration::from_secs(60));
            }
            // By a clock that was set, "in an hour" is another instant; the server's patience is not
            // put to the test by that here.
            let busy = world.clock.truth() < *world.peace_until.borrow();
            if restart {
                let shown = world.clock.now();
                world.clock.restart(Duration::from_secs(1), shown);
                spool = Spool::open(dir.path())?;
                running = engine(&spool);
            } else if !busy {
                world.clock.step(SignedDuration::from_hours(hours));
                running.step(&spool, &world, &world.clock, 1)?;
                world.clock.synchronise();
            }
        }
        world.weather.replace(Weather::Fair);
        run(&world, &spool, &mut running, 4 * 60, |_| {});
        let mut everywhere = world.server.stored.borrow().clone();
        for refused in spool.refused()? {
            prop_assert!(everywhere.insert(refused.measurement.uuid, refused.measurement).is_none());
        }
        for waiting in spool.pending(1000)? {
            everywhere.insert(waiting.uuid, waiting);
        }
        for (uuid, measurement) in &taken {
            prop_assert_eq!(everywhere.get(uuid), Some(measurement), "lost or changed");
        }
        prop_assert!(spool.len()? < 5, "{} remain", spool.len()?);
        prop_assert_eq!(world.incident.borrow().unwrap_or(false), present);
    }
}
