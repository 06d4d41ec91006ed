//! Kept days give the digits that all readings give, and parts of the readings give the same days.

use ebp_dataset::{
    Calendar, Day, Days, EnergyStep, MeterSeries, Period, Periods, QUARTER, Quarter, Reading,
    Rules, Window,
};

use super::{cases::quarters, household::record};

/// A household's readings, of both registers, around a change of time.
fn readings(seed: u64, days: usize) -> Vec<Reading> {
    // 2026-03-01, to the summer time at its end.
    let shift = 1_772_323_200_000_000;
    let recorded = record(seed, days * 96, 9_000).readings;
    recorded
        .into_iter()
        .map(|reading| Reading { at: reading.at + shift, export: reading.import, ..reading })
        .collect()
}

fn calendar() -> Calendar {
    Calendar::new("Europe/Berlin").unwrap()
}

fn days(rows: &[Quarter]) -> Vec<Day> {
    let mut days = Days::new(calendar());
    let mut found: Vec<_> = rows.iter().filter_map(|row| days.push(row).unwrap()).collect();
    found.extend(days.finish());
    found
}

fn periods(step: EnergyStep, rows: &[Quarter]) -> Vec<Period> {
    let mut periods = Periods::new(calendar(), step);
    let mut found: Vec<_> = rows.iter().filter_map(|row| periods.push(row).unwrap()).collect();
    found.extend(periods.finish());
    found
}

#[test]
fn days_are_periods_of_a_day_and_of_many() {
    let rows = quarters(&readings(3, 70));
    let days = days(&rows);
    let by_day = periods(EnergyStep::Day, &rows);
    assert_eq!(days.iter().map(|day| Day::period(&[*day]).unwrap()).collect::<Vec<_>>(), by_day);
    assert_eq!(days.iter().filter(|day| day.quarters() == 92).count(), 1);
    let by_month = periods(EnergyStep::Month, &rows);
    assert_eq!(by_month.len(), 3);
    let april = by_month[1];
    let of_april: Vec<_> =
        days.iter().filter(|day| april.from <= day.from && day.to <= april.to).copied().collect();
    assert_eq!(Day::period(&of_april), Some(april));
    assert!(april.import_measured > 500, "{}", april.import_measured);
    // One that is left out is no period.
    assert_eq!(Day::period(&[of_april[0], of_april[2]]), None);
    assert_eq!(Day::period(&[]), None);
}

/// As a database keeps them: the days that are complete, and now and then the series as it was at a
/// midnight.
#[test]
fn what_is_kept_answers_as_all_readings_do() {
    for seed in 0..6 {
        let readings = readings(seed, 40);
        let whole = quarters(&readings);
        let (mut kept, mut states) = (Days::new(calendar()), Vec::new());
        let (mut series, mut complete) = (MeterSeries::new(Rules::default()), Vec::new());
        let mut week = i64::MIN;
        for reading in &readings {
            let monday = reading.at - reading.at.rem_euclid(7 * 96 * QUARTER);
            if monday > week {
                week = monday;
                states.push((monday, serde_json::to_string(&series).unwrap()));
            }
            series.push(reading, &mut |row| complete.extend(kept.push(&row).unwrap())).unwrap();
        }
        // No reading that comes later changes a complete day.
        let all = days(&whole);
        assert_eq!(complete, all[..complete.len()]);
        assert!(complete.len() >= all.len() - 2);
        // Any day's quarter hours are those since the last kept state, read on.
        for day in all.iter().step_by(3) {
            let (since, state) = states.iter().rfind(|(since, _)| *since <= day.from).unwrap();
            let window = Window { from: day.from, to: day.to };
            let mut series = serde_json::from_str::<MeterSeries>(state).unwrap().within(window);
            let mut rows = Vec::new();
            for reading in readings.iter().filter(|reading| reading.at >= *since) {
                series.push(reading, &mut |row| rows.push(row)).unwrap();
            }
            series.finish(&mut |row| rows.push(row));
            let expected = whole.iter().filter(|row| (day.from..day.to).contains(&row.slot));
            assert_eq!(rows, expected.copied().collect::<Vec<_>>());
        }
    }
}

/// Two meters are covered together where both are.
#[test]
fn bits_of_two_meters_are_their_common_coverage() {
    let rows = [1, 2].map(|seed| quarters(&readings(seed, 10)));
    let days = rows.each_ref().map(|rows| days(rows));
    for (a, b) in days[0].iter().zip(&days[1]) {
        let common = (a.import.measured & b.import.measured).count_ones();
        let is_measured = |row: &Quarter| row.import.interval().energy.is_some();
        let slots = |of: usize| {
            rows[of].iter().filter(|row| is_measured(row)).map(|row| row.slot).collect::<Vec<_>>()
        };
        let (left, right) = (slots(0), slots(1));
        let both = left.iter().filter(|slot| (a.from..a.to).contains(slot) && right.contains(slot));
        assert_eq!(usize::try_from(common).unwrap(), both.count());
    }
}

/// A reading that comes late changes no day that was complete before a reading of its time came: what
/// has to be made anew are the days that looked at later readings.
#[test]
fn a_late_reading_changes_the_days_that_reached_it() {
    for seed in 0..20 {
        let readings = readings(seed, 12);
        let late = readings[(usize::try_from(seed).unwrap() * 37 + 200) % readings.len()];
        let complete = |readings: &[Reading]| {
            let (mut kept, mut found) = (Days::new(calendar()), Vec::new());
            let mut series = MeterSeries::new(Rules::default());
            for reading in readings {
                let mut days = Vec::new();
                series.push(reading, &mut |row| days.extend(kept.push(&row).unwrap())).unwrap();
                found.extend(days.into_iter().map(|day| (day, reading.at)));
            }
            found
        };
        let with = complete(&readings);
        let without: Vec<_> = readings.iter().filter(|one| one.at != late.at).copied().collect();
        let before: Vec<_> =
            complete(&without).into_iter().filter(|(_, reach)| *reach <= late.at).collect();
        assert!(!before.is_empty());
        let days = |found: &[(Day, i64)]| found.iter().map(|(day, _)| *day).collect::<Vec<_>>();
        assert_eq!(days(&before), days(&with)[..before.len()]);
    }
}
