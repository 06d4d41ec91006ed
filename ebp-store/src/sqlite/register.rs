//! Registers a household.

use ebp_core::{
    contract::{Registered, Registration},
    model::{Address, Participant},
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use uuid::Uuid;

use super::{
    location,
    value::{Id, Instant, Kind, Name, Text},
};
use crate::{Faults, StoreError, faults, repeated};

/// Stores a registration with all that belongs to it.
///
/// `further` allows another household of the same participant at the same address.
pub fn register(
    tx: &Transaction<'_>,
    registration: &Registration,
    further: bool,
    at: Timestamp,
) -> Result<Registered, StoreError> {
    register_checked(tx, registration, faults(registration), further, at)
}

/// The same of a registration whose own faults are known.
pub fn register_checked(
    tx: &Transaction<'_>,
    registration: &Registration,
    faults: Faults,
    further: bool,
    at: Timestamp,
) -> Result<Registered, StoreError> {
    admit(tx, registration, faults, further)?;
    let household = Uuid::new_v4();
    let device = registration.measurement_device.unwrap_or_else(Uuid::new_v4);
    let (id, participant) = participant(tx, registration)?;
    tx.execute(
        "INSERT INTO household (uuid, participant, registered_at, released_uuid)
         VALUES (?1, ?2, ?3, ?4)",
        params![Id(household), id, Instant(at), Id(Uuid::new_v4())],
    )?;
    tx.execute("INSERT INTO consent (household) VALUES (?1)", [Id(household)])?;
    household_details(tx, household, registration)?;
    tx.execute(
        "INSERT INTO measurement_device (uuid, household) VALUES (?1, ?2)",
        [Id(device), Id(household)],
    )?;
    let mut meters = Vec::new();
    for (position, meter) in (0_i64..).zip(&registration.meters) {
        let uuid = meter.uuid.unwrap_or_else(Uuid::new_v4);
        tx.execute(
            "INSERT INTO meter (uuid, household, type, model, measurement_device, position, number,
                                released_uuid, generation_register)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                Id(uuid),
                Id(household),
                Kind(meter.kind),
                meter.model,
                Id(device),
                position,
                free_number(tx)?,
                Id(Uuid::new_v4()),
                meter.generation_register.map(Name)
            ],
        )?;
        meters.push(uuid);
    }
    let mut pv_systems = Vec::new();
    for (position, system) in (0_i64..).zip(&registration.pv_systems) {
        let uuid = Uuid::new_v4();
        let meter = system.meter.and_then(|place| meters.get(place)).map(|uuid| Id(*uuid));
        tx.execute(
            "INSERT INTO pv_system
                 (uuid, household, nominal_power, azimuth, tilt, installed_on, meter, position,
                  released_uuid)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                Id(uuid),
                Id(household),
                Text(system.nominal_power),
                Text(system.azimuth),
                Text(system.tilt),
                Text(system.installed_on),
                meter,
                position,
                Id(Uuid::new_v4())
            ],
        )?;
        pv_systems.push(uuid);
    }
    Ok(Registered { household, participant, measurement_device: device, meters, pv_systems })
}

/// Checks whether it could be stored now.
pub fn check(
    db: &Connection,
    registration: &Registration,
    further: bool,
) -> Result<(), StoreError> {
    admit(db, registration, faults(registration), further)
}

fn admit(
    db: &Connection,
    registration: &Registration,
    mut faults: Faults,
    further: bool,
) -> Result<(), StoreError> {
    // A repeated registration has the identifiers of the first one, which are not faults.
    if faults.is_empty() && !further {
        repeated::refuse(&registration.address, addresses(db, &registration.participant)?)?;
    }
    conflicts(db, registration, &mut faults)?;
    faults.none_or_all()
}

/// The addresses of the participant's households.
fn addresses(
    db: &Connection,
    participant: &Participant,
) -> Result<Vec<(Uuid, Address)>, StoreError> {
    let address = |row: &Row<'_>| {
        let Id(household) = row.get(0)?;
        let address = Address {
            street: row.get(1)?,
            postal_code: row.get(2)?,
            city: row.get(3)?,
            country: row.get(4)?,
        };
        Ok((household, address))
    };
    Ok(db
        .prepare_cached(
            "SELECT household.uuid, street, postal_code, city, country
             FROM participant JOIN household ON household.participant = participant.id
             JOIN address ON address.household = household.uuid
             WHERE email = ?1 AND name = ?2 ORDER BY registered_at, household.uuid",
        )?
        .query_map([&participant.email, &participant.name], address)?
        .collect::<Result<_, _>>()?)
}

/// A number that no other meter has. It is random, so that it does not reveal when its meter was
/// registered, and of two octets for as many meters as a survey has.
pub fn free_number(tx: &Transaction<'_>) -> Result<u32, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM meter WHERE number = ?1)";
    let mut most = 0x7fff;
    for tries in 1_u32.. {
        let [.., a, b, c, d] = Uuid::new_v4().into_bytes();
        let number = 1 + u32::from_be_bytes([a, b, c, d]) % most;
        if !tx.query_row(sql, [number], |row| row.get::<_, bool>(0))? {
            return Ok(number);
        }
        if tries.is_multiple_of(8) {
            most = 0x7fff_fffe;
        }
    }
    Err(StoreError::Damaged("meter"))
}

fn household_details(
    tx: &Transaction<'_>,
    household: Uuid,
    registration: &Registration,
) -> Result<(), StoreError> {
    let address = &registration.address;
    tx.execute(
        "INSERT INTO address (household, street, postal_code, city, country)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        params![Id(household), address.street, address.postal_code, address.city, address.country],
    )?;
    if let Some(location) = &registration.location {
        location::put_location(tx, household, location)?;
    }
    let metadata = &registration.metadata;
    tx.execute(
        "INSERT INTO metadata (household, children, adults, adults_with_job,
                               electric_vehicle_charger, heat_pump, home_battery,
                               metering_concept, battery)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            Id(household),
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
    Ok(())
}

/// The participant with that e-mail address, created if there is none.
fn participant(
    tx: &Transaction<'_>,
    registration: &Registration,
) -> Result<(i64, Uuid), StoreError> {
    let contact = &registration.participant;
    let known = tx
        .query_row("SELECT id, uuid FROM participant WHERE email = ?1", [&contact.email], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    if let Some((id, Id(uuid))) = known {
        return Ok((id, uuid));
    }
    let uuid = Uuid::new_v4();
    tx.execute(
        "INSERT INTO participant (uuid, name, email) VALUES (?1, ?2, ?3)",
        params![Id(uuid), contact.name, contact.email],
    )?;
    Ok((tx.last_insert_rowid(), uuid))
}

/// The conflicts of the registration with what is stored.
fn conflicts(
    db: &Connection,
    registration: &Registration,
    faults: &mut Faults,
) -> Result<(), StoreError> {
    let contact = &registration.participant;
    let taken: bool = db.query_row(
        "SELECT EXISTS (SELECT 1 FROM participant WHERE email = ?1 AND name != ?2)",
        [&contact.email, &contact.name],
        |row| row.get(0),
    )?;
    faults.check(!taken, "/participant/email", "belongs to a participant of another name");
    if let Some(device) = registration.measurement_device {
        let taken: bool = db.query_row(
            "SELECT EXISTS (SELECT 1 FROM measurement_device WHERE uuid = ?1)",
            [Id(device)],
            |row| row.get(0),
        )?;
        faults.check(!taken, "/measurement_device", "is registered already");
    }
    for (i, meter) in registration.meters.iter().enumerate() {
        let Some(uuid) = meter.uuid else { continue };
        let taken: bool = db.query_row(
            "SELECT EXISTS (SELECT 1 FROM meter WHERE uuid = ?1)",
            [Id(uuid)],
            |row| row.get(0),
        )?;
        faults.check(!taken, format!("/meters/{i}/uuid"), "is registered already");
    }
    Ok(())
}
