//! Sums and signs from one telegram to the next.

use ebp_core::model::DataPoint;

use super::*;

/// Tariffs of that many decimals of a kWh, in units of the last one.
fn tariffs(decimals: i8, values: &[i128], integrity: Integrity) -> Readout {
    let entries = (1..).zip(values).map(|(tariff, value)| {
        entry(ObisCode([1, 0, 1, 8, tariff, 255]), *value, Some(Unit::WATT_HOUR), 3 - decimals)
    });
    Readout { integrity, ..readout(Protocol::Sml, entries.collect()) }
}

/// A meter of two tariffs that locks itself cuts each of them off to whole kWh.
#[test]
fn a_sum_of_a_meter_that_locks_itself_is_held() {
    let mut known = KnownRegisters::default();
    let mut next = |decimals, values: &[i128]| {
        let figures = known.figures(&tariffs(decimals, values, Integrity::Ok), &Pinned::new());
        figures.first().map(|figure| (figure.value.to_string(), figure.places.unwrap()))
    };
    let shown = |value: &str, places| Some((value.to_owned(), places));
    assert_eq!(next(1, &[1009, 2009]), shown("301.8", 1));
    assert_eq!(next(0, &[100, 200]), shown("301", 0));
    assert_eq!(next(0, &[100, 201]), shown("301", 0));
    assert_eq!(next(0, &[101, 201]), shown("302", 0));
    assert_eq!(next(0, &[101, 199]), None, "more than what is cut off");
    assert_eq!(next(0, &[101, 202]), shown("303", 0));
    assert_eq!(next(1, &[1015, 2027]), shown("304.2", 1), "unlocked again");
    assert_eq!(next(1, &[1009, 2027]), None);
    // A process that goes on from what was stored.
    let stored = [DataPoint { obis: ObisCode::POSITIVE_ENERGY, value: "301.8".parse().unwrap() }];
    let locked = tariffs(0, &[100, 200], Integrity::Ok);
    let figures = KnownRegisters::default().figures_after(&stored, &locked, &Pinned::new());
    assert_eq!(shown_values(&figures), ["301"]);
}

fn shown_values(figures: &[Figure]) -> Vec<String> {
    figures.iter().map(|figure| figure.value.to_string()).collect()
}

/// A single damaged telegram without a checksum spoils nothing for good.
#[test]
fn what_no_checksum_proves_has_to_be_there_twice() {
    let unchecked =
        |registers: &[(&str, i128)]| Readout { integrity: Integrity::Unchecked, ..sml(registers) };
    let run = |telegrams: &[&[(&str, i128)]]| {
        let mut known = KnownRegisters::default();
        let figures = telegrams.iter().map(|telegram| {
            // What is known survives a process that ends, but for the sums, which are stored.
            let sums = known.sums;
            let text = serde_json::to_string(&known).unwrap();
            known = serde_json::from_str(&text).unwrap();
            known.sums = sums;
            shown_values(&known.figures(&unchecked(telegram), &Pinned::new())).join(" ")
        });
        figures.collect::<Vec<_>>()
    };
    let good: [&[(&str, i128)]; 3] = [
        &[("1.8.1", 100_100), ("1.8.2", 200_100), ("1.7.0", 5)],
        &[("1.8.1", 100_200), ("1.8.2", 200_100), ("1.7.0", 5)],
        &[("1.8.1", 101_200), ("1.8.2", 200_100), ("1.7.0", 5)],
    ];
    let sum: &[(&str, i128)] = &[("1.8.1", 900_100), ("1.8.2", 200_100), ("1.7.0", 5)];
    let expected = ["300.2 0.005", "1100.2 0.005", "0.005", "301.3 0.005"];
    assert_eq!(run(&[good[0], sum, good[1], good[2]]), expected);
    let tariff: &[(&str, i128)] = &[("1.8.1", 100_100), ("1.8.3", 200_100), ("1.7.0", 5)];
    let expected = ["300.2 0.005", "300.2 0.005", "300.3 0.005", "301.3 0.005"];
    assert_eq!(run(&[good[0], tariff, good[1], good[2]]), expected);
    let expected = ["300.2 0.005", "300.3 0.005", "0.005", "301.3 0.005"];
    assert_eq!(run(&[good[0], good[1], tariff, good[2]]), expected, "two were known");
    let sign: &[(&str, i128)] = &[("1.8.1", 100_100), ("1.8.2", 200_100), ("1.7.0", -5)];
    let mut known = KnownRegisters::default();
    let mut codes = |telegram| {
        let figures = known.figures(&unchecked(telegram), &Pinned::new());
        figures.last().unwrap().obis.short()
    };
    let expected = ["1.7.0", "16.7.0", "1.7.0", "16.7.0", "16.7.0", "16.7.0"];
    assert_eq!([good[0], sign, good[1], sign, sign, good[2]].map(&mut codes), expected);
    // A phase that a damaged code names.
    let phases: [&[(&str, i128)]; 3] =
        [&[("36.7.0", 5)], &[("36.7.0", 5), ("56.7.0", 7), ("76.7.0", 1)], &[("36.7.0", 6)]];
    assert_eq!(run(&phases), ["0.005", "0.013", "0.006"]);
    assert_eq!(run(&[phases[1], phases[1], phases[2]]), ["0.013", "0.013", ""]);
}

/// With a checksum, too, two telegrams running are believed rather than the one before them: what
/// counted may be of another meter.
#[test]
fn a_sum_that_has_fallen_twice_is_believed() {
    let mut known = KnownRegisters::default();
    let mut next = |values: &[i128]| {
        let readout = tariffs(1, values, Integrity::Ok);
        shown_values(&known.figures(&readout, &Pinned::new())).join(" ")
    };
    assert_eq!(next(&[9001, 2001]), "1100.2");
    assert_eq!(next(&[1002, 2001]), "");
    assert_eq!(next(&[1001, 1000]), "", "lower again");
    assert_eq!(next(&[1001, 1001]), "200.2");
    assert_eq!(next(&[1001, 1002]), "200.3");
}

#[test]
fn what_an_older_version_knew_is_understood() {
    let text = r#"{"tariffs":[6,0],"phases":[0,0,7],"signed_power":true,"signed_phases":false}"#;
    let known: KnownRegisters = serde_json::from_str(text).unwrap();
    assert_eq!((known.tariffs, known.phases), ([6, 0], [0, 0, 7]));
    assert!(known.signed_power && !known.signed_phases);
}
