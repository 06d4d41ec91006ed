//! The health of all households' devices and meters, for administrators.

use std::collections::HashMap;

use deadpool_postgres::{Client, Transaction};
use ebp_core::{
    contract::{HouseholdHealth, MeasurementDevice, MeterHealth},
    model::{ConsentState, Incident},
};
use tokio_postgres::{IsolationLevel, Row};
use uuid::Uuid;

use super::super::{
    consent, household, incident,
    list_page::{bounds, page},
    status,
    value::{Instant, meter_type},
};
use crate::{ListCursor, ListPage, ListQuery, StoreError, status::StoredStatus};

/// Health of the households, withheld ones included, from one snapshot: a few queries, however many
/// households there are. For those that revoked nothing else is shown, because the time of a last
/// measurement would identify the household.
pub async fn list(
    client: &mut Client,
    query: ListQuery,
) -> Result<ListPage<HouseholdHealth>, StoreError> {
    let tx = client
        .build_transaction()
        .isolation_level(IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
        .await?;
    let (at, uuid, limit) = bounds(query);
    let statement = tx
        .prepare_cached(
            "SELECT granted_at, revoked_at, household.uuid, registered_at, withheld
             FROM household JOIN consent ON consent.household = household.uuid
             WHERE (registered_at, household.uuid) > ($1, $2)
             ORDER BY registered_at, household.uuid LIMIT $3",
        )
        .await?;
    let health = |row: &Row| {
        let (uuid, Instant(registered_at)): (Uuid, Instant) = (row.try_get(2)?, row.try_get(3)?);
        let health = HouseholdHealth {
            uuid,
            consent: consent::from_row(row)?.state,
            withheld: row.try_get(4)?,
            measurement_devices: Vec::new(),
            meters: Vec::new(),
        };
        Ok((ListCursor { registered_at: registered_at.as_microsecond(), uuid }, health))
    };
    let rows = tx.query(&statement, &[&at, &uuid, &limit]).await?;
    let mut page = page(query, rows.iter().map(health).collect::<Result<_, StoreError>>()?);
    let open = page.items.iter().filter(|health| health.consent != ConsentState::Revoked);
    let households: Vec<Uuid> = open.map(|health| health.uuid).collect();
    let mut devices = devices(&tx, &households).await?;
    let mut meters = meters(&tx, &households).await?;
    for health in &mut page.items {
        health.measurement_devices = devices.remove(&health.uuid).unwrap_or_default();
        health.meters = meters.remove(&health.uuid).unwrap_or_default();
    }
    tx.commit().await?;
    Ok(page)
}

async fn devices(
    tx: &Transaction<'_>,
    households: &[Uuid],
) -> Result<HashMap<Uuid, Vec<MeasurementDevice>>, StoreError> {
    let statement = tx
        .prepare_cached(
            "SELECT uuid, last_activity,
                    ARRAY(SELECT meter.uuid FROM meter
                          WHERE meter.measurement_device = measurement_device.uuid
                          ORDER BY position),
                    last_report, household
             FROM measurement_device WHERE household = ANY ($1) ORDER BY number",
        )
        .await?;
    let mut devices: HashMap<Uuid, Vec<MeasurementDevice>> = HashMap::new();
    let rows = tx.query(&statement, &[&households]).await?;
    let uuids = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<Uuid>, _>>()?;
    let mut told = status::of_devices(tx, &uuids).await?;
    for row in rows {
        let mut device = household::device(&row)?;
        let StoredStatus { components, health } = told.remove(&device.uuid).unwrap_or_default();
        (device.components, device.health) = (components, health);
        devices.entry(row.try_get(4)?).or_default().push(device);
    }
    Ok(devices)
}

async fn meters(
    tx: &Transaction<'_>,
    households: &[Uuid],
) -> Result<HashMap<Uuid, Vec<MeterHealth>>, StoreError> {
    // For each meter a look into each index of the partitions, latest slot first: the first that
    // has one ends it.
    let statement = tx
        .prepare_cached(
            "SELECT meter.uuid, type, model, measurement_device, household, greatest(
                 (SELECT measured_at FROM measurement AS kept
                  WHERE kept.meter = meter.number AND kept.uuid IS NULL
                  ORDER BY slot DESC LIMIT 1),
                 (SELECT measured_at FROM measurement AS kept
                  WHERE kept.meter = meter.number AND kept.uuid IS NOT NULL
                  ORDER BY slot DESC LIMIT 1)
             )
             FROM meter
             WHERE household = ANY ($1) ORDER BY position",
        )
        .await?;
    let rows = tx.query(&statement, &[&households]).await?;
    let uuids = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<Uuid>, _>>()?;
    let mut incidents = incidents(tx, &uuids).await?;
    let mut meters: HashMap<Uuid, Vec<MeterHealth>> = HashMap::new();
    for (row, uuid) in rows.iter().zip(uuids) {
        let last_measurement: Option<Instant> = row.try_get(5)?;
        meters.entry(row.try_get(4)?).or_default().push(MeterHealth {
            uuid,
            kind: meter_type(row.try_get(1)?).ok_or(StoreError::Damaged("meter"))?,
            model: row.try_get(2)?,
            measurement_device: row.try_get(3)?,
            last_measurement: last_measurement.map(|at| at.0),
            incidents: incidents.remove(&uuid).unwrap_or_default(),
        });
    }
    Ok(meters)
}

async fn incidents(
    tx: &Transaction<'_>,
    meters: &[Uuid],
) -> Result<HashMap<Uuid, Vec<Incident>>, StoreError> {
    let statement = tx
        .prepare_cached(
            "SELECT type, reported_at, resolved_at, meter FROM incident
             WHERE meter = ANY ($1) ORDER BY type COLLATE \"C\"",
        )
        .await?;
    let mut incidents: HashMap<Uuid, Vec<Incident>> = HashMap::new();
    for row in tx.query(&statement, &[&meters]).await? {
        incidents.entry(row.try_get(3)?).or_default().push(incident::from_row(&row)?);
    }
    Ok(incidents)
}
