//! Rows of the tables of series, as their columns declare them.

use ebp_dataset::{
    Boundary, Calendar, Flag, Flags, HouseholdPeriod, Interval, Period, QUARTER, Quality, Quarter,
    RegisterQuarter, day_number, files::Cell,
};

use super::{
    ExportError,
    facts::{DayRow, Kept, SpanRow},
    reading::ReadingRow,
};
use crate::series::bits;

/// The quarter hour of an instant.
pub(super) fn slot_of(at: i64) -> i64 {
    at.div_euclid(QUARTER).saturating_mul(QUARTER)
}

/// A row of readings; `number` counts those of one instant.
pub(super) fn reading<'a>(
    (household, meter): (&'a str, &'a str),
    number: i64,
    row: &ReadingRow,
) -> [Cell<'a>; 13] {
    [
        household.into(),
        meter.into(),
        Cell::Instant(row.measured_at),
        Cell::Instant(row.received_at),
        Cell::Instant(slot_of(row.measured_at)),
        number.into(),
        Cell::from_option(row.import),
        Cell::from_option(row.export),
        Cell::from_option(row.decimals.map(i64::from)),
        Cell::from_option(row.power),
        Cell::from_option(row.drawn),
        Cell::from_option(row.fed_in),
        i64::from(row.flags).into(),
    ]
}

/// A row of energy of a quarter hour.
pub(super) fn quarter<'a>(
    household: &'a str,
    meter: &'a str,
    row: &Quarter,
    fill: bool,
) -> [Cell<'a>; 15] {
    let interval = |register: &RegisterQuarter| {
        let measured = register.interval();
        if fill {
            measured.filled(register.start.as_ref(), register.end.as_ref())
        } else {
            measured
        }
    };
    let (import, export) = (interval(&row.import), interval(&row.export));
    let is_filled = [import.quality, export.quality].contains(&Quality::Interpolated);
    let flags = row.flags.with(Flag::Interpolated, is_filled);
    let offset = |of: fn(&RegisterQuarter) -> Option<Boundary>| {
        let nearest = of(&row.import).or_else(|| of(&row.export));
        Cell::from_option(nearest.map(|boundary| seconds(boundary.offset)))
    };
    energy(
        (household, meter),
        (row.slot, flags),
        (&import, &export),
        (offset(|register| register.start), offset(|register| register.end)),
        segment(row),
    )
}

/// A row of energy of an hour or a day.
pub(super) fn period<'a>(household: &'a str, meter: &'a str, row: &Period) -> [Cell<'a>; 15] {
    energy(
        (household, meter),
        (row.from, row.flags),
        (&row.import, &row.export),
        (Cell::Null, Cell::Null),
        Cell::Null,
    )
}

fn energy<'a>(
    (household, meter): (&'a str, &'a str),
    (start, flags): (i64, Flags),
    (import, export): (&Interval, &Interval),
    (start_offset, end_offset): (Cell<'a>, Cell<'a>),
    segment: Cell<'a>,
) -> [Cell<'a>; 15] {
    let [import_energy, import_lo, import_hi] = interval(import);
    let [export_energy, export_lo, export_hi] = interval(export);
    [
        household.into(),
        meter.into(),
        Cell::Instant(start),
        import_energy,
        import_lo,
        import_hi,
        export_energy,
        export_lo,
        export_hi,
        import.quality.name().into(),
        export.quality.name().into(),
        i64::from(flags.0).into(),
        start_offset,
        end_offset,
        segment,
    ]
}

fn interval<'a>(interval: &Interval) -> [Cell<'a>; 3] {
    let (lo, hi) = interval.bounds.unzip();
    [Cell::from_option(interval.energy), Cell::from_option(lo), Cell::from_option(hi)]
}

#[expect(clippy::cast_precision_loss, reason = "a single precision number is what is stored")]
fn seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}

/// A number that changes with each break of either register.
fn segment<'a>(row: &Quarter) -> Cell<'a> {
    let of = |register: &RegisterQuarter| {
        let (start, end) = (register.start?, register.end?);
        (start.segment == end.segment).then_some(i64::from(start.segment))
    };
    match (of(&row.import), of(&row.export)) {
        (Some(import), Some(export)) => Cell::Int(import + export - 1),
        (one, other) => Cell::from_option(one.or(other)),
    }
}

/// A household's row.
pub(super) fn balance<'a>(
    household: &'a str,
    row: &HouseholdPeriod,
    calendar: &Calendar,
    (has_balance, generates): (bool, bool),
) -> Result<[Cell<'a>; 11], ExportError> {
    let local = calendar.local_quarter(row.from)?;
    let balance = &row.balance;
    let known = |interval: &Interval, is_known: bool| {
        Cell::from_option(interval.energy.filter(|_| is_known))
    };
    let quality = if has_balance { balance.quality() } else { Quality::Missing };
    let violated = has_balance && balance.balance_violated;
    Ok([
        household.into(),
        Cell::Instant(row.from),
        Cell::Date(day_number(local.date)),
        i64::from(local.number).into(),
        known(&balance.import, true),
        known(&balance.export, true),
        known(&balance.generation, generates),
        known(&balance.consumption, has_balance),
        known(&balance.self_consumption, has_balance),
        quality.name().into(),
        i64::from(bits(row.flags, violated)).into(),
    ])
}

/// Units of 10^-8 kWh.
fn units<'a>(energy: Option<i64>) -> Cell<'a> {
    Cell::from_option(energy.map(ebp_dataset::Energy))
}

/// A household's day.
pub(super) fn day<'a>(household: &'a str, row: &DayRow) -> [Cell<'a>; 18] {
    let kept = |(energy, bounds): Kept| {
        let (lo, hi) = bounds.unzip();
        [units(energy), units(lo), units(hi)]
    };
    let [import, import_lo, import_hi] = kept(row.import);
    let [export, export_lo, export_hi] = kept(row.export);
    let [generation, generation_lo, generation_hi] = kept(row.generation);
    [
        household.into(),
        Cell::Date(row.date),
        row.quarters.into(),
        row.measured.into(),
        import,
        import_lo,
        import_hi,
        export,
        export_lo,
        export_hi,
        generation,
        generation_lo,
        generation_hi,
        units(row.consumption),
        units(row.self_consumption),
        Cell::from_option(row.autarky),
        Cell::from_option(row.share),
        i64::from(row.flags).into(),
    ]
}

/// Energy over a gap.
pub(super) fn span<'a>(meter: &'a str, row: &SpanRow) -> [Cell<'a>; 8] {
    let (lo, hi) = row.bounds.unzip();
    [
        meter.into(),
        Cell::Text(if row.is_import { "import" } else { "export" }),
        Cell::Instant(row.from),
        Cell::Instant(row.to),
        row.quarters.into(),
        units(row.energy),
        units(lo),
        units(hi),
    ]
}
