//! Whatever is kept, and whoever keeps it when, the answers are those of all measurements.

use std::time::Duration;

use ebp_core::{
    contract::{EnergyStep, TimeBound},
    model::Measurement,
};
use ebp_dataset::{Calendar, MeterSeries, Periods, Reading, Rules};
use ebp_needs::needs;
use ebp_survey::{SeriesParts, SeriesQuery, Survey};
use jiff::SignedDuration;
use rust_decimal::Decimal;
use serde_json::Value;

use crate::household::{Engine, GRID, Household, Random, hours, measurement, record, start};

const DAYS: i64 = 33;

fn query(from: &str, to: &str, zone: Option<&str>) -> SeriesQuery {
    let bound = |text: &str| TimeBound::Midnight(text.parse().unwrap());
    SeriesQuery { from: bound(from), to: bound(to), zone: zone.map(str::to_owned) }
}

/// All kinds of answers.
async fn answers(household: &Household) -> Vec<Value> {
    let mut answers = Vec::new();
    let parts = SeriesParts { meters: true, bounds: true };
    for (from, to, zone, step) in [
        ("2026-02-20", "2026-05-01", None, EnergyStep::Day),
        ("2026-01-01", "2026-06-01", None, EnergyStep::Month),
        ("2026-03-01", "2026-04-05", None, EnergyStep::Hour),
        ("2026-03-10", "2026-04-05", None, EnergyStep::Quarter),
        ("2026-03-29", "2026-03-30", None, EnergyStep::Quarter),
        ("2026-02-20", "2026-05-01", Some("America/New_York"), EnergyStep::Day),
    ] {
        let query = query(from, to, zone);
        let series = household.survey.energy_series(household.id, &query, step, parts);
        answers.push(serde_json::to_value(series.await.unwrap()).unwrap());
    }
    for (from, to) in
        [("2026-03-01", "2026-04-01"), ("2026-01-01", "2027-01-01"), ("2026-03-20", "2026-03-21")]
    {
        let query = query(from, to, None);
        let summary = household.survey.energy_summary(household.id, &query).await.unwrap();
        answers.push(serde_json::to_value(summary).unwrap());
    }
    answers
}

/// The answers of a database in which all measurements were before anybody asked.
async fn of_all(engine: &Engine, measurements: &[Measurement]) -> Vec<Value> {
    let household = Household::new(engine).await;
    household.clock.set(hours(24 * 45));
    household.upload(measurements).await;
    let first = answers(&household).await;
    assert!(household.kept().await.len() > 25, "{}", household.kept().await.len());
    assert_eq!(answers(&household).await, first, "out of kept days");
    first
}

fn assert_same(found: &[Value], expected: &[Value]) {
    for (found, expected) in found.iter().zip(expected) {
        for (name, column) in expected.as_object().unwrap() {
            assert_eq!(&found[name], column, "{name} of {} {}", expected["step"], expected["from"]);
        }
    }
    assert_eq!(found, expected);
}

/// Uploads in an order of chance; now and then somebody asks, so that days are kept.
async fn in_any_order(seed: u64, engine: &Engine, other: &Engine) {
    let mut random = Random(seed);
    let measurements = record(seed, DAYS);
    let household = Household::new(engine).await;
    let mut waiting: Vec<(i64, Measurement)> = measurements
        .iter()
        .map(|one| {
            let day = one.measured_at.duration_since(start()).as_hours() / 24;
            let late = if random.chance(8) { random.below(12).cast_signed() } else { 0 };
            (day + late, one.clone())
        })
        .collect();
    // A device that is away for some days, too.
    for (day, one) in &mut waiting {
        if one.meter == GRID && (12..16).contains(day) {
            *day = 17;
        }
    }
    for day in 0..DAYS + 12 {
        household.clock.set(hours(24 * (day + 1)));
        let mut due: Vec<_> =
            waiting.iter().filter(|(due, _)| *due == day).map(|(_, one)| one.clone()).collect();
        for place in (1..due.len()).rev() {
            due.swap(place, random.below(place as u64 + 1) as usize);
        }
        household.upload(&due).await;
        if random.chance(400) {
            let parts = SeriesParts::default();
            let query = query("2026-03-01", "2026-04-01", None);
            let step = EnergyStep::Day;
            household.survey.energy_series(household.id, &query, step, parts).await.unwrap();
        }
    }
    household.clock.set(hours(24 * 45));
    assert_same(&answers(&household).await, &of_all(other, &measurements).await);
}

#[tokio::test]
async fn any_order_of_uploads_gives_the_same_on_sqlite() {
    for seed in 1..=5 {
        in_any_order(seed, &Engine::sqlite(), &Engine::sqlite()).await;
    }
}

#[needs(postgresql)]
#[tokio::test]
async fn any_order_of_uploads_gives_the_same_on_postgresql() {
    for seed in 6..=7 {
        // Both databases give the same, too.
        in_any_order(seed, &Engine::postgres().await, &Engine::sqlite()).await;
    }
}

/// The digits are those of the rules applied to the measurements themselves.
#[tokio::test]
async fn days_are_those_of_the_rules() {
    let measurements = record(11, DAYS);
    let engine = Engine::sqlite();
    let household = Household::new(&engine).await;
    household.clock.set(hours(24 * 45));
    household.upload(&measurements).await;
    let calendar = Calendar::new("Europe/Berlin").unwrap();
    let mut series = MeterSeries::new(Rules::default());
    let mut rows = Vec::new();
    for one in measurements.iter().filter(|one| one.meter == GRID) {
        let register = |place: usize| ebp_dataset::Register::from_decimal(one.data[place].value);
        let within = one.flags.iter().filter_map(|flag| flag.time_bound()).max();
        let reading = Reading {
            import: register(0),
            export: register(1),
            uncertainty: within.map_or(0, |within| i64::try_from(within.as_micros()).unwrap()),
            clock_corrected: !one.flags.is_empty(),
            ..Reading::at(one.measured_at.as_microsecond())
        };
        series.push(&reading, &mut |row| rows.push(row)).unwrap();
    }
    series.finish(&mut |row| rows.push(row));
    let mut periods = Periods::new(calendar, EnergyStep::Day);
    let mut days: Vec<_> = rows.iter().filter_map(|row| periods.push(row).unwrap()).collect();
    days.extend(periods.finish());
    let parts = SeriesParts { meters: true, bounds: true };
    let asked = query("2026-03-01", "2026-04-03", None);
    let made = household.survey.energy_series(household.id, &asked, EnergyStep::Day, parts).await;
    let made = made.unwrap();
    let grid = &made.meters.as_ref().unwrap()[0];
    // Of the last day there is an hour: it begins an hour earlier than the clock of winter says.
    assert_eq!((grid.meter, days.len(), made.starts.len()), (GRID, 34, 33));
    let mut known = 0;
    for (place, day) in days.iter().enumerate().take(33) {
        assert_eq!(made.starts[place].as_microsecond(), day.from);
        let energy = day.import.energy.map(|energy| energy.to_decimal(0));
        assert_eq!(grid.import[place].map(|number| number.0), energy, "day {place}");
        assert_eq!(made.import[place], grid.import[place], "day {place}");
        let bounds = day.export.bounds.map(|(lo, hi)| [lo.to_decimal(0), hi.to_decimal(0)]);
        let found = grid.export_bounds.as_ref().unwrap()[place];
        assert_eq!(found.map(|ends| ends.map(|number| number.0)), bounds, "day {place}");
        assert_eq!(grid.flags[place], day.flags.0, "day {place}");
        known += usize::from(energy.is_some());
    }
    assert!((20..33).contains(&known), "{known}");
}

/// A late measurement removes the days that looked at it or behind it, and no other.
async fn late(engine: &Engine, other: &Engine) {
    let measurements = record(21, DAYS);
    let late: Vec<_> = measurements
        .iter()
        .filter(|one| one.meter == GRID)
        .filter(|one| (hours(24 * 10 + 12)..hours(24 * 10 + 13)).contains(&one.measured_at))
        .cloned()
        .collect();
    assert!(late.len() > 1);
    let others: Vec<_> = measurements.iter().filter(|one| !late.contains(one)).cloned().collect();
    let household = Household::new(engine).await;
    household.clock.set(hours(24 * 45));
    household.upload(&others).await;
    answers(&household).await;
    let before = household.kept().await;
    assert!(before.len() > 25, "{}", before.len());
    household.upload(&late).await;
    assert_eq!(household.kept().await, before[..10]);
    assert_same(&answers(&household).await, &of_all(other, &measurements).await);
    let after = household.kept().await;
    assert_eq!(after.len(), before.len());
    assert_eq!(after[..10], before[..10]);
    assert_ne!(after[10], before[10]);
}

#[tokio::test]
async fn a_late_measurement_changes_the_days_behind_it_on_sqlite() {
    late(&Engine::sqlite(), &Engine::sqlite()).await;
}

#[needs(postgresql)]
#[tokio::test]
async fn a_late_measurement_changes_the_days_behind_it_on_postgresql() {
    late(&Engine::postgres().await, &Engine::sqlite()).await;
}

/// Two servers keep days while measurements arrive late, and some who ask go away at any instant.
async fn at_once(engine: &Engine, other: &Engine) {
    let measurements = record(31, DAYS);
    let first = Household::new(engine).await;
    first.clock.set(hours(24 * 45));
    let second = first.reopen(engine).await;
    let (soon, late): (Vec<_>, Vec<_>) =
        measurements.iter().cloned().enumerate().partition(|(place, _)| place % 9 != 0);
    let only = |some: Vec<(usize, Measurement)>| some.into_iter().map(|(_, one)| one);
    first.upload(&only(soon).collect::<Vec<_>>()).await;
    // Days are kept that late measurements will change.
    answers(&first).await;
    let ask = |household: &Household, micros: u64| {
        let (survey, id) = (household.survey.clone(), household.id);
        tokio::spawn(async move {
            let query = query("2026-03-01", "2026-04-01", None);
            let parts = SeriesParts::default();
            let asked = survey.energy_series(id, &query, EnergyStep::Day, parts);
            // Whoever asks may go away, in the midst of keeping.
            let _ = tokio::time::timeout(Duration::from_micros(micros), asked).await;
        })
    };
    let mut random = Random(7);
    let (mut tasks, late) = (Vec::new(), only(late).collect::<Vec<_>>());
    for some in late.chunks(late.len() / 12 + 1) {
        for household in [&first, &second] {
            tasks.push(ask(household, 1 + random.below(60_000)));
        }
        second.upload(some).await;
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_same(&answers(&second).await, &of_all(other, &measurements).await);
    assert_eq!(answers(&first).await, answers(&second).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_and_late_measurements_on_sqlite() {
    at_once(&Engine::sqlite(), &Engine::sqlite()).await;
}

#[needs(postgresql)]
#[tokio::test(flavor = "multi_thread")]
async fn two_servers_and_late_measurements_on_postgresql() {
    at_once(&Engine::postgres().await, &Engine::sqlite()).await;
}

/// Without anybody asking, days are kept once they are old enough, and not sooner.
#[tokio::test]
async fn days_of_all_meters_are_kept_at_leisure() {
    let engine = Engine::sqlite();
    let household = Household::new(&engine).await;
    household.clock.set(hours(24 * 20 + 1));
    let until = |hours_of: i64| {
        let readings = (0..hours_of * 4).map(|slot| {
            let at = start() + SignedDuration::from_secs(slot * 900 + 1);
            measurement(GRID, at, Decimal::new(slot * 1_000 + 1, 4), Decimal::new(1, 4))
        });
        readings.collect::<Vec<_>>()
    };
    household.upload(&until(24 * 20)).await;
    let done = household.survey.keep_series(0).await.unwrap();
    // 18 days have ended, of which the last was complete less than 49 hours ago.
    assert_eq!((done.meters, done.days, done.failed), (1, 17, 0));
    assert_eq!(household.kept().await.len(), 17);
    let again = household.survey.keep_series(0).await.unwrap();
    assert_eq!((again.meters, again.days), (0, 0), "nothing is due");
    // Another time zone's days are others.
    let elsewhere = Survey::new(household.store.clone(), household.clock.clone()).with_zone("UTC");
    let asked = SeriesQuery {
        from: TimeBound::At("2026-03-01T00:00:00Z".parse().unwrap()),
        to: TimeBound::At("2026-03-03T00:00:00Z".parse().unwrap()),
        zone: None,
    };
    let parts = SeriesParts::default();
    let made = elsewhere.energy_series(household.id, &asked, EnergyStep::Day, parts).await.unwrap();
    assert_eq!(made.import.len(), 2);
    assert!(made.import.iter().all(|day| day.is_some_and(|it| it.0 == Decimal::new(96, 1))));
}
