//! Pages of the fleet's devices.

use std::collections::HashMap;

use deadpool_postgres::{Client, GenericClient};
use ebp_core::{
    contract::{FleetMeter, FleetPage, FleetSort},
    model::IncidentType,
};
use jiff::Timestamp;
use tokio_postgres::{IsolationLevel, types::ToSql};
use uuid::Uuid;

use super::{
    fleet_row::{facts, silence_of, versions},
    value::{Instant, meter_type},
};
use crate::{
    StoreError,
    fleet::{Fleet, FleetCursor, FleetQuery},
    fleet_page::{FleetDetail, counts, device, key, newest},
    fleet_statement::{Dialect, FleetStatements},
    rule::fleet::{FleetThresholds, SurveyCycles, rank},
};

const DIALECT: Dialect = Dialect {
    mark: '$',
    like: "COLLATE \"C\" ILIKE",
    digits: "fleet.device::text",
    octets: " COLLATE \"C\"",
    earliest: "'epoch'::timestamptz",
    latest: "'9999-01-01Z'::timestamptz",
};

/// A page of devices, and the counts, from one snapshot.
pub async fn list(
    client: &mut Client,
    query: &FleetQuery,
    cycles: SurveyCycles,
    at: Timestamp,
) -> Result<Fleet, StoreError> {
    let tx = client
        .build_transaction()
        .isolation_level(IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
        .await?;
    // A plan for any values folds none of the state's comparisons, and expects a search to find soon.
    tx.batch_execute("SET LOCAL plan_cache_mode = force_custom_plan").await?;
    let versions = versions(&tx).await?;
    let than = FleetThresholds::at(at, cycles, newest(&versions));
    let FleetStatements { page, counts: counting } = query.statements(&DIALECT);
    let instants = [than.silent, than.late, than.measured, than.certificate].map(Instant);
    let search = query.search();
    let between = search.as_ref().and_then(|search| search.between).unzip();
    let state = query.state.map(|state| i32::try_from(rank(state)).unwrap_or_default());
    let mut thresholds: Vec<&(dyn ToSql + Sync)> =
        instants.iter().map(|at| at as &(dyn ToSql + Sync)).collect();
    thresholds.push(&than.pending);
    thresholds.push(&than.newest);
    let mut parameters: Vec<&(dyn ToSql + Sync)> = Vec::new();
    if let Some(version) = &query.version {
        parameters.push(version);
    }
    if let Some(search) = &search {
        parameters.extend(search.patterns.iter().map(|it| it as &(dyn ToSql + Sync)));
        parameters.push(&between.0);
        parameters.push(&between.1);
        parameters.push(&search.ending);
    }
    let statement = tx.prepare_cached(&counting).await?;
    let found = tx.query(&statement, &[parameters.clone(), thresholds.clone()].concat()).await?;
    let found = found
        .iter()
        .map(|row| Ok((i64::from(row.try_get::<_, i32>(0)?), row.try_get(1)?)))
        .collect::<Result<Vec<_>, StoreError>>()?;
    if let Some(state) = &state {
        parameters.push(state);
    }
    let place: Option<Box<dyn ToSql + Sync + Send>> = query.after.map(|after| match query.sort {
        FleetSort::State => {
            Box::new(i32::try_from(after.key).unwrap_or(i32::MAX)) as Box<dyn ToSql + Sync + Send>
        }
        _ if query.by_instant() => Box::new(Instant::within(after.key)),
        _ => Box::new(after.key),
    });
    let after = query.after.map(|after| after.device);
    if let (Some(place), Some(after)) = (&place, &after) {
        if !query.by_text() {
            parameters.push(&**place);
        }
        parameters.push(after);
    }
    let limit = i64::try_from(query.limit).unwrap_or(i64::MAX).saturating_add(1);
    parameters.push(&limit);
    if query.judges() {
        parameters.extend(thresholds);
    }
    let statement = tx.prepare_cached(&page).await?;
    let rows = tx.query(&statement, &parameters).await?;
    let mut rows = rows.iter().map(facts).collect::<Result<Vec<_>, _>>()?;
    let more = rows.len() > query.limit;
    rows.truncate(query.limit);
    let next = rows
        .last()
        .filter(|_| more)
        .map(|(facts, device)| FleetCursor { key: key(query, facts, &than), device: *device });
    let devices: Vec<Uuid> = rows.iter().map(|(_, device)| *device).collect();
    let mut details = details(&tx, &devices).await?;
    let items = rows
        .into_iter()
        .map(|(facts, uuid)| {
            let detail = details.remove(&uuid).ok_or(StoreError::Damaged("device"))?;
            Ok(device(uuid, facts, detail, &than, at))
        })
        .collect::<Result<_, StoreError>>()?;
    let withheld: i64 =
        tx.query_one("SELECT count(*) FROM withheld_location", &[]).await?.try_get(0)?;
    let page = FleetPage {
        items,
        next: None,
        counts: counts(&found),
        versions,
        withheld: withheld.unsigned_abs(),
        judged_at: at,
    };
    Ok(Fleet { page, next })
}

/// What a page shows of those devices beside their facts.
async fn details(
    db: &impl GenericClient,
    devices: &[Uuid],
) -> Result<HashMap<Uuid, FleetDetail>, StoreError> {
    let statement = db
        .prepare_cached(
            "SELECT device.uuid, household,
                    (SELECT name FROM household JOIN participant ON participant.id = participant
                     WHERE household.uuid = device.household),
                    (SELECT clock FROM measurement_device_status AS status
                     WHERE status.device = device.uuid),
                    reason, begun_at, ends_at, until_recovery
             FROM measurement_device AS device LEFT JOIN LATERAL (
                 SELECT reason, begun_at, ends_at, until_recovery
                 FROM device_silence WHERE device_silence.device = device.uuid LIMIT 1
             ) AS silence ON true
             WHERE device.uuid = ANY ($1)",
        )
        .await?;
    let mut details = HashMap::new();
    for row in db.query(&statement, &[&devices]).await? {
        let reason: Option<String> = row.try_get(4)?;
        let detail = FleetDetail {
            household: row.try_get(1)?,
            participant: row.try_get(2)?,
            clock: row.try_get(3)?,
            silence: reason.map(|_| silence_of(&row, 4)).transpose()?,
            meters: Vec::new(),
        };
        details.insert(row.try_get(0)?, detail);
    }
    let statement = db
        .prepare_cached(
            "SELECT measurement_device, uuid, type, measured_at,
                    coalesce(flags, 0) >> 7 & 1 = 1,
                    ARRAY(SELECT incident.type FROM incident
                          WHERE incident.meter = meter.uuid AND resolved_at IS NULL
                          ORDER BY incident.type COLLATE \"C\")
             FROM meter LEFT JOIN LATERAL (
                 SELECT measured_at, flags FROM meter_latest
                 WHERE meter_latest.meter = number LIMIT 1
             ) AS latest ON true
             WHERE measurement_device = ANY ($1) ORDER BY position",
        )
        .await?;
    for row in db.query(&statement, &[&devices]).await? {
        let (kind, measured_at): (&str, Option<Instant>) = (row.try_get(2)?, row.try_get(3)?);
        let types: Vec<&str> = row.try_get(5)?;
        let incidents = types.iter().map(|kind| kind.parse());
        let meter = FleetMeter {
            uuid: row.try_get(1)?,
            kind: meter_type(kind).ok_or(StoreError::Damaged("meter"))?,
            last_measurement: measured_at.map(|Instant(at)| at),
            another_meter: row.try_get(4)?,
            incidents: incidents
                .collect::<Result<Vec<IncidentType>, _>>()
                .map_err(|_| StoreError::Damaged("incident"))?,
        };
        if let Some(detail) = details.get_mut(&row.try_get(0)?) {
            detail.meters.push(meter);
        }
    }
    Ok(details)
}
