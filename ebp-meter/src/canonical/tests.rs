//! Which registers count, rule by rule, and what must hold for any telegram.

use ebp_core::{obis::ObisCode, quantity::Unit};
use proptest::{collection::vec, prelude::*};
use rust_decimal::Decimal;

use super::*;
use crate::flag_id::FlagId;
use crate::readout::{Entry, Integrity, Protocol, Value};

mod running;

fn entry(obis: ObisCode, value: i128, unit: Option<Unit>, scaler: i8) -> Entry {
    let value = Value::Integer(value);
    Entry { obis, value, unit, scaler, status: None, time: None, corrected: None }
}

fn readout(protocol: Protocol, entries: Vec<Entry>) -> Readout {
    Readout {
        protocol,
        server_id: None,
        manufacturer: None,
        meter_time: None,
        entries,
        unaddressed: Vec::new(),
        integrity: Integrity::Ok,
        bytes: 0,
    }
}

/// Of `(code, number)`: Wh and W, as SML has them.
fn sml(registers: &[(&str, i128)]) -> Readout {
    let entries = registers
        .iter()
        .map(|(code, value)| {
            let obis: ObisCode = code.parse().unwrap();
            let unit = if obis.0[3] == 8 { Unit::WATT_HOUR } else { Unit::WATT };
            entry(obis, *value, Some(unit), 0)
        })
        .collect();
    readout(Protocol::Sml, entries)
}

fn shown(figures: &[Figure]) -> Vec<String> {
    figures
        .iter()
        .map(|figure| {
            let from = match &figure.source {
                Source::Own => "own".to_owned(),
                Source::Register(code) => code.to_string(),
                sum => sum.derivation().unwrap(),
            };
            format!("{} {} {from}", figure.obis.short(), figure.value)
        })
        .collect()
}

fn figures(registers: &[(&str, i128)]) -> Vec<String> {
    shown(&sml(registers).figures())
}

#[test]
fn its_own_code_goes_before_all() {
    let registers = [
        ("1-1:1.8.0", 1),
        ("1.8.1", 2),
        ("1.8.0", 5000),
        ("1.8.0*0", 7),
        ("36.7.0", 3),
        ("16.7.0", 15),
        ("1-1:16.7.0", 4),
    ];
    assert_eq!(figures(&registers), ["1.8.0 5 own", "16.7.0 0.015 own"]);
}

#[test]
fn then_a_single_other_channel() {
    assert_eq!(figures(&[("1-1:1.8.0", 5000)]), ["1.8.0 5 1-1:1.8.0*255"]);
    assert_eq!(figures(&[("1-1:1.8.0", 5000), ("1-2:1.8.0", 6000)]), [""; 0], "two of them");
    let both = [("1-1:1.8.0", 5000), ("1-2:2.8.0", 6000), ("1-1:16.7.0", 7)];
    let expected =
        ["1.8.0 5 1-1:1.8.0*255", "2.8.0 6 1-2:2.8.0*255", "16.7.0 0.007 1-1:16.7.0*255"];
    assert_eq!(figures(&both), expected);
    assert_eq!(figures(&[("1.8.255", 5000)]), ["1.8.0 5 1-0:1.8.255*255"], "Hager");
}

#[test]
fn then_storage_0_where_nothing_is_present_elsewhere() {
    let pafal = [("1.8.0*0", 5000), ("2.8.0*0", 6000)];
    assert_eq!(figures(&pafal), ["1.8.0 5 1-0:1.8.0*0", "2.8.0 6 1-0:2.8.0*0"]);
    // Slots of history.
    assert_eq!(figures(&[("1.8.0*0", 0), ("1.8.0*0", 0)]), [""; 0], "several");
    assert_eq!(figures(&[("1.8.0*0", 9), ("2.8.0", 6000)]), ["2.8.0 6 own"]);
    assert_eq!(figures(&[("1.8.0*0", 9), ("1.8.1", 6000)]), ["1.8.0 6 sum of 1.8.1"]);
    assert_eq!(figures(&[("1.8.0*0", 9), ("1.8.0*1", 6000)]), ["1.8.0 0.009 1-0:1.8.0*0"]);
}

#[test]
fn then_the_sum_of_all_tariffs() {
    assert_eq!(
        figures(&[("1.8.1", 1), ("1.8.2", 2000), ("2.8.1", 3)]),
        ["1.8.0 2.001 sum of 1.8.1, 1.8.2", "2.8.0 0.003 sum of 2.8.1"]
    );
    let of_channel = [("1-1:1.8.1", 1000), ("1-1:1.8.2", 2000)];
    assert_eq!(figures(&of_channel), ["1.8.0 3 sum of 1-1:1.8.1*255, 1-1:1.8.2*255"]);
    assert_eq!(figures(&[("1-1:1.8.1", 1000), ("1-2:1.8.2", 2000)]), [""; 0], "two channels");
    assert_eq!(figures(&[("1.8.1", 1000), ("1.8.1", 2000)]), [""; 0], "a tariff twice");
    assert_eq!(
        figures(&[("1.8.1*0", 1000), ("1.8.2*0", 1)]),
        ["1.8.0 1.001 sum of 1-0:1.8.1*0, 1-0:1.8.2*0"]
    );
}

#[test]
fn a_sum_wants_every_tariff_that_was_ever_there_and_never_falls() {
    let mut known = KnownRegisters::default();
    let mut next =
        |registers: &[(&str, i128)]| shown(&known.figures(&sml(registers), &Pinned::new()));
    assert_eq!(next(&[("1.8.1", 1000), ("1.8.2", 2000)]), ["1.8.0 3 sum of 1.8.1, 1.8.2"]);
    assert_eq!(next(&[("1.8.1", 5000)]), [""; 0], "a tariff stays away");
    assert_eq!(next(&[("1.8.2", 9000)]), [""; 0]);
    assert_eq!(next(&[("1.8.1", 900), ("1.8.2", 2000)]), [""; 0], "it would fall");
    assert_eq!(next(&[("1.8.1", 1000), ("1.8.2", 2001)]), ["1.8.0 3.001 sum of 1.8.1, 1.8.2"]);
    assert_eq!(
        next(&[("1.8.1", 1000), ("1.8.2", 2001), ("1.8.3", 1)]),
        ["1.8.0 3.002 sum of 1.8.1, 1.8.2, 1.8.3"]
    );
    assert_eq!(next(&[("1.8.1", 1000), ("1.8.2", 2001)]), [""; 0]);
    assert_eq!(next(&[("1.8.0", 1)]), ["1.8.0 0.001 own"], "a register may; that is told apart");
}

/// A register of that code, which the telegram names without a number that can be read.
fn without_number(code: &str) -> Entry {
    let mut entry = entry(code.parse().unwrap(), 0, Some(Unit::WATT_HOUR), 0);
    entry.value = Value::Absent;
    entry
}

/// A tariff or a phase whose value is absent (`01` in SML, `()` or `(-----*kWh)` in ASCII), or whose
/// unit is not known, is part of the total.
#[test]
fn a_part_without_a_number_leaves_no_sum() {
    for (parts, missing) in [
        (vec![("1.8.1", 1000)], "1.8.2"),
        (vec![("2.8.1", 1000), ("2.8.3", 5)], "2.8.2"),
        (vec![("1-1:1.8.1", 1000)], "1-1:1.8.2"),
        (vec![("36.7.0", 500)], "56.7.0"),
        (vec![("21.7.0", 500)], "61.7.0"),
    ] {
        let mut readout = sml(&parts);
        assert_eq!(readout.figures().len(), 1, "{parts:?}");
        readout.entries.push(without_number(missing));
        assert_eq!(shown(&readout.figures()), [""; 0], "{missing}");
        // It holds for the telegrams that do not name it, too.
        let mut known = KnownRegisters::default();
        known.figures(&readout, &Pinned::new());
        assert_eq!(shown(&known.figures(&sml(&parts), &Pinned::new())), [""; 0], "{missing}");
    }
    // The time of a value stands behind it under the same code.
    let mut readout = sml(&[("1.8.1", 1000), ("1.8.2", 2000)]);
    readout.entries.push(without_number("1.8.2"));
    assert_eq!(shown(&readout.figures()), ["1.8.0 3 sum of 1.8.1, 1.8.2"]);
    // What is fed in on one phase is known to exist, and so the power drawn is no total.
    let mut readout = sml(&[("21.7.0", 100), ("41.7.0", 300), ("61.7.0", 50)]);
    readout.entries.push(without_number("42.7.0"));
    assert_eq!(shown(&readout.figures()), [""; 0]);
}

/// EMH LZQJ: the meter's own energy stands in tariffs of channel 1, and channel 2 is a pulse input that
/// has a total (telegram `dataDump2` of EnergyICT's `LZQJTest`).
#[test]
fn a_total_of_another_channel_than_the_tariffs_does_not_count() {
    let registers = [
        ("1-1:1.8.1", 1),
        ("1-1:1.8.1*0", 20_123),
        ("1-1:1.8.2", 0),
        ("1-1:1.8.2*0", 0),
        ("1-1:2.8.1", 403_807),
        ("1-1:2.8.2", 510_261),
        ("1-2:1.8.0", 0),
        ("1-2:1.8.0*0", 0),
    ];
    assert_eq!(
        figures(&registers),
        [
            "1.8.0 0.001 sum of 1-1:1.8.1*255, 1-1:1.8.2*255",
            "2.8.0 914.068 sum of 1-1:2.8.1*255, 1-1:2.8.2*255"
        ]
    );
    // Channels end at 64; what is above is the operator's or the maker's (IEC 62056-61).
    assert_eq!(figures(&[("1-1:1.8.0", 5000), ("1-65:1.8.0", 7)]), ["1.8.0 5 1-1:1.8.0*255"]);
    assert_eq!(figures(&[("1-65:1.8.0", 7), ("1-65:36.7.0", 7)]), [""; 0]);
    // Tariffs beside their own total are none of another channel.
    let total = [("1-1:1.8.0", 3000), ("1-1:1.8.1", 1000), ("1-1:1.8.2", 2000)];
    assert_eq!(figures(&total), ["1.8.0 3 1-1:1.8.0*255"]);
}

#[test]
fn phases_of_a_single_other_channel_count() {
    let phases = [("1-1:36.7.0", 100), ("1-1:56.7.0", 0), ("1-1:76.7.0", 50)];
    let expected = "16.7.0 0.15 sum of 1-1:36.7.0*255, 1-1:56.7.0*255, 1-1:76.7.0*255";
    assert_eq!(figures(&phases), [expected]);
    let own = [&phases[..], &[("36.7.0", 7)]].concat();
    assert_eq!(figures(&own), ["16.7.0 0.007 1-0:36.7.0*255"]);
    let two = [&phases[..], &[("1-2:36.7.0", 7)]].concat();
    assert_eq!(figures(&two), [""; 0]);
}

#[test]
fn power_with_a_sign_is_the_sum() {
    assert_eq!(figures(&[("1.7.0", 15)]), ["1.7.0 0.015 own"]);
    assert_eq!(figures(&[("1.7.0", -15)]), ["16.7.0 -0.015 1-0:1.7.0*255"]);
    assert_eq!(figures(&[("1-1:1.7.0", -15)]), ["16.7.0 -0.015 1-1:1.7.0*255"]);
    assert_eq!(figures(&[("1.7.0", -15), ("16.7.0", -15)]), ["16.7.0 -0.015 own"]);
    assert_eq!(figures(&[("2.7.0", -15)]), [""; 0]);
    // What was seen once holds.
    let mut known = KnownRegisters::default();
    let mut next = |watts| shown(&known.figures(&sml(&[("1.7.0", watts)]), &Pinned::new()));
    assert_eq!(next(15), ["1.7.0 0.015 own"]);
    assert_eq!(next(-15), ["16.7.0 -0.015 1-0:1.7.0*255"]);
    assert_eq!(next(15), ["16.7.0 0.015 1-0:1.7.0*255"]);
}

#[test]
fn phases_stand_in_for_their_sum() {
    let signed = [("36.7.0", 100), ("56.7.0", -300), ("76.7.0", 50)];
    assert_eq!(figures(&signed), ["16.7.0 -0.15 sum of 36.7.0, 56.7.0, 76.7.0"]);
    assert_eq!(figures(&signed[..1]), ["16.7.0 0.1 1-0:36.7.0*255"], "a meter of one phase");
    assert_eq!(figures(&signed[..2]), [""; 0], "one is missing");
    let drawn = [("21.7.0", 100), ("41.7.0", 300), ("61.7.0", 50)];
    assert_eq!(figures(&drawn), ["1.7.0 0.45 sum of 21.7.0, 41.7.0, 61.7.0"]);
    let signed = [("21.7.0", 100), ("41.7.0", -300), ("61.7.0", 50)];
    assert_eq!(figures(&signed), ["16.7.0 -0.15 sum of 21.7.0, 41.7.0, 61.7.0"]);
    let both = [drawn.as_slice(), &[("22.7.0", 0), ("42.7.0", 500), ("62.7.0", 0)]].concat();
    let expected = "16.7.0 -0.05 sum of 21.7.0, 41.7.0, 61.7.0 less 22.7.0, 42.7.0, 62.7.0";
    assert_eq!(figures(&both), [expected]);
    // A phase that stays away is no smaller sum.
    let mut known = KnownRegisters::default();
    let mut next =
        |registers: &[(&str, i128)]| shown(&known.figures(&sml(registers), &Pinned::new())).len();
    assert_eq!(next(&drawn), 1);
    assert_eq!(next(&drawn[..1]), 0);
}

#[test]
fn a_magnitude_counts_where_its_direction_is_known() {
    let power = |maker: Option<&str>, status| {
        let mut readout = sml(&[("1.8.0", 1), ("15.7.0", 12)]);
        readout.manufacturer =
            maker.and_then(|maker| FlagId::new(maker.as_bytes().try_into().ok()?));
        readout.entries[0].status = status;
        shown(&readout.figures()).into_iter().nth(1)
    };
    assert_eq!(power(Some("EMH"), Some(0x182)).unwrap(), "16.7.0 0.012 1-0:15.7.0*255");
    assert_eq!(power(Some("EMH"), None), None);
    assert_eq!(power(Some("EMH"), Some(0x1c_4904)), None, "FNN's form has its direction elsewhere");
    assert_eq!(power(Some("ISK"), Some(0x182)), None);
}

#[test]
fn units_are_what_they_must_be() {
    let energy = |protocol, unit, value| {
        let entries = vec![entry(ObisCode::POSITIVE_ENERGY, value, unit, -2)];
        shown(&readout(protocol, entries).figures())
    };
    assert_eq!(
        energy(Protocol::D0, None, 1_944_638),
        ["1.8.0 19446.38 own"],
        "kWh without saying so"
    );
    assert_eq!(energy(Protocol::Sml, None, 1_944_638), [""; 0]);
    assert_eq!(energy(Protocol::D0, Some(Unit::VAR_HOUR), 1), [""; 0]);
    let power = entry(ObisCode::SUM_POWER, 5, None, 0);
    assert_eq!(readout(Protocol::D0, vec![power]).figures(), []);
}

#[test]
fn a_profile_may_pin_what_counts() {
    let pinned: Pinned = [
        (ObisCode::SUM_POWER, vec![ObisCode::POSITIVE_POWER]),
        (ObisCode::POSITIVE_ENERGY, ["1.8.1", "1.8.2"].map(|code| code.parse().unwrap()).to_vec()),
    ]
    .into();
    let figures = |registers: &[(&str, i128)]| {
        shown(&KnownRegisters::default().figures(&sml(registers), &pinned))
    };
    assert_eq!(
        figures(&[("1.7.0", 15), ("1.8.0", 9), ("1.8.1", 1), ("1.8.2", 2)]),
        ["1.8.0 0.003 sum of 1.8.1, 1.8.2", "1.7.0 0.015 own", "16.7.0 0.015 1-0:1.7.0*255"]
    );
    assert_eq!(figures(&[("1.8.0", 9), ("1.8.1", 1)]), [""; 0], "what is pinned is not there");
}

/// Registers as meters and damaged lines have them: few codes, so that they meet.
fn registers() -> impl Strategy<Value = Vec<Entry>> {
    let code = (
        0..3_u8,
        prop::sample::select(vec![1_u8, 2, 15, 16, 21, 22, 36, 41, 42, 56, 61, 62, 76, 3]),
        7..9_u8,
        prop::sample::select(vec![0_u8, 1, 2, 255]),
        prop::sample::select(vec![0_u8, 1, 255]),
    );
    let unit =
        prop::sample::select(vec![None, Some(Unit::WATT), Some(Unit::WATT_HOUR), Some(Unit(8))]);
    let number = prop_oneof![-5000..5000_i128, any::<i64>().prop_map(i128::from), any::<i128>()];
    let one = (code, unit, number, -9..9_i8).prop_map(|((b, c, d, e, f), unit, value, scaler)| {
        entry(ObisCode([1, b, c, d, e, f]), value, unit, scaler)
    });
    vec(one, 0..14)
}

proptest! {
    /// Whatever a telegram holds: each figure is exactly its registers' numbers, or a sum of energies
    /// that is held at the one before, each of them is in the telegram, positive power is never
    /// negative, and no quantity stands there twice.
    #[test]
    fn nothing_is_invented_and_nothing_loses_a_digit(
        telegrams in vec(registers(), 1..4), is_ascii: bool,
    ) {
        let protocol = if is_ascii { Protocol::D0 } else { Protocol::Sml };
        let mut known = KnownRegisters::default();
        let mut sums = [None::<Decimal>; 2];
        // Whether a sum was left out since.
        let mut left_out = [false; 2];
        for entries in telegrams {
            let readout = readout(protocol, entries);
            let before = readout.clone();
            let figures = known.figures(&readout, &Pinned::new());
            prop_assert_eq!(&readout, &before, "the readout stays as it is");
            for pair in figures.windows(2) {
                let at = |figure: &Figure| ObisCode::SURVEY.iter().position(|own| *own == figure.obis);
                prop_assert!(at(&pair[0]) < at(&pair[1]));
            }
            let mut has_sum = [false; 2];
            for figure in figures {
                let (plus, minus) = match &figure.source {
                    Source::Own => (vec![figure.obis], Vec::new()),
                    Source::Register(code) => (vec![*code], Vec::new()),
                    Source::Sum(plus, minus) => (plus.clone(), minus.clone()),
                };
                let unit = if figure.obis.0[3] == 8 { Unit::WATT_HOUR } else { Unit::WATT };
                // Every register of that code, as it reads: the figure is one of those sums.
                let values = |code: &ObisCode| -> Vec<Decimal> {
                    let own = readout.entries.iter().filter(|entry| entry.obis == *code);
                    own.filter_map(|entry| {
                        let is_kilo = entry.unit.is_none() && is_ascii && unit == Unit::WATT_HOUR;
                        (is_kilo || entry.unit == Some(unit)).then(|| entry.readable())?
                    })
                    .collect()
                };
                let mut possible = std::collections::BTreeSet::from([Decimal::ZERO]);
                for (codes, sign) in [(&plus, 1), (&minus, -1)] {
                    for code in codes {
                        let all = values(code);
                        possible = possible
                            .iter()
                            .flat_map(|sum| {
                                let sign = Decimal::from(sign);
                                all.iter().filter_map(move |value| sum.checked_add(*value * sign))
                            })
                            .collect();
                    }
                }
                let is_sum = matches!((figure.obis.0[3], &figure.source), (8, Source::Sum(..)));
                let at = usize::from(figure.obis.0[2] == 2);
                let places = figure.places.unwrap_or_default();
                let cut_off = sums[at].map(|sum| sum.trunc_with_scale(places));
                let is_held = is_sum
                    && cut_off == Some(figure.value)
                    && possible.iter().any(|sum| *sum <= figure.value);
                prop_assert!(
                    possible.contains(&figure.value) || is_held || (is_sum && left_out[at]),
                    "{figure:?} of {possible:?}"
                );
                if [ObisCode::POSITIVE_POWER, ObisCode::NEGATIVE_POWER].contains(&figure.obis) {
                    prop_assert!(figure.value >= Decimal::ZERO);
                }
                if is_sum {
                    let goes_on = cut_off.is_none_or(|before| figure.value >= before);
                    prop_assert!(goes_on || left_out[at], "it fell");
                    sums[at] = Some(figure.value);
                    has_sum[at] = true;
                }
            }
            left_out = [0, 1].map(|at| !has_sum[at]);
        }
    }
}
