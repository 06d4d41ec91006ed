//! The rows of a series, out of days or of quarter hours.

use ebp_core::contract::{EnergySeries, EnergyStep, ExactNumber, MeterEnergy, SeriesBounds};
use ebp_dataset::{Day, HouseholdPeriod, HouseholdPeriods, Interval, Joined, Period, Periods};
use ebp_store::StoreError;
use jiff::Timestamp;

use super::{
    columns::{bits, bounds, empty_household, empty_meter, energy, flag_names, past, share},
    days::between,
    interrupted::Interrupted,
    known::Known,
    quarters::QuarterReader,
    query::{Asked, DAY, SeriesParts},
};

/// Days whose quarter hours of all meters are in memory at once.
const CHUNK: i64 = 7 * DAY;

/// A row for each step.
pub(super) struct Rows {
    pub household: Vec<HouseholdPeriod>,
    /// Of each meter.
    pub meters: Vec<Vec<Period>>,
}

/// The two ends of each row.
fn ends(edges: &[i64]) -> impl Iterator<Item = (i64, i64)> + '_ {
    edges.windows(2).map(|pair| (pair[0], pair[1]))
}

/// Rows of days or months.
pub(super) fn of_days(known: &Known<'_>, edges: &[i64], days: &[Vec<Day>]) -> Rows {
    let mut rows = Rows { household: Vec::new(), meters: vec![Vec::new(); days.len()] };
    let stretches = known.stretches();
    for ends in ends(edges) {
        let of: Vec<&[Day]> = days.iter().map(|days| between(days, ends)).collect();
        for (meter, days) in rows.meters.iter_mut().zip(&of) {
            meter.push(period_of(days, ends));
        }
        let roles = &known.roles.roles;
        rows.household.push(HouseholdPeriod::from_days(roles, ends, &of, &stretches));
    }
    rows
}

/// A meter's row of these days, of which some may be missing: then no energy is known.
pub(super) fn period_of(days: &[Day], (from, to): (i64, i64)) -> Period {
    let empty = empty_meter(from, to);
    match Day::period(days) {
        None => empty,
        Some(period) if (period.from, period.to) == (from, to) => period,
        Some(period) => Period {
            flags: period.flags,
            import_measured: period.import_measured,
            export_measured: period.export_measured,
            ..empty
        },
    }
}

/// Rows of quarter hours or hours.
pub(super) async fn of_quarters(
    known: &Known<'_>,
    asked: &Asked,
    step: EnergyStep,
    edges: &[i64],
) -> Result<Rows, Interrupted> {
    let meters = &known.household.meters;
    let mut readers = Vec::with_capacity(meters.len());
    for (meter, run) in meters.iter().zip(known.runs) {
        let (store, household) = (known.maker.store, known.maker.household);
        let ends = (asked.from, asked.to);
        readers.push(QuarterReader::open(store, household, meter, run, ends).await?);
    }
    let calendar = &asked.calendar;
    let roles = known.roles.roles.clone();
    let mut household = HouseholdPeriods::new(roles, meters.len(), calendar.clone(), step);
    let mut each = vec![Periods::new(calendar.clone(), step); meters.len()];
    let mut rows = Rows {
        household: ends(edges).map(|(from, to)| empty_household(from, to)).collect(),
        meters: vec![ends(edges).map(|(from, to)| empty_meter(from, to)).collect(); meters.len()],
    };
    let whole = known.stretches().whole().unwrap_or((asked.from, asked.from));
    let mut at = asked.from;
    while at < asked.to {
        let begin = at;
        at = at.saturating_add(CHUNK).min(asked.to);
        let mut quarters = Vec::with_capacity(readers.len());
        for reader in &mut readers {
            quarters.push(reader.rows_before(at).await?);
        }
        for ((periods, rows), quarters) in each.iter_mut().zip(&mut rows.meters).zip(&quarters) {
            for quarter in quarters {
                put(rows, periods.push(quarter)?, |row| (row.from, row.to));
            }
        }
        let within = (begin.max(whole.0), at.min(whole.1));
        let joined = Joined::new(quarters.into_iter().map(Vec::into_iter)).within(within);
        for (slot, quarters) in joined {
            let row = household.push(slot, &quarters)?;
            put(&mut rows.household, row, |row| (row.from, row.to));
        }
    }
    put(&mut rows.household, household.finish(), |row| (row.from, row.to));
    for (periods, rows) in each.into_iter().zip(&mut rows.meters) {
        put(rows, periods.finish(), |row| (row.from, row.to));
    }
    Ok(rows)
}

/// Puts a row into its place.
fn put<T>(rows: &mut [T], row: Option<T>, ends: fn(&T) -> (i64, i64)) {
    let Some(row) = row else { return };
    if let Ok(place) = rows.binary_search_by_key(&ends(&row), ends) {
        rows[place] = row;
    }
}

/// The answer.
pub(super) fn series(
    known: &Known<'_>,
    asked: &Asked,
    edges: &[i64],
    rows: &Rows,
    (step, parts): (EnergyStep, SeriesParts),
) -> Result<EnergySeries, Interrupted> {
    let timestamp = |at: &i64| {
        Timestamp::from_microsecond(*at).map_err(|_| StoreError::Damaged("energy series"))
    };
    let now = known.maker.now.as_microsecond();
    let roles = known.roles;
    let generation = |row: &HouseholdPeriod| {
        if roles.generates { row.balance.generation } else { Interval::MISSING }
    };
    let household = &rows.household;
    let violated = |row: &HouseholdPeriod| roles.topology.is_none() && row.balance.balance_violated;
    let coverage = |from: i64, to: i64, measured: i64| share(measured, past(from, to, now));
    let meter = |(place, rows): (usize, &Vec<Period>)| {
        let of = &known.household.meters[place];
        let limits = |of: fn(&Period) -> Interval| -> Option<Vec<_>> {
            parts.bounds.then(|| rows.iter().map(|row| bounds(&of(row))).collect())
        };
        let measured = |row: &Period| row.import_measured.max(row.export_measured);
        let energies = |of: fn(&Period) -> Interval| -> Vec<Option<ExactNumber>> {
            rows.iter().map(|row| energy(&of(row))).collect()
        };
        MeterEnergy {
            meter: of.uuid,
            kind: of.kind,
            import: energies(|row| row.import),
            export: energies(|row| row.export),
            coverage: rows.iter().map(|row| coverage(row.from, row.to, measured(row))).collect(),
            flags: rows.iter().map(|row| row.flags.0).collect(),
            import_bounds: limits(|row| row.import),
            export_bounds: limits(|row| row.export),
        }
    };
    let limits = || SeriesBounds {
        import: household.iter().map(|row| bounds(&row.balance.import)).collect(),
        export: household.iter().map(|row| bounds(&row.balance.export)).collect(),
        generation: household.iter().map(|row| bounds(&generation(row))).collect(),
    };
    let of_row = |row: &HouseholdPeriod| coverage(row.from, row.to, row.measured);
    let starts = &edges[..edges.len().saturating_sub(1)];
    Ok(EnergySeries {
        from: timestamp(&asked.from)?,
        to: timestamp(&asked.to)?,
        step,
        zone: asked.zone.clone(),
        starts: starts.iter().map(timestamp).collect::<Result<_, _>>()?,
        import: household.iter().map(|row| energy(&row.balance.import)).collect(),
        export: household.iter().map(|row| energy(&row.balance.export)).collect(),
        generation: household.iter().map(|row| energy(&generation(row))).collect(),
        coverage: household.iter().map(of_row).collect(),
        flags: household.iter().map(|row| bits(row.flags, violated(row))).collect(),
        flag_names: flag_names(),
        topology: roles.topology.map(|topology| topology.name().to_owned()),
        assumed: roles.assumed.clone(),
        bounds: parts.bounds.then(limits),
        meters: parts.meters.then(|| rows.meters.iter().enumerate().map(meter).collect()),
    })
}
