//! Reading what belongs to a household, and for whom a certificate stands.

use ebp_core::{
    contract::{Account, Components, Household, MeasurementDevice},
    model::{Address, Masked, Metadata, Meter, Participant, PvSystem},
};
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use super::{
    consent, status,
    value::{Id, Instant, Kind, Name, Text},
};
use crate::{
    Actor, DeviceActivity, HouseholdId, Names, ParticipantId, StoreError, revoked,
    status::StoredStatus,
};

/// What the names of an identity refer to.
pub fn actor(db: &Connection, names: &Names) -> Result<Actor, StoreError> {
    match names.device {
        Some(device) => device_actor(db, names, device),
        None => participant_actor(db, names),
    }
}

fn device_actor(db: &Connection, names: &Names, uuid: Uuid) -> Result<Actor, StoreError> {
    let found = db
        .prepare_cached(
            "SELECT household.uuid, participant.id,
                    household.uuid IS NULL OR consent.revoked_at IS NOT NULL,
                    measurement_device.last_activity, consent.granted_at IS NOT NULL,
                    measurement_device.last_report
             FROM measurement_device
             LEFT JOIN household ON household.uuid = measurement_device.household
             LEFT JOIN consent ON consent.household = household.uuid
             LEFT JOIN participant
                 ON participant.id = household.participant AND participant.email = ?2
                     AND participant.uuid = coalesce(?3, participant.uuid)
             WHERE measurement_device.uuid = ?1",
        )?
        .query_row(params![Id(uuid), names.email, names.participant.map(Id)], |row| {
            let household: Option<Id> = row.get(0)?;
            let participant: Option<i64> = row.get(1)?;
            let revoked: bool = row.get(2)?;
            let (last_activity, last_report): (Option<Instant>, Option<Instant>) =
                (row.get(3)?, row.get(5)?);
            let device = DeviceActivity {
                uuid,
                last_activity: last_activity.map(|at| at.0),
                last_report: last_report.map(|at| at.0),
            };
            Ok(match participant.zip(household) {
                _ if revoked => Actor::Revoked,
                None => Actor::Superseded,
                Some((participant, household)) => Actor::Participant {
                    participant: ParticipantId(participant),
                    household: Some(HouseholdId(household.0)),
                    device: Some(device),
                    consents: row.get(4)?,
                },
            })
        })
        .optional()?;
    Ok(found.unwrap_or(Actor::Unknown))
}

fn participant_actor(db: &Connection, names: &Names) -> Result<Actor, StoreError> {
    let rows: Vec<(i64, Option<Id>, bool)> = db
        .prepare_cached(
            "SELECT participant.id, household.uuid, consent.granted_at IS NOT NULL
             FROM participant LEFT JOIN household ON household.participant = participant.id
             LEFT JOIN consent ON consent.household = household.uuid
             WHERE participant.email = ?1
                 AND participant.uuid = coalesce(?2, participant.uuid) LIMIT 2",
        )?
        .query_map(params![names.email, names.participant.map(Id)], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?
        .collect::<Result<_, _>>()?;
    Ok(match rows[..] {
        [] if has_revoked(db, names.participant)? => Actor::Revoked,
        [] => Actor::Unknown,
        [(participant, household, consents)] => Actor::Participant {
            participant: ParticipantId(participant),
            household: household.map(|id| HouseholdId(id.0)),
            device: None,
            consents,
        },
        [(participant, ..), ..] => Actor::Participant {
            participant: ParticipantId(participant),
            household: None,
            device: None,
            consents: false,
        },
    })
}

/// Whether that participant is gone since they revoked their consent.
fn has_revoked(db: &Connection, participant: Option<Uuid>) -> Result<bool, StoreError> {
    let Some(participant) = participant else { return Ok(false) };
    Ok(db
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM revoked_participant WHERE digest = ?1)")?
        .query_row([revoked::participant_digest(participant)], |row| row.get(0))?)
}

/// The participant's contact details.
pub fn account(db: &Connection, participant: ParticipantId) -> Result<Account, StoreError> {
    db.prepare_cached("SELECT name, email FROM participant WHERE id = ?1")?
        .query_row([participant.0], |row| Ok(Participant { name: row.get(0)?, email: row.get(1)? }))
        .optional()?
        // Between authentication and this the household's consent was revoked.
        .ok_or(StoreError::ConsentRevoked)
}

/// The household's registration details.
pub fn household(db: &Connection, household: HouseholdId) -> Result<Household, StoreError> {
    let id = Id(household.0);
    let address = db
        .prepare_cached(
            "SELECT street, postal_code, city, country FROM address WHERE household = ?1",
        )?
        .query_row([id], |row| {
            Ok(Address {
                street: row.get(0)?,
                postal_code: row.get(1)?,
                city: row.get(2)?,
                country: row.get(3)?,
            })
        })
        .optional()?;
    let location = db
        .prepare_cached(
            "SELECT latitude, longitude, precision, masked, nuts3
             FROM location WHERE household = ?1",
        )?
        .query_row([id], |row| {
            let masked = match row.get(3)? {
                false => None,
                true => Some(Masked { nuts3: row.get(4)? }),
            };
            let precision: String = row.get(2)?;
            Ok(revoked::location((row.get(0)?, row.get(1)?), &precision, masked))
        })
        .optional()?;
    let metadata = db
        .prepare_cached(
            "SELECT children, adults, adults_with_job, electric_vehicle_charger, heat_pump,
                    home_battery, metering_concept, battery
             FROM metadata WHERE household = ?1",
        )?
        .query_row([id], |row| {
            Ok(Metadata {
                children: row.get(0)?,
                adults: row.get(1)?,
                adults_with_job: row.get(2)?,
                electric_vehicle_charger: row.get(3)?,
                heat_pump: row.get(4)?,
                home_battery: row.get(5)?,
                metering_concept: row.get::<_, Name<_>>(6)?.0,
                battery: row.get::<_, Name<_>>(7)?.0,
            })
        })
        .optional()?;
    let consent = consent::consent(db, household)?;
    Ok(Household { uuid: household.0, address, location, metadata, consent })
}

/// The household's measurement devices with their meters.
pub fn devices(
    db: &Connection,
    household: HouseholdId,
) -> Result<Vec<MeasurementDevice>, StoreError> {
    devices_with(db, household, &meters(db, household)?)
}

/// The same, if the household's meters are known already.
pub fn devices_with(
    db: &Connection,
    household: HouseholdId,
    meters: &[Meter],
) -> Result<Vec<MeasurementDevice>, StoreError> {
    let mut devices: Vec<MeasurementDevice> = db
        .prepare_cached(
            "SELECT uuid, last_activity, last_report FROM measurement_device
             WHERE household = ?1 ORDER BY rowid",
        )?
        .query_map([Id(household.0)], |row| {
            let (uuid, last_activity): (Id, Option<Instant>) = (row.get(0)?, row.get(1)?);
            let last_report: Option<Instant> = row.get(2)?;
            Ok(MeasurementDevice {
                uuid: uuid.0,
                components: Components::new(),
                last_activity: last_activity.map(|at| at.0),
                last_report: last_report.map(|at| at.0),
                meters: Vec::new(),
                health: None,
            })
        })?
        .collect::<Result<_, _>>()?;
    for device in &mut devices {
        let StoredStatus { components, health } = status::of_device(db, device.uuid)?;
        (device.components, device.health) = (components, health);
    }
    for meter in meters {
        let device =
            devices.iter_mut().find(|device| Some(device.uuid) == meter.measurement_device);
        if let Some(device) = device {
            device.meters.push(meter.uuid);
        }
    }
    Ok(devices)
}

/// The identifiers of the household's measurement devices, in the order in which they came.
pub fn device_ids(db: &Connection, household: HouseholdId) -> Result<Vec<Uuid>, StoreError> {
    Ok(db
        .prepare_cached("SELECT uuid FROM measurement_device WHERE household = ?1 ORDER BY rowid")?
        .query_map([Id(household.0)], |row| row.get(0).map(|Id(uuid)| uuid))?
        .collect::<Result<_, _>>()?)
}

/// The household's meters.
pub fn meters(db: &Connection, household: HouseholdId) -> Result<Vec<Meter>, StoreError> {
    let meter = |row: &Row<'_>| {
        let (uuid, Kind(kind)): (Id, Kind) = (row.get(0)?, row.get(1)?);
        let (device, removed_at): (Option<Id>, Option<Instant>) = (row.get(3)?, row.get(4)?);
        Ok(Meter {
            uuid: uuid.0,
            kind,
            model: row.get(2)?,
            measurement_device: device.map(|id| id.0),
            removed_at: removed_at.map(|Instant(at)| at),
            generation_register: row.get::<_, Option<Name<_>>>(5)?.map(|Name(register)| register),
        })
    };
    Ok(db
        .prepare_cached(
            "SELECT uuid, type, model, measurement_device, removed_at, generation_register
             FROM meter WHERE household = ?1 ORDER BY position",
        )?
        .query_map([Id(household.0)], meter)?
        .collect::<Result<_, _>>()?)
}

/// The household's photovoltaic systems.
pub fn pv_systems(db: &Connection, household: HouseholdId) -> Result<Vec<PvSystem>, StoreError> {
    let system = |row: &Row<'_>| {
        let (uuid, meter): (Id, Option<Id>) = (row.get(0)?, row.get(5)?);
        Ok(PvSystem {
            uuid: uuid.0,
            nominal_power: row.get::<_, Text<_>>(1)?.0,
            azimuth: row.get::<_, Text<_>>(2)?.0,
            tilt: row.get::<_, Text<_>>(3)?.0,
            installed_on: row.get::<_, Text<_>>(4)?.0,
            meter: meter.map(|id| id.0),
        })
    };
    Ok(db
        .prepare_cached(
            "SELECT uuid, nominal_power, azimuth, tilt, installed_on, meter FROM pv_system
             WHERE household = ?1 ORDER BY position",
        )?
        .query_map([Id(household.0)], system)?
        .collect::<Result<_, _>>()?)
}
