//! What is stored already of the people, devices and meters of registrations.

use std::collections::{HashMap, HashSet};

use deadpool_postgres::GenericClient;
use ebp_core::{
    contract::{Registered, Registration},
    model::Address,
};
use uuid::Uuid;

use super::contact::Contact;
use crate::{Faults, StoreError, repeated};

/// A participant with their households.
struct Person {
    uuid: Uuid,
    name: String,
    households: Vec<(Uuid, Address)>,
}

/// What registrations may be in conflict with: what is stored, and the registrations before.
pub struct Known {
    /// By e-mail address.
    people: HashMap<String, Person>,
    devices: HashSet<Uuid>,
    meters: HashSet<Uuid>,
}

/// An e-mail address without regard to the case of ASCII letters. PostgreSQL's texts have no character
/// of the number 0; that it is a fault is found elsewhere.
fn key(registration: &Registration) -> String {
    registration.participant.email.replace('\0', "").to_ascii_lowercase()
}

impl Known {
    /// Reads it for these registrations.
    pub async fn read(
        db: &impl GenericClient,
        registrations: impl IntoIterator<Item = &Registration>,
    ) -> Result<Self, StoreError> {
        let (mut emails, mut devices, mut meters) = (Vec::new(), Vec::new(), Vec::new());
        for registration in registrations {
            emails.push(key(registration));
            devices.extend(registration.measurement_device);
            meters.extend(registration.meters.iter().filter_map(|meter| meter.uuid));
        }
        let statement = db
            .prepare_cached(
                "SELECT lower(email COLLATE \"C\"), participant.uuid, name, household.uuid, street,
                        postal_code, city, country
                 FROM participant
                 LEFT JOIN (household JOIN address ON address.household = household.uuid)
                     ON household.participant = participant.id
                 WHERE lower(email COLLATE \"C\") = ANY ($1)
                 ORDER BY registered_at, household.uuid",
            )
            .await?;
        let mut people: HashMap<String, Person> = HashMap::new();
        for row in db.query(&statement, &[&emails]).await? {
            let (uuid, name) = (row.try_get(1)?, row.try_get(2)?);
            let person =
                people.entry(row.try_get(0)?).or_insert(Person { uuid, name, households: vec![] });
            if let Some(household) = row.try_get(3)? {
                let address = Address {
                    street: row.try_get(4)?,
                    postal_code: row.try_get(5)?,
                    city: row.try_get(6)?,
                    country: row.try_get(7)?,
                };
                person.households.push((household, address));
            }
        }
        let mut taken = [HashSet::new(), HashSet::new()];
        if !devices.is_empty() || !meters.is_empty() {
            let statement = db
                .prepare_cached(
                    "SELECT ARRAY(SELECT uuid FROM measurement_device WHERE uuid = ANY ($1)),
                            ARRAY(SELECT uuid FROM meter WHERE uuid = ANY ($2))",
                )
                .await?;
            let row = db.query_one(&statement, &[&devices, &meters]).await?;
            let [devices, meters]: [Vec<Uuid>; 2] = [row.try_get(0)?, row.try_get(1)?];
            taken = [devices, meters].map(HashSet::from_iter);
        }
        let [devices, meters] = taken;
        Ok(Self { people, devices, meters })
    }

    /// Whether it can be stored beside what is known.
    pub fn admit(
        &self,
        registration: &Registration,
        mut faults: Faults,
        further: bool,
    ) -> Result<(), StoreError> {
        let name = registration.participant.name.replace('\0', "");
        let person = self.people.get(&key(registration));
        let same = person.filter(|person| person.name == name);
        // A repeated registration has the identifiers of the first one, which are not faults.
        if faults.is_empty()
            && !further
            && let Some(same) = same
        {
            repeated::refuse(&registration.address, same.households.iter().cloned())?;
        }
        let free = person.is_none() || same.is_some();
        faults.check(free, "/participant/email", "belongs to a participant of another name");
        let device = registration.measurement_device;
        let free = device.is_none_or(|device| !self.devices.contains(&device));
        faults.check(free, "/measurement_device", "is registered already");
        for (i, meter) in registration.meters.iter().enumerate() {
            let free = meter.uuid.is_none_or(|uuid| !self.meters.contains(&uuid));
            faults.check(free, format!("/meters/{i}/uuid"), "is registered already");
        }
        faults.none_or_all()
    }

    /// Whose registration it is.
    pub fn participant(&self, registration: &Registration) -> Contact {
        self.people.get(&key(registration)).map_or(Contact::New, |known| Contact::Known(known.uuid))
    }

    /// Takes it as stored, for the registrations after it.
    pub fn take(&mut self, registration: &Registration, registered: &Registered) {
        let person = self.people.entry(key(registration)).or_insert_with(|| Person {
            uuid: registered.participant,
            name: registration.participant.name.clone(),
            households: Vec::new(),
        });
        person.households.push((registered.household, registration.address.clone()));
        self.devices.insert(registered.measurement_device);
        self.meters.extend(&registered.meters);
    }
}
