//! What passes the filter, by example and by property.

use proptest::prelude::*;

use super::*;

fn reading(second: i64, import: &str, export: &str) -> Reading {
    let value = |text: &str| (!text.is_empty()).then(|| text.parse().unwrap());
    Reading {
        import_kwh: value(import),
        export_kwh: value(export),
        ..Reading::new(Timestamp::from_second(1_790_000_000 + second).unwrap())
    }
}

/// Judges them, a minute apart: what was published of the import, or why nothing was.
fn judge(filter: &mut RegisterFilter, imports: &[&str]) -> Vec<Result<String, Withheld>> {
    let judge = |(minute, import): (usize, &&str)| {
        let reading = reading(60 * minute as i64, import, "");
        let import = filter.judge(&reading)?.import_kwh;
        Ok(import.map_or_else(|| "-".to_owned(), |import| import.to_string()))
    };
    imports.iter().enumerate().map(judge).collect()
}

fn passed(text: &str) -> Result<String, Withheld> {
    Ok(text.to_owned())
}

use Withheld::{Coarse, Lower, Missing, Unconfirmed};

#[test]
fn nothing_lower_zero_missing_or_coarse_is_published() {
    let mut filter = RegisterFilter::new();
    let imports =
        ["100.5", "100.6", "100.5", "100.7", "0.0", "", "100.8", "100", "101", "9000.1", "100.9"];
    assert_eq!(
        judge(&mut filter, &imports),
        [
            Err(Unconfirmed),
            passed("100.6"),
            Err(Lower),
            passed("100.7"),
            Err(Missing),
            Err(Missing),
            passed("100.8"),
            Err(Coarse),
            Err(Coarse),
            Err(Unconfirmed),
            passed("100.9"),
        ]
    );
}

#[test]
fn another_meter_is_published_from_its_second_reading_on() {
    let mut filter = RegisterFilter::new();
    assert_eq!(
        judge(&mut filter, &["5321.1234", "5321.1240", "12.3001", "12.3009", "12.3011"]),
        [
            Err(Unconfirmed),
            passed("5321.1240"),
            Err(Unconfirmed),
            passed("12.3009"),
            passed("12.3011")
        ]
    );
    // One that is locked, and one with a higher register.
    let mut filter = RegisterFilter::new();
    assert_eq!(
        judge(&mut filter, &["5321.1234", "5321.1240", "12", "12", "70000.1", "70000.2"])[2..],
        [Err(Unconfirmed), passed("12"), Err(Unconfirmed), passed("70000.2")]
    );
}

#[test]
fn another_meter_need_not_have_the_old_one_s_export() {
    let mut filter = RegisterFilter::new();
    for (second, import, export, passes) in [
        (0, "500.1", "20.1", false),
        (60, "500.2", "20.1", true),
        (120, "500.3", "", false),
        (180, "500.3", "0", false),
        (240, "0.1", "0", false),
        (300, "0.2", "0", true),
        (360, "0.3", "0.1", false),
        (420, "0.3", "0.2", true),
    ] {
        let judged = filter.judge(&reading(second, import, export));
        assert_eq!(judged.is_ok(), passes, "{second}: {judged:?}");
        assert!(judged.is_err() || !judged.unwrap().export_kwh.is_some_and(|kwh| kwh.is_zero()));
    }
}

#[test]
fn zeros_that_a_value_does_not_show_are_no_lost_decimals() {
    let mut filter = RegisterFilter::new();
    let imports = ["100.5698", "100.5699", "100.57", "100.57", "100.5", "100.5", "100.5701"];
    let judged = judge(&mut filter, &imports);
    assert_eq!(judged[1..4], [passed("100.5699"), passed("100.57"), passed("100.57")]);
    assert!(judged[4].is_err() && judged[5].is_err(), "cut off to one decimal: {judged:?}");
    assert_eq!(judged[6], passed("100.5701"));
}

#[test]
fn the_same_telegram_twice_confirms_nothing() {
    let mut filter = RegisterFilter::new();
    let first = reading(0, "100.5", "");
    assert_eq!(filter.judge(&first), Err(Unconfirmed));
    assert_eq!(filter.judge(&first), Err(Unconfirmed));
}

#[test]
fn an_earlier_run_is_remembered() {
    let mut filter = RegisterFilter::new();
    filter.remember(&reading(0, "100.53", "0"));
    assert!(filter.judge(&reading(60, "100", "")).is_err());
    assert!(filter.judge(&reading(120, "100.53", "")).is_ok());
}

#[test]
fn power_is_within_range() {
    let mut filter = RegisterFilter::new();
    let with = |kw: &str| Reading { power_kw: Some(kw.parse().unwrap()), ..reading(0, "", "") };
    assert!(filter.judge(&with("-75.9")).is_ok());
    assert_eq!(filter.judge(&with("76")), Err(Withheld::PowerOutOfRange));
}

/// What happens to a telegram of a meter whose true register only grows.
#[derive(Debug, Clone)]
enum Fate {
    Whole,
    Locked,
    Missing,
    Zero,
    Corrupt(i64),
}

fn fates() -> impl Strategy<Value = Vec<(u32, Fate)>> {
    let fate = prop_oneof![
        6 => Just(Fate::Whole),
        2 => Just(Fate::Locked),
        1 => Just(Fate::Missing),
        1 => Just(Fate::Zero),
        2 => (0..i64::from(u32::MAX)).prop_map(Fate::Corrupt),
    ];
    prop::collection::vec((0..1_200_u32, fate), 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Whatever happens to single telegrams, what is published of a meter never falls, is never zero,
    /// never loses decimals once it has them, and is always true.
    #[test]
    fn a_register_never_falls(fates in fates(), start in 1..1_000_000_i64) {
        let mut filter = RegisterFilter::new();
        let (mut true_value, mut second) = (start, 0_i64);
        let mut before: Option<Decimal> = None;
        let mut was_corrupt = false;
        for (grown, fate) in fates {
            second += 60;
            true_value += i64::from(grown);
            let fine = Decimal::new(true_value, 3);
            let value = match fate {
                // Two damaged telegrams in a row that agree are beyond what can be told apart.
                Fate::Corrupt(value) if !was_corrupt => {
                    was_corrupt = true;
                    Some(Decimal::new(value, 3))
                }
                other => {
                    was_corrupt = false;
                    match other {
                        Fate::Whole | Fate::Corrupt(_) => Some(fine),
                        Fate::Locked => Some(fine.trunc_with_scale(0)),
                        Fate::Missing => None,
                        Fate::Zero => Some(Decimal::ZERO),
                    }
                }
            };
            let at = Timestamp::from_second(1_790_000_000 + second).unwrap();
            let judged = filter.judge(&Reading { import_kwh: value, ..Reading::new(at) });
            let Ok(Reading { import_kwh: Some(published), .. }) = judged else { continue };
            prop_assert!(published > Decimal::ZERO);
            if let Some(before) = before {
                prop_assert!(published >= before, "{} after {}", published, before);
                prop_assert!(published.scale() > 0 || before.scale() == 0);
            }
            before = Some(published);
        }
    }

    /// Whatever is offered: what passes has the offered values, and a fall is confirmed by two readings.
    #[test]
    fn a_fall_is_confirmed(values in prop::collection::vec((0..2_000_i64, 0..4_u32, 0..120_i64), 1..60)) {
        let mut filter = RegisterFilter::new();
        let (mut second, mut published, mut offered) = (0, None, Vec::<Decimal>::new());
        for (value, scale, later) in values {
            second += later;
            let value = Decimal::new(value, scale);
            offered.push(value);
            let at = Timestamp::from_second(1_790_000_000 + second).unwrap();
            let judged = filter.judge(&Reading { import_kwh: Some(value), ..Reading::new(at) });
            let Ok(Reading { import_kwh: Some(now), .. }) = judged else { continue };
            prop_assert_eq!(now, value);
            if published.is_some_and(|before| now < before) {
                let previous = offered[offered.len() - 2];
                prop_assert!(previous <= now, "{} is not confirmed by {}", now, previous);
            }
            published = Some(now);
        }
    }
}
