//! A household's periods: quarter hours and kept days give the same digits.

use ebp_dataset::{
    Battery, Calendar, Day, Days, Energy, EnergyStep, Flag, HouseholdPeriod, HouseholdPeriods,
    Joined, MeterFacts, MeterKind, MeteringConcept, QUARTER, Quarter, Reading, Roles, Stretches,
    assign_roles,
};

use super::{cases::quarters, household::record};

/// 2026-03-01, so that March and April end a month each, one with summer time's beginning.
const START: i64 = 1_772_323_200_000_000;

fn calendar() -> Calendar {
    Calendar::new("Europe/Berlin").unwrap()
}

/// A meter whose 1.8.0 is a household's and whose 2.8.0 another one's.
fn meter(seeds: (u64, u64), days: usize) -> Vec<Quarter> {
    let read = |seed| record(seed, days * 96, 9_000).readings;
    let only = |reading: Reading| Reading { at: reading.at + START, ..reading };
    let export = |reading: Reading| Reading { export: reading.import, import: None, ..reading };
    let mut readings: Vec<_> = read(seeds.0).into_iter().map(only).collect();
    readings.extend(read(seeds.1).into_iter().map(only).map(export));
    readings.sort_by_key(|reading| (reading.at, reading.rank));
    quarters(&readings)
}

fn roles(battery: Battery, exchange: Option<i64>) -> Roles {
    let facts = |kind, from, to| MeterFacts {
        kind,
        from,
        to,
        import: Some(Energy(1)),
        export: Some(Energy(2)),
        generation: None,
    };
    let at = exchange.unwrap_or(i64::MAX);
    let meters = [
        facts(MeterKind::Grid, i64::MIN, at),
        facts(MeterKind::Grid, at, i64::MAX),
        facts(MeterKind::Generation, i64::MIN, i64::MAX),
    ];
    assign_roles(&meters, false, MeteringConcept::Unknown, battery).unwrap()
}

fn days(rows: &[Quarter]) -> Vec<Day> {
    let mut days = Days::new(calendar());
    let mut found: Vec<_> = rows.iter().filter_map(|row| days.push(row).unwrap()).collect();
    found.extend(days.finish());
    found
}

fn stretches(meters: &[Vec<Quarter>]) -> Stretches {
    Stretches::new(meters.iter().map(|rows| Some((rows.first()?.slot, rows.last()?.slot))))
}

fn periods(roles: &Roles, step: EnergyStep, meters: &[Vec<Quarter>]) -> Vec<HouseholdPeriod> {
    let mut periods = HouseholdPeriods::new(roles.clone(), meters.len(), calendar(), step);
    let rows = Joined::new(meters.iter().map(|rows| rows.iter().copied()));
    let rows = rows.within(stretches(meters).whole().unwrap());
    let mut found: Vec<_> =
        rows.filter_map(|(slot, meters)| periods.push(slot, &meters).unwrap()).collect();
    found.extend(periods.finish());
    found
}

#[test]
fn kept_days_give_the_digits_of_quarter_hours() {
    // The second meter at the grid takes the first one's place in the middle of a day.
    let exchange = START + 30 * 96 * QUARTER + 37 * QUARTER;
    let mut meters = [meter((1, 2), 62), meter((3, 4), 62), meter((5, 6), 62)];
    meters[0].retain(|row| row.slot < exchange);
    meters[1].retain(|row| row.slot >= exchange);
    let kept = meters.each_ref().map(|rows| days(rows));
    let mut measured = 0;
    for battery in [Battery::None, Battery::Dc] {
        for exchange in [None, Some(exchange)] {
            let roles = roles(battery, exchange);
            for step in [EnergyStep::Day, EnergyStep::Month] {
                for period in periods(&roles, step, &meters) {
                    let ends = (period.from, period.to);
                    let of = kept.each_ref().map(|days| {
                        let from = days.partition_point(|day| day.from < ends.0);
                        let to = days.partition_point(|day| day.to <= ends.1);
                        &days[from..to.max(from)]
                    });
                    let stretches = stretches(&meters);
                    let days = HouseholdPeriod::from_days(&roles, ends, &of, &stretches);
                    assert_eq!(days, period);
                    assert!(period.measured <= period.quarters);
                    measured += period.measured;
                }
            }
        }
    }
    assert!(measured > 500, "{measured}");
}

/// Energies of a day are those of its quarter hours wherever all of them are measured.
#[test]
fn a_day_is_the_sum_of_its_quarter_hours() {
    let meters = [meter((1, 1), 20), Vec::new(), meter((1, 1), 20)];
    let roles = roles(Battery::None, None);
    let hours = periods(&roles, EnergyStep::Hour, &meters);
    let quarter_hours = periods(&roles, EnergyStep::Quarter, &meters);
    let mut seen = 0;
    for hour in hours.iter().filter(|hour| hour.measured == 4) {
        let parts = quarter_hours.iter().filter(|part| (hour.from..hour.to).contains(&part.from));
        let sum: Energy = parts.filter_map(|part| part.balance.consumption.energy).sum();
        assert_eq!(hour.balance.consumption.energy, Some(sum));
        seen += 1;
    }
    assert!(seen > 5, "{seen}");
}

/// Between a meter at the grid that was taken down and the next one lie months without a reading.
#[test]
fn between_two_meters_there_is_a_row_for_every_slot() {
    let gap = START + 3 * 96 * QUARTER + 5 * QUARTER..START + 50 * 96 * QUARTER + 9 * QUARTER;
    let mut meters = [meter((1, 2), 52), meter((3, 4), 52), Vec::new()];
    meters[0].retain(|row| row.slot < gap.start);
    meters[1].retain(|row| row.slot >= gap.end);
    let roles = roles(Battery::None, Some(gap.start));
    let roles = Roles { generation: Vec::new(), ..roles };
    let (first, last) = stretches(&meters).whole().unwrap();
    let rows = periods(&roles, EnergyStep::Quarter, &meters);
    assert_eq!(rows.len() as i64, (last - first) / QUARTER);
    for (row, slot) in rows.iter().zip((first..).step_by(900_000_000)) {
        assert_eq!(row.from, slot);
        let is_between = gap.contains(&slot);
        assert!(!is_between || row.flags.has(Flag::NoReading), "{slot}");
        assert!(!is_between || row.balance.import.energy.is_none(), "{slot}");
    }
    // A generation meter that goes on meanwhile does not measure what is drawn.
    let mut with_third = meters.clone();
    with_third[2] = meter((5, 6), 52);
    for row in periods(&roles, EnergyStep::Quarter, &with_third) {
        assert!(!gap.contains(&row.from) || row.flags.has(Flag::NoReading), "{}", row.from);
    }
    // Days that no meter was read on say so, out of quarter hours and out of kept days.
    let kept = meters.each_ref().map(|rows| days(rows));
    let found = periods(&roles, EnergyStep::Day, &meters);
    // A day begins an hour before that of UTC.
    assert_eq!(found.len(), 53);
    for day in found {
        let ends = (day.from, day.to);
        let of = kept.each_ref().map(|days| {
            let place = days.partition_point(|day| day.from < ends.0);
            let count = usize::from(days.get(place).is_some_and(|day| day.from == ends.0));
            &days[place..place + count]
        });
        assert_eq!(HouseholdPeriod::from_days(&roles, ends, &of, &stretches(&meters)), day);
        let lies_in = gap.start < day.to && day.from < gap.end;
        assert!(!lies_in || day.flags.has(Flag::NoReading), "{}", day.from);
    }
}
