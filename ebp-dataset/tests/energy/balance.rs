//! A household's balance: energies, ratios and why there are none, contradictions, signs.

use ebp_dataset::{
    Balance, Battery, Energy, Figures, GenerationRegister, Interval, Joined, MeterFacts, MeterKind,
    MeteringConcept, NoRatio, QUARTER, Quality, Quarter, Reading, Register, Roles, SignCheck,
    Topology, assign_roles, figures, intervals,
};
use rust_decimal::Decimal;

use super::cases::quarters;

/// A hundredth of a kWh.
const UNIT: i64 = 1_000_000;

fn known(hundredths: i64) -> Interval {
    let energy = Energy(hundredths * UNIT);
    let bounds = (energy - Energy(UNIT / 10), energy + Energy(UNIT / 10));
    Interval { energy: Some(energy), bounds: Some(bounds), quality: Quality::Measured }
}

fn meter(kind: MeterKind) -> MeterFacts {
    MeterFacts {
        kind,
        from: 0,
        to: i64::MAX,
        import: Some(Energy(5)),
        export: Some(Energy(9)),
        generation: None,
    }
}

fn roles(battery: Battery) -> Roles {
    let meters = [meter(MeterKind::Grid), meter(MeterKind::Generation)];
    assign_roles(&meters, false, MeteringConcept::Unknown, battery).unwrap()
}

/// I and X of the meter at the grid, what the generation meter draws and generates.
fn balance(roles: &Roles, grid: (i64, i64), generation: (i64, i64)) -> Balance {
    let interval = |(import, export)| (known(import), known(export));
    Balance::new(roles, (0, QUARTER), &[interval(grid), interval(generation)])
}

fn hundredths(interval: Interval) -> Option<i64> {
    interval.energy.map(|energy| energy.0 / UNIT)
}

#[test]
fn what_is_not_fed_in_is_consumed() {
    let balance = balance(&roles(Battery::None), (300, 600), (1, 1000));
    assert_eq!(hundredths(balance.generation), Some(1000));
    assert_eq!(hundredths(balance.self_consumption), Some(400));
    assert_eq!(hundredths(balance.consumption), Some(700));
    assert_eq!((balance.quality(), balance.balance_violated), (Quality::Measured, false));
    let Figures { autarky, self_consumption_share } = figures(&balance, 96, 96);
    assert_eq!(autarky.unwrap().to_string(), "0.571429");
    assert_eq!(self_consumption_share, Ok(Decimal::new(4, 1)));
}

#[test]
fn behind_a_battery_both_registers_count() {
    // The inverter draws 2 kWh at night to charge: they are not consumed.
    let drawn = |battery| balance(&roles(battery), (300, 0), (200, 0));
    let net = drawn(Battery::Dc);
    assert_eq!(hundredths(net.consumption), Some(100));
    assert_eq!(hundredths(net.generation), Some(-200));
    assert!(!net.balance_violated);
    assert_eq!(hundredths(drawn(Battery::None).consumption), Some(300));
}

#[test]
fn a_ratio_says_why_it_is_not_there() {
    let roles = roles(Battery::None);
    let night = balance(&roles, (300, 0), (1, 0));
    let ratios = figures(&night, 96, 96);
    assert_eq!(
        (ratios.autarky, ratios.self_consumption_share),
        (Ok(Decimal::ZERO), Err(NoRatio::TooLittle))
    );
    let day = balance(&roles, (300, 600), (1, 1000));
    assert_eq!(figures(&day, 96, 91).autarky, Err(NoRatio::Coverage));
    assert!(figures(&day, 100, 95).autarky.is_ok());
    let gone = Balance::new(&roles, (0, QUARTER), &[(known(300), known(600))]);
    assert_eq!(figures(&gone, 96, 96).autarky, Err(NoRatio::NotMeasured));
    assert_eq!((gone.quality(), hundredths(gone.import)), (Quality::Missing, Some(300)));
}

#[test]
fn only_what_bounds_and_accuracy_do_not_explain_is_a_contradiction() {
    let roles = roles(Battery::None);
    // 2 % of both meters are 0.4 kWh.
    let little = balance(&roles, (300, 1030), (0, 1000));
    assert_eq!((hundredths(little.self_consumption), little.balance_violated), (Some(-30), false));
    let much = balance(&roles, (300, 1060), (0, 1000));
    assert_eq!((hundredths(much.self_consumption), much.balance_violated), (Some(-60), true));
}

#[test]
fn on_the_day_of_an_exchange_there_is_no_meter_alone() {
    let old = MeterFacts { to: 10 * QUARTER, ..meter(MeterKind::Grid) };
    let new = MeterFacts { from: 10 * QUARTER, ..meter(MeterKind::Grid) };
    let meters = [old, new, meter(MeterKind::Generation)];
    let roles = assign_roles(&meters, false, MeteringConcept::Unknown, Battery::None).unwrap();
    let both = [(known(1), known(2)), (known(3), known(4)), (known(0), known(10))];
    let import = |from, to| hundredths(Balance::new(&roles, (from, to), &both).import);
    assert_eq!(import(0, 10 * QUARTER), Some(1));
    assert_eq!(import(10 * QUARTER, 20 * QUARTER), Some(3));
    assert_eq!(import(0, 20 * QUARTER), None);
}

#[test]
fn a_generation_meter_may_count_in_either_register() {
    let turned =
        MeterFacts { generation: Some(GenerationRegister::Import), ..meter(MeterKind::Generation) };
    let meters = [meter(MeterKind::Grid), turned];
    let roles = assign_roles(&meters, false, MeteringConcept::Unknown, Battery::None).unwrap();
    let balance = balance(&roles, (300, 600), (1000, 1));
    assert_eq!(hundredths(balance.generation), Some(1000));
    assert_eq!(Topology::FullFeedIn.name(), "full_feed_in");
}

#[test]
fn a_meter_that_counts_phases_apart_consumes_the_same() {
    let roles = roles(Battery::None);
    let summing = balance(&roles, (300, 600), (0, 1000));
    let apart = balance(&roles, (350, 650), (0, 1000));
    assert_eq!(summing.consumption.energy, apart.consumption.energy);
    let autarky = |balance| figures(balance, 96, 96).autarky.unwrap();
    assert!(autarky(&apart) < autarky(&summing));
}

/// A kilowatt is drawn all the time, with that power shown.
fn drawing(power: i64) -> Vec<Quarter> {
    let readings: Vec<_> = (0..30)
        .map(|slot| Reading {
            import: Register::from_decimal(Decimal::new(slot * 2500, 4)),
            export: Register::from_decimal(Decimal::new(70_000, 4)),
            power: Some(power),
            ..Reading::at(slot * QUARTER + 1_000_000)
        })
        .collect();
    quarters(&readings)
}

#[test]
fn a_power_of_the_wrong_sign_is_suspect() {
    let check = |power| {
        let mut check = SignCheck::default();
        drawing(power).iter().for_each(|row| check.push(row));
        check.is_suspect()
    };
    let kilowatt = Energy::KILOWATT_HOUR.0;
    assert!(check(-kilowatt));
    assert!(!check(kilowatt) && !check(-kilowatt / 2));
    assert!(!SignCheck::default().is_suspect());
}

#[test]
fn meters_are_put_side_by_side() {
    let rows = drawing(0);
    let (grid, other) = (rows[..20].to_vec(), rows[10..].to_vec());
    let joined: Vec<_> = Joined::new([grid.into_iter(), other.into_iter()]).collect();
    assert_eq!(joined.len(), 30);
    assert!(joined.windows(2).all(|pair| pair[1].0 - pair[0].0 == QUARTER));
    let there: Vec<_> =
        joined.iter().map(|(_, meters)| (meters[0].is_some(), meters[1].is_some())).collect();
    assert_eq!([there[9], there[10], there[20]], [(true, false), (true, true), (false, true)]);
    assert_eq!(intervals(joined[9].1[1].as_ref()).0, Interval::MISSING);
    assert_eq!(intervals(joined[15].1[0].as_ref()).0.energy, Some(Energy(25_000_000)));
}
