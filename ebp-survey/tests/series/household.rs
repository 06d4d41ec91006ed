//! A household with a meter at the grid and one that counts what is generated, and what they are read.

use std::sync::{Arc, Mutex};

use ebp_core::{
    clock::Clock,
    cycle::Cycle,
    model::{DataPoint, Flag, Measurement, measurement_id},
    obis::ObisCode,
};
use ebp_store::{Database, HouseholdId, Store, open_store};
use ebp_survey::Survey;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::cluster;

/// A quarter hour in seconds.
pub const QUARTER: i64 = 900;

pub const GRID: Uuid = Uuid::from_u128(0x11);
pub const PV: Uuid = Uuid::from_u128(0x22);

/// Whose time a test sets.
pub struct TestClock(Mutex<Timestamp>);

impl TestClock {
    pub fn set(&self, now: Timestamp) {
        *self.0.lock().unwrap() = now;
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// A midnight in Berlin, four weeks before summer time begins.
pub fn start() -> Timestamp {
    "2026-02-28T23:00:00Z".parse().unwrap()
}

/// So many hours behind it.
pub fn hours(hours: i64) -> Timestamp {
    start() + SignedDuration::from_hours(hours)
}

pub enum Engine {
    Sqlite(tempfile::TempDir),
    Postgres(Database),
}

impl Engine {
    pub fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().unwrap())
    }

    pub async fn postgres() -> Self {
        let (_, settings) = cluster::shared().database().await;
        Self::Postgres(Database::Postgres(settings))
    }

    pub async fn open(&self) -> Arc<dyn Store> {
        match self {
            Self::Sqlite(dir) => {
                let path = dir.path().join("ebp.sqlite");
                open_store(&Database::Sqlite(path)).await.unwrap()
            }
            Self::Postgres(database) => open_store(database).await.unwrap(),
        }
    }
}

/// A household whose consent was granted at the start.
pub struct Household {
    pub store: Arc<dyn Store>,
    pub survey: Arc<Survey>,
    pub clock: Arc<TestClock>,
    pub id: HouseholdId,
}

impl Household {
    pub async fn new(engine: &Engine) -> Self {
        Self::registered(engine, |_| {}).await
    }

    /// One whose registration differs.
    pub async fn registered(engine: &Engine, change: impl FnOnce(&mut Value)) -> Self {
        let store = engine.open().await;
        let mut registration = json!({
            "participant": {"name": "Erika Mustermann", "email": "erika@example.org"},
            "address": {"street": "Heidestraße 17", "postal_code": "51147", "city": "Köln",
                        "country": "DE"},
            "metadata": {"children": 0, "adults": 2, "adults_with_job": 2, "heat_pump": false,
                         "electric_vehicle_charger": false, "home_battery": false},
            "meters": [{"type": "ELECTRICITY", "model": "EHZ", "uuid": GRID},
                       {"type": "PV-GENERATION", "model": "MT681", "uuid": PV}],
            "pv_systems": [{"nominal_power": 7.5, "azimuth": 180, "tilt": 35,
                            "installed_on": "2019-05-03", "meter": 1}]
        });
        change(&mut registration);
        let registration = serde_json::from_value(registration).unwrap();
        let made = store.register(registration, start()).await.unwrap();
        let id = HouseholdId(made.household);
        store.grant_consent(id, start()).await.unwrap();
        Self::from_store(store, id)
    }

    pub fn from_store(store: Arc<dyn Store>, id: HouseholdId) -> Self {
        let clock = Arc::new(TestClock(Mutex::new(start())));
        let survey = Arc::new(Survey::new(store.clone(), clock.clone()));
        Self { store, survey, clock, id }
    }

    /// The same household by another connection to its database.
    pub async fn reopen(&self, engine: &Engine) -> Self {
        let reopened = Self::from_store(engine.open().await, self.id);
        reopened.clock.set(self.clock.now());
        reopened
    }

    /// Uploads measurements that arrive now.
    pub async fn upload(&self, measurements: &[Measurement]) {
        for some in measurements.chunks(2_000) {
            let now = self.clock.now();
            self.store.insert_measurements(self.id, some.to_vec(), now).await.unwrap();
        }
    }

    /// The kept days of the meter at the grid.
    pub async fn kept(&self) -> Vec<String> {
        let meters = self.store.series_household(self.id).await.unwrap().meters;
        let grid = meters.iter().find(|meter| meter.uuid == GRID).unwrap();
        self.store.kept_days(grid.number, i64::MIN, i64::MAX).await.unwrap()
    }
}

/// Pseudo-random numbers.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        (self.0 >> 33) % bound
    }

    pub fn chance(&mut self, per_thousand: u64) -> bool {
        self.below(1_000) < per_thousand
    }
}

/// A measurement that was taken then, with what both registers show.
pub fn measurement(meter: Uuid, at: Timestamp, import: Decimal, export: Decimal) -> Measurement {
    let point = |obis, value| DataPoint { obis, value };
    Measurement {
        uuid: measurement_id(meter, Cycle::QUARTER_HOUR.slot(at)),
        meter,
        measured_at: at,
        data: vec![
            point(ObisCode::POSITIVE_ENERGY, import),
            point(ObisCode::NEGATIVE_ENERGY, export),
        ],
        flags: Vec::new(),
    }
}

/// What both meters are read over so many days: some late in their slots, some missing, some of whole
/// kWh, some at instants that were set right; and a register that begins anew.
pub fn record(seed: u64, days: i64) -> Vec<Measurement> {
    let mut random = Random(seed);
    let mut all = Vec::new();
    let (mut drawn, mut fed_in, mut generated) = (1_234_567_u64, 98_765, 55_555);
    let reset = 96 * (days / 2) + 40;
    let mut locked = false;
    for slot in 0..days * 96 {
        drawn += random.below(3_000);
        fed_in += random.below(2_000);
        generated += 2_000 + random.below(2_000);
        if slot == reset {
            drawn = 17;
        }
        locked = if locked { !random.chance(100) } else { random.chance(5) };
        for (meter, import, export) in [(GRID, drawn, fed_in), (PV, 300, generated)] {
            if random.chance(20) || (slot % 300 > 280 && random.chance(300)) {
                continue;
            }
            let after = if random.chance(30) { 61 + random.below(800) } else { random.below(4) };
            let micros = after * 1_000_000 + random.below(1_000_000);
            let at = start()
                + SignedDuration::from_secs(slot * QUARTER)
                + SignedDuration::from_micros(micros.cast_signed());
            let shown = |value: u64| {
                let exact = Decimal::new(value.cast_signed(), 4);
                if locked { exact.trunc() } else { exact }
            };
            let mut item = measurement(meter, at, shown(import), shown(export));
            if random.chance(10) {
                item.flags = vec![Flag::ClockCorrected, Flag::TimeWithin5s];
            }
            all.push(item);
        }
    }
    all
}
