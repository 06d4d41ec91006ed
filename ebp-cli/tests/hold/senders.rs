//! Senders that do not give up: a batch that was not acknowledged is sent again as it is.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use ebp_client::{Client, ClientOptions, identity::Identity};
use ebp_core::{
    contract::{UploadOutcome, UploadRequest},
    model::{DataPoint, Measurement},
    obis::ObisCode,
};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::support::{
    LIMIT,
    household::{Certificate, Household},
    server::Server,
    wait_for,
};

/// How large a sender's batches are, by turns: a device's report, and a heap after an outage.
const BATCHES: [usize; 4] = [4, 4, 1000, 37];

/// Senders at work on one household's first meter.
pub struct Senders {
    stop: Arc<AtomicBool>,
    acknowledged: Arc<AtomicUsize>,
    threads: Vec<JoinHandle<BTreeSet<Uuid>>>,
}

/// A client as the household's device has it.
pub fn client(server: &Server, household: &Household) -> Client {
    connect(server, &household.device_certificate)
}

/// A client as the household's participant has it.
fn participant(server: &Server, household: &Household) -> Client {
    connect(server, &household.participant)
}

fn connect(server: &Server, certificate: &Certificate) -> Client {
    let identity = Identity::load(&certificate.chain, &certificate.key, &server.ca()).unwrap();
    let options = ClientOptions { timeout: Duration::from_secs(10), ..ClientOptions::default() };
    Client::new(&server.url(), &identity, options).unwrap()
}

/// Measurements of the household's first meter, each a microsecond after the other from `number`
/// after consent was granted.
pub fn batch(household: &Household, since: Timestamp, number: usize, size: usize) -> UploadRequest {
    let measurements = (number..number + size)
        .map(|i| Measurement {
            uuid: Uuid::new_v4(),
            meter: household.meters[0].parse().unwrap(),
            measured_at: since + SignedDuration::from_micros(i64::try_from(i).unwrap()),
            data: vec![DataPoint {
                obis: ObisCode::POSITIVE_ENERGY,
                value: format!("{i}.0625").parse().unwrap(),
            }],
            flags: Vec::new(),
        })
        .collect();
    UploadRequest { measurements }
}

/// When consent was granted.
pub fn granted_at(server: &Server, household: &Household) -> Timestamp {
    client(server, household).consent().unwrap().granted_at.unwrap()
}

impl Senders {
    /// So many begin to send.
    pub fn start(server: &Server, household: &Arc<Household>, count: usize) -> Self {
        let since = granted_at(server, household);
        let (stop, acknowledged) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let threads = (0..count)
            .map(|sender| {
                let client = client(server, household);
                let (household, stop) = (household.clone(), Arc::clone(&stop));
                let acknowledged: Arc<AtomicUsize> = Arc::clone(&acknowledged);
                thread::spawn(move || {
                    let mut all = BTreeSet::new();
                    // Apart from the other senders' instants.
                    let mut number = sender * 300_000;
                    for size in BATCHES.into_iter().cycle() {
                        if stop.load(Ordering::Relaxed) {
                            break;
                        }
                        let request = batch(&household, since, number, size);
                        number += size;
                        insist(&client, &request);
                        all.extend(request.measurements.iter().map(|item| item.uuid));
                        acknowledged.fetch_add(size, Ordering::Relaxed);
                    }
                    all
                })
            })
            .collect();
        Self { stop, acknowledged, threads }
    }

    /// Waits until more has been acknowledged: service goes on.
    #[track_caller]
    pub fn wait_for_more(&self) {
        let before = self.acknowledged.load(Ordering::Relaxed);
        wait_for("further acknowledgements", || {
            (self.acknowledged.load(Ordering::Relaxed) > before).then_some(())
        });
    }

    /// Ends them when each has its last acknowledgement, and returns what was acknowledged.
    pub fn end(self) -> BTreeSet<Uuid> {
        self.stop.store(true, Ordering::Relaxed);
        self.threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    }
}

/// Sends until every measurement is acknowledged.
pub fn insist(client: &Client, request: &UploadRequest) {
    let since = Instant::now();
    loop {
        match client.upload(request) {
            Ok(answer) => {
                assert_eq!(answer.items.len(), request.measurements.len());
                for (item, sent) in answer.items.iter().zip(&request.measurements) {
                    assert_eq!(item.uuid, sent.uuid);
                    assert_ne!(item.outcome, UploadOutcome::Refused, "{item:?}");
                }
                return;
            }
            Err(error) => {
                assert!(since.elapsed() < 2 * LIMIT, "{error}");
                thread::sleep(Duration::from_millis(20));
            }
        }
    }
}

/// The server has what was acknowledged, each once, and nothing else.
#[track_caller]
pub fn assert_complete(server: &Server, household: &Household, acknowledged: &BTreeSet<Uuid>) {
    let meter = household.meters[0].parse().unwrap();
    let client = participant(server, household);
    // A database that was killed may still be recovering.
    wait_for("the server to be ready", || client.consent().ok());
    let mut stored = BTreeSet::new();
    for item in client.measurements(meter, None, None) {
        let uuid = item.unwrap().uuid;
        assert!(stored.insert(uuid), "{uuid} twice");
    }
    let missing = acknowledged.difference(&stored).count();
    let surplus = stored.difference(acknowledged).count();
    assert_eq!((missing, surplus), (0, 0), "of {} acknowledged", acknowledged.len());
}
