//! Changes of a registration. Each is checked completely before anything is stored.

use deadpool_postgres::Transaction;
use ebp_core::{
    contract::{HouseholdChange, MeterChange, NewMeter, NewPvSystem, PvSystemChange},
    model::{GenerationRegister, Metadata, Participant},
};
use jiff::Timestamp;
use uuid::Uuid;

use super::super::{
    certificate, household, location,
    value::{Day, Instant},
};
use crate::{
    HouseholdId, StoreError,
    change::{Members, check_household},
};

/// Checks that the household exists and its consent is not revoked. A withheld one counts as
/// unknown.
pub async fn require_open(tx: &Transaction<'_>, id: HouseholdId) -> Result<(), StoreError> {
    let row = tx
        .query_opt(
            "SELECT revoked_at IS NOT NULL
             FROM household JOIN consent ON consent.household = household.uuid
             WHERE household.uuid = $1 AND NOT withheld",
            &[&id.0],
        )
        .await?
        .ok_or(StoreError::NotFound)?;
    if row.try_get(0)? { Err(StoreError::ConsentRevoked) } else { Ok(()) }
}

/// Changes a household's members.
pub async fn household(
    tx: &Transaction<'_>,
    id: HouseholdId,
    change: &HouseholdChange,
    at: Timestamp,
) -> Result<(), StoreError> {
    require_open(tx, id).await?;
    let HouseholdChange { participant, address, location, metadata } = change;
    let taken = match participant {
        Some(participant) => is_anothers(tx, id, participant).await?,
        None => false,
    };
    check_household(change, taken)?;
    if let Some(participant) = participant {
        self::participant(tx, id, participant, at).await?;
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
        location::put_location(tx, id.0, location).await?;
    }
    if let Some(metadata) = metadata {
        change_metadata(tx, id, metadata).await?;
    }
    Ok(())
}

async fn participant(
    tx: &Transaction<'_>,
    id: HouseholdId,
    Participant { name, email }: &Participant,
    at: Timestamp,
) -> Result<(), StoreError> {
    let moved = tx
        .execute(
            "UPDATE participant SET email = $2, uuid = $3
             WHERE id = (SELECT participant FROM household WHERE uuid = $1)
                 AND lower(email COLLATE \"C\") <> lower($2 COLLATE \"C\")",
            &[&id.0, email, &Uuid::new_v4()],
        )
        .await?;
    if moved > 0 {
        certificate::revoke_participant(tx, id, at).await?;
    }
    // The same address, which may be spelt differently.
    tx.execute(
        "UPDATE participant SET name = $2, email = $3
         WHERE id = (SELECT participant FROM household WHERE uuid = $1)",
        &[&id.0, name, email],
    )
    .await?;
    Ok(())
}

async fn change_metadata(
    tx: &Transaction<'_>,
    id: HouseholdId,
    metadata: &Metadata,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE metadata SET children = $2, adults = $3, adults_with_job = $4,
            electric_vehicle_charger = $5, heat_pump = $6, home_battery = $7,
            metering_concept = $8, battery = $9
         WHERE household = $1",
        &[
            &id.0,
            &i16::from(metadata.children),
            &i16::from(metadata.adults),
            &i16::from(metadata.adults_with_job),
            &metadata.electric_vehicle_charger,
            &metadata.heat_pump,
            &metadata.home_battery,
            &metadata.metering_concept.name(),
            &metadata.battery.name(),
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

/// What the household has.
pub async fn members(tx: &Transaction<'_>, id: HouseholdId) -> Result<Members, StoreError> {
    Ok(Members {
        meters: household::meters(tx, id).await?,
        pv_systems: household::pv_systems(tx, id).await?,
        devices: household::device_ids(tx, id).await?,
    })
}

/// Appends a meter.
pub async fn add_meter(
    tx: &Transaction<'_>,
    id: HouseholdId,
    new: &NewMeter,
) -> Result<Uuid, StoreError> {
    require_open(tx, id).await?;
    let taken = tx.query_opt("SELECT FROM meter WHERE uuid = $1", &[&new.uuid]).await?.is_some();
    let meter = members(tx, id).await?.new_meter(new, taken)?;
    tx.execute(
        "INSERT INTO meter (uuid, household, type, model, measurement_device, position,
                            released_uuid, generation_register)
         SELECT $1, $2, $3, $4, $5, coalesce(max(position) + 1, 0), $6, $7
         FROM meter WHERE household = $2",
        &[
            &meter.uuid,
            &id.0,
            &meter.kind.name(),
            &meter.model,
            &meter.measurement_device,
            &Uuid::new_v4(),
            &meter.generation_register.map(GenerationRegister::name),
        ],
    )
    .await?;
    Ok(meter.uuid)
}

/// Changes a meter.
pub async fn meter(
    tx: &Transaction<'_>,
    id: HouseholdId,
    uuid: Uuid,
    change: &MeterChange,
) -> Result<(), StoreError> {
    require_open(tx, id).await?;
    let meter = members(tx, id).await?.changed_meter(uuid, change)?;
    tx.execute(
        "UPDATE meter SET type = $2, model = $3, measurement_device = $4, removed_at = $5,
             generation_register = $6
         WHERE uuid = $1",
        &[
            &uuid,
            &meter.kind.name(),
            &meter.model,
            &meter.measurement_device,
            &meter.removed_at.map(Instant),
            &meter.generation_register.map(GenerationRegister::name),
        ],
    )
    .await?;
    Ok(())
}

/// Appends a photovoltaic system.
pub async fn add_pv_system(
    tx: &Transaction<'_>,
    id: HouseholdId,
    new: &NewPvSystem,
) -> Result<Uuid, StoreError> {
    require_open(tx, id).await?;
    let system = members(tx, id).await?.new_pv_system(new)?;
    tx.execute(
        "INSERT INTO pv_system
             (uuid, household, nominal_power, azimuth, tilt, installed_on, meter, position,
              released_uuid)
         SELECT $1, $2, $3::text::numeric, $4::text::numeric, $5::text::numeric, $6, $7,
                coalesce(max(position) + 1, 0), $8
         FROM pv_system WHERE household = $2",
        &[
            &system.uuid,
            &id.0,
            &system.nominal_power.to_string(),
            &system.azimuth.to_string(),
            &system.tilt.to_string(),
            &Day(system.installed_on),
            &system.meter,
            &Uuid::new_v4(),
        ],
    )
    .await?;
    Ok(system.uuid)
}

/// Changes a photovoltaic system.
pub async fn pv_system(
    tx: &Transaction<'_>,
    id: HouseholdId,
    uuid: Uuid,
    change: &PvSystemChange,
) -> Result<(), StoreError> {
    require_open(tx, id).await?;
    let system = members(tx, id).await?.changed_pv_system(uuid, change)?;
    tx.execute(
        "UPDATE pv_system
         SET nominal_power = $2::text::numeric, azimuth = $3::text::numeric,
             tilt = $4::text::numeric, installed_on = $5, meter = $6
         WHERE uuid = $1",
        &[
            &uuid,
            &system.nominal_power.to_string(),
            &system.azimuth.to_string(),
            &system.tilt.to_string(),
            &Day(system.installed_on),
            &system.meter,
        ],
    )
    .await?;
    Ok(())
}
