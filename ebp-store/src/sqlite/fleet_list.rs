//! Pages of the fleet's devices.

use ebp_core::{
    contract::{FleetMeter, FleetPage},
    model::IncidentType,
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, types::Value};
use uuid::Uuid;

use super::{
    fleet_row::{facts, silence_of, versions},
    value::{Id, Instant, Kind, Text},
};
use crate::{
    StoreError,
    fleet::{Fleet, FleetCursor, FleetQuery},
    fleet_page::{FleetDetail, counts, device, key, newest},
    fleet_statement::{Dialect, FleetStatements},
    rule::fleet::{FleetFacts, FleetThresholds, SurveyCycles},
};

const DIALECT: Dialect = Dialect {
    mark: '?',
    like: "LIKE",
    digits: "hex(fleet.device)",
    octets: "",
    earliest: "0",
    latest: "253370764800000000",
};

/// A page of devices, and the counts.
pub fn list(
    db: &Connection,
    query: &FleetQuery,
    cycles: SurveyCycles,
    at: Timestamp,
) -> Result<Fleet, StoreError> {
    let versions = versions(db)?;
    let than = FleetThresholds::at(at, cycles, newest(&versions));
    let FleetStatements { page, counts: counting } = query.statements(&DIALECT);
    let mut filters: Vec<Value> = query.version.clone().map(Value::from).into_iter().collect();
    if let Some(search) = query.search() {
        filters.extend(search.patterns.map(Value::from));
        // No octets lie between those of NULL.
        let (first, last) = search.between.unzip();
        filters.extend([first, last].map(|id| id.map(|id| id.as_bytes().to_vec()).into()));
        filters.push(search.ending.into());
    }
    let thresholds = thresholds(&than);
    let found: Vec<(i64, i64)> = db
        .prepare_cached(&counting)?
        .query_map(rusqlite::params_from_iter(filters.iter().chain(&thresholds)), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
        .collect::<Result<_, _>>()?;
    filters.extend(query.state.map(|state| crate::rule::fleet::rank(state).into()));
    if let Some(after) = query.after {
        if !query.by_text() {
            filters.push(after.key.into());
        }
        filters.push(after.device.as_bytes().to_vec().into());
    }
    let limit = i64::try_from(query.limit).unwrap_or(i64::MAX).saturating_add(1);
    filters.push(limit.into());
    if query.judges() {
        filters.extend(thresholds);
    }
    let mut rows: Vec<(FleetFacts, Uuid)> = db
        .prepare_cached(&page)?
        .query_map(rusqlite::params_from_iter(&filters), facts)?
        .collect::<Result<_, _>>()?;
    let more = rows.len() > query.limit;
    rows.truncate(query.limit);
    let next = rows
        .last()
        .filter(|_| more)
        .map(|(facts, device)| FleetCursor { key: key(query, facts, &than), device: *device });
    let items = rows
        .into_iter()
        .map(|(facts, uuid)| Ok(device(uuid, facts, detail(db, uuid)?, &than, at)))
        .collect::<Result<_, StoreError>>()?;
    let withheld: i64 = db
        .prepare_cached("SELECT count(*) FROM withheld_location")?
        .query_row([], |row| row.get(0))?;
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

/// The parameters of a state.
fn thresholds(than: &FleetThresholds) -> Vec<Value> {
    let micros = |at: Timestamp| Value::from(at.as_microsecond());
    vec![
        micros(than.silent),
        micros(than.late),
        micros(than.measured),
        micros(than.certificate),
        than.pending.into(),
        than.newest.clone().into(),
    ]
}

/// What a page shows of a device beside its facts.
fn detail(db: &Connection, device: Uuid) -> Result<FleetDetail, StoreError> {
    let detail = db
        .prepare_cached(
            "SELECT household, name, clock, reason, begun_at, ends_at, until_recovery
             FROM measurement_device
             LEFT JOIN household ON household.uuid = measurement_device.household
             LEFT JOIN participant ON participant.id = household.participant
             LEFT JOIN measurement_device_status AS status ON status.device = measurement_device.uuid
             LEFT JOIN device_silence AS silence ON silence.device = measurement_device.uuid
             WHERE measurement_device.uuid = ?1",
        )?
        .query_row([Id(device)], |row| {
            let household: Option<Id> = row.get(0)?;
            let reason: Option<String> = row.get(3)?;
            Ok(FleetDetail {
                household: household.map(|Id(household)| household),
                participant: row.get(1)?,
                clock: row.get(2)?,
                silence: reason.map(|_| silence_of(row, 3)).transpose()?,
                meters: Vec::new(),
            })
        })
        .optional()?;
    let mut detail = detail.ok_or(StoreError::NotFound)?;
    detail.meters = meters(db, device)?;
    Ok(detail)
}

fn meters(db: &Connection, device: Uuid) -> Result<Vec<FleetMeter>, StoreError> {
    let mut meters: Vec<FleetMeter> = db
        .prepare_cached(
            "SELECT uuid, type, measured_at, coalesce(flags, 0) >> 7 & 1
             FROM meter LEFT JOIN meter_latest AS latest ON latest.meter = number
             WHERE measurement_device = ?1 ORDER BY position",
        )?
        .query_map([Id(device)], |row| {
            let (Id(uuid), Kind(kind)) = (row.get(0)?, row.get(1)?);
            let measured_at: Option<Instant> = row.get(2)?;
            Ok(FleetMeter {
                uuid,
                kind,
                last_measurement: measured_at.map(|Instant(at)| at),
                another_meter: row.get(3)?,
                incidents: Vec::new(),
            })
        })?
        .collect::<Result<_, _>>()?;
    let mut open = db.prepare_cached(
        "SELECT type FROM incident WHERE meter = ?1 AND resolved_at IS NULL ORDER BY type",
    )?;
    for meter in &mut meters {
        let types = open.query_map([Id(meter.uuid)], |row| row.get(0))?;
        let types: Vec<Text<IncidentType>> = types.collect::<Result<_, _>>()?;
        meter.incidents = types.into_iter().map(|Text(kind)| kind).collect();
    }
    Ok(meters)
}
