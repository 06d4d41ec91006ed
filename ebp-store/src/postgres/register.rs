//! Registers a household.

use deadpool_postgres::{Client, GenericClient, Transaction};
use ebp_core::{
    contract::{Registered, Registration},
    model::{Address, GenerationRegister, Participant},
};
use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use super::{
    location,
    value::{Day, Instant},
};
use crate::{Faults, StoreError, faults, repeated};

const LOCK: i64 = 7_203_846_102;

/// Registrations and revocations are serialised: what one has read about participants, devices and
/// meters stays true until it is stored, and PostgreSQL's log does not contain an address from a
/// unique index's violation.
pub async fn one_at_a_time(tx: &Transaction<'_>) -> Result<(), StoreError> {
    tx.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await?;
    Ok(())
}

/// Stores a registration with all that belongs to it.
///
/// `further` allows another household of the same participant at the same address.
pub async fn register(
    client: &mut Client,
    registration: &Registration,
    further: bool,
    at: Timestamp,
) -> Result<Registered, StoreError> {
    let tx = client.transaction().await?;
    one_at_a_time(&tx).await?;
    let registered = register_in(&tx, registration, further, at).await?;
    tx.commit().await?;
    Ok(registered)
}

/// The same in a transaction in which nobody else registers ([`one_at_a_time`]).
pub async fn register_in(
    tx: &Transaction<'_>,
    registration: &Registration,
    further: bool,
    at: Timestamp,
) -> Result<Registered, StoreError> {
    check(tx, registration, further).await?;
    let household = Uuid::new_v4();
    let device = registration.measurement_device.unwrap_or_else(Uuid::new_v4);
    let (id, participant) = participant(tx, registration).await?;
    tx.execute(
        "INSERT INTO household (uuid, participant, registered_at, released_uuid)
         VALUES ($1, $2, $3, $4)",
        &[&household, &id, &Instant(at), &Uuid::new_v4()],
    )
    .await?;
    tx.execute("INSERT INTO consent (household) VALUES ($1)", &[&household]).await?;
    household_details(tx, household, registration).await?;
    tx.execute(
        "INSERT INTO measurement_device (uuid, household) VALUES ($1, $2)",
        &[&device, &household],
    )
    .await?;
    let mut meters = Vec::new();
    for (position, meter) in (0_i64..).zip(&registration.meters) {
        let uuid = meter.uuid.unwrap_or_else(Uuid::new_v4);
        tx.execute(
            "INSERT INTO meter (uuid, household, type, model, measurement_device, position,
                                released_uuid, generation_register)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            &[
                &uuid,
                &household,
                &meter.kind.name(),
                &meter.model,
                &device,
                &position,
                &Uuid::new_v4(),
                &meter.generation_register.map(GenerationRegister::name),
            ],
        )
        .await?;
        meters.push(uuid);
    }
    let pv_systems = pv_systems(tx, household, registration, &meters).await?;
    Ok(Registered { household, participant, measurement_device: device, meters, pv_systems })
}

/// Checks whether it could be stored now.
pub async fn check(
    db: &impl GenericClient,
    registration: &Registration,
    further: bool,
) -> Result<(), StoreError> {
    let mut faults = faults(registration);
    // A repeated registration has the identifiers of the first one, which are not faults.
    if faults.is_empty() && !further {
        let addresses = addresses(db, &registration.participant).await?;
        repeated::refuse(&registration.address, addresses)?;
    }
    conflicts(db, registration, &mut faults).await?;
    faults.none_or_all()
}

/// The addresses of the participant's households.
async fn addresses(
    db: &impl GenericClient,
    participant: &Participant,
) -> Result<Vec<(Uuid, Address)>, StoreError> {
    let rows = db
        .query(
            "SELECT household.uuid, street, postal_code, city, country
             FROM participant JOIN household ON household.participant = participant.id
             JOIN address ON address.household = household.uuid
             WHERE lower(email COLLATE \"C\") = lower($1 COLLATE \"C\") AND name = $2
             ORDER BY registered_at, household.uuid",
            &[&participant.email, &participant.name],
        )
        .await?;
    let address = |row: &Row| {
        let address = Address {
            street: row.try_get(1)?,
            postal_code: row.try_get(2)?,
            city: row.try_get(3)?,
            country: row.try_get(4)?,
        };
        Ok((row.try_get(0)?, address))
    };
    rows.iter().map(address).collect()
}

async fn pv_systems(
    tx: &Transaction<'_>,
    household: Uuid,
    registration: &Registration,
    meters: &[Uuid],
) -> Result<Vec<Uuid>, StoreError> {
    let mut pv_systems = Vec::new();
    for (position, system) in (0_i64..).zip(&registration.pv_systems) {
        let uuid = Uuid::new_v4();
        let meter = system.meter.and_then(|place| meters.get(place)).copied();
        tx.execute(
            "INSERT INTO pv_system
                 (uuid, household, nominal_power, azimuth, tilt, installed_on, meter, position,
                  released_uuid)
             VALUES ($1, $2, $3::text::numeric, $4::text::numeric, $5::text::numeric, $6, $7, $8,
                     $9)",
            &[
                &uuid,
                &household,
                &system.nominal_power.to_string(),
                &system.azimuth.to_string(),
                &system.tilt.to_string(),
                &Day(system.installed_on),
                &meter,
                &position,
                &Uuid::new_v4(),
            ],
        )
        .await?;
        pv_systems.push(uuid);
    }
    Ok(pv_systems)
}

async fn household_details(
    tx: &Transaction<'_>,
    household: Uuid,
    registration: &Registration,
) -> Result<(), StoreError> {
    let address = &registration.address;
    tx.execute(
        "INSERT INTO address (household, street, postal_code, city, country)
         VALUES ($1, $2, $3, $4, $5)",
        &[&household, &address.street, &address.postal_code, &address.city, &address.country],
    )
    .await?;
    if let Some(location) = &registration.location {
        location::put_location(tx, household, location).await?;
    }
    let metadata = &registration.metadata;
    tx.execute(
        "INSERT INTO metadata (household, children, adults, adults_with_job,
                               electric_vehicle_charger, heat_pump, home_battery,
                               metering_concept, battery)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        &[
            &household,
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

/// The participant with that e-mail address, created if there is none.
async fn participant(
    tx: &Transaction<'_>,
    registration: &Registration,
) -> Result<(i64, Uuid), StoreError> {
    let contact = &registration.participant;
    let known = tx
        .query_opt(
            "SELECT id, uuid FROM participant
             WHERE lower(email COLLATE \"C\") = lower($1 COLLATE \"C\")",
            &[&contact.email],
        )
        .await?;
    if let Some(row) = known {
        return Ok((row.try_get(0)?, row.try_get(1)?));
    }
    let uuid = Uuid::new_v4();
    let made = tx
        .query_one(
            "INSERT INTO participant (uuid, name, email) VALUES ($1, $2, $3) RETURNING id",
            &[&uuid, &contact.name, &contact.email],
        )
        .await?;
    Ok((made.try_get(0)?, uuid))
}

/// The conflicts of the registration with what is stored.
async fn conflicts(
    db: &impl GenericClient,
    registration: &Registration,
    faults: &mut Faults,
) -> Result<(), StoreError> {
    let contact = &registration.participant;
    let given: Vec<Uuid> = registration.meters.iter().filter_map(|meter| meter.uuid).collect();
    let row = db
        .query_one(
            "SELECT EXISTS (SELECT FROM participant
                            WHERE lower(email COLLATE \"C\") = lower($1 COLLATE \"C\")
                                AND name <> $2),
                    EXISTS (SELECT FROM measurement_device WHERE uuid = $3),
                    ARRAY(SELECT uuid FROM meter WHERE uuid = ANY ($4))",
            // PostgreSQL's texts have no such character; that it is a fault is found elsewhere.
            &[
                &contact.email.replace('\0', ""),
                &contact.name.replace('\0', ""),
                &registration.measurement_device,
                &given,
            ],
        )
        .await?;
    let (email, device): (bool, bool) = (row.try_get(0)?, row.try_get(1)?);
    faults.check(!email, "/participant/email", "belongs to a participant of another name");
    faults.check(!device, "/measurement_device", "is registered already");
    let taken: Vec<Uuid> = row.try_get(2)?;
    for (i, meter) in registration.meters.iter().enumerate() {
        let new = meter.uuid.is_none_or(|uuid| !taken.contains(&uuid));
        faults.check(new, format!("/meters/{i}/uuid"), "is registered already");
    }
    Ok(())
}
