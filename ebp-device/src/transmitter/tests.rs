//! The transmitter against a server that fails in every way there is.
//!
//! Enters: a spool, a server with faults. Leaves: what the spool and the server must hold. Absent: a
//! network.

mod engine;
mod errors;
mod server;
mod world;

use std::{
    cell::RefCell,
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use jiff::Timestamp;
use proptest::prelude::*;
use uuid::Uuid;

use server::{FakeServer, Fault, Link, fault, is_disliked, problem};

use super::{upload::transmit_in_batches, *};
use crate::spool::{Spool, Stored};
use ebp_client::ClientError;
use ebp_core::{
    clock::FixedClock,
    contract::{UploadItem, UploadOutcome, UploadRequest, UploadResponse, problem_type},
    cycle::{Cycle, Slot},
    model::{ConsentState, DataPoint, Measurement, measurement_id},
    obis::ObisCode,
};

const CLOCK: FixedClock = FixedClock(Timestamp::UNIX_EPOCH);

fn slot(number: u8) -> Slot {
    Cycle::QUARTER_HOUR.slot(Timestamp::from_second(900 * i64::from(number)).unwrap())
}

fn measurement(meter: u8, number: u8) -> Measurement {
    let meter = Uuid::from_u128(meter.into());
    let value = rust_decimal::Decimal::new(i64::from(number) * 10, 3);
    Measurement {
        uuid: measurement_id(meter, slot(number)),
        meter,
        measured_at: slot(number).start(),
        data: vec![DataPoint { obis: ObisCode::POSITIVE_ENERGY, value }],
        flags: Vec::new(),
    }
}

fn open(dir: &Path) -> Spool {
    let spool = Spool::open(dir).unwrap();
    spool.remember_consent(ConsentState::Granted, CLOCK.0).unwrap();
    spool
}

fn filled(count: u8) -> (tempfile::TempDir, Spool) {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path());
    for number in 0..count {
        spool.store(&measurement(0, number), slot(number)).unwrap();
    }
    (dir, spool)
}

fn send(spool: &Spool, server: &FakeServer) -> Result<Report, TransmitError> {
    transmit(spool, &Link { server, meanwhile: &|| {} }, &CLOCK)
}

/// A server that has no room for odd slots, says so of each where there are others, and of the whole
/// upload where there are not.
struct Full {
    room: std::cell::Cell<bool>,
    stored: RefCell<Vec<Uuid>>,
}

impl Upload for Full {
    fn upload(&self, request: &UploadRequest) -> Result<UploadResponse, ClientError> {
        let is_odd = |one: &Measurement| one.measured_at.as_second() / 900 % 2 == 1;
        if !self.room.get() && request.measurements.iter().all(is_odd) {
            return Err(problem(429, problem_type::QUOTA));
        }
        let item = |one: &Measurement| {
            let deferred = is_odd(one) && !self.room.get();
            let outcome = if deferred { UploadOutcome::Deferred } else { UploadOutcome::Accepted };
            if !deferred {
                self.stored.borrow_mut().push(one.uuid);
            }
            UploadItem { uuid: one.uuid, outcome, reason: None }
        };
        Ok(UploadResponse { items: request.measurements.iter().map(item).collect() })
    }
}

#[test]
fn what_a_server_has_no_room_for_stays_and_holds_up_nothing() {
    for batch in [1, 3, 100] {
        let (_dir, spool) = filled(20);
        let server = Full { room: false.into(), stored: RefCell::default() };
        let send = || transmit_in_batches(&spool, &server, &CLOCK, batch);
        let report = send().unwrap();
        assert_eq!((report.accepted, report.refused, report.remaining), (10, 0, 10), "{batch}");
        assert_eq!((spool.len().unwrap(), spool.refused_len().unwrap()), (10, 0));
        // With nothing else to send it is a failure, which waits as long as the server says.
        match send() {
            Err(TransmitError::Upload { source, .. }) => assert!(source.is_temporary()),
            other => panic!("{other:?}"),
        }
        assert_eq!(spool.len().unwrap(), 10);
        server.room.set(true);
        assert_eq!(send().unwrap().accepted, 10);
        assert_eq!((spool.len().unwrap(), server.stored.borrow().len()), (0, 20));
    }
}

#[derive(Debug, Clone)]
enum Step {
    Store { meter: u8, slot: u8 },
    Transmit { faults: Vec<Fault>, batch: usize },
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..3_u8, 0..40_u8).prop_map(|(meter, slot)| Step::Store { meter, slot }),
        3 => (prop::collection::vec(fault(), 0..6), 1..6_usize)
            .prop_map(|(faults, batch)| Step::Transmit { faults, batch }),
        1 => Just(Step::Crash),
    ]
}

/// Every measurement that was stored is in exactly one place: with the server, still in the spool
/// (then perhaps with the server, which has not been heard of), or refused.
fn check(
    spool: &Spool,
    server: &FakeServer,
    model: &BTreeMap<Uuid, Measurement>,
) -> Result<(), TestCaseError> {
    let mut places = server.stored.borrow().clone();
    let mut waiting = BTreeMap::new();
    for measurement in spool.pending(usize::MAX)? {
        prop_assert!(waiting.insert(measurement.uuid, measurement).is_none(), "doubled");
    }
    for refused in spool.refused()? {
        let uuid = refused.measurement.uuid;
        prop_assert!(is_disliked(uuid) && !waiting.contains_key(&uuid));
        places.insert(uuid, refused.measurement);
    }
    places.extend(waiting);
    prop_assert_eq!(&places, model);
    Ok(())
}

/// A folder in memory where there is one: what these cases wait for otherwise is the disk.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_and_nothing_doubled(steps in prop::collection::vec(step(), 1..60)) {
        let dir = folder();
        let mut spool = open(dir.path());
        let server = FakeServer::default();
        let model = RefCell::new(BTreeMap::new());
        let store = |spool: &Spool, meter, number| {
            let measurement = measurement(meter, number);
            let stored = spool.store(&measurement, slot(number)).unwrap();
            let known = model.borrow_mut().insert(measurement.uuid, measurement).is_some();
            let expected = if known { Stored::AlreadyMeasured } else { Stored::Stored };
            assert_eq!(stored, expected);
        };
        let mut late = 100;
        for step in steps {
            match step {
                Step::Store { meter, slot } => store(&spool, meter, slot),
                Step::Crash => spool = Spool::open(dir.path())?,
                Step::Transmit { faults, batch } => {
                    server.faults.replace(faults);
                    late += 1;
                    let meanwhile = || store(&Spool::open(dir.path()).unwrap(), 9, late);
                    let link = Link { server: &server, meanwhile: &meanwhile };
                    let run = || transmit_in_batches(&spool, &link, &CLOCK, batch);
                    let outcome = quietly(run);
                    match outcome {
                        Ok(Ok(report)) => prop_assert_eq!(report.remaining, spool.len()?),
                        Ok(Err(TransmitError::Upload { .. } | TransmitError::Unanswered { .. })) => {}
                        Ok(Err(error)) => return Err(TestCaseError::fail(error.to_string())),
                        Err(_) => spool = Spool::open(dir.path())?,
                    }
                }
            }
            check(&spool, &server, &model.borrow())?;
        }
        server.faults.borrow_mut().clear();
        let report = send(&spool, &server)?;
        prop_assert_eq!(report.remaining, 0);
        prop_assert!(spool.is_empty()?);
        check(&spool, &server, &model.borrow())?;
        let (stored, refused) = (server.stored.borrow().len(), spool.refused()?.len());
        prop_assert_eq!(stored + refused, model.borrow().len());
    }
}

/// Runs to the end or to the device's death.
fn quietly<T>(run: impl FnOnce() -> T) -> std::thread::Result<T> {
    use std::sync::Once;
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if panic.payload_as_str() != Some("the device dies") {
                usual(panic);
            }
        }));
    });
    catch_unwind(AssertUnwindSafe(run))
}

#[test]
fn a_report_counts_what_became_of_each() {
    let (_dir, spool) = filled(100);
    let server = FakeServer::default();
    let pending = spool.pending(30).unwrap();
    server.store(&pending);
    let disliked =
        spool.pending(100).unwrap().iter().filter(|m| is_disliked(m.uuid)).count() as u64;
    let known = server.stored.borrow().len() as u64;
    assert!(disliked > 0 && known > 0);
    let report = send(&spool, &server).unwrap();
    let accepted = 100 - known - disliked;
    assert_eq!(report, Report { accepted, duplicate: known, refused: disliked, remaining: 0 });
    assert_eq!(spool.refused().unwrap().len() as u64, disliked);
    assert_eq!(spool.refused().unwrap()[0].reason, "disliked");
    assert_eq!(send(&spool, &server).unwrap(), Report::default());
    assert_eq!(*server.requests.borrow(), 1, "an empty spool sends nothing");
}

#[test]
fn nothing_is_sent_without_consent() {
    let dir = tempfile::tempdir().unwrap();
    let spool = Spool::open(dir.path()).unwrap();
    spool.store(&measurement(0, 0), slot(0)).unwrap();
    let server = FakeServer::default();
    assert!(matches!(send(&spool, &server), Err(TransmitError::NotGranted)));
    spool.remember_consent(ConsentState::NotGranted, CLOCK.0).unwrap();
    assert!(matches!(send(&spool, &server), Err(TransmitError::NotGranted)));
    spool.purge(CLOCK.0).unwrap();
    assert!(matches!(send(&spool, &server), Err(TransmitError::Revoked)));
    assert_eq!(*server.requests.borrow(), 0);
}

/// A server that answers every request alike.
struct Always<F>(F, RefCell<usize>);

impl<F: Fn() -> ClientError> Upload for Always<F> {
    fn upload(&self, _: &UploadRequest) -> Result<UploadResponse, ClientError> {
        *self.1.borrow_mut() += 1;
        Err((self.0)())
    }
}

#[test]
fn revoked_purges_and_not_granted_leaves_all_in_place() {
    let (_dir, spool) = filled(10);
    let early = Always(|| problem(409, problem_type::CONSENT_NOT_GRANTED), RefCell::new(0));
    assert!(matches!(transmit(&spool, &early, &CLOCK), Err(TransmitError::NotGranted)));
    assert_eq!(spool.len().unwrap(), 10);
    spool.remember_consent(ConsentState::Granted, CLOCK.0).unwrap();

    let gone = Always(|| problem(410, problem_type::CONSENT_REVOKED), RefCell::new(0));
    assert!(matches!(transmit(&spool, &gone, &CLOCK), Err(TransmitError::Revoked)));
    assert!(spool.is_empty().unwrap() && spool.is_revoked().unwrap());
    assert!(matches!(transmit(&spool, &gone, &CLOCK), Err(TransmitError::Revoked)));
    assert_eq!(*gone.1.borrow(), 1, "a revoked device stays silent");
}

#[test]
fn any_other_refusal_of_a_request_leaves_all_in_place() {
    let failures: [fn() -> ClientError; 6] = [
        || problem(401, problem_type::UNAUTHENTICATED),
        || problem(403, problem_type::SCOPE),
        || problem(404, problem_type::NOT_FOUND),
        || problem(410, problem_type::NOT_FOUND),
        || problem(500, "about:blank"),
        || problem(400, problem_type::INVALID),
    ];
    for failure in failures {
        let (_dir, spool) = filled(10);
        let server = Always(failure, RefCell::new(0));
        let error = transmit(&spool, &server, &CLOCK).unwrap_err();
        assert!(matches!(error, TransmitError::Upload { .. }), "{error:?}");
        assert_eq!(spool.len().unwrap(), 10);
        assert!(spool.refused().unwrap().is_empty());
        assert!(*server.1.borrow() < 20, "{} requests", server.1.borrow());
    }
}

/// A server that cannot read a request with a certain measurement in it, and takes three at most.
struct Choking(FakeServer, Uuid);

impl Upload for Choking {
    fn upload(&self, request: &UploadRequest) -> Result<UploadResponse, ClientError> {
        if request.measurements.len() > 3 {
            return Err(problem(413, "about:blank"));
        }
        if request.measurements.iter().any(|m| m.uuid == self.1) {
            return Err(problem(400, problem_type::INVALID));
        }
        Ok(UploadResponse { items: self.0.store(&request.measurements) })
    }
}

#[test]
fn one_measurement_that_the_server_chokes_on_holds_up_no_other() {
    let (_dir, spool) = filled(40);
    let poison = measurement(0, 5).uuid;
    let server = Choking(FakeServer::default(), poison);
    let report = transmit(&spool, &server, &CLOCK).unwrap();
    assert_eq!(report.accepted + report.refused, 39);
    assert_eq!(report.remaining, 1);
    assert_eq!(spool.pending(10).unwrap()[0].uuid, poison);
}
