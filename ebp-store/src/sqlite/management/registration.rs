//! Registrations as researchers see them.

use ebp_core::{
    contract::{ManagedHousehold, RegistrationEntry},
    model::Participant,
};
use rusqlite::{Connection, OptionalExtension, params};

use super::super::{
    consent, household,
    list_page::{bounds, page},
    value::{Id, Instant},
};
use crate::{HouseholdId, ListCursor, ListPage, ListQuery, StoreError};

/// Registrations and consents, without withheld households.
pub fn list(db: &Connection, query: ListQuery) -> Result<ListPage<RegistrationEntry>, StoreError> {
    let (at, uuid, limit) = bounds(query);
    let rows = db
        .prepare_cached(
            "SELECT household.uuid, registered_at, name, email, granted_at, revoked_at,
                    postal_code, city
             FROM household
             JOIN consent ON consent.household = household.uuid
             LEFT JOIN participant ON participant.id = household.participant
             LEFT JOIN address ON address.household = household.uuid
             WHERE (registered_at, household.uuid) > (?1, ?2) AND NOT withheld
             ORDER BY registered_at, household.uuid LIMIT ?3",
        )?
        .query_map(params![at, uuid, limit], |row| {
            let (Id(uuid), Instant(registered_at)): (Id, Instant) = (row.get(0)?, row.get(1)?);
            let name: Option<String> = row.get(2)?;
            let email: Option<String> = row.get(3)?;
            let (granted_at, revoked_at): (Option<Instant>, Option<Instant>) =
                (row.get(4)?, row.get(5)?);
            let entry = RegistrationEntry {
                uuid,
                registered_at,
                participant: name.zip(email).map(|(name, email)| Participant { name, email }),
                postal_code: row.get(6)?,
                city: row.get(7)?,
                consent: consent::from_instants(granted_at, revoked_at),
            };
            let place = ListCursor { registered_at: registered_at.as_microsecond(), uuid };
            Ok((place, entry))
        })?
        .collect::<Result<_, _>>()?;
    Ok(page(query, rows))
}

/// A registration with all that belongs to it.
pub fn show(db: &Connection, id: HouseholdId) -> Result<ManagedHousehold, StoreError> {
    type Contact = (Instant, Option<String>, Option<String>, Option<Id>);
    let found: Option<Contact> = db
        .prepare_cached(
            "SELECT registered_at, name, email, participant.uuid
             FROM household LEFT JOIN participant ON participant.id = household.participant
             WHERE household.uuid = ?1 AND NOT withheld",
        )?
        .query_row([Id(id.0)], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .optional()?;
    let (Instant(registered_at), name, email, participant) = found.ok_or(StoreError::NotFound)?;
    let household = household::household(db, id)?;
    Ok(ManagedHousehold {
        uuid: id.0,
        registered_at,
        participant: name.zip(email).map(|(name, email)| Participant { name, email }),
        participant_uuid: participant.map(|Id(uuid)| uuid),
        address: household.address,
        location: household.location,
        metadata: household.metadata,
        consent: household.consent,
        meters: household::meters(db, id)?,
        pv_systems: household::pv_systems(db, id)?,
        measurement_devices: household::device_ids(db, id)?,
    })
}
