//! Devices that send to two servers, each request to either, and what came of it.

use std::{
    collections::BTreeSet,
    fs,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle, sleep},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use jiff::Timestamp;
use reqwest::{
    Certificate, Identity,
    blocking::{Client, RequestBuilder},
};
use serde_json::{Value, json};

use crate::survey::Household;

/// Between two requests of a device.
const PAUSE: Duration = Duration::from_millis(100);
/// After both servers refused the connection.
const WAIT: Duration = Duration::from_millis(20);
/// How often a request is tried before nobody answers.
const ATTEMPTS: usize = 500;

/// What came of it until now.
#[derive(Debug, Default, Clone)]
pub struct LoadOutcome {
    pub answers: usize,
    /// Requests whose connection was refused or ended, and that were sent to the other server.
    pub repeated: usize,
    /// The measurements that a server said it has.
    pub acknowledged: BTreeSet<String>,
    /// Answers that are none of a server that works.
    pub wrong: Vec<String>,
}

/// All devices, until they are told to end.
pub struct Load {
    outcome: Arc<Mutex<LoadOutcome>>,
    ends: Arc<AtomicBool>,
    devices: Vec<JoinHandle<Result<()>>>,
}

impl Load {
    /// A thread for each household's device.
    ///
    /// # Errors
    /// When a device's certificate cannot be read.
    pub fn start(households: &[Household], ports: &[u16]) -> Result<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let outcome = Arc::new(Mutex::new(LoadOutcome::default()));
        let ends = Arc::new(AtomicBool::new(false));
        let mut devices = Vec::new();
        for (number, household) in households.iter().enumerate() {
            let device = Device {
                client: client(household)?,
                meter: household.meter.clone(),
                number,
                ports: ports.to_vec(),
                outcome: Arc::clone(&outcome),
                ends: Arc::clone(&ends),
            };
            devices.push(thread::spawn(move || device.run()));
        }
        Ok(Self { outcome, ends, devices })
    }

    /// How many good answers there were until now.
    pub fn answers(&self) -> usize {
        self.now().answers
    }

    fn now(&self) -> MutexGuard<'_, LoadOutcome> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What came of it until now, in a few words.
    pub fn tell(&self) -> String {
        let now = self.now();
        let stored = now.acknowledged.len();
        format!("{} answers, {stored} measurements, {} wrong", now.answers, now.wrong.len())
    }

    /// Lets each device finish its request.
    ///
    /// # Errors
    /// Those of a device that could not go on.
    pub fn end(self) -> Result<LoadOutcome> {
        self.ends.store(true, Ordering::SeqCst);
        for device in self.devices {
            let Ok(ended) = device.join() else { bail!("a device panicked") };
            ended?;
        }
        let outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(outcome.clone())
    }
}

/// A device's client, as its certificate has it.
fn client(household: &Household) -> Result<Client> {
    let folder = household.folder.join("device");
    let read = |name: &str| fs::read(folder.join(name)).with_context(|| name.to_owned());
    let pem = [read("device.pem")?, read("device.key")?].concat();
    let authority = Certificate::from_pem(&read("ca.pem")?)?;
    let builder = Client::builder().use_rustls_tls().tls_certs_only([authority]);
    Ok(builder.identity(Identity::from_pem(&pem)?).timeout(Duration::from_secs(60)).build()?)
}

struct Device {
    client: Client,
    meter: String,
    number: usize,
    ports: Vec<u16>,
    outcome: Arc<Mutex<LoadOutcome>>,
    ends: Arc<AtomicBool>,
}

impl Device {
    /// Sends two measurements and asks for the consent, again and again.
    #[expect(clippy::disallowed_methods, reason = "servers that run for real want the real time")]
    fn run(self) -> Result<()> {
        let mut turn = self.number;
        let mut count = 0_u64;
        while !self.ends.load(Ordering::SeqCst) {
            let items: Vec<_> = (0..2)
                .map(|_| {
                    count += 1;
                    json!({
                        "uuid": format!("{:08x}-0000-4000-8000-{count:012x}", self.number),
                        "meter": self.meter,
                        "measured_at": Timestamp::now(),
                        "data": [{ "0100010800ff": 12345.6789 }, { "0100100700ff": -0.015 }],
                    })
                })
                .collect();
            let body = json!({ "measurements": items });
            let stored = self.insist(&mut turn, |url| {
                self.client.post(format!("{url}/household/meter/measurement")).json(&body)
            })?;
            self.note(&stored)?;
            self.insist(&mut turn, |url| self.client.get(format!("{url}/household/consent")))?;
        }
        Ok(())
    }

    /// Takes down what a server says it has.
    fn note(&self, stored: &Value) -> Result<()> {
        let items = stored["items"].as_array().with_context(|| format!("no items: {stored}"))?;
        let mut outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        for item in items {
            let is_there = ["accepted", "duplicate"].iter().any(|own| item["outcome"] == **own);
            ensure!(is_there, "a measurement was refused: {item}");
            outcome.acknowledged.insert(item["uuid"].as_str().context("no uuid")?.to_owned());
        }
        Ok(())
    }

    /// Asks one server after the other, as a balancer does that tries another where none listens, until
    /// there is an answer.
    fn insist(&self, turn: &mut usize, ask: impl Fn(&str) -> RequestBuilder) -> Result<Value> {
        for _ in 0..ATTEMPTS {
            sleep(PAUSE);
            *turn += 1;
            let port = self.ports[*turn % self.ports.len()];
            let answer = ask(&format!("https://localhost:{port}")).send();
            let mut outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner);
            match answer {
                Ok(answer) if answer.status().is_success() => {
                    outcome.answers += 1;
                    drop(outcome);
                    if let Ok(value) = answer.json() {
                        return Ok(value);
                    }
                }
                Ok(answer) => {
                    let status = answer.status();
                    let text = answer.text().unwrap_or_default();
                    outcome.wrong.push(format!("{status}: {text}"));
                }
                Err(_) => {
                    outcome.repeated += 1;
                    drop(outcome);
                    sleep(WAIT);
                }
            }
        }
        bail!("nobody answers")
    }
}
