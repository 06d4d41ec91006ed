//! Asks the Data API for a household's year and computes month by month which share of what was consumed
//! came from the own roof.
//!
//! `cargo run -p ebp-server --example year_of_autarky [FOLDER]` asks a server of its own. It stays in
//! FOLDER if one is named: `ebp export --data FOLDER` makes the data set of the same year, of which
//! `examples/python/` computes the same.

#[path = "test_server/mod.rs"]
mod test_server;

use std::{collections::BTreeMap, env, error::Error, fs, path::PathBuf};

use ebp_core::{
    contract::{EnergySeries, EnergyStep, Registration},
    cycle::Cycle,
    model::{DataPoint, Measurement, measurement_id},
    obis::ObisCode,
};
use ebp_store::HouseholdId;
use jiff::{
    SignedDuration, ToSpan,
    civil::{Date, date},
    tz::TimeZone,
};
use rust_decimal::Decimal;
use serde_json::json;
use test_server::TestServer;
use uuid::Uuid;

const ZONE: &str = "Europe/Berlin";
const FIRST: Date = date(2025, 1, 1);
const END: Date = date(2026, 1, 1);

fn main() -> Result<(), Box<dyn Error>> {
    let named = env::args_os().nth(1).map(PathBuf::from);
    let folder = named
        .clone()
        .unwrap_or_else(|| env::temp_dir().join(format!("ebp-example-{}", Uuid::new_v4())));
    let runtime = tokio::runtime::Runtime::new()?;
    let server = runtime.block_on(serve_a_year(&folder))?;

    let year = server.client()?.energy_series(FIRST, END, EnergyStep::Day, ZONE)?;
    for (month, autarky) in autarky_by_month(&year)? {
        println!("{},{month},{autarky:.6}", server.registered.household);
    }

    runtime.block_on(server.stop())?;
    if named.is_none() {
        fs::remove_dir_all(folder)?;
    }
    Ok(())
}

/// Self-consumption by consumption, from the sums of each month. Days of which not all is known are left
/// out of both sums: a mean of the days' shares would be another number.
fn autarky_by_month(year: &EnergySeries) -> Result<Vec<(String, Decimal)>, jiff::Error> {
    let zone = TimeZone::get(&year.zone)?;
    let mut months: BTreeMap<String, (Decimal, Decimal)> = BTreeMap::new();
    for (place, start) in year.starts.iter().enumerate() {
        let known = [&year.import, &year.export, &year.generation].map(|all| all[place]);
        let [Some(import), Some(export), Some(generation)] = known else { continue };
        let month = zone.to_datetime(*start).strftime("%Y-%m").to_string();
        let (own, consumed) = months.entry(month).or_default();
        *own += generation.0 - export.0;
        *consumed += import.0 + generation.0 - export.0;
    }
    let share = |(month, (own, consumed)): (String, (Decimal, Decimal))| {
        Some((month, own.checked_div(consumed)?.round_dp(6)))
    };
    Ok(months.into_iter().filter_map(share).collect())
}

/// A server with a household that measured the year, but for a week in August.
async fn serve_a_year(folder: &std::path::Path) -> Result<TestServer, Box<dyn Error>> {
    let registration: Registration = serde_json::from_value(json!({
        "participant": {"name": "Erika Mustermann", "email": "erika@example.org"},
        "address": {"street": "Heidestraße 17", "postal_code": "51147", "city": "Köln",
                    "country": "DE"},
        "metadata": {"children": 1, "adults": 2, "adults_with_job": 1, "heat_pump": false,
                     "electric_vehicle_charger": false, "home_battery": false,
                     "metering_concept": "surplus-feed-in", "battery": "none"},
        "meters": [{"type": "ELECTRICITY", "model": "MT175"},
                   {"type": "PV-GENERATION", "model": "MT681", "generation_register": "2.8.0"}],
        "pv_systems": [{"nominal_power": 7.5, "azimuth": 180, "tilt": 35,
                        "installed_on": "2021-05-01", "meter": 1}],
    }))?;
    let zone = TimeZone::get(ZONE)?;
    let since = zone.to_timestamp(FIRST.into())?;
    let server = TestServer::start(folder, registration, since).await?;
    let household = HouseholdId(server.registered.household);
    let received_at = zone.to_timestamp(END.tomorrow()?.into())?;
    let all = measurements(&server.registered.meters, &zone)?;
    for part in all.chunks(1_000) {
        server.store.insert_measurements(household, part.to_vec(), received_at).await?;
    }
    Ok(server)
}

/// What both meters showed every six hours of local time, a second after.
fn measurements(meters: &[Uuid], zone: &TimeZone) -> Result<Vec<Measurement>, Box<dyn Error>> {
    // 1.8.0 and 2.8.0 of the meter at the grid, 2.8.0 of the one at the roof; tenths of a watt hour.
    let (mut import, mut export, mut generation) = (100_000_000, 50_000_000, 70_000_000);
    let mut all = Vec::new();
    for (number, day) in (0_i64..).zip(FIRST.series(1.day()).take_while(|day| *day <= END)) {
        for quarter in 0..4_usize {
            let civil = day.at(i8::try_from(6 * quarter)?, 0, 0, 0);
            let at = zone.to_timestamp(civil)? + SignedDuration::from_secs(1);
            let is_missing = date(2025, 8, 10) <= day && day < date(2025, 8, 17);
            if !is_missing {
                let grid =
                    [(ObisCode::POSITIVE_ENERGY, import), (ObisCode::NEGATIVE_ENERGY, export)];
                all.push(measurement(meters[0], at, &grid));
                all.push(measurement(meters[1], at, &[(ObisCode::NEGATIVE_ENERGY, generation)]));
            }
            if day == END && quarter == 1 {
                return Ok(all);
            }
            // Most of the light is there in summer, and in the middle of the day.
            let light = 183 - (number - 172).abs().min(183);
            let generated = [0, 100, 150, 0][quarter] * (30 + light);
            let consumed = [20_000, 25_000, 25_000, 35_000][quarter] + 37 * (number % 7);
            let own = generated.min(consumed);
            generation += generated;
            export += generated - own;
            import += consumed - own;
        }
    }
    Ok(all)
}

fn measurement(
    meter: Uuid,
    measured_at: jiff::Timestamp,
    shown: &[(ObisCode, i64)],
) -> Measurement {
    let point = |(obis, tenths): &(ObisCode, i64)| DataPoint {
        obis: *obis,
        value: Decimal::new(*tenths, 4),
    };
    Measurement {
        uuid: measurement_id(meter, Cycle::QUARTER_HOUR.slot(measured_at)),
        meter,
        measured_at,
        data: shown.iter().map(point).collect(),
        flags: Vec::new(),
    }
}
