//! Changes of a registration. Each is checked whole before anything of it is stored.

use deadpool_postgres::Transaction;
use ebp_core::{
    contract::{HouseholdChange, MeterChange, NewMeter, NewPvSystem, PvSystemChange},
    model::{Metadata, MeterType, Participant, PvSystem},
};
use uuid::Uuid;

use super::super::{household, masking, value::Day};
use crate::store::{Faults, HouseholdId, StoreError};

/// The household is there and its consent is not revoked.
pub async fn require_open(tx: &Transaction<'_>, id: HouseholdId) -> Result<(), StoreError> {
    let row = tx
        .query_opt("SELECT revoked_at IS NOT NULL FROM consent WHERE household = $1", &[&id.0])
        .await?
        .ok_or(StoreError::NotFound)?;
    if row.try_get(0)? { Err(StoreError::ConsentRevoked) } else { Ok(()) }
}

/// Changes a household's members.
pub async fn household(
    tx: &Transaction<'_>,
    id: HouseholdId,
    change: &HouseholdChange,
) -> Result<(), StoreError> {
    require_open(tx, id).await?;
    let HouseholdChange { participant, address, location, metadata } = change;
    let mut faults = Faults::default();
    if let Some(participant) = participant {
        faults.participant(participant);
        faults.check(
            !is_anothers(tx, id, participant).await?,
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
    if let Some(Participant { name, email }) = participant {
        tx.execute(
            "UPDATE participant SET name = $2, email = $3
             WHERE id = (SELECT participant FROM household WHERE uuid = $1)",
            &[&id.0, name, email],
        )
        .await?;
    }
    if let Some(address) = address {
        tx.execute(
            "UPDATE address SET street = $2, postal_code = $3, city = $4, country = $5
             WHERE household = $1",
            &[&id.0, &address.street, &address.postal_code, &address.city, &address.country],
        )
        .await?;
    }
    if let Some(location) = location {
        masking::put_location(tx, id.0, location).await?;
    }
    if let Some(metadata) = metadata {
        change_metadata(tx, id, metadata).await?;
    }
    Ok(())
}

async fn change_metadata(
    tx: &Transaction<'_>,
    id: HouseholdId,
    metadata: &Metadata,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE metadata SET children = $2, adults = $3, adults_with_job = $4,
            electric_vehicle_charger = $5, heat_pump = $6, home_battery = $7
         WHERE household = $1",
        &[
            &id.0,
            &i16::from(metadata.children),
            &i16::from(metadata.adults),
            &i16::from(metadata.adults_with_job),
            &metadata.electric_vehicle_charger,
            &metadata.heat_pump,
            &metadata.home_battery,
        ],
    )
    .await?;
    Ok(())
}

/// Whether the e-mail address is that of another participant than the household's.
async fn is_anothers(
    tx: &Transaction<'_>,
    id: HouseholdId,
    participant: &Participant,
) -> Result<bool, StoreError> {
    let row = tx
        .query_one(
            "SELECT EXISTS (SELECT FROM participant
                 WHERE lower(email COLLATE \"C\") = lower($2 COLLATE \"C\")
                 AND id IS DISTINCT FROM (SELECT participant FROM household WHERE uuid = $1))",
            &[&id.0, &participant.email.replace('\0', "")],
        )
        .await?;
    Ok(row.try_get(0)?)
}

/// Adds a meter behind those there are.
pub async fn add_meter(
    tx: &Transaction<'_>,
    id: HouseholdId,
    meter: &NewMeter,
) -> Result<Uuid, StoreError> {
    require_open(tx, id).await?;
    let mut faults = Faults::default();
    faults.model("", &meter.model);
    let uuid = meter.uuid.unwrap_or_else(Uuid::new_v4);
    let taken = tx.query_opt("SELECT FROM meter WHERE uuid = $1", &[&uuid]).await?.is_some();
    faults.check(!taken, "uuid: is registered already");
    check_device(tx, id, meter.measurement_device, &mut faults).await?;
    faults.none_or_all()?;
    tx.execute(
        "INSERT INTO meter (uuid, household, type, model, measurement_device, position)
         SELECT $1, $2, $3, $4, $5, coalesce(max(position) + 1, 0)
         FROM meter WHERE household = $2",
        &[&uuid, &id.0, &meter.kind.name(), &meter.model, &meter.measurement_device],
    )
    .await?;
    Ok(uuid)
}

/// Changes a meter.
pub async fn meter(
    tx: &Transaction<'_>,
    id: HouseholdId,
    meter: Uuid,
    change: &MeterChange,
) -> Result<(), StoreError> {
    require_open(tx, id).await?;
    let mut stored = household::meters(tx, id)
        .await?
        .into_iter()
        .find(|stored| stored.uuid == meter)
        .ok_or(StoreError::NotFound)?;
    let MeterChange { kind, model, measurement_device } = change;
    let mut faults = Faults::default();
    if let Some(kind) = kind {
        stored.kind = *kind;
        let systems = household::pv_systems(tx, id).await?;
        let generates = systems.iter().any(|system| system.meter == Some(meter));
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
        check_device(tx, id, *device, &mut faults).await?;
    }
    faults.none_or_all()?;
    tx.execute(
        "UPDATE meter SET type = $2, model = $3, measurement_device = $4 WHERE uuid = $1",
        &[&meter, &stored.kind.name(), &stored.model, &stored.measurement_device],
    )
    .await?;
    Ok(())
}

async fn check_device(
    tx: &Transaction<'_>,
    id: HouseholdId,
    device: Option<Uuid>,
    faults: &mut Faults,
) -> Result<(), StoreError> {
    if let Some(device) = device {
        let own = household::devices(tx, id).await?.iter().any(|known| known.uuid == device);
        faults.check(own, "measurement_device: must be one of the household");
    }
    Ok(())
}

/// Adds a photovoltaic system behind those there are.
pub async fn add_pv_system(
    tx: &Transaction<'_>,
    id: HouseholdId,
    new: &NewPvSystem,
) -> Result<Uuid, StoreError> {
    require_open(tx, id).await?;
    let system = PvSystem {
        uuid: Uuid::new_v4(),
        nominal_power: new.nominal_power,
        azimuth: new.azimuth,
        tilt: new.tilt,
        installed_on: new.installed_on,
        meter: new.meter,
    };
    check_pv_system(tx, id, &system).await?;
    tx.execute(
        "INSERT INTO pv_system
             (uuid, household, nominal_power, azimuth, tilt, installed_on, meter, position)
         SELECT $1, $2, $3::text::numeric, $4::text::numeric, $5::text::numeric, $6, $7,
                coalesce(max(position) + 1, 0)
         FROM pv_system WHERE household = $2",
        &[
            &system.uuid,
            &id.0,
            &system.nominal_power.to_string(),
            &system.azimuth.to_string(),
            &system.tilt.to_string(),
            &Day(system.installed_on),
            &system.meter,
        ],
    )
    .await?;
    Ok(system.uuid)
}

/// Changes a photovoltaic system.
pub async fn pv_system(
    tx: &Transaction<'_>,
    id: HouseholdId,
    system: Uuid,
    change: &PvSystemChange,
) -> Result<(), StoreError> {
    require_open(tx, id).await?;
    let mut stored = household::pv_systems(tx, id)
        .await?
        .into_iter()
        .find(|stored| stored.uuid == system)
        .ok_or(StoreError::NotFound)?;
    stored.nominal_power = change.nominal_power.unwrap_or(stored.nominal_power);
    stored.azimuth = change.azimuth.unwrap_or(stored.azimuth);
    stored.tilt = change.tilt.unwrap_or(stored.tilt);
    stored.installed_on = change.installed_on.unwrap_or(stored.installed_on);
    stored.meter = change.meter.unwrap_or(stored.meter);
    check_pv_system(tx, id, &stored).await?;
    tx.execute(
        "UPDATE pv_system
         SET nominal_power = $2::text::numeric, azimuth = $3::text::numeric,
             tilt = $4::text::numeric, installed_on = $5, meter = $6
         WHERE uuid = $1",
        &[
            &system,
            &stored.nominal_power.to_string(),
            &stored.azimuth.to_string(),
            &stored.tilt.to_string(),
            &Day(stored.installed_on),
            &stored.meter,
        ],
    )
    .await?;
    Ok(())
}

async fn check_pv_system(
    tx: &Transaction<'_>,
    id: HouseholdId,
    system: &PvSystem,
) -> Result<(), StoreError> {
    let mut faults = Faults::default();
    faults.pv_system("", system.nominal_power, system.azimuth, system.tilt);
    if let Some(wanted) = system.meter {
        let generates = household::meters(tx, id)
            .await?
            .iter()
            .any(|meter| meter.uuid == wanted && meter.kind == MeterType::PvGeneration);
        faults.check(generates, "meter: must be a PV-GENERATION meter of the household");
    }
    faults.none_or_all()
}
