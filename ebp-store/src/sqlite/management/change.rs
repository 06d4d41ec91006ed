//! Changes of a registration. Each is checked completely before anything is stored.

use ebp_core::{
    contract::{HouseholdChange, MeterChange, NewMeter, NewPvSystem, PvSystemChange},
    model::Participant,
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use uuid::Uuid;

use super::super::{
    certificate, household, location,
    register::free_number,
    value::{Id, Instant, Kind, Name, Text},
};
use crate::{
    HouseholdId, StoreError,
    change::{Members, check_household},
};

/// Checks that the household exists and its consent is not revoked. A withheld one counts as
/// unknown.
pub fn require_open(db: &Connection, id: HouseholdId) -> Result<(), StoreError> {
    let revoked: Option<bool> = db
        .prepare_cached(
            "SELECT revoked_at IS NOT NULL
             FROM household JOIN consent ON consent.household = household.uuid
             WHERE household.uuid = ?1 AND NOT withheld",
        )?
        .query_row([Id(id.0)], |row| row.get(0))
        .optional()?;
    match revoked {
        None => Err(StoreError::NotFound),
        Some(true) => Err(StoreError::ConsentRevoked),
        Some(false) => Ok(()),
    }
}

/// Changes a household's members.
pub fn household(
    tx: &Transaction<'_>,
    id: HouseholdId,
    change: &HouseholdChange,
    at: Timestamp,
) -> Result<(), StoreError> {
    require_open(tx, id)?;
    let HouseholdChange { participant, address, location, metadata } = change;
    let taken = match participant {
        Some(participant) => is_anothers(tx, id, participant)?,
        None => false,
    };
    check_household(change, taken)?;
    if let Some(participant) = participant {
        self::participant(tx, id, participant, at)?;
    }
    let id = Id(id.0);
    if let Some(address) = address {
        tx.execute(
            "UPDATE address SET street = ?2, postal_code = ?3, city = ?4, country = ?5
             WHERE household = ?1",
            params![id, address.street, address.postal_code, address.city, address.country],
        )?;
    }
    if let Some(location) = location {
        location::put_location(tx, id.0, location)?;
    }
    if let Some(metadata) = metadata {
        tx.execute(
            "UPDATE metadata SET children = ?2, adults = ?3, adults_with_job = ?4,
                electric_vehicle_charger = ?5, heat_pump = ?6, home_battery = ?7,
                metering_concept = ?8, battery = ?9
             WHERE household = ?1",
            params![
                id,
                metadata.children,
                metadata.adults,
                metadata.adults_with_job,
                metadata.electric_vehicle_charger,
                metadata.heat_pump,
                metadata.home_battery,
                Name(metadata.metering_concept),
                Name(metadata.battery)
            ],
        )?;
    }
    Ok(())
}

fn participant(
    tx: &Transaction<'_>,
    id: HouseholdId,
    Participant { name, email }: &Participant,
    at: Timestamp,
) -> Result<(), StoreError> {
    let moved = tx.execute(
        "UPDATE participant SET email = ?2, uuid = ?3
         WHERE id = (SELECT participant FROM household WHERE uuid = ?1) AND email <> ?2",
        params![Id(id.0), email, Id(Uuid::new_v4())],
    )?;
    if moved > 0 {
        certificate::revoke_participant(tx, id, at)?;
    }
    // The same address, which may be spelt differently.
    tx.execute(
        "UPDATE participant SET name = ?2, email = ?3
         WHERE id = (SELECT participant FROM household WHERE uuid = ?1)",
        params![Id(id.0), name, email],
    )?;
    Ok(())
}

/// Whether the e-mail address is that of another participant than the household's.
fn is_anothers(
    tx: &Transaction<'_>,
    id: HouseholdId,
    participant: &Participant,
) -> Result<bool, StoreError> {
    Ok(tx.query_row(
        "SELECT EXISTS (SELECT 1 FROM participant WHERE email = ?2
             AND id IS NOT (SELECT participant FROM household WHERE uuid = ?1))",
        params![Id(id.0), participant.email],
        |row| row.get(0),
    )?)
}

/// What the household has.
pub fn members(db: &Connection, id: HouseholdId) -> Result<Members, StoreError> {
    Ok(Members {
        meters: household::meters(db, id)?,
        pv_systems: household::pv_systems(db, id)?,
        devices: household::device_ids(db, id)?,
    })
}

/// Appends a meter.
pub fn add_meter(
    tx: &Transaction<'_>,
    id: HouseholdId,
    new: &NewMeter,
) -> Result<Uuid, StoreError> {
    require_open(tx, id)?;
    let taken: bool = tx.query_row(
        "SELECT EXISTS (SELECT 1 FROM meter WHERE uuid = ?1)",
        [new.uuid.map(Id)],
        |row| row.get(0),
    )?;
    let meter = members(tx, id)?.new_meter(new, taken)?;
    tx.execute(
        "INSERT INTO meter (uuid, household, type, model, measurement_device, position, number,
                            released_uuid, generation_register)
         SELECT ?1, ?2, ?3, ?4, ?5, coalesce(max(position) + 1, 0), ?6, ?7, ?8
         FROM meter WHERE household = ?2",
        params![
            Id(meter.uuid),
            Id(id.0),
            Kind(meter.kind),
            meter.model,
            meter.measurement_device.map(Id),
            free_number(tx)?,
            Id(Uuid::new_v4()),
            meter.generation_register.map(Name)
        ],
    )?;
    Ok(meter.uuid)
}

/// Changes a meter.
pub fn meter(
    tx: &Transaction<'_>,
    id: HouseholdId,
    uuid: Uuid,
    change: &MeterChange,
) -> Result<(), StoreError> {
    require_open(tx, id)?;
    let meter = members(tx, id)?.changed_meter(uuid, change)?;
    tx.execute(
        "UPDATE meter SET type = ?2, model = ?3, measurement_device = ?4, removed_at = ?5,
             generation_register = ?6
         WHERE uuid = ?1",
        params![
            Id(uuid),
            Kind(meter.kind),
            meter.model,
            meter.measurement_device.map(Id),
            meter.removed_at.map(Instant),
            meter.generation_register.map(Name)
        ],
    )?;
    Ok(())
}

/// Appends a photovoltaic system.
pub fn add_pv_system(
    tx: &Transaction<'_>,
    id: HouseholdId,
    new: &NewPvSystem,
) -> Result<Uuid, StoreError> {
    require_open(tx, id)?;
    let system = members(tx, id)?.new_pv_system(new)?;
    tx.execute(
        "INSERT INTO pv_system
             (uuid, household, nominal_power, azimuth, tilt, installed_on, meter, position,
              released_uuid)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, coalesce(max(position) + 1, 0), ?8
         FROM pv_system WHERE household = ?2",
        params![
            Id(system.uuid),
            Id(id.0),
            Text(system.nominal_power),
            Text(system.azimuth),
            Text(system.tilt),
            Text(system.installed_on),
            system.meter.map(Id),
            Id(Uuid::new_v4())
        ],
    )?;
    Ok(system.uuid)
}

/// Changes a photovoltaic system.
pub fn pv_system(
    tx: &Transaction<'_>,
    id: HouseholdId,
    uuid: Uuid,
    change: &PvSystemChange,
) -> Result<(), StoreError> {
    require_open(tx, id)?;
    let system = members(tx, id)?.changed_pv_system(uuid, change)?;
    tx.execute(
        "UPDATE pv_system
         SET nominal_power = ?2, azimuth = ?3, tilt = ?4, installed_on = ?5, meter = ?6
         WHERE uuid = ?1",
        params![
            Id(uuid),
            Text(system.nominal_power),
            Text(system.azimuth),
            Text(system.tilt),
            Text(system.installed_on),
            system.meter.map(Id)
        ],
    )?;
    Ok(())
}
