//! Changes of a registration. Each is checked whole before anything of it is stored.

use ebp_core::{
    contract::{HouseholdChange, MeterChange, NewMeter, NewPvSystem, PvSystemChange},
    model::{MeterType, Participant, PvSystem},
};
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use uuid::Uuid;

use super::super::{
    household, masking,
    value::{Id, Kind, Text},
};
use crate::store::{Faults, HouseholdId, StoreError};

/// The household is there and its consent is not revoked.
pub fn require_open(db: &Connection, id: HouseholdId) -> Result<(), StoreError> {
    let revoked: Option<bool> = db
        .prepare_cached("SELECT revoked_at IS NOT NULL FROM consent WHERE household = ?1")?
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
) -> Result<(), StoreError> {
    require_open(tx, id)?;
    let HouseholdChange { participant, address, location, metadata } = change;
    let mut faults = Faults::default();
    if let Some(participant) = participant {
        faults.participant(participant);
        faults.check(
            !is_anothers(tx, id, participant)?,
            "participant.email: belongs to another participant",
        );
    }
    if let Some(address) = address {
        faults.address(address);
    }
    if let Some(location) = location {
        faults.location(location);
    }
    if let Some(metadata) = metadata {
        faults.metadata(metadata);
    }
    faults.none_or_all()?;
    let id = Id(id.0);
    if let Some(Participant { name, email }) = participant {
        tx.execute(
            "UPDATE participant SET name = ?2, email = ?3
             WHERE id = (SELECT participant FROM household WHERE uuid = ?1)",
            params![id, name, email],
        )?;
    }
    if let Some(address) = address {
        tx.execute(
            "UPDATE address SET street = ?2, postal_code = ?3, city = ?4, country = ?5
             WHERE household = ?1",
            params![id, address.street, address.postal_code, address.city, address.country],
        )?;
    }
    if let Some(location) = location {
        masking::put_location(tx, id.0, location)?;
    }
    if let Some(metadata) = metadata {
        tx.execute(
            "UPDATE metadata SET children = ?2, adults = ?3, adults_with_job = ?4,
                electric_vehicle_charger = ?5, heat_pump = ?6, home_battery = ?7
             WHERE household = ?1",
            params![
                id,
                metadata.children,
                metadata.adults,
                metadata.adults_with_job,
                metadata.electric_vehicle_charger,
                metadata.heat_pump,
                metadata.home_battery
            ],
        )?;
    }
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

/// Adds a meter behind those there are.
pub fn add_meter(
    tx: &Transaction<'_>,
    id: HouseholdId,
    meter: &NewMeter,
) -> Result<Uuid, StoreError> {
    require_open(tx, id)?;
    let mut faults = Faults::default();
    faults.model("", &meter.model);
    let uuid = meter.uuid.unwrap_or_else(Uuid::new_v4);
    let taken: bool =
        tx.query_row("SELECT EXISTS (SELECT 1 FROM meter WHERE uuid = ?1)", [Id(uuid)], |row| {
            row.get(0)
        })?;
    faults.check(!taken, "uuid: is registered already");
    check_device(tx, id, meter.measurement_device, &mut faults)?;
    faults.none_or_all()?;
    tx.execute(
        "INSERT INTO meter (uuid, household, type, model, measurement_device, position)
         SELECT ?1, ?2, ?3, ?4, ?5, coalesce(max(position) + 1, 0)
         FROM meter WHERE household = ?2",
        params![
            Id(uuid),
            Id(id.0),
            Kind(meter.kind),
            meter.model,
            meter.measurement_device.map(Id)
        ],
    )?;
    Ok(uuid)
}

/// Changes a meter.
pub fn meter(
    tx: &Transaction<'_>,
    id: HouseholdId,
    meter: Uuid,
    change: &MeterChange,
) -> Result<(), StoreError> {
    require_open(tx, id)?;
    let mut stored = household::meters(tx, id)?
        .into_iter()
        .find(|stored| stored.uuid == meter)
        .ok_or(StoreError::NotFound)?;
    let MeterChange { kind, model, measurement_device } = change;
    let mut faults = Faults::default();
    if let Some(kind) = kind {
        stored.kind = *kind;
        let generates = household::pv_systems(tx, id)?.iter().any(|s| s.meter == Some(meter));
        faults.check(
            *kind == MeterType::PvGeneration || !generates,
            "type: must stay PV-GENERATION while a photovoltaic system is connected to it",
        );
    }
    if let Some(model) = model {
        stored.model.clone_from(model);
        faults.model("", model);
    }
    if let Some(device) = measurement_device {
        stored.measurement_device = *device;
        check_device(tx, id, *device, &mut faults)?;
    }
    faults.none_or_all()?;
    tx.execute(
        "UPDATE meter SET type = ?2, model = ?3, measurement_device = ?4 WHERE uuid = ?1",
        params![Id(meter), Kind(stored.kind), stored.model, stored.measurement_device.map(Id)],
    )?;
    Ok(())
}

fn check_device(
    tx: &Transaction<'_>,
    id: HouseholdId,
    device: Option<Uuid>,
    faults: &mut Faults,
) -> Result<(), StoreError> {
    if let Some(device) = device {
        let own = household::devices(tx, id)?.iter().any(|known| known.uuid == device);
        faults.check(own, "measurement_device: must be one of the household");
    }
    Ok(())
}

/// Adds a photovoltaic system behind those there are.
pub fn add_pv_system(
    tx: &Transaction<'_>,
    id: HouseholdId,
    new: &NewPvSystem,
) -> Result<Uuid, StoreError> {
    require_open(tx, id)?;
    let system = PvSystem {
        uuid: Uuid::new_v4(),
        nominal_power: new.nominal_power,
        azimuth: new.azimuth,
        tilt: new.tilt,
        installed_on: new.installed_on,
        meter: new.meter,
    };
    check_pv_system(tx, id, &system)?;
    tx.execute(
        "INSERT INTO pv_system
             (uuid, household, nominal_power, azimuth, tilt, installed_on, meter, position)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, coalesce(max(position) + 1, 0)
         FROM pv_system WHERE household = ?2",
        params![
            Id(system.uuid),
            Id(id.0),
            Text(system.nominal_power),
            Text(system.azimuth),
            Text(system.tilt),
            Text(system.installed_on),
            system.meter.map(Id)
        ],
    )?;
    Ok(system.uuid)
}

/// Changes a photovoltaic system.
pub fn pv_system(
    tx: &Transaction<'_>,
    id: HouseholdId,
    system: Uuid,
    change: &PvSystemChange,
) -> Result<(), StoreError> {
    require_open(tx, id)?;
    let mut stored = household::pv_systems(tx, id)?
        .into_iter()
        .find(|stored| stored.uuid == system)
        .ok_or(StoreError::NotFound)?;
    stored.nominal_power = change.nominal_power.unwrap_or(stored.nominal_power);
    stored.azimuth = change.azimuth.unwrap_or(stored.azimuth);
    stored.tilt = change.tilt.unwrap_or(stored.tilt);
    stored.installed_on = change.installed_on.unwrap_or(stored.installed_on);
    stored.meter = change.meter.unwrap_or(stored.meter);
    check_pv_system(tx, id, &stored)?;
    tx.execute(
        "UPDATE pv_system
         SET nominal_power = ?2, azimuth = ?3, tilt = ?4, installed_on = ?5, meter = ?6
         WHERE uuid = ?1",
        params![
            Id(system),
            Text(stored.nominal_power),
            Text(stored.azimuth),
            Text(stored.tilt),
            Text(stored.installed_on),
            stored.meter.map(Id)
        ],
    )?;
    Ok(())
}

fn check_pv_system(
    tx: &Transaction<'_>,
    id: HouseholdId,
    system: &PvSystem,
) -> Result<(), StoreError> {
    let mut faults = Faults::default();
    faults.pv_system("", system.nominal_power, system.azimuth, system.tilt);
    if let Some(wanted) = system.meter {
        let generates = household::meters(tx, id)?
            .iter()
            .any(|meter| meter.uuid == wanted && meter.kind == MeterType::PvGeneration);
        faults.check(generates, "meter: must be a PV-GENERATION meter of the household");
    }
    faults.none_or_all()
}
