//! What the page, its files and the Data API say of a household whose load, generation and battery are
//! known for each second: the same, to the last digit of the registers, on the days of 23 and 25 hours,
//! across a gap, where a meter is locked and where one is exchanged.

use std::{collections::BTreeMap, ops::Range, str::FromStr};

use ebp_core::{
    contract::{MeterChange, NewMeter, Registration, RegistrationMeter, RegistrationPvSystem},
    model::{
        Address, Battery, GenerationRegister, Location, Metadata, MeterType, MeteringConcept,
        Participant as Person,
    },
};
use ebp_meter::virtual_meter::{Household, HouseholdOptions};
use ebp_store::{Database, HouseholdId, open_store};
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::Value;
use uuid::Uuid;

use super::{
    page::{Browser, enrol, serve},
    people::Participant,
};
use crate::support::{household::Api, server::Server};

const EMAIL: &str = "erika@example.org";
/// The meter at the grid after the exchange.
const NEW: Uuid = Uuid::from_u128(0x77);
/// Microjoules of a unit of a register's last digit, 0.0001 kWh.
const UNIT: i128 = 360_000_000;
/// Local days: of 23 hours in the first stretch, of 25 in the second, where everything else happens.
const STRETCHES: [[&str; 2]; 2] = [["2026-03-28", "2026-03-31"], ["2026-10-23", "2026-11-01"]];
/// The device has no power.
const GAP: [&str; 2] = ["2026-10-24T06:00:00Z", "2026-10-24T15:00:00Z"];
/// The meter at the grid shows whole kilowatt hours and no power, over two midnights.
const LOCKED: [&str; 2] = ["2026-10-27T10:00:00Z", "2026-10-29T10:00:00Z"];
/// Another meter is at the grid from then on.
const EXCHANGED: &str = "2026-10-30T09:00:00Z";

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn is_within(at: Timestamp, [from, to]: [&str; 2]) -> bool {
    (instant(from)..instant(to)).contains(&at)
}

/// What the registers stand at, microjoules, with all their digits.
#[derive(Debug, Clone, Copy, Default)]
struct Truth {
    import: i128,
    export: i128,
    generation: i128,
    /// What the household used, and what its battery took and did not give back.
    consumption: i128,
}

/// A register, kWh, with that many decimals.
fn shown(microjoules: i128, units: i128) -> String {
    let units_shown = microjoules.div_euclid(UNIT * units);
    let value = Decimal::from_i128_with_scale(units_shown * units, 4);
    if units == 1 { value.to_string() } else { value.trunc().to_string() }
}

/// What happened at each quarter of an hour of the stretches.
fn live(zone: &TimeZone) -> BTreeMap<Timestamp, Truth> {
    let mut household = Household::new(HouseholdOptions {
        seed: 1_001,
        pv_peak_watts: 9_840,
        battery_watt_hours: 8_000,
    });
    // Registers that have counted before.
    let mut truth = Truth {
        import: 4_711 * 10_000 * UNIT,
        export: 12_345 * 10_000 * UNIT,
        generation: 28_500 * 10_000 * UNIT,
        consumption: 0,
    };
    let (mut all, exchanged) = (BTreeMap::new(), instant(EXCHANGED).as_second());
    for [first, end] in STRETCHES {
        let [from, to] = [first, end].map(|day| midnight(zone, day.parse().unwrap()));
        for second in from.as_second()..=to.as_second() {
            if second == exchanged {
                // The new meter begins at 0.
                (truth.import, truth.export) = (0, 0);
            }
            if second % 900 == 0 {
                all.insert(Timestamp::from_second(second).unwrap(), truth);
            }
            let power = household.power(second);
            // Milliwatts for a second.
            let of = |milliwatts: i64| i128::from(milliwatts) * 1_000;
            truth.import += of(power.from_grid().max(0));
            truth.export += of((-power.from_grid()).max(0));
            truth.generation += of(power.pv);
            truth.consumption += of(power.load + power.battery);
        }
    }
    all
}

fn midnight(zone: &TimeZone, day: Date) -> Timestamp {
    zone.to_timestamp(day.into()).unwrap()
}

fn days(range: [&str; 2]) -> impl Iterator<Item = Date> {
    let [first, end] = range.map(|day| day.parse::<Date>().unwrap());
    std::iter::successors(Some(first), |day| day.tomorrow().ok()).take_while(move |day| *day < end)
}

/// What the device sends of a quarter hour.
fn measurements(at: Timestamp, truth: &Truth, meters: [Uuid; 2]) -> Vec<String> {
    if is_within(at, GAP) {
        return Vec::new();
    }
    let meter = if at < instant(EXCHANGED) { meters[0] } else { NEW };
    let Truth { import, export, .. } = *truth;
    let grid = if is_within(at, LOCKED) {
        format!(
            "{{\"0100010800ff\":{}}},{{\"0100020800ff\":{}}}",
            shown(import, 10_000),
            shown(export, 10_000)
        )
    } else {
        format!(
            "{{\"0100010800ff\":{}}},{{\"0100020800ff\":{}}},{{\"0100100700ff\":0.25}}",
            shown(import, 1),
            shown(export, 1)
        )
    };
    let roof = format!(
        "{{\"0100010800ff\":3.5017}},{{\"0100020800ff\":{}}},{{\"0100100700ff\":-0.25}}",
        shown(truth.generation, 1)
    );
    let measurement = |meter: Uuid, data: String| {
        let uuid = Uuid::new_v4();
        format!(
            "{{\"uuid\":\"{uuid}\",\"meter\":\"{meter}\",\"measured_at\":\"{at}\",\"data\":[{data}]}}"
        )
    };
    vec![measurement(meter, grid), measurement(meters[1], roof)]
}

/// A household with a roof and a battery, as the demo's first is.
fn registration() -> Registration {
    let meter = |kind, model: &str, register| RegistrationMeter {
        uuid: None,
        kind,
        model: model.to_owned(),
        generation_register: register,
    };
    Registration {
        participant: Person { name: "Erika Beispiel".into(), email: EMAIL.into() },
        address: Address {
            street: "Musterstraße 1".into(),
            postal_code: "65183".into(),
            city: "Wiesbaden".into(),
            country: "DE".into(),
        },
        location: Some(Location::entered(50.0826, 8.2400)),
        metadata: Metadata {
            children: 0,
            adults: 2,
            adults_with_job: 1,
            electric_vehicle_charger: false,
            heat_pump: false,
            home_battery: true,
            metering_concept: MeteringConcept::SurplusFeedIn,
            battery: Battery::Unknown,
        },
        meters: vec![
            meter(MeterType::Electricity, "MT175", None),
            meter(MeterType::PvGeneration, "EHZ", Some(GenerationRegister::Export)),
        ],
        pv_systems: vec![RegistrationPvSystem {
            nominal_power: Decimal::new(984, 2),
            azimuth: Decimal::from(180),
            tilt: Decimal::from(30),
            installed_on: jiff::civil::date(2019, 6, 14),
            meter: Some(1),
        }],
        measurement_device: None,
    }
}

/// Consent was granted in February, and the exchange is registered: both lie in the past.
fn put_into_the_past(server: &Server, erika: &Participant, grid: Uuid) {
    let path = server.data().join("ebp.sqlite");
    let database = rusqlite::Connection::open(&path).unwrap();
    let granted = instant("2026-02-01T00:00:00Z").as_microsecond();
    let changed = database.execute("UPDATE consent SET granted_at = ?1", [granted]).unwrap();
    assert_eq!(changed, 1);
    drop(database);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = open_store(&Database::Sqlite(path)).await.unwrap();
        let household = HouseholdId(erika.household);
        let removed =
            MeterChange { removed_at: Some(Some(instant(EXCHANGED))), ..MeterChange::default() };
        store.change_meter(household, grid, removed).await.unwrap();
        let new = NewMeter {
            uuid: Some(NEW),
            kind: MeterType::Electricity,
            model: "MT681".into(),
            measurement_device: Some(erika.device),
            generation_register: None,
        };
        store.add_meter(household, new).await.unwrap();
        store.close().await.unwrap();
    });
}

fn decimal(value: &Value) -> Option<Decimal> {
    if value.is_null() { None } else { Some(Decimal::from_str(&value.to_string()).unwrap()) }
}

/// The difference of what a register showed, kWh.
fn difference(before: i128, after: i128) -> Decimal {
    Decimal::from_i128_with_scale(after.div_euclid(UNIT) - before.div_euclid(UNIT), 4)
}

/// Everything that is asked for.
struct Asked {
    api: Api,
    browser: Browser,
}

impl Asked {
    fn page(&self, path: &str) -> String {
        let (status, text) = self.browser.get(path);
        assert_eq!(status, 200, "{path}: {text}");
        text
    }
}

#[test]
fn the_page_its_files_and_the_api_say_what_happened_to_the_last_digit() {
    let server = Server::start();
    server.set_secrets();
    let registered = serde_json::to_string(&registration()).unwrap();
    let erika = Participant::register_as(&server, EMAIL, &registered);
    let api = erika.account(&server);
    let meters = api.get("/household/meter");
    let of_type = |kind: &str| -> Uuid {
        let all = meters["items"].as_array().or(meters.as_array()).unwrap();
        let meter = all.iter().find(|meter| meter["type"] == kind).unwrap();
        meter["uuid"].as_str().unwrap().parse().unwrap()
    };
    let meters = [of_type("ELECTRICITY"), of_type("PV-GENERATION")];
    put_into_the_past(&server, &erika, meters[0]);

    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let truth = live(&zone);
    let http = erika.device(&server);
    let rows: Vec<String> =
        truth.iter().flat_map(|(at, truth)| measurements(*at, truth, meters)).collect();
    for part in rows.chunks(5_000) {
        let body = format!("{{\"measurements\":[{}]}}", part.join(","));
        let url = format!("{}/household/meter/measurement", server.url());
        let sent = http.post(url).header("content-type", "application/json").body(body).send();
        let sent = sent.unwrap();
        let (status, answer) = (sent.status().as_u16(), sent.text().unwrap());
        assert!(status == 200 && !answer.contains("refused\":[{"), "{status} {answer}");
    }

    let (code, _, config) = enrol(&server, &erika);
    let (_page, mut browser) = serve(&erika, &config);
    browser.sign_in(&code);
    let asked = Asked { api, browser };
    let mut unknown = Vec::new();
    for day in STRETCHES.into_iter().flat_map(days) {
        let [from, to] = [day, day.tomorrow().unwrap()].map(|day| midnight(&zone, day));
        let known = a_day(&asked, &truth, day, from..to);
        unknown.extend((!known).then(|| day.to_string()));
    }
    // The days whose midnights only a locked meter saw, and that of the exchange.
    assert_eq!(unknown, ["2026-10-27", "2026-10-28", "2026-10-29", "2026-10-30"]);
    for (day, quarters) in [("2026-03-29", 92), ("2026-10-25", 100)] {
        let csv = asked.page(&format!("/measurements.csv?period=day&date={day}&form=rfc4180"));
        assert_eq!(csv.lines().count(), quarters + 1, "{day}");
    }
    // A week with a gap and the day of 25 hours is as exact as its ends.
    a_week(&asked, &truth, "2026-10-19".parse().unwrap(), &zone);
}

/// A day's figures and quarter hours. Says whether all figures are known.
fn a_day(
    asked: &Asked,
    truth: &BTreeMap<Timestamp, Truth>,
    day: Date,
    span: Range<Timestamp>,
) -> bool {
    let query = format!("from={day}&to={}&zone=Europe/Berlin", day.tomorrow().unwrap());
    let summary = asked.api.get(&format!("/household/summary?{query}"));
    let (begin, end) = (truth[&span.start], truth[&span.end]);
    let page = asked.page(&format!("/measurements?period=day&date={day}"));
    let mut is_known = true;
    for (name, from, to) in [
        ("import", begin.import, end.import),
        ("export", begin.export, end.export),
        ("generation", begin.generation, end.generation),
    ] {
        match decimal(&summary[name]) {
            Some(figure) => {
                assert_eq!(figure, difference(from, to), "{day}: {name}");
                let rounded =
                    figure.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
                assert!(page.contains(&format!("{rounded:.2}\u{a0}kWh")), "{day}: {name}");
            }
            None => is_known = false,
        }
        let bounds = &summary[format!("{name}_bounds")];
        if let (Some(low), Some(high)) = (decimal(&bounds[0]), decimal(&bounds[1])) {
            let exact = Decimal::from_i128_with_scale((to - from) * 10_000 / UNIT, 8);
            // Across the exchange the registers say nothing of it.
            let is_exchanged = (span.start..span.end).contains(&instant(EXCHANGED));
            assert!(
                is_exchanged || low <= exact && exact <= high,
                "{day}: {name} {exact} in {bounds}"
            );
        }
    }
    if is_known {
        // Each of three registers cuts off less than a unit.
        let used =
            Decimal::from_i128_with_scale((end.consumption - begin.consumption) * 10_000 / UNIT, 8);
        let consumption = decimal(&summary["consumption"]).unwrap();
        assert!((consumption - used).abs() < Decimal::new(3, 4), "{day}: {consumption}, {used}");
    }
    same_rows(asked, truth, day, &query);
    is_known
}

/// The quarter hours of the API, of the page's JSON and of its CSV are the same, and what the registers
/// grew by, wherever they are known; and they are known wherever the meters showed everything.
fn same_rows(asked: &Asked, truth: &BTreeMap<Timestamp, Truth>, day: Date, query: &str) {
    let series = asked.api.get(&format!("/household/series?{query}&step=PT15M"));
    let json = asked.page(&format!("/measurements.json?period=day&date={day}"));
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), series, "{day}");
    let csv = asked.page(&format!("/measurements.csv?period=day&date={day}&form=rfc4180"));
    let mut rows = csv.lines().skip(1);
    for (place, start) in series["starts"].as_array().unwrap().iter().enumerate() {
        let start = instant(start.as_str().unwrap());
        let end = start + SignedDuration::from_mins(15);
        let (begun, ended) = (truth[&start], truth[&end]);
        let row: Vec<&str> = rows.next().unwrap().split(',').collect();
        let near =
            |[from, to]: [&str; 2]| is_within(start, [from, to]) || is_within(end, [from, to]);
        let is_blind = near(GAP) || end == instant(EXCHANGED);
        for (column, (name, from, to)) in [
            ("import", begun.import, ended.import),
            ("export", begun.export, ended.export),
            ("generation", begun.generation, ended.generation),
        ]
        .into_iter()
        .enumerate()
        {
            let figure = decimal(&series[name][place]);
            assert_eq!(Decimal::from_str(row[1 + column]).ok(), figure, "{start}: {row:?}");
            let is_hidden = is_blind || (name != "generation" && near(LOCKED));
            match figure {
                Some(figure) => assert_eq!(figure, difference(from, to), "{start}: {name}"),
                None => assert!(is_hidden, "{start}: {name} is not known"),
            }
        }
    }
    assert_eq!(rows.next(), None, "{day}");
}

/// A week's figures: on the page, in its files and at the API.
fn a_week(asked: &Asked, truth: &BTreeMap<Timestamp, Truth>, monday: Date, zone: &TimeZone) {
    let first: Date = STRETCHES[1][0].parse().unwrap();
    let sunday: Date = "2026-10-26".parse().unwrap();
    let query = format!("from={monday}&to={sunday}&zone=Europe/Berlin");
    let summary = asked.api.get(&format!("/household/summary?{query}"));
    let series = asked.api.get(&format!("/household/series?{query}&step=P1D"));
    let csv = asked.page(&format!("/measurements.csv?period=week&date={monday}&form=rfc4180"));
    let [begin, end] = [first, sunday].map(|day| truth[&midnight(zone, day)]);
    for (column, (name, from, to)) in [
        ("import", begin.import, end.import),
        ("export", begin.export, end.export),
        ("generation", begin.generation, end.generation),
    ]
    .into_iter()
    .enumerate()
    {
        let days = series[name].as_array().unwrap();
        let sum: Decimal = days.iter().filter_map(decimal).sum();
        assert_eq!(sum, difference(from, to), "{name}: {days:?}");
        let cells = csv.lines().skip(1).map(|line| line.split(',').nth(1 + column).unwrap());
        let of_csv: Decimal = cells.filter_map(|cell| Decimal::from_str(cell).ok()).sum();
        assert_eq!(of_csv, sum, "{name}");
        assert_eq!(decimal(&summary[name]), Some(sum), "{name}");
    }
}
