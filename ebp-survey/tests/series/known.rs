//! What a summary says of a stretch that is known in part.

use ebp_core::contract::{EnergySummary, MeterChange, NewMeter, TimeBound};
use ebp_core::model::MeterType;
use ebp_survey::SeriesQuery;
use jiff::SignedDuration;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::household::{Engine, GRID, Household, PV, QUARTER, hours, measurement, start};

/// 0.1 kWh drawn, 0.02 kWh fed in and 0.05 kWh generated in each quarter hour, from an hour to another.
fn steady(grid: Uuid, from: i64, to: i64) -> Vec<ebp_core::model::Measurement> {
    (from * 4..to * 4)
        .flat_map(|slot| {
            let at = start() + SignedDuration::from_secs(slot * QUARTER);
            let shown = |each: i64| Decimal::new(10_000 + each * slot, 4);
            [
                measurement(grid, at, shown(1_000), shown(200)),
                measurement(PV, at, shown(0), shown(500)),
            ]
        })
        .collect()
}

async fn summary(household: &Household, from: &str, to: &str) -> EnergySummary {
    let bound = |text: &str| TimeBound::Midnight(text.parse().unwrap());
    let query = SeriesQuery { from: bound(from), to: bound(to), zone: None };
    household.survey.energy_summary(household.id, &query).await.unwrap()
}

fn shown(number: Option<ebp_core::contract::ExactNumber>) -> String {
    number.map_or_else(|| "-".to_owned(), |number| number.0.to_string())
}

#[tokio::test]
async fn a_month_that_lasts_still() {
    let engine = Engine::sqlite();
    let household = Household::new(&engine).await;
    household.clock.set(hours(24 * 9 + 12));
    household.upload(&steady(GRID, 0, 24 * 9 + 12)).await;
    let month = summary(&household, "2026-03-01", "2026-04-01").await;
    // Nine days and 47 quarter hours are known; of the last one the end is not.
    assert_eq!((month.complete, month.quarters, month.measured), (false, 912, 911));
    assert_eq!(shown(month.import), "91.1");
    assert_eq!(shown(month.export), "18.22");
    assert_eq!(shown(month.generation), "45.55");
    assert_eq!(shown(month.self_consumption), "27.33");
    assert_eq!(shown(month.consumption), "118.43");
    assert_eq!(shown(month.autarky), "0.230769");
    assert_eq!(shown(month.self_consumption_share), "0.6");
    assert!(month.reasons.is_empty() && !month.has_battery, "{:?}", month.reasons);
    let day = summary(&household, "2026-03-02", "2026-03-03").await;
    assert_eq!(
        (day.complete, shown(day.import), shown(day.coverage)),
        (true, "9.6".into(), "1".into())
    );
    // The year in which it began counts since then.
    let year = summary(&household, "2026-01-01", "2027-01-01").await;
    assert_eq!((year.quarters, shown(year.import)), (912, "91.1".into()));
    let before = summary(&household, "2025-01-01", "2026-01-01").await;
    assert_eq!((before.quarters, shown(before.import)), (0, "-".into()));
    assert_eq!(before.reasons["autarky"], "not_measured");
}

#[tokio::test]
async fn a_meter_is_exchanged_and_one_is_missing() {
    let engine = Engine::sqlite();
    let household = Household::new(&engine).await;
    household.clock.set(hours(24 * 30));
    household.upload(&steady(GRID, 0, 24 * 9 + 12)).await;
    let new = NewMeter {
        uuid: Some(Uuid::from_u128(0x33)),
        kind: MeterType::Electricity,
        model: "EHZ".into(),
        measurement_device: None,
        generation_register: None,
    };
    let new = household.store.add_meter(household.id, new).await.unwrap();
    let removed = Some(Some(hours(24 * 9 + 12)));
    let change = MeterChange {
        removed_at: removed,
        measurement_device: Some(None),
        ..MeterChange::default()
    };
    household.store.change_meter(household.id, GRID, change).await.unwrap();
    household.upload(&steady(new, 24 * 9 + 13, 24 * 20)).await;
    let month = summary(&household, "2026-03-01", "2026-03-20").await;
    // The day of the exchange is not known as a whole; all others are.
    assert_eq!(shown(month.import), "172.8");
    assert_eq!((month.complete, shown(month.generation)), (false, "91.2".into()));
    assert!(month.reasons.is_empty(), "{:?}", month.reasons);

    // A system that no meter counts: what is drawn and fed in is known nevertheless.
    let system = serde_json::from_str(
        r#"{"nominal_power": 1, "azimuth": 90, "tilt": 20, "installed_on": "2024-02-29"}"#,
    );
    household.store.add_pv_system(household.id, system.unwrap()).await.unwrap();
    let month = summary(&household, "2026-03-01", "2026-03-20").await;
    assert_eq!((shown(month.import), shown(month.generation)), ("172.8".into(), "-".into()));
    for name in ["generation", "consumption", "self_consumption", "autarky"] {
        assert_eq!(month.reasons[name], "unmetered_system", "{name}");
    }
}

#[tokio::test]
async fn of_two_meters_at_the_grid_the_reason_is_not_that_nothing_was_measured() {
    let engine = Engine::sqlite();
    let household = Household::new(&engine).await;
    household.clock.set(hours(24 * 30));
    household.upload(&steady(GRID, 0, 24 * 20)).await;
    let second = NewMeter {
        uuid: Some(Uuid::from_u128(0x33)),
        kind: MeterType::Electricity,
        model: "EHZ".into(),
        measurement_device: None,
        generation_register: None,
    };
    let second = household.store.add_meter(household.id, second).await.unwrap();
    household.upload(&steady(second, 0, 24 * 20)).await;
    let month = summary(&household, "2026-03-01", "2026-03-20").await;
    for name in ["import", "export", "consumption", "autarky"] {
        assert_eq!(month.reasons[name], "several_grid_meters", "{name}");
    }
    let before = summary(&household, "2025-01-01", "2026-01-01").await;
    assert_eq!(before.reasons["import"], "several_grid_meters");
}
