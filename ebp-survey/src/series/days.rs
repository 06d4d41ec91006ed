//! The days of a household's meters within a stretch: kept ones, and those made of measurements.

use ebp_dataset::{Day, Days};
use ebp_store::StoreError;

use super::{
    interrupted::Interrupted, known::Known, quarters::QuarterReader, query::Asked, run::parse_day,
};

/// The days of each meter that lie within the stretch.
pub(super) async fn of_meters(
    known: &Known<'_>,
    asked: &Asked,
) -> Result<Vec<Vec<Day>>, Interrupted> {
    asked.require_few(known.household.meters.len())?;
    let ends = (asked.from, asked.to);
    let mut all = Vec::with_capacity(known.runs.len());
    for (meter, run) in known.household.meters.iter().zip(known.runs) {
        let days = if asked.is_kept {
            let kept_to = asked.to.min(run.kept_to);
            let kept = known.maker.store.kept_days(meter.number, asked.from, kept_to).await?;
            let mut days =
                kept.iter().map(|text| parse_day(text)).collect::<Result<Vec<_>, StoreError>>()?;
            let within = |day: &&Day| ends.0 <= day.from && day.from < ends.1;
            days.extend(run.fresh.iter().filter(within).copied());
            days
        } else {
            let store = known.maker.store;
            let household = known.maker.household;
            let mut reader = QuarterReader::open(store, household, meter, run, ends).await?;
            let mut days = Days::new(asked.calendar.clone());
            let mut found = Vec::new();
            for quarter in reader.rows_before(ends.1).await? {
                found.extend(days.push(&quarter)?);
            }
            found.extend(days.finish());
            found
        };
        all.push(days);
    }
    Ok(all)
}

/// Those of a meter's days that lie between two instants.
pub(super) fn between(days: &[Day], (from, to): (i64, i64)) -> &[Day] {
    let first = days.partition_point(|day| day.from < from);
    let last = days.partition_point(|day| day.from < to);
    &days[first..last.max(first)]
}
