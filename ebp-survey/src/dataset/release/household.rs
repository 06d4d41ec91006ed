//! Households that could be released: what rules look at.

use std::sync::Arc;

use ebp_anon::Position;
use ebp_core::contract::Household;
use ebp_dataset::{
    Calendar, EnergyStep, HouseholdPeriod, HouseholdPeriods,
    release::{Answers, Detail, Months, Profile, Shown, SystemFacts, months_within},
};
use ebp_store::{Store, masking::Masking};
use jiff::{ToSpan, civil::Date};
use uuid::Uuid;

use super::{
    super::{
        ExportError, ExportOrder,
        facts::HouseholdFacts,
        folder::Folder,
        lines::slot_of,
        month::{joined, months},
    },
    order::History,
};

/// The first and last days of a series that are never shown, microseconds.
const CUT: i64 = 14 * 24 * 3600 * 1_000_000;

/// A household that could be released.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub facts: HouseholdFacts,
    pub profile: Profile,
    /// Whole months of its series.
    pub possible: Option<Months>,
    /// The finest that it may be shown.
    pub floor: Detail,
}

/// A household in the release.
#[derive(Debug, Clone)]
pub(super) struct Released {
    pub uuid: Uuid,
    /// Its number in the release.
    pub name: String,
    pub shown: Shown,
    pub detail: Detail,
    pub months: Months,
    pub possible: Option<Months>,
    pub facts: HouseholdFacts,
    /// Its NUTS-3 region, if it is known.
    pub nuts3: Option<String>,
}

/// Reads all that were collected.
pub(super) fn read(
    store: &Arc<dyn Store>,
    folder: &Folder,
    export: &ExportOrder,
    calendar: &Calendar,
    history: &History,
) -> Result<Vec<Candidate>, ExportError> {
    let masking = store.masking();
    let mut all = Vec::new();
    folder.each_household(|facts| {
        let possible = possible(&facts, export, calendar)?;
        let profile = profile(&facts, masking.as_deref());
        let floor = history.floor(&facts.household);
        all.push(Candidate { facts, profile, possible, floor });
        Ok(())
    })?;
    Ok(all)
}

fn possible(
    facts: &HouseholdFacts,
    export: &ExportOrder,
    calendar: &Calendar,
) -> Result<Option<Months>, ExportError> {
    let read = facts.meters.iter().filter_map(|meter| meter.read);
    let Some((first, last)) = read.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))) else {
        return Ok(None);
    };
    let (from, to) = export.stretch();
    let first = first.saturating_add(CUT).max(from);
    let last = last.saturating_sub(CUT).min(to);
    if first >= last {
        return Ok(None);
    }
    let day =
        |at: i64| -> Result<Date, ExportError> { Ok(calendar.local_quarter(slot_of(at))?.date) };
    // The day that a series begins in is not whole, nor is the one that it ends in.
    let first = day(first)?.checked_add(1.day()).unwrap_or(Date::MAX);
    let last = day(last)?;
    let parts = |day: Date| (day.year(), day.month(), day.day());
    Ok(months_within(parts(first), parts(last)))
}

fn profile(facts: &HouseholdFacts, masking: Option<&Masking>) -> Profile {
    let of = &facts.household;
    let systems = facts.systems.iter().map(|system| SystemFacts {
        kwp: number(&system.nominal_power),
        azimuth: number(&system.azimuth),
        tilt: number(&system.tilt),
        year: system.installed_on.year(),
    });
    Profile {
        nuts3: region(of, masking),
        systems: systems.collect(),
        persons: of.metadata.as_ref().map(|it| it.children.saturating_add(it.adults)),
        answers: of.metadata.as_ref().map(|it| Answers {
            charger: it.electric_vehicle_charger,
            heat_pump: it.heat_pump,
            battery: it.home_battery,
        }),
    }
}

fn number(of: &rust_decimal::Decimal) -> f64 {
    of.to_string().parse().unwrap_or(0.0)
}

/// The region of a true location, or the one that a masked location was drawn for.
fn region(household: &Household, masking: Option<&Masking>) -> Option<String> {
    let location = household.location.as_ref()?;
    match &location.masked {
        Some(masked) => masked.nuts3.clone(),
        None => {
            let position = Position::new(location.latitude, location.longitude).ok()?;
            let region = masking?.regions()?.at(position)?;
            Some(region.code().to_string())
        }
    }
}

/// When a local month begins, microseconds since the Unix epoch.
pub(super) fn month_start(calendar: &Calendar, month: i32) -> Result<i64, ExportError> {
    let year = i16::try_from(month.div_euclid(12)).unwrap_or(i16::MAX);
    let number = i8::try_from(month.rem_euclid(12) + 1).unwrap_or(1);
    let first = Date::new(year, number, 1).unwrap_or(Date::MAX);
    Ok(calendar.midnight(first)?)
}

/// Gives a household's quarter hours of a local month, in the order of time.
pub(super) fn each_quarter(
    folder: &Folder,
    facts: &HouseholdFacts,
    calendar: &Calendar,
    month: i32,
    mut take: impl FnMut(&HouseholdPeriod) -> Result<(), ExportError>,
) -> Result<(), ExportError> {
    let (from, to) = (month_start(calendar, month)?, month_start(calendar, month + 1)?);
    let (roles, count) = (facts.roles.roles(), facts.meters.len());
    let mut periods = HouseholdPeriods::new(roles, count, calendar.clone(), EnergyStep::Quarter);
    let mut within = |row: &HouseholdPeriod| {
        if from <= row.from && row.from < to { take(row) } else { Ok(()) }
    };
    // Local months lie in two months of UTC.
    for month in months(folder)?.into_iter().filter(|month| month.0 < to && month.1 > from) {
        for (slot, quarters) in joined(folder, facts, month)? {
            if let Some(row) = periods.push(slot, &quarters)? {
                within(&row)?;
            }
        }
    }
    periods.finish().map_or(Ok(()), |row| within(&row))
}
