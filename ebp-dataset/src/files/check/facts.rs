//! Whether rows of an internal set can be what they say: places, consents, roles, instants, days.
//!
//! Enters: a row, the households and meters read before, the descriptions. Leaves: what is wrong.
//! Absent: other rows of the same table.

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use ebp_core::contract::EnergyStep;

use super::{cells::Cells, listing::Listing, names::Names, row::units};
use crate::{
    balance::{LEAST, is_covered},
    calendar::{Calendar, CalendarError, day_of},
    files::{column::Table, read::Value},
    rules::QUARTER,
    slot::slot_of,
};

/// Ratios are rounded to six places.
const STEP: f64 = 0.000_001;

/// Whether a number is there that does not lie in this range.
fn is_outside(row: Cells<'_>, name: &str, least: f64, most: f64) -> bool {
    row.double(name).is_some_and(|number| !(least..=most).contains(&number))
}

/// What is wrong with a row.
pub(super) fn faults(
    table: &Table,
    values: &[Value],
    names: &Names,
    listing: &Listing,
) -> Vec<&'static str> {
    let row = Cells { table, values };
    let checks: Vec<(bool, &'static str)> = match table.name {
        "households" => household(row),
        "consents" => consent(row, names, listing),
        "meters" => meter(row),
        "pv_systems" => system(row, names),
        "incidents" => vec![
            (is_later(row, "reported_at", listing), "reported_at is later than as_of"),
            (is_later(row, "resolved_at", listing), "resolved_at is later than as_of"),
            (
                row.int("resolved_at") < row.int("reported_at") && row.has("resolved_at"),
                "resolved_at is earlier than reported_at",
            ),
        ],
        "readings" => vec![
            (is_later(row, "received_at", listing), "received_at is later than as_of"),
            (
                row.int("measured_at").map(slot_of) != row.int("slot_start"),
                "slot_start is not the quarter hour of measured_at",
            ),
        ],
        "balance" => balance(row, names, listing),
        "daily" => day(row, names, listing),
        _ => Vec::new(),
    };
    checks.into_iter().filter_map(|(is_wrong, what)| is_wrong.then_some(what)).collect()
}

fn is_later(row: Cells<'_>, column: &str, listing: &Listing) -> bool {
    row.int(column).is_some_and(|at| at > listing.as_of)
}

fn household(row: Cells<'_>) -> Vec<(bool, &'static str)> {
    let parts = ["latitude", "longitude", "location_kind"].map(|name| row.has(name));
    let is_masked = row.text("location_kind") == Some("masked");
    let is_revoked = row.text("consent_state") == Some("revoked");
    vec![
        (parts != [parts[0]; 3], "a part of its location is missing"),
        (is_outside(row, "latitude", -90.0, 90.0), "latitude is not on the Earth"),
        (is_outside(row, "longitude", -180.0, 180.0), "longitude is not on the Earth"),
        (row.has("nuts3") && !is_masked, "nuts3 is told of masked locations alone"),
        (
            parts[2] && is_masked != is_revoked,
            "locations are masked of those who revoked their consent, and of nobody else",
        ),
    ]
}

fn consent(row: Cells<'_>, names: &Names, listing: &Listing) -> Vec<(bool, &'static str)> {
    let is_revoked = row.has("revoked_at");
    let state = row.text("household").and_then(|name| names.household(name));
    let instants = [row.int("granted_at"), row.int("revoked_at")];
    vec![
        (is_later(row, "granted_at", listing), "granted_at is later than as_of"),
        (is_revoked && instants[1] < instants[0], "revoked_at is earlier than granted_at"),
        (
            is_revoked && instants.into_iter().flatten().any(|at| !is_month(at)),
            "of a revoked consent months alone are told",
        ),
        (
            state.is_some_and(|household| household.is_revoked != is_revoked),
            "revoked_at is not what consent_state in households says",
        ),
    ]
}

/// Whether a month begins then.
fn is_month(at: i64) -> bool {
    let at = Timestamp::from_microsecond(at).map(|at| TimeZone::UTC.to_datetime(at));
    at.is_ok_and(|at| at == at.date().first_of_month().to_datetime(jiff::civil::Time::midnight()))
}

fn meter(row: Cells<'_>) -> Vec<(bool, &'static str)> {
    let generates = row.text("type") == Some("PV-GENERATION");
    vec![
        ((row.text("role") == Some("generation")) != generates, "its role is not that of its type"),
        (
            row.has("generation_register") && !generates,
            "generation_register is told of generation meters alone",
        ),
        (
            row.has("first") != row.has("last") || row.int("first") > row.int("last"),
            "first and last are no beginning and end",
        ),
    ]
}

fn system(row: Cells<'_>, names: &Names) -> Vec<(bool, &'static str)> {
    let household = row.text("household").and_then(|name| names.household(name));
    let is_revoked = household.is_some_and(|household| household.is_revoked);
    let meter = row.text("meter").and_then(|name| names.meter(name));
    let power = row.double("nominal_power_kwp").unwrap_or(0.0);
    let is_new_year =
        row.int("installed_on").and_then(day_of).is_none_or(|it| it.day_of_year() == 1);
    let is_power = if is_revoked { power >= 0.0 } else { power > 0.0 };
    vec![
        (!is_power, "nominal_power_kwp is no power"),
        (is_outside(row, "azimuth_deg", 0.0, 360.0), "azimuth_deg is no direction"),
        (is_outside(row, "tilt_deg", 0.0, 90.0), "tilt_deg is no tilt"),
        (
            is_revoked && power.fract() != 0.0,
            "its household revoked its consent, and nominal_power_kwp has decimals",
        ),
        (
            is_revoked && !is_new_year,
            "its household revoked its consent, and installed_on has a day",
        ),
        (meter.is_some_and(|meter| !meter.generates), "its meter counts no generation"),
    ]
}

fn has_balance(row: Cells<'_>, names: &Names) -> bool {
    let household = row.text("household").and_then(|name| names.household(name));
    household.is_some_and(|household| household.has_balance)
}

fn is_balanced(row: Cells<'_>, names: &Names) -> bool {
    let parts = ["consumption_kwh", "self_consumption_kwh", "autarky", "self_consumption_share"];
    !has_balance(row, names) && parts.iter().any(|name| row.has(name))
}

fn balance(row: Cells<'_>, names: &Names, listing: &Listing) -> Vec<(bool, &'static str)> {
    let local = row.int("slot_start").zip(listing.calendar.as_ref());
    let local = local.and_then(|(at, calendar)| calendar.local_quarter(at).ok());
    let is_it = local.is_none_or(|local| {
        row.int("local_date").and_then(day_of) == Some(local.date)
            && row.int("local_quarter") == Some(local.number.into())
    });
    vec![
        (!is_it, "local_date and local_quarter are not those of slot_start"),
        (is_balanced(row, names), "topology in households says that there is no balance"),
    ]
}

fn day(row: Cells<'_>, names: &Names, listing: &Listing) -> Vec<(bool, &'static str)> {
    let (all, measured) = (row.int("quarters_expected"), row.int("quarters_measured"));
    let long = row.int("local_date").and_then(day_of).zip(listing.calendar.as_ref());
    let long = long.and_then(|(date, calendar)| quarters(calendar, date).ok());
    let is_covered = measured.zip(all).is_some_and(|(of, all)| is_covered(all, of));
    let is_wrong = |ratio: &str, of: &str| {
        let parts = row.double("self_consumption_kwh").zip(row.double(of));
        let parts = parts.filter(|(_, of)| units(*of) >= LEAST.0 && is_covered);
        match (row.double(ratio), parts) {
            (None, None) => false,
            (Some(ratio), Some((part, of))) => (ratio - part / of).abs() > STEP,
            _ => true,
        }
    };
    vec![
        (long.is_some() && all != long, "quarters_expected are not those of its day"),
        (measured > all || measured < Some(0), "quarters_measured are more than there are"),
        (is_balanced(row, names), "topology in households says that there is no balance"),
        (
            is_wrong("autarky", "consumption_kwh"),
            "autarky is not self-consumption / consumption, or is told though it may not be",
        ),
        (
            is_wrong("self_consumption_share", "generation_kwh"),
            "self_consumption_share is not self-consumption / generation, or is told though it may \
          not be",
        ),
    ]
}

/// How many quarter hours a day has.
fn quarters(calendar: &Calendar, date: Date) -> Result<i64, CalendarError> {
    let start = calendar.midnight(date)?;
    Ok((calendar.end(EnergyStep::Day, start)? - start) / QUARTER)
}
