//! Where a register is continuous: exchanged meters, outliers, readings that wait, and meters that
//! do not show a register.

use ebp_dataset::{Flag, MeterSeries, QUARTER, Quality, Quarter, Reading, Register, Rules, Spans};

use super::cases::quarters;

fn shown(text: &str) -> Option<Register> {
    Register::from_decimal(text.parse().unwrap())
}

/// A second behind the beginning of that quarter hour.
fn reading(slot: i64, import: &str) -> Reading {
    Reading { import: shown(import), ..Reading::at(slot * QUARTER + 1_000_000) }
}

fn flags(rows: &[Quarter]) -> Vec<Vec<&'static str>> {
    rows.iter().map(|row| row.flags.iter().map(Flag::name).collect()).collect()
}

fn energies(rows: &[Quarter]) -> Vec<Option<String>> {
    rows.iter().map(|row| row.import.interval().energy.map(|energy| energy.to_string())).collect()
}

#[test]
fn another_meter_opens_a_segment_whatever_it_shows() {
    let mut readings = [(0, "5.0000"), (1, "5.1000"), (2, "5.3000"), (3, "5.4000"), (4, "5.5000")]
        .map(|(slot, value)| reading(slot, value));
    // The device says it of each reading of the other meter.
    readings[2..].iter_mut().for_each(|reading| reading.another_meter = true);
    let rows = quarters(&readings);
    let reset = vec!["register_reset"];
    assert_eq!(
        flags(&rows),
        [vec!["no_bracket"], reset.clone(), reset.clone(), vec![], vec!["no_bracket"]]
    );
    assert_eq!(energies(&rows), [None, None, None, Some("0.1".into()), None]);
    let segments: Vec<_> = rows.iter().map(|row| row.import.end.map(|end| end.segment)).collect();
    assert_eq!(segments, [Some(1), None, Some(2), Some(2), None]);
    // The first meter is back, a quarter hour later: two heads were swapped.
    readings[3..].iter_mut().for_each(|reading| reading.another_meter = false);
    let rows = quarters(&readings);
    assert_eq!(flags(&rows)[1..4], [reset.clone(), reset.clone(), reset]);
    assert!(energies(&rows).iter().all(Option::is_none));
    // Without the flag nothing is to be seen.
    readings[2].another_meter = false;
    assert_eq!(flags(&quarters(&readings))[1..4], [[], [], []] as [[&str; 0]; 3]);
}

#[test]
fn a_meter_that_is_another_one_from_the_beginning_is_one_series() {
    let mut readings =
        [(0, "5.0000"), (1, "5.1000"), (2, "5.3000")].map(|(slot, value)| reading(slot, value));
    readings.iter_mut().for_each(|reading| reading.another_meter = true);
    let rows = quarters(&readings);
    assert_eq!(energies(&rows)[1], Some("0.1999".into()));
    assert_eq!(rows[1].import.end.map(|end| end.segment), Some(1));
}

/// What the device stores is what the rules read.
#[test]
fn the_devices_flag_reaches_the_segments() {
    let stored = |slot: i64, flags: &str| -> ebp_core::contract::StoredMeasurement {
        let at = jiff::Timestamp::from_microsecond(slot * QUARTER + 1_000_000).unwrap();
        serde_json::from_value(serde_json::json!({
            "uuid": uuid::Uuid::from_u128(slot.unsigned_abs().into()),
            "meter": uuid::Uuid::nil(),
            "measured_at": at,
            "received_at": at,
            "data": [{"0100010800ff": 5.1234 + slot as f64}],
            "flags": serde_json::from_str::<serde_json::Value>(flags).unwrap(),
        }))
        .unwrap()
    };
    let another = r#"["another-meter"]"#;
    let exchanged = [(0, "[]"), (1, "[]"), (2, another), (3, another), (4, another)];
    let readings = exchanged.map(|(slot, flags)| Reading::from_stored(&stored(slot, flags)));
    assert_eq!(readings.map(|it| it.another_meter), [false, false, true, true, true]);
    let reset = vec!["register_reset"];
    assert_eq!(flags(&quarters(&readings))[1..4], [reset.clone(), reset, vec![]]);
    let unflagged = exchanged.map(|(slot, _)| Reading::from_stored(&stored(slot, "[]")));
    assert_eq!(flags(&quarters(&unflagged))[1..4], [[], [], []] as [[&str; 0]; 3]);
}

#[test]
fn gaps_are_filled_on_request_alone() {
    let readings =
        [(0, "5.0000"), (1, "5.1000"), (4, "5.4000"), (5, "5.5000"), (6, "0.0100"), (7, "0.0200")]
            .map(|(slot, value)| reading(slot, value));
    let rows = quarters(&readings);
    let filled: Vec<_> = rows
        .iter()
        .map(|row| {
            let (start, end) = (row.import.start.as_ref(), row.import.end.as_ref());
            let (plain, filled) = (row.import.interval(), row.import.interval().filled(start, end));
            assert_eq!(plain.bounds, filled.bounds);
            (filled.quality, filled.energy.map(|energy| energy.to_string()))
        })
        .collect();
    let known = |quality, energy: &str| (quality, Some(energy.to_owned()));
    let missing = (Quality::Missing, None);
    assert_eq!(
        filled,
        [
            missing.clone(),
            known(Quality::Interpolated, "0.1"),
            known(Quality::Interpolated, "0.1"),
            known(Quality::Interpolated, "0.1"),
            known(Quality::Measured, "0.1"),
            // Nothing is made up across a reset and at the ends.
            missing.clone(),
            missing.clone(),
            missing,
        ]
    );
}

#[test]
fn a_used_meter_that_shows_much_more_is_seen() {
    let readings = [(0, "5.0000"), (1, "5.1000"), (2, "45.0000"), (3, "45.1000"), (4, "45.2000")]
        .map(|(slot, value)| reading(slot, value));
    let rows = quarters(&readings);
    assert_eq!(rows[1].flags, Flag::RegisterReset.into());
    assert_eq!(energies(&rows)[3], Some("0.1".into()));
}

#[test]
fn what_does_not_fit_waits_for_the_next() {
    let mut series = MeterSeries::new(Rules::default());
    let mut rows = Vec::new();
    for (slot, value) in [(0, "5.0000"), (1, "5.1000"), (2, "0.3000")] {
        series.push(&reading(slot, value), &mut |row| rows.push(row)).unwrap();
    }
    let left = rows.len();
    series.clone().finish(&mut |row| rows.push(row));
    assert_eq!(
        rows.last().unwrap().flags.iter().collect::<Vec<_>>(),
        [Flag::NoReading, Flag::NoBracket, Flag::Unconfirmed]
    );
    // The next one decides: here for the reading before.
    rows.truncate(left);
    for (slot, value) in [(3, "5.3000"), (4, "5.4000")] {
        series.push(&reading(slot, value), &mut |row| rows.push(row)).unwrap();
    }
    series.finish(&mut |row| rows.push(row));
    assert!(rows[2].flags.has(Flag::Outlier) && !rows[2].flags.has(Flag::Unconfirmed));
    assert_eq!(rows.iter().filter(|row| row.flags.has(Flag::RegisterReset)).count(), 0);
}

#[test]
fn two_that_fit_neither_are_two_outliers() {
    let readings = [(0, "5.0000"), (1, "900.0000"), (2, "100.0000"), (3, "5.3000"), (4, "5.4000")]
        .map(|(slot, value)| reading(slot, value));
    let rows = quarters(&readings);
    let outliers: Vec<_> = rows.iter().map(|row| row.flags.has(Flag::Outlier)).collect();
    assert_eq!(outliers, [false, true, true, false, false]);
    assert_eq!(rows[3].import.start.map(|start| start.segment), Some(1));
}

#[test]
fn of_one_instant_the_first_received_counts() {
    let first = Reading { rank: (1, 9), ..reading(1, "5.1000") };
    let second = Reading { rank: (2, 1), ..reading(1, "5.2000") };
    let same = Reading { rank: (3, 1), ..reading(1, "5.1000") };
    let ends = [reading(0, "5.0000"), reading(2, "5.3000"), reading(3, "5.4000")];
    let rows = |of: &[Reading]| {
        let mut readings = ends.to_vec();
        readings.splice(1..1, of.iter().copied());
        quarters(&readings)
    };
    let without = rows(&[first]);
    assert_eq!(rows(&[same, first]), without);
    let conflict = rows(&[second, first]);
    assert_eq!(energies(&conflict), energies(&without));
    assert_eq!(flags(&conflict)[1], ["conflict"]);
}

#[test]
fn a_register_that_is_not_shown_any_more_ends() {
    // 2.8.0 is shown for a day, 1.8.0 for 40.
    let one = |slot: i64| {
        let export = (slot < 96).then(|| shown("7.0000")).flatten();
        Reading { export, ..reading(slot, "5.0000") }
    };
    let mut series = MeterSeries::new(Rules::default());
    let mut rows = Vec::new();
    for slot in 0..40 * 96 {
        series.push(&one(slot), &mut |row| rows.push(row)).unwrap();
    }
    // They are not held back for ever.
    assert!(rows.len() > 40 * 96 - 5, "{}", rows.len());
    series.finish(&mut |row| rows.push(row));
    let measured = |register: fn(&Quarter) -> Quality| {
        rows.iter().filter(|row| register(row) == Quality::Measured).count()
    };
    assert_eq!(measured(|row| row.import.interval().quality), 40 * 96 - 2);
    assert_eq!(measured(|row| row.export.interval().quality), 94);
    assert!(rows[2000].export.flags.has(Flag::NoBracket));
    // And it begins anew.
    let again = (0..96).map(one).chain(
        (50 * 96..51 * 96)
            .map(|slot| Reading { export: shown("8.0000"), ..reading(slot, "9.0000") }),
    );
    let rows = quarters(&again.collect::<Vec<_>>());
    let mut spans = Spans::default();
    let spans: Vec<_> = rows.iter().filter_map(|row| spans.push(&row.export)).collect();
    // Nothing was read in between, so that nothing ended: the energy of 49 days is known.
    assert_eq!(spans.len(), 1);
    assert_eq!(spans[0].interval.energy.map(|energy| energy.to_string()), Some("1".into()));
}

#[test]
fn measurements_are_read_as_they_are_stored() {
    let stored = ebp_core::contract::StoredMeasurement {
        uuid: uuid::Uuid::from_u128(7),
        measured_at: "2026-01-31T12:00:01.5Z".parse().unwrap(),
        received_at: "2026-01-31T12:07:00Z".parse().unwrap(),
        data: serde_json::from_str(
            r#"[{"0100010800ff":12345.6000},{"0100020800ff":12},{"0100100700ff":-0.25}]"#,
        )
        .unwrap(),
        flags: vec![
            ebp_core::model::Flag::ClockCorrected,
            ebp_core::model::Flag::TimeWithin5s,
            ebp_core::model::Flag::PowerOutOfRange,
        ],
    };
    let reading = Reading::from_stored(&stored);
    assert_eq!(
        reading,
        Reading {
            rank: (stored.received_at.as_microsecond(), 7),
            import: shown("12345.6000"),
            // The other register shows decimals: this one is no less exact.
            export: shown("12.0000"),
            power: Some(-25_000_000),
            uncertainty: 5_000_000,
            clock_corrected: true,
            power_out_of_range: true,
            ..Reading::at(stored.measured_at.as_microsecond())
        }
    );
    let flags = quarters(&[reading])[0].flags;
    assert!(flags.has(Flag::PowerOutOfRange));
}
