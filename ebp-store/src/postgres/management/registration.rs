//! Registrations as researchers see them.

use deadpool_postgres::{Client, Transaction};
use ebp_core::{
    contract::{ManagedHousehold, RegistrationEntry},
    model::Participant,
};
use tokio_postgres::{IsolationLevel, Row};
use uuid::Uuid;

use super::super::{
    consent, household,
    list_page::{bounds, page},
    value::Instant,
};
use crate::{HouseholdId, ListCursor, ListPage, ListQuery, StoreError};

/// Registrations and consents, without withheld households.
pub async fn list(
    db: &Client,
    query: ListQuery,
) -> Result<ListPage<RegistrationEntry>, StoreError> {
    let (at, uuid, limit) = bounds(query);
    let statement = db
        .prepare_cached(
            "SELECT granted_at, revoked_at, household.uuid, registered_at, name, email,
                    postal_code, city
             FROM household
             JOIN consent ON consent.household = household.uuid
             LEFT JOIN participant ON participant.id = household.participant
             LEFT JOIN address ON address.household = household.uuid
             WHERE (registered_at, household.uuid) > ($1, $2) AND NOT withheld
             ORDER BY registered_at, household.uuid LIMIT $3",
        )
        .await?;
    let entry = |row: &Row| {
        let (uuid, Instant(registered_at)): (Uuid, Instant) = (row.try_get(2)?, row.try_get(3)?);
        let entry = RegistrationEntry {
            uuid,
            registered_at,
            participant: participant(row, 4)?,
            postal_code: row.try_get(6)?,
            city: row.try_get(7)?,
            consent: consent::from_row(row)?,
        };
        Ok((ListCursor { registered_at: registered_at.as_microsecond(), uuid }, entry))
    };
    let rows = db.query(&statement, &[&at, &uuid, &limit]).await?;
    Ok(page(query, rows.iter().map(entry).collect::<Result<_, StoreError>>()?))
}

/// The contact in two columns of a row.
pub fn participant(row: &Row, first: usize) -> Result<Option<Participant>, StoreError> {
    let (name, email): (Option<String>, Option<String>) =
        (row.try_get(first)?, row.try_get(first + 1)?);
    Ok(name.zip(email).map(|(name, email)| Participant { name, email }))
}

/// A registration with all that belongs to it, as it was at one time.
pub async fn show(client: &mut Client, id: HouseholdId) -> Result<ManagedHousehold, StoreError> {
    let tx = client
        .build_transaction()
        .isolation_level(IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
        .await?;
    // Before the transaction's snapshot: a table that erasure rewrites meanwhile looks empty to an
    // older snapshot.
    tx.batch_execute("LOCK TABLE participant, address, location, pv_system IN ACCESS SHARE MODE")
        .await?;
    let shown = shown(&tx, id).await?;
    tx.commit().await?;
    Ok(shown)
}

/// The same, within a transaction.
pub async fn shown(tx: &Transaction<'_>, id: HouseholdId) -> Result<ManagedHousehold, StoreError> {
    let row = tx
        .query_opt(
            "SELECT registered_at, name, email, participant.uuid
             FROM household LEFT JOIN participant ON participant.id = household.participant
             WHERE household.uuid = $1 AND NOT withheld",
            &[&id.0],
        )
        .await?
        .ok_or(StoreError::NotFound)?;
    let Instant(registered_at) = row.try_get(0)?;
    let household = household::household(tx, id).await?;
    Ok(ManagedHousehold {
        uuid: id.0,
        registered_at,
        participant: participant(&row, 1)?,
        participant_uuid: row.try_get(3)?,
        address: household.address,
        location: household.location,
        metadata: household.metadata,
        consent: household.consent,
        meters: household::meters(tx, id).await?,
        pv_systems: household::pv_systems(tx, id).await?,
        measurement_devices: household::device_ids(tx, id).await?,
    })
}
