//! A meter at the grid is taken down, and the next one is read months later: nothing of the time
//! between them is missing from the data set, and the Data API says the same.

use std::collections::BTreeMap;

use ebp_core::{
    contract::{EnergyStep, MeterChange, Registered, Registration, TimeBound},
    model::Measurement,
};
use ebp_dataset::{
    Flag, QUARTER,
    files::{BALANCE, DAILY, ENERGY, Format},
};
use ebp_store::{HouseholdId, InsertOutcome, Store};
use ebp_survey::{SeriesParts, SeriesQuery, dataset::Resolution};
use jiff::{Timestamp, civil::Date};
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

use crate::{
    dataset::{at, make, order, rows},
    world::World,
};

crate::on_both!(nothing_is_missing_between_two_meters);

/// When the first meter's readings begin and end, and the second one's.
const READ: [(&str, &str); 2] = [
    ("2026-03-08T23:00:00Z", "2026-03-10T11:00:00Z"),
    ("2026-05-04T22:00:00Z", "2026-05-07T22:00:00Z"),
];

fn micros(text: &str) -> i64 {
    at(text).as_microsecond()
}

/// 0.1 kWh drawn in each quarter hour.
fn steady(meter: Uuid, (from, to): (&str, &str)) -> Vec<Measurement> {
    let slots = (micros(from)..micros(to)).step_by(900_000_000);
    let one = |(number, slot): (i64, i64)| Measurement {
        uuid: Uuid::new_v4(),
        meter,
        measured_at: Timestamp::from_microsecond(slot + 1_000_000).unwrap(),
        data: serde_json::from_str(&format!(
            "[{{\"0100010800ff\":{}.{}000}},{{\"0100020800ff\":0.0000}}]",
            number / 10,
            number % 10
        ))
        .unwrap(),
        flags: Vec::new().into_iter().collect(),
    };
    (0..).zip(slots).map(one).collect()
}

/// A household whose meter was exchanged, without a photovoltaic system.
async fn exchanged(store: &Arc<dyn Store>) -> Registered {
    let since = at("2025-06-01T00:00:00Z");
    let registration: Registration = serde_json::from_value(json!({
        "participant": {"name": "Erika Mustermann", "email": "erika@example.org"},
        "address": {"street": "Heidestraße 17", "postal_code": "51147", "city": "Köln",
                    "country": "DE"},
        "metadata": {"children": 1, "adults": 2, "adults_with_job": 1, "heat_pump": false,
                     "electric_vehicle_charger": false, "home_battery": false},
        "meters": [{"type": "ELECTRICITY", "model": "MT175"},
                   {"type": "ELECTRICITY", "model": "DD3"}],
        "pv_systems": [],
    }))
    .unwrap();
    let made = store.register(registration, since).await.unwrap();
    let id = HouseholdId(made.household);
    store.grant_consent(id, since).await.unwrap();
    for (meter, read) in made.meters.iter().zip(READ) {
        for some in steady(*meter, read).chunks(500) {
            let when = at("2026-06-01T00:00:00Z");
            let stored = store.insert_measurements(id, some.to_vec(), when).await.unwrap();
            assert!(stored.iter().all(|one| *one == InsertOutcome::Accepted), "{stored:?}");
        }
    }
    let change = MeterChange {
        removed_at: Some(Some(at("2026-03-10T12:00:00Z"))),
        measurement_device: Some(None),
        ..MeterChange::default()
    };
    store.change_meter(id, made.meters[0], change).await.unwrap();
    made
}

type Row = BTreeMap<&'static str, String>;

fn is_unread(row: &Row) -> bool {
    row["flags"].parse::<u16>().unwrap() >> (Flag::NoReading as u16) & 1 == 1
}

async fn nothing_is_missing_between_two_meters(world: World) {
    let store = world.survey.store();
    let made = exchanged(store).await;
    let (_folder, path) = make(store, &order(Format::Parquet)).await;
    let months = ["2026-03", "2026-04", "2026-05"];
    for (month, count) in months.into_iter().zip([None, Some(30 * 96), None]) {
        let file = path.join(format!("balance/{month}.parquet"));
        assert!(file.exists(), "{month}");
        let of_month: Vec<_> = rows(&path, &BALANCE, Format::Parquet);
        let of_month = of_month.iter().filter(|row| row["slot_start"].starts_with(month));
        assert!(count.is_none_or(|count| of_month.count() == count), "{month}");
    }
    let balance = rows(&path, &BALANCE, Format::Parquet);
    let (first, last) = (micros(READ[0].0), micros(READ[1].1));
    assert_eq!(balance.len() as i64, (last - first) / QUARTER);
    let mut slot = first;
    for row in &balance {
        assert_eq!(row["slot_start"], Timestamp::from_microsecond(slot).unwrap().to_string());
        let is_between = (micros(READ[0].1)..micros(READ[1].0)).contains(&slot);
        assert_eq!(is_unread(row), is_between, "{row:?}");
        assert!(!is_between || row["import_kwh"] == "null", "{row:?}");
        slot += QUARTER;
    }
    // Each meter's own rows go from its first to its last reading.
    let energy = rows(&path, &ENERGY, Format::Parquet);
    let own: i64 = READ.iter().map(|(from, to)| (micros(to) - micros(from)) / QUARTER).sum();
    assert_eq!(energy.len() as i64, own);

    let daily = rows(&path, &DAILY, Format::Parquet);
    let dates: Vec<&str> = daily.iter().map(|row| row["local_date"].as_str()).collect();
    assert_eq!((dates.len(), dates[0], dates[59]), (60, "2026-03-09", "2026-05-07"));
    for row in &daily {
        let day: Date = row["local_date"].parse().unwrap();
        let is_between =
            day >= "2026-03-10".parse().unwrap() && day < "2026-05-05".parse().unwrap();
        assert_eq!(is_unread(row), is_between, "{row:?}");
    }
    let days =
        ebp_survey::dataset::ExportOrder { resolution: Resolution::Day, ..order(Format::Parquet) };
    let (_folder, path) = make(store, &days).await;
    let mut by_day = Vec::new();
    ebp_dataset::files::read_rows(
        &path.join("balance.parquet"),
        &BALANCE,
        Format::Parquet,
        &mut |_, values| by_day.push((values[2].to_string(), values[10].to_string())),
    )
    .unwrap();
    let of_daily: Vec<_> =
        daily.iter().map(|row| (row["local_date"].clone(), row["flags"].clone())).collect();
    assert_eq!(by_day, of_daily);

    // The Data API gives the same flags.
    let series = async |from: &str, to: &str, step| {
        let bound = |text: &str| TimeBound::Midnight(text.parse().unwrap());
        let query = SeriesQuery { from: bound(from), to: bound(to), zone: None };
        let parts = SeriesParts { meters: false, bounds: false };
        let id = HouseholdId(made.household);
        world.survey.energy_series(id, &query, step, parts).await.unwrap()
    };
    let found = series("2026-03-09", "2026-05-08", EnergyStep::Day).await;
    let flags: Vec<_> = found.flags.iter().map(ToString::to_string).collect();
    assert_eq!(flags, daily.iter().map(|row| row["flags"].clone()).collect::<Vec<_>>());
    let found = series("2026-04-20", "2026-05-10", EnergyStep::Quarter).await;
    let within = |row: &&Row| ("2026-04-20".."2026-05-10").contains(&row["local_date"].as_str());
    let wanted: Vec<_> =
        balance.iter().filter(within).map(|row| row["flags"].parse::<u32>().unwrap()).collect();
    let flags: Vec<_> = found.flags.iter().copied().map(u32::from).collect();
    assert_eq!(flags[..wanted.len()], wanted);
    assert!(flags[wanted.len()..].iter().all(|flags| *flags == 0), "nothing was read yet");
}
