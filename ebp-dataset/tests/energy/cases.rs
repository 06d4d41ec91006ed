//! The worked examples (`tests/cases/`).

use std::{fs, path::Path};

use ebp_dataset::{
    Balance, Battery, Calendar, Energy, EnergyStep, Interval, MeterFacts, MeterKind, MeterSeries,
    MeteringConcept, Periods, Quality, Quarter, Reading, Register, RegisterQuarter, Rules, Spans,
    assign_roles,
};
use jiff::Timestamp;
use serde::Deserialize;

#[derive(Deserialize)]
struct Given {
    at: String,
    import: Option<String>,
    export: Option<String>,
    #[serde(default)]
    within: f64,
    #[serde(default)]
    clock_corrected: bool,
}

#[derive(Deserialize)]
struct Row {
    slot: String,
    energy: Option<String>,
    lo: Option<String>,
    hi: Option<String>,
    quality: String,
    flags: Vec<String>,
    start_offset: Option<f64>,
    end_offset: Option<f64>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Span {
    from: String,
    to: String,
    quarters: i64,
    energy: Option<String>,
    lo: Option<String>,
    hi: Option<String>,
}

#[derive(Deserialize)]
struct Case {
    title: String,
    date: String,
    readings: Vec<Given>,
    rows: Vec<Row>,
    spans: Vec<Span>,
}

#[derive(Deserialize)]
struct Meter {
    readings: Vec<Given>,
}

#[derive(Deserialize)]
struct TwoMeters {
    date: String,
    slot: String,
    generation: String,
    export: String,
    self_consumption: String,
    self_consumption_lo: String,
    self_consumption_hi: String,
    grid: Meter,
    generation_meter: Meter,
}

#[derive(Deserialize)]
struct Day {
    date: String,
    from: String,
    to: String,
    quarters: i64,
}

#[derive(Deserialize)]
struct Days {
    zone: String,
    days: Vec<Day>,
    each: String,
}

fn load<T: for<'de> Deserialize<'de>>(name: &str) -> T {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
    toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn instant(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap_or_else(|error| panic!("{text}: {error}")).as_microsecond()
}

fn on(date: &str, time: &str) -> i64 {
    let seconds = if time.len() == 5 { ":00" } else { "" };
    instant(&format!("{date}T{time}{seconds}Z"))
}

fn readings(date: &str, given: &[Given]) -> Vec<Reading> {
    let register = |text: &Option<String>| {
        text.as_ref().map(|text| Register::from_decimal(text.parse().unwrap()).unwrap())
    };
    let reading = |given: &Given| Reading {
        import: register(&given.import),
        export: register(&given.export),
        uncertainty: Timestamp::UNIX_EPOCH
            .checked_add(jiff::SignedDuration::from_secs_f64(given.within))
            .unwrap()
            .as_microsecond(),
        clock_corrected: given.clock_corrected,
        ..Reading::at(on(date, &given.at))
    };
    given.iter().map(reading).collect()
}

pub fn quarters(readings: &[Reading]) -> Vec<Quarter> {
    let mut series = MeterSeries::new(Rules::default());
    let mut rows = Vec::new();
    for reading in readings {
        series.push(reading, &mut |row| rows.push(row)).unwrap();
    }
    series.finish(&mut |row| rows.push(row));
    rows
}

/// Four decimals, as the tables have them.
fn shown(energy: Energy) -> String {
    let mut decimal = energy.to_decimal(0).round_dp(4);
    decimal.rescale(4);
    decimal.to_string()
}

fn bounds(interval: Interval) -> (Option<String>, Option<String>) {
    (interval.bounds.map(|(lo, _)| shown(lo)), interval.bounds.map(|(_, hi)| shown(hi)))
}

fn seconds(offset: i64) -> String {
    let tenths = (offset + 50_000) / 100_000;
    format!("{}.{}", tenths / 10, tenths % 10)
}

fn compare(case: &Case, row: &Row, quarter: &RegisterQuarter, flags: Vec<&str>) {
    let what = format!("{} at {}", case.title, row.slot);
    let interval = quarter.interval();
    assert_eq!(interval.energy.map(shown), row.energy, "{what}");
    assert_eq!(bounds(interval), (row.lo.clone(), row.hi.clone()), "{what}");
    assert_eq!(interval.quality.name(), row.quality, "{what}");
    assert_eq!(flags, row.flags, "{what}");
    for (boundary, offset) in [(quarter.start, row.start_offset), (quarter.end, row.end_offset)] {
        if let Some(offset) = offset {
            let boundary = boundary.unwrap_or_else(|| panic!("{what}: no boundary"));
            assert_eq!(seconds(boundary.offset), format!("{offset:.1}"), "{what}");
        }
    }
}

fn check(name: &str) {
    let case: Case = load(name);
    let rows = quarters(&readings(&case.date, &case.readings));
    for expected in &case.rows {
        let slot = on(&case.date, &expected.slot);
        let row = rows.iter().find(|row| row.slot == slot);
        let row = row.unwrap_or_else(|| panic!("{}: no row at {}", case.title, expected.slot));
        assert_eq!(row.flags, row.import.flags, "{}", case.title);
        let flags = row.flags.iter().map(|flag| flag.name()).collect();
        compare(&case, expected, &row.import, flags);
    }
    // Every other row is at the series' ends and says so.
    for row in &rows {
        let is_listed = case.rows.iter().any(|other| on(&case.date, &other.slot) == row.slot);
        let is_end = row.flags.has(ebp_dataset::Flag::NoBracket);
        assert!(is_listed || is_end, "{}: {row:?}", case.title);
    }
    let mut spans = Spans::default();
    let spans = rows.iter().filter_map(|row| spans.push(&row.import));
    let time = |at: i64| Timestamp::from_microsecond(at).unwrap().strftime("%H:%M").to_string();
    let found: Vec<_> = spans
        .map(|span| {
            // Rounded outwards, as the table has spans.
            let unit = 10_000;
            let bounds = span.interval.bounds;
            let lo = bounds.map(|(lo, _)| shown(Energy(lo.0.div_euclid(unit) * unit)));
            let hi = bounds.map(|(_, hi)| shown(Energy(-(-hi.0).div_euclid(unit) * unit)));
            let energy = span.interval.energy.map(shown);
            Span {
                from: time(span.from),
                to: time(span.to),
                quarters: span.quarters,
                energy,
                lo,
                hi,
            }
        })
        .collect();
    assert_eq!(found, case.spans, "{}", case.title);
}

#[test]
fn ordinary() {
    check("1_ordinary.toml");
}

#[test]
fn gap() {
    check("2_gap.toml");
}

#[test]
fn late() {
    check("3_late.toml");
}

#[test]
fn reset() {
    check("4_reset.toml");
    check("4_reset_with_a_past.toml");
}

#[test]
fn outlier() {
    check("5_outlier.toml");
}

#[test]
fn locked() {
    check("6_locked.toml");
}

#[test]
fn clock_corrected() {
    check("7_clock_corrected.toml");
}

#[test]
fn two_meters() {
    let case: TwoMeters = load("8_two_meters.toml");
    let slot = on(&case.date, &case.slot);
    let of = |meter: &Meter| {
        let rows = quarters(&readings(&case.date, &meter.readings));
        let row = rows.into_iter().find(|row| row.slot == slot).unwrap();
        (row.import.interval(), row.export.interval())
    };
    let facts = |kind, import, export| MeterFacts {
        kind,
        from: i64::MIN,
        to: i64::MAX,
        import: Some(Energy(import)),
        export: Some(Energy(export)),
        generation: None,
    };
    let meters = [facts(MeterKind::Grid, 0, 735), facts(MeterKind::Generation, 0, 750)];
    let roles = assign_roles(&meters, false, MeteringConcept::Unknown, Battery::None).unwrap();
    let meters = [of(&case.grid), of(&case.generation_meter)];
    let balance = Balance::new(&roles, (slot, slot + ebp_dataset::QUARTER), &meters);
    let energy = |interval: Interval| shown(interval.energy.unwrap());
    assert_eq!(energy(balance.generation), case.generation);
    assert_eq!(energy(balance.export), case.export);
    assert_eq!(energy(balance.self_consumption), case.self_consumption);
    let (lo, hi) = bounds(balance.self_consumption);
    assert_eq!(lo.unwrap(), case.self_consumption_lo);
    assert_eq!(hi.unwrap(), case.self_consumption_hi);
    assert_eq!((balance.quality(), balance.balance_violated), (Quality::Measured, false));
}

#[test]
fn local_days() {
    let case: Days = load("9_local_days.toml");
    let each = Register::from_decimal(case.each.parse().unwrap()).unwrap().value();
    let calendar = Calendar::new(&case.zone).unwrap();
    for day in &case.days {
        let (from, to) = (instant(&day.from), instant(&day.to));
        let gap = from + 8 * ebp_dataset::QUARTER..from + 12 * ebp_dataset::QUARTER;
        let mut readings = Vec::new();
        for (number, slot) in (0_i64..)
            .zip((from - 4 * ebp_dataset::QUARTER..=to + ebp_dataset::QUARTER).step_by(900_000_000))
        {
            if !gap.contains(&slot) {
                let shown = (each.to_decimal(4) * rust_decimal::Decimal::from(number)).round_dp(4);
                let import = Register::from_decimal(shown);
                readings.push(Reading { import, ..Reading::at(slot + 1_000_000) });
            }
        }
        let rows = quarters(&readings);
        let mut periods = Periods::new(calendar.clone(), EnergyStep::Day);
        let mut days: Vec<_> = rows.iter().filter_map(|row| periods.push(row).unwrap()).collect();
        days.extend(periods.finish());
        let found = days.iter().find(|found| found.from == from).unwrap();
        assert_eq!((found.to, found.quarters), (to, day.quarters), "{}", day.date);
        // Four boundaries are open, which are the ends of five quarter hours.
        assert_eq!(found.import_measured, day.quarters - 5, "{}", day.date);
        let whole = Energy(each.0 * day.quarters);
        assert_eq!(found.import.energy, Some(whole), "{}", day.date);
        let numbers: Vec<_> = (from..to)
            .step_by(900_000_000)
            .map(|slot| calendar.local_quarter(slot).unwrap())
            .collect();
        assert!(numbers.iter().all(|number| number.date.to_string() == day.date));
        let expected: Vec<u8> = (1..=u8::try_from(day.quarters).unwrap()).collect();
        assert_eq!(numbers.iter().map(|number| number.number).collect::<Vec<_>>(), expected);
    }
}
