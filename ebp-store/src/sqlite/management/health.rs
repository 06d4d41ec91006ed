//! The health of all households' devices and meters, for administrators.

use ebp_core::{
    contract::{HouseholdHealth, MeterHealth},
    model::{ConsentState, Meter},
};
use rusqlite::{Connection, OptionalExtension, params};

use super::super::{
    consent, household, incident,
    list_page::{bounds, page},
    value::{Id, Instant},
};
use crate::{HouseholdId, ListCursor, ListPage, ListQuery, StoreError};

/// Health of the households, withheld ones included. For those that revoked nothing else is shown,
/// because the time of a last measurement would identify the household.
pub fn list(db: &Connection, query: ListQuery) -> Result<ListPage<HouseholdHealth>, StoreError> {
    let (at, uuid, limit) = bounds(query);
    let rows: Vec<(ListCursor, HouseholdHealth)> = db
        .prepare_cached(
            "SELECT household.uuid, registered_at, withheld, granted_at, revoked_at
             FROM household JOIN consent ON consent.household = household.uuid
             WHERE (registered_at, household.uuid) > (?1, ?2)
             ORDER BY registered_at, household.uuid LIMIT ?3",
        )?
        .query_map(params![at, uuid, limit], |row| {
            let (Id(uuid), Instant(registered_at)): (Id, Instant) = (row.get(0)?, row.get(1)?);
            let (granted_at, revoked_at): (Option<Instant>, Option<Instant>) =
                (row.get(3)?, row.get(4)?);
            let health = HouseholdHealth {
                uuid,
                consent: consent::from_instants(granted_at, revoked_at).state,
                withheld: row.get(2)?,
                measurement_devices: Vec::new(),
                meters: Vec::new(),
            };
            Ok((ListCursor { registered_at: registered_at.as_microsecond(), uuid }, health))
        })?
        .collect::<Result<_, _>>()?;
    let mut page = page(query, rows);
    for health in &mut page.items {
        if health.consent == ConsentState::Revoked {
            continue;
        }
        let id = HouseholdId(health.uuid);
        let known = household::meters(db, id)?;
        health.measurement_devices = household::devices_with(db, id, &known)?;
        health.meters = meters(db, known)?;
    }
    Ok(page)
}

fn meters(db: &Connection, known: Vec<Meter>) -> Result<Vec<MeterHealth>, StoreError> {
    // A look into the primary key for each meter, latest slot first; nothing is scanned.
    let mut latest = db.prepare_cached(
        "SELECT measured_at FROM measurement
         WHERE meter = (SELECT number FROM meter WHERE uuid = ?1)
         ORDER BY slot DESC LIMIT 1",
    )?;
    known
        .into_iter()
        .map(|meter| {
            let at: Option<Instant> =
                latest.query_row([Id(meter.uuid)], |row| row.get(0)).optional()?;
            Ok(MeterHealth {
                uuid: meter.uuid,
                kind: meter.kind,
                model: meter.model,
                measurement_device: meter.measurement_device,
                last_measurement: at.map(|at| at.0),
                incidents: incident::of_meter(db, meter.uuid)?,
            })
        })
        .collect()
}
