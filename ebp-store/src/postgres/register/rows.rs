//! The rows of registrations: each table takes one statement, however many households there are.

use deadpool_postgres::Transaction;
use ebp_core::{
    contract::{Registered, Registration, RegistrationMeter, RegistrationPvSystem},
    model::{GenerationRegister, Location, Precision},
};
use jiff::Timestamp;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::{
    super::value::{Day, Instant},
    contact::Contact,
};
use crate::StoreError;

/// A household that is registered.
struct New<'a> {
    registration: &'a Registration,
    registered: Registered,
    contact: Contact,
}

/// The rows of all households.
#[derive(Default)]
pub struct Rows<'a>(Vec<New<'a>>);

/// A column's values.
fn column<T, V>(rows: &[T], value: impl Fn(&T) -> V) -> Vec<V> {
    rows.iter().map(value).collect()
}

/// As many new identifiers as there are rows.
fn fresh<T>(rows: &[T]) -> Vec<Uuid> {
    column(rows, |_| Uuid::new_v4())
}

async fn insert(
    tx: &Transaction<'_>,
    sql: &str,
    columns: &[&(dyn ToSql + Sync)],
) -> Result<(), StoreError> {
    let statement = tx.prepare_cached(sql).await?;
    tx.execute(&statement, columns).await?;
    Ok(())
}

impl<'a> Rows<'a> {
    /// Adds a household. Returns the identifiers that it gets.
    pub fn add(&mut self, registration: &'a Registration, contact: Contact) -> Registered {
        let registered = Registered {
            household: Uuid::new_v4(),
            participant: match contact {
                Contact::Known(uuid) => uuid,
                Contact::New => Uuid::new_v4(),
            },
            measurement_device: registration.measurement_device.unwrap_or_else(Uuid::new_v4),
            meters: column(&registration.meters, |meter| meter.uuid.unwrap_or_else(Uuid::new_v4)),
            pv_systems: fresh(&registration.pv_systems),
        };
        self.0.push(New { registration, registered: registered.clone(), contact });
        registered
    }

    /// Stores them.
    pub async fn insert(&self, tx: &Transaction<'_>, at: Timestamp) -> Result<(), StoreError> {
        if self.0.is_empty() {
            return Ok(());
        }
        self.insert_households(tx, at).await?;
        self.insert_details(tx).await?;
        self.insert_meters(tx).await?;
        self.insert_pv_systems(tx).await
    }

    async fn insert_households(
        &self,
        tx: &Transaction<'_>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let new: Vec<&New<'_>> =
            self.0.iter().filter(|household| household.contact == Contact::New).collect();
        insert(
            tx,
            "INSERT INTO participant (uuid, name, email)
             SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[])",
            &[
                &column(&new, |new| new.registered.participant),
                &column(&new, |new| &*new.registration.participant.name),
                &column(&new, |new| &*new.registration.participant.email),
            ],
        )
        .await?;
        let households = column(&self.0, |new| new.registered.household);
        insert(
            tx,
            "INSERT INTO household (uuid, participant, registered_at, released_uuid)
             SELECT new.uuid, participant.id, $4, released_uuid
             FROM unnest($1::uuid[], $2::uuid[], $3::uuid[])
                 AS new (uuid, participant, released_uuid)
             JOIN participant ON participant.uuid = new.participant",
            &[
                &households,
                &column(&self.0, |new| new.registered.participant),
                &fresh(&self.0),
                &Instant(at),
            ],
        )
        .await?;
        let sql = "INSERT INTO consent (household) SELECT * FROM unnest($1::uuid[])";
        insert(tx, sql, &[&households]).await?;
        insert(
            tx,
            "INSERT INTO measurement_device (uuid, household)
             SELECT * FROM unnest($1::uuid[], $2::uuid[])",
            &[&column(&self.0, |new| new.registered.measurement_device), &households],
        )
        .await
    }

    async fn insert_details(&self, tx: &Transaction<'_>) -> Result<(), StoreError> {
        let address = column(&self.0, |new| &new.registration.address);
        let households = column(&self.0, |new| new.registered.household);
        insert(
            tx,
            "INSERT INTO address (household, street, postal_code, city, country)
             SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[])",
            &[
                &households,
                &column(&address, |address| &*address.street),
                &column(&address, |address| &*address.postal_code),
                &column(&address, |address| &*address.city),
                &column(&address, |address| &*address.country),
            ],
        )
        .await?;
        let located: Vec<(Uuid, &Location)> = self
            .0
            .iter()
            .filter_map(|new| Some((new.registered.household, new.registration.location.as_ref()?)))
            .collect();
        let precision = |location: &Location| location.precision.unwrap_or(Precision::Entered);
        insert(
            tx,
            "INSERT INTO location (household, latitude, longitude, precision)
             SELECT * FROM unnest($1::uuid[], $2::float8[], $3::float8[], $4::text[])",
            &[
                &column(&located, |(household, _)| *household),
                &column(&located, |(_, location)| location.latitude),
                &column(&located, |(_, location)| location.longitude),
                &column(&located, |(_, location)| precision(location).name()),
            ],
        )
        .await?;
        let metadata = column(&self.0, |new| &new.registration.metadata);
        insert(
            tx,
            "INSERT INTO metadata (household, children, adults, adults_with_job,
                                   electric_vehicle_charger, heat_pump, home_battery,
                                   metering_concept, battery)
             SELECT * FROM unnest($1::uuid[], $2::smallint[], $3::smallint[], $4::smallint[],
                                  $5::boolean[], $6::boolean[], $7::boolean[], $8::text[],
                                  $9::text[])",
            &[
                &households,
                &column(&metadata, |answers| i16::from(answers.children)),
                &column(&metadata, |answers| i16::from(answers.adults)),
                &column(&metadata, |answers| i16::from(answers.adults_with_job)),
                &column(&metadata, |answers| answers.electric_vehicle_charger),
                &column(&metadata, |answers| answers.heat_pump),
                &column(&metadata, |answers| answers.home_battery),
                &column(&metadata, |answers| answers.metering_concept.name()),
                &column(&metadata, |answers| answers.battery.name()),
            ],
        )
        .await
    }

    async fn insert_meters(&self, tx: &Transaction<'_>) -> Result<(), StoreError> {
        /// A meter with its household's registration, and its place in it.
        struct Row<'a>(&'a Registered, i64, &'a RegistrationMeter, Uuid);
        let meters = self.0.iter().flat_map(|new| {
            let meters = (0..).zip(&new.registration.meters).zip(&new.registered.meters);
            meters.map(|((place, meter), uuid)| Row(&new.registered, place, meter, *uuid))
        });
        let meters: Vec<Row<'_>> = meters.collect();
        insert(
            tx,
            "INSERT INTO meter (uuid, household, type, model, measurement_device, position,
                                released_uuid, generation_register)
             SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::uuid[],
                                  $6::bigint[], $7::uuid[], $8::text[])",
            &[
                &column(&meters, |Row(.., uuid)| *uuid),
                &column(&meters, |Row(of, ..)| of.household),
                &column(&meters, |Row(_, _, meter, _)| meter.kind.name()),
                &column(&meters, |Row(_, _, meter, _)| &*meter.model),
                &column(&meters, |Row(of, ..)| of.measurement_device),
                &column(&meters, |Row(_, place, ..)| *place),
                &fresh(&meters),
                &column(&meters, |Row(_, _, meter, _)| {
                    meter.generation_register.map(GenerationRegister::name)
                }),
            ],
        )
        .await
    }

    async fn insert_pv_systems(&self, tx: &Transaction<'_>) -> Result<(), StoreError> {
        /// A system with its household's registration, and its place in it.
        struct Row<'a>(&'a Registered, i64, &'a RegistrationPvSystem, Uuid);
        let systems = self.0.iter().flat_map(|new| {
            let systems = (0..).zip(&new.registration.pv_systems).zip(&new.registered.pv_systems);
            systems.map(|((place, system), uuid)| Row(&new.registered, place, system, *uuid))
        });
        let systems: Vec<Row<'_>> = systems.collect();
        if systems.is_empty() {
            return Ok(());
        }
        let meter = |of: &Registered, system: &RegistrationPvSystem| {
            system.meter.and_then(|place| of.meters.get(place)).copied()
        };
        insert(
            tx,
            "INSERT INTO pv_system
                 (uuid, household, nominal_power, azimuth, tilt, installed_on, meter, position,
                  released_uuid)
             SELECT uuid, household, nominal_power::numeric, azimuth::numeric, tilt::numeric,
                    installed_on, meter, position, released_uuid
             FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::date[],
                         $7::uuid[], $8::bigint[], $9::uuid[])
                 AS new (uuid, household, nominal_power, azimuth, tilt, installed_on, meter,
                         position, released_uuid)",
            &[
                &column(&systems, |Row(.., uuid)| *uuid),
                &column(&systems, |Row(of, ..)| of.household),
                &column(&systems, |Row(_, _, system, _)| system.nominal_power.to_string()),
                &column(&systems, |Row(_, _, system, _)| system.azimuth.to_string()),
                &column(&systems, |Row(_, _, system, _)| system.tilt.to_string()),
                &column(&systems, |Row(_, _, system, _)| Day(system.installed_on)),
                &column(&systems, |Row(of, _, system, _)| meter(of, system)),
                &column(&systems, |Row(_, place, ..)| *place),
                &fresh(&systems),
            ],
        )
        .await
    }
}
