//! What a research file gives away: the attack of its README, on a hundred simulated households.

use std::{fs, path::Path};

use ebp_core::model::Measurement;
use ebp_meter::virtual_meter::{Household, HouseholdOptions};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::release::{Survey, consent, open_with_texts, registration};

const HOUSEHOLDS: usize = 100;
/// Numbers of [`registration`] below it are of households that differ.
const FIRST: usize = 5;

const DAYS: i64 = 75;
const QUARTER: i64 = 900;

/// A household's power is looked at so many seconds apart.
const STEP: i64 = 10;

fn since() -> Timestamp {
    "2026-02-08T00:00:00Z".parse().unwrap()
}

/// Registers of import, export and generation at the end of each quarter hour, tenths of a watt-hour.
fn registers(number: usize) -> Vec<[u64; 3]> {
    let has_system = (number + FIRST).is_multiple_of(2);
    let mut household = Household::new(HouseholdOptions {
        seed: 0x00E5_0000 + number as u64,
        pv_peak_watts: if has_system { 8_250 } else { 0 },
        battery_watt_hours: 0,
    });
    // Milliwatt-seconds: 360,000 are a tenth of a watt-hour.
    let mut sums = [0_u64; 3];
    (0..DAYS * 96)
        .map(|slot| {
            let begin = since().as_second() + slot * QUARTER;
            for second in (begin..begin + QUARTER).step_by(STEP as usize) {
                let power = household.power(second);
                let from_grid = power.from_grid() * STEP;
                sums[0] += from_grid.max(0).unsigned_abs();
                sums[1] += from_grid.min(0).unsigned_abs();
                sums[2] += (power.pv.max(0) * STEP).unsigned_abs();
            }
            sums.map(|sum| 50_000_000 + number as u64 * 7_919_003 + sum / 360_000)
        })
        .collect()
}

fn measurement(meter: Uuid, slot: usize, [import, export]: [u64; 2]) -> Measurement {
    let shown = |value: u64| format!("{}.{:04}", value / 10_000, value % 10_000);
    let data =
        format!("[{{\"0100010800ff\":{}}},{{\"0100020800ff\":{}}}]", shown(import), shown(export));
    Measurement {
        uuid: Uuid::new_v4(),
        meter,
        measured_at: since() + SignedDuration::from_secs((slot as i64 + 1) * QUARTER + 1),
        data: serde_json::from_str(&data).unwrap(),
        flags: Vec::new().into_iter().collect(),
    }
}

async fn fill(folder: &Path) {
    let store = open_with_texts(folder).await;
    let received = "2026-05-01T00:00:00Z".parse().unwrap();
    for number in 0..HOUSEHOLDS {
        let granted = since() - SignedDuration::from_hours(24 * 7);
        let made = store.register(registration(number + FIRST), granted).await.unwrap();
        let id = consent(&store, &made, granted).await;
        let registers = registers(number);
        for (place, meter) in made.meters.iter().enumerate() {
            let of = |[import, export, generation]: [u64; 3]| match place {
                0 => [import, export],
                _ => [0, generation],
            };
            let rows = registers.iter().enumerate();
            let rows: Vec<_> =
                rows.map(|(slot, values)| measurement(*meter, slot, of(*values))).collect();
            for part in rows.chunks(1000) {
                store.insert_measurements(id, part.to_vec(), received).await.unwrap();
            }
        }
    }
    store.close().await.unwrap();
}

/// Numbers in place of names hide nobody from who knows a week: the README has to say so, in numbers.
#[test]
#[ignore = "takes minutes: `cargo xtask long risk`"]
fn of_a_hundred_simulated_households_most_are_found() {
    let survey = Survey::with(async |folder| {
        fill(folder).await;
        (Vec::new(), Vec::new())
    });
    survey.research("set", &["--region", "country"]).done();
    let readme = fs::read_to_string(survey.path("set/README.md")).unwrap();
    let sentences: Vec<_> = readme.lines().filter(|line| line.starts_with("- Who knows")).collect();
    println!("{}", sentences.join("\n"));
    let [week, total] = sentences[..] else { panic!("{readme}") };
    let found = |sentence: &str| -> usize {
        let (_, counted) = sentence.rsplit_once("for ").unwrap();
        let (found, rest) = counted.split_once(" of ").unwrap();
        assert!(rest.starts_with("100 ("), "all of them are attacked: {sentence}");
        found.parse().unwrap()
    };
    assert!(found(week) > HOUSEHOLDS / 2, "{week}");
    assert!(found(total) <= found(week), "a bill says less than a week: {total}");
}
