//! Releases of households whose meters were exchanged: within a month, over a month's end, with
//! days and with more than a month between both meters, and by a meter with another register. What
//! they show is what the internal set has.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use ebp_core::{
    clock::SystemClock,
    contract::{
        ConsentGrant, Language, MeterChange, Registered, Registration, ReleaseTier, SurveyText,
    },
    model::Measurement,
};
use ebp_dataset::{
    QUARTER,
    files::{
        BALANCE, Format, PROFILES, RELEASED_BALANCE, RELEASED_HOUSEHOLDS, Table, check_folder,
    },
    release::Detail,
};
use ebp_store::{HouseholdId, InsertOutcome, Store};
use ebp_survey::dataset::{
    ExportOrder,
    release::{Person, ReleaseOrder, confirm, release},
};
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use crate::{
    dataset::{at, make, order, rows},
    release::People,
    world::World,
};

crate::on_both!(exchanged_meters_are_released);

const HOUSEHOLDS: usize = 44;

/// From then to then meters are read: March and April are whole.
const READ: (&str, &str) = ("2026-02-08T00:00:00Z", "2026-05-20T00:00:00Z");

/// Each quarter hour is read then, and each midnight at any time.
const DENSE: [(&str, &str); 2] = [
    ("2026-03-10T06:00:00Z", "2026-03-10T18:00:00Z"),
    ("2026-03-31T12:00:00Z", "2026-04-01T12:00:00Z"),
];

/// Which household's meter is read until when, and the next one from when on; those with even
/// numbers have a photovoltaic system.
const EXCHANGES: [(usize, &str, &str); 8] = [
    (0, "2026-03-10T11:00:00Z", "2026-03-10T12:00:00Z"),
    (1, "2026-03-31T20:00:00Z", "2026-04-01T06:00:00Z"),
    (2, "2026-03-28T12:00:00Z", "2026-04-01T06:00:00Z"),
    (3, "2026-03-10T10:00:00Z", "2026-04-15T00:00:00Z"),
    (4, "2026-03-10T10:00:00Z", "2026-03-31T14:00:00Z"),
    // Those of the systems, of which the next ones count generation by 2.8.0.
    (6, "2026-03-10T11:00:00Z", "2026-03-10T12:00:00Z"),
    (8, "2026-03-10T10:00:00Z", "2026-04-15T00:00:00Z"),
    (ONE_REGISTER, "2026-03-31T20:00:00Z", "2026-04-01T06:00:00Z"),
];

/// The first meter of this household shows 1.8.0 alone.
const ONE_REGISTER: usize = 7;

fn micros(text: &str) -> i64 {
    at(text).as_microsecond()
}

const fn has_system(number: usize) -> bool {
    number.is_multiple_of(2)
}

fn exchange(number: usize) -> Option<(i64, i64)> {
    let of = EXCHANGES.iter().find(|(of, ..)| *of == number);
    of.map(|(_, until, from)| (micros(until), micros(from)))
}

const fn is_of_system(number: usize) -> bool {
    matches!(number, 6 | 8)
}

fn registration(number: usize) -> Registration {
    let is_even = number.is_multiple_of(2);
    let mut meters = vec![json!({"type": "ELECTRICITY", "model": "MT175"})];
    let mut systems = Vec::new();
    if has_system(number) {
        meters.push(json!({"type": "PV-GENERATION", "model": "MT681"}));
        systems.push(json!({"nominal_power": 9.8, "azimuth": 180, "tilt": 30,
                            "installed_on": "2020-05-01", "meter": 1}));
    }
    if exchange(number).is_some() {
        let kind = if is_of_system(number) { "PV-GENERATION" } else { "ELECTRICITY" };
        meters.push(json!({"type": kind, "model": "DD3"}));
    }
    serde_json::from_value(json!({
        "participant": {"name": "Erika Mustermann", "email": format!("h{number}@example.org")},
        "address": {"street": format!("Allee {number}"), "postal_code": "51147", "city": "Köln",
                    "country": "DE"},
        "location": {"latitude": 50.85 + number as f64 * 0.0011, "longitude": 7.1},
        "metadata": {"children": 1, "adults": 2, "adults_with_job": 1, "heat_pump": is_even,
                     "electric_vehicle_charger": !is_even, "home_battery": false},
        "meters": meters,
        "pv_systems": systems,
    }))
    .unwrap()
}

/// What a register grew by in each quarter hour, hundredths of a kilowatt hour.
#[derive(Clone, Copy)]
enum Grown {
    Import,
    Export,
    Generation,
    Nothing,
    /// It is not shown.
    Absent,
}

impl Grown {
    const fn within(self, slot: usize, number: usize) -> i64 {
        (match self {
            Self::Import => 5 + (slot * 7 + number * 3) % 11,
            Self::Export => (slot + number) % 4,
            Self::Generation => 10 + (slot * 5 + number) % 7,
            Self::Nothing | Self::Absent => 0,
        }) as i64
    }
}

/// The readings of a meter between two instants, whose registers 1.8.0 and 2.8.0 grow so.
fn measurements(
    (meter, number): (Uuid, usize),
    (from, to): (i64, i64),
    shown: [Grown; 2],
) -> Vec<Measurement> {
    let is_dense = |at: i64| DENSE.iter().any(|(a, b)| (micros(a)..=micros(b)).contains(&at));
    let mut all = Vec::new();
    let mut registers = [number as i64 * 1_700 + i64::from(meter.as_bytes()[0]), 500];
    let slots = (micros(READ.0)..=micros(READ.1)).step_by(usize::try_from(QUARTER).unwrap());
    for (slot, at) in slots.enumerate() {
        if (from..to).contains(&at) && (slot.is_multiple_of(96) || is_dense(at)) {
            let points: Vec<String> = shown
                .iter()
                .zip(registers)
                .zip(["0100010800ff", "0100020800ff"])
                .filter(|((grown, _), _)| !matches!(grown, Grown::Absent))
                .map(|((_, it), code)| {
                    format!("{{\"{code}\":{}.{:02}11}}", 1_000 + it / 100, it % 100)
                })
                .collect();
            all.push(Measurement {
                uuid: Uuid::new_v4(),
                meter,
                measured_at: Timestamp::from_microsecond(at + 1_000_000).unwrap(),
                data: serde_json::from_str(&format!("[{}]", points.join(","))).unwrap(),
                flags: Vec::new().into_iter().collect(),
            });
        }
        for (register, grown) in registers.iter_mut().zip(shown) {
            *register += grown.within(slot, number);
        }
    }
    all
}

/// Of each meter, in the order of registration, from when to when it is read, and what it counts.
fn meters(number: usize) -> Vec<((i64, i64), [Grown; 2])> {
    let whole = (micros(READ.0), i64::MAX);
    let export = if has_system(number) { Grown::Export } else { Grown::Nothing };
    let mut meters = vec![(whole, [Grown::Import, export])];
    if has_system(number) {
        meters.push((whole, [Grown::Generation, Grown::Nothing]));
    }
    if let Some((until, from)) = exchange(number) {
        let place = usize::from(is_of_system(number));
        let mut shown = meters[place].1;
        if is_of_system(number) {
            shown.reverse();
        }
        meters[place].0.1 = until;
        if number == ONE_REGISTER {
            meters[place].1[1] = Grown::Absent;
        }
        meters.push(((from, i64::MAX), shown));
    }
    meters
}

async fn fill(store: &Arc<dyn Store>) -> Vec<Registered> {
    let text = SurveyText {
        language: Language::De,
        summary: "Kurz\n".into(),
        details: "Lang\n".into(),
        release: Some(ReleaseTier::Research),
    };
    store.publish_texts(1, vec![text]).await.unwrap();
    let since = at("2026-02-01T00:00:00Z");
    let mut all = Vec::new();
    for number in 0..HOUSEHOLDS {
        let made = store.register(registration(number), since).await.unwrap();
        let id = HouseholdId(made.household);
        let grant = ConsentGrant { text_version: Some(1), language: Some(Language::De) };
        store.grant_consent_through(id, grant, None, since).await.unwrap();
        for (meter, (read, shown)) in made.meters.iter().zip(meters(number)) {
            for some in measurements((*meter, number), read, shown).chunks(500) {
                let when = at("2026-06-01T00:00:00Z");
                let stored = store.insert_measurements(id, some.to_vec(), when).await.unwrap();
                assert!(stored.iter().all(|one| *one == InsertOutcome::Accepted), "{stored:?}");
            }
        }
        if let Some((until, _)) = exchange(number) {
            let removed_at = Timestamp::from_microsecond(until).unwrap();
            let change = MeterChange {
                removed_at: Some(Some(removed_at)),
                measurement_device: Some(None),
                ..MeterChange::default()
            };
            let meter = made.meters[usize::from(is_of_system(number))];
            store.change_meter(id, meter, change).await.unwrap();
        }
        all.push(made);
    }
    all
}

type Row = BTreeMap<&'static str, String>;

fn number(row: &Row, column: &str) -> Option<f64> {
    row[column].parse().ok()
}

/// The internal set's balances by household and quarter hour, of March and April.
fn known(set: &Path) -> BTreeMap<(String, String), Row> {
    rows(set, &BALANCE, Format::Parquet)
        .into_iter()
        .filter(|row| ("2026-03-01".."2026-05-01").contains(&row["local_date"].as_str()))
        .map(|row| ((row["household"].clone(), row["slot_start"].clone()), row))
        .collect()
}

/// Makes a release and confirms it; a check has to accept it.
async fn make_release(
    store: &Arc<dyn Store>,
    tier: ReleaseTier,
    (alice, bob): (&Person, &Person),
    path: &Path,
) {
    let order = ReleaseOrder {
        tier,
        recipient: (tier == ReleaseTier::Research).then(|| "University of Examples".into()),
        finest: Detail::Country,
        households: None,
        register: None,
        keep_ids: true,
    };
    let drafted = release(store, &export(), &order, path, alice, &mut |_| Ok(())).await.unwrap();
    assert_eq!((drafted.households, drafted.left), (HOUSEHOLDS, 0));
    confirm(store, path, bob, &SystemClock).await.unwrap();
    assert_eq!(check_folder(path).unwrap().findings, []);
}

fn export() -> ExportOrder {
    ExportOrder { as_of: at("2026-06-02T00:00:00Z"), ..order(Format::Parquet) }
}

async fn exchanged_meters_are_released(world: World) {
    let store = world.survey.store();
    let made = fill(store).await;
    let (_folder, internal) = make(store, &export()).await;
    let known = known(&internal);
    let people = People::new();
    let alice = people.person(store, "alice").await.unwrap();
    let bob = people.person(store, "bob").await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    make_release(store, ReleaseTier::Research, (&alice, &bob), &path("research")).await;
    compare_research(&path("research"), &known, &made);
    make_release(store, ReleaseTier::Public, (&alice, &bob), &path("public")).await;
    compare_public(&path("public"), &known, &made);
}

fn released(set: &Path, table: &Table) -> Vec<Row> {
    rows(set, table, Format::Parquet)
}

fn compare_research(set: &Path, known: &BTreeMap<(String, String), Row>, made: &[Registered]) {
    let mut ids = set.as_os_str().to_owned();
    ids.push(".ids.csv");
    let ids = fs::read_to_string(PathBuf::from(ids)).unwrap();
    let ids: BTreeMap<&str, &str> =
        ids.lines().skip(1).map(|line| line.split_once(',').unwrap()).collect();
    assert_eq!((released(set, &RELEASED_HOUSEHOLDS).len(), ids.len()), (HOUSEHOLDS, HOUSEHOLDS));
    let shown = released(set, &RELEASED_BALANCE);
    assert_eq!(shown.len(), known.len());
    let households: Vec<String> = made.iter().map(|it| it.household.to_string()).collect();
    let mut measured: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for row in &shown {
        let household = ids[row["household"].as_str()];
        let of = &known[&(household.to_owned(), row["slot_start"].clone())];
        for (column, step) in [
            ("import_kwh", 0.01),
            ("export_kwh", 0.01),
            ("generation_kwh", 0.01),
            ("consumption_kwh", 0.03),
            ("self_consumption_kwh", 0.02),
        ] {
            let (released, internal) = (number(row, column), number(of, column));
            if row["quality"] == "withheld" {
                assert_eq!(released, None, "{row:?}");
                continue;
            }
            assert_eq!(released.is_some(), internal.is_some(), "{column}: {row:?} {of:?}");
            let apart = released.unwrap_or(0.0) - internal.unwrap_or(0.0);
            assert!(apart.abs() < step + 1e-9, "{column}: {row:?} {of:?}");
        }
        if row["quality"] != "withheld" {
            assert_eq!(row["quality"], of["quality"], "{row:?}");
        }
        // A meter that shows one register leaves no balance, but what was drawn.
        let is_drawn = households[ONE_REGISTER] == household && number(of, "import_kwh").is_some();
        if of["quality"] == "measured" || is_drawn {
            measured.entry(household).or_default().insert(&row["slot_start"]);
        }
    }
    // Before the exchange and behind it there are balances, between both meters there are none.
    for (place, until, from) in EXCHANGES {
        let all = &measured[households[place].as_str()];
        let is_dense = |of: &str| DENSE.iter().any(|(a, b)| (*a..=*b).contains(&of));
        assert!(all.iter().any(|slot| *slot < until), "{place}");
        assert!(!is_dense(from) || all.iter().any(|slot| *slot >= from), "{place}");
        let between = all.iter().filter(|slot| **slot >= until && **slot < from).count();
        assert_eq!(between, 0, "{place}");
    }
}

fn compare_public(set: &Path, known: &BTreeMap<(String, String), Row>, made: &[Registered]) {
    let without: BTreeSet<String> = (0..HOUSEHOLDS)
        .filter(|number| !has_system(*number))
        .map(|number| made[number].household.to_string())
        .collect();
    let profiles = released(set, &PROFILES);
    let mut slots: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for ((_, slot), row) in known {
        slots.entry(slot).or_default().push(row);
    }
    let mut shown = BTreeSet::new();
    for row in &profiles {
        let all = &slots[row["slot_start"].as_str()];
        let column = format!("{}_kwh", row["quantity"]);
        let mean = |rows: &[&&Row]| {
            let sum: f64 = rows.iter().filter_map(|row| number(row, &column)).sum();
            sum / rows.len() as f64
        };
        let whole: Vec<&&Row> =
            all.iter().filter(|row| number(row, "consumption_kwh").is_some()).collect();
        // Who has no system generates 0.
        let is_known = |of: &Row| {
            let is_none = row["quantity"] == "generation" && without.contains(&of["household"]);
            is_none || number(of, &column).is_some()
        };
        let any: Vec<&&Row> = all.iter().filter(|of| is_known(of)).collect();
        let released = number(row, "mean_kwh").unwrap();
        let is_it = |rows: &[&&Row]| (mean(rows) - released).abs() < 0.001;
        let is_of_any = row["quantity"] == "import" || whole.len() < 10;
        assert!(is_it(&whole) || (is_of_any && is_it(&any)), "{row:?}");
        let count = number(row, "households").unwrap() as usize;
        assert!(count <= any.len(), "{row:?}");
        shown.insert((row["slot_start"].as_str(), row["quantity"].as_str()));
    }
    // Where a meter was exchanged the others are shown, before, between and behind.
    for slot in ["2026-03-10T09:00:00Z", "2026-03-10T11:30:00Z", "2026-04-01T00:00:00Z"] {
        for quantity in ["consumption", "import"] {
            assert!(shown.contains(&(slot, quantity)), "{slot} {quantity}");
        }
    }
}
