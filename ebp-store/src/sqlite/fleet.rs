//! The fleet of devices: states, coverage, histories, silences.

use async_trait::async_trait;
use ebp_core::{
    contract::{
        Coverage, DeviceDay, DeviceHistory, FleetMeter, FleetPage, FleetVersion, IncidentEpisode,
        MeterCoverage, NewSilence, Reception, Silence,
    },
    model::IncidentType,
};
use jiff::{Timestamp, ToSpan, civil::Date};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params, types::Value};
use uuid::Uuid;

use super::{
    SqliteStore,
    device::{household_of, require_device},
    value::{Id, Instant, Kind, Text},
};
use crate::{
    HouseholdId, StoreError,
    fleet::{
        Dialect, Fleet, FleetCursor, FleetDetail, FleetQuery, FleetStatements, FleetStore, consent,
        counts, device, holds, key, newest,
    },
    rule::{
        coverage::{Covered, CoveredDays},
        fleet::{FleetFacts, FleetThresholds, SurveyCycles},
    },
    set,
};

const DIALECT: Dialect =
    Dialect { mark: '?', like: "LIKE", octets: "", earliest: "0", latest: "253370764800000000" };

#[async_trait]
impl FleetStore for SqliteStore {
    async fn fleet(
        &self,
        query: FleetQuery,
        cycles: SurveyCycles,
        at: Timestamp,
    ) -> Result<Fleet, StoreError> {
        self.readers.run(move |db| list(db, &query, cycles, at)).await
    }

    async fn coverage(
        &self,
        device: Uuid,
        from: Date,
        days: usize,
        cycles: SurveyCycles,
        at: Timestamp,
    ) -> Result<Coverage, StoreError> {
        self.readers.run(move |db| coverage(db, device, from, days, cycles, at)).await
    }

    async fn device_history(
        &self,
        device: Uuid,
        since: Timestamp,
    ) -> Result<DeviceHistory, StoreError> {
        self.readers.run(move |db| history(db, device, since)).await
    }

    async fn silence_device(
        &self,
        device: Uuid,
        silence: NewSilence,
        at: Timestamp,
    ) -> Result<Silence, StoreError> {
        self.writer.run(move |tx| silence_device(tx, device, &silence, at)).await
    }

    async fn device_silence(
        &self,
        device: Uuid,
        cycles: SurveyCycles,
        at: Timestamp,
    ) -> Result<Silence, StoreError> {
        self.readers.run(move |db| silence(db, device, cycles, at)).await
    }

    async fn end_silence(&self, device: Uuid) -> Result<(), StoreError> {
        self.writer
            .run(move |tx| {
                household_of(tx, device)?;
                let ended =
                    tx.execute("DELETE FROM device_silence WHERE device = ?1", [Id(device)])?;
                if ended == 0 { Err(StoreError::NotFound) } else { Ok(()) }
            })
            .await
    }

    async fn end_silences(&self, cycles: SurveyCycles, at: Timestamp) -> Result<u64, StoreError> {
        let none = self.readers.run(move |db| over(db, cycles, at)).await?.is_empty();
        if none {
            return Ok(0);
        }
        self.writer
            .run(move |tx| {
                let over = over(tx, cycles, at)?;
                for device in &over {
                    tx.execute("DELETE FROM device_silence WHERE device = ?1", [Id(*device)])?;
                }
                Ok(u64::try_from(over.len()).unwrap_or(u64::MAX))
            })
            .await
    }
}

fn list(
    db: &Connection,
    query: &FleetQuery,
    cycles: SurveyCycles,
    at: Timestamp,
) -> Result<Fleet, StoreError> {
    let versions = versions(db)?;
    let than = FleetThresholds::at(at, cycles, newest(&versions));
    let FleetStatements { page, counts: counting } = query.statements(&DIALECT);
    let mut filters = thresholds(&than);
    filters.extend(query.version.clone().map(Value::from));
    if let Some(search) = query.search() {
        filters.extend(search.patterns.map(Value::from));
        // No octets lie between those of NULL.
        let (first, last) = search.between.unzip();
        filters.extend([first, last].map(|id| id.map(|id| id.as_bytes().to_vec()).into()));
    }
    let found: Vec<(i64, i64)> = db
        .prepare_cached(&counting)?
        .query_map(rusqlite::params_from_iter(&filters), |row| Ok((row.get(0)?, row.get(1)?)))?
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

fn versions(db: &Connection) -> Result<Vec<FleetVersion>, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT version, count(*) FROM fleet_device WHERE version IS NOT NULL
             GROUP BY version ORDER BY version",
        )?
        .query_map([], |row| {
            let devices: i64 = row.get(1)?;
            Ok(FleetVersion { version: row.get(0)?, devices: devices.unsigned_abs() })
        })?
        .collect::<Result<_, _>>()?)
}

/// The facts of a row, and its device.
fn facts(row: &Row<'_>) -> rusqlite::Result<(FleetFacts, Uuid)> {
    let instant = |place| row.get::<_, Option<Instant>>(place).map(|at| at.map(|Instant(at)| at));
    let facts = FleetFacts {
        consent: consent(row.get(0)?),
        granted_at: instant(1)?,
        last_report: instant(2)?,
        meters: row.get(3)?,
        unmeasured: row.get(4)?,
        measured_at: instant(5)?,
        another_meter: row.get(6)?,
        incidents: row.get(7)?,
        damaged: row.get(8)?,
        rising: row.get(9)?,
        clock_wrong: row.get(10)?,
        spool_trouble: row.get(11)?,
        pending: row.get(12)?,
        version: row.get(13)?,
        certificate_end: instant(14)?,
    };
    let Id(device) = row.get(15)?;
    Ok((facts, device))
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

fn coverage(
    db: &Connection,
    device: Uuid,
    from: Date,
    days: usize,
    cycles: SurveyCycles,
    at: Timestamp,
) -> Result<Coverage, StoreError> {
    let household: HouseholdId = household_of(db, device)?;
    let granted_at = super::consent::consent(db, household)?.granted_at;
    let covered = CoveredDays { from, days, granted_at, at, cycles };
    let (start, end) = covered.bounds();
    let known: Vec<(Id, i32)> = db
        .prepare_cached(
            "SELECT uuid, number FROM meter WHERE measurement_device = ?1 ORDER BY position",
        )?
        .query_map([Id(device)], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let mut of_meter = db.prepare_cached(
        "SELECT slot, measured_at, received_at, flags FROM measurement
         WHERE meter = ?1 AND slot >= ?2 AND slot < ?3",
    )?;
    let mut meters = Vec::new();
    for (Id(uuid), number) in known {
        let rows = of_meter.query_map(params![number, Instant(start), Instant(end)], |row| {
            let (Instant(slot), Instant(measured_at)) = (row.get(0)?, row.get(1)?);
            let Instant(received_at) = row.get(2)?;
            Ok(Covered { slot, measured_at, received_at, flags: set::flags(row.get(3)?) })
        })?;
        let rows: Vec<Covered> = rows.collect::<Result<_, _>>()?;
        meters.push(MeterCoverage { uuid, days: covered.draw(rows) });
    }
    let to = from.checked_add(i64::try_from(days).unwrap_or(1).days()).unwrap_or(Date::MAX);
    let cycle = u32::try_from(cycles.measurement.duration().as_secs()).unwrap_or(900);
    Ok(Coverage { cycle, from, to, meters })
}

fn history(db: &Connection, device: Uuid, since: Timestamp) -> Result<DeviceHistory, StoreError> {
    household_of(db, device)?;
    let incidents = db
        .prepare_cached(
            "SELECT meter.uuid, incident.type, reported_at, resolved_at
             FROM meter JOIN incident ON incident.meter = meter.uuid
             WHERE measurement_device = ?1 AND coalesce(resolved_at, ?2) >= ?2
             UNION ALL
             SELECT meter.uuid, past.type, reported_at, resolved_at
             FROM meter JOIN incident_episode AS past ON past.meter = meter.uuid
             WHERE measurement_device = ?1 AND resolved_at >= ?2",
        )?
        .query_map(params![Id(device), Instant(since)], |row| {
            let (Id(meter), Text(kind)): (Id, Text<IncidentType>) = (row.get(0)?, row.get(1)?);
            let (Instant(reported_at), resolved_at): (Instant, Option<Instant>) =
                (row.get(2)?, row.get(3)?);
            let resolved_at = resolved_at.map(|Instant(at)| at);
            Ok(IncidentEpisode { meter, kind, reported_at, resolved_at })
        })?
        .collect::<Result<Vec<_>, _>>()?;
    let days = db
        .prepare_cached(
            "SELECT day, version, pending, bytes, telegrams, damaged
             FROM device_day WHERE device = ?1 AND day >= ?2 ORDER BY day",
        )?
        .query_map(params![Id(device), since.as_second().div_euclid(86_400)], |row| {
            let count =
                |place| row.get::<_, Option<i64>>(place).map(|count| count.map(i64::unsigned_abs));
            let day: i64 = row.get(0)?;
            Ok(DeviceDay {
                day: crate::fleet::day(day),
                version: row.get(1)?,
                pending: count(2)?,
                bytes: count(3)?,
                damaged_share: Reception::share(
                    count(4)?.unwrap_or_default(),
                    count(5)?.unwrap_or_default(),
                ),
            })
        })?
        .collect::<Result<_, _>>()?;
    Ok(DeviceHistory { incidents: crate::fleet::latest_first(incidents), days })
}

fn silence_device(
    tx: &Transaction<'_>,
    device: Uuid,
    silence: &NewSilence,
    at: Timestamp,
) -> Result<Silence, StoreError> {
    require_device(tx, device)?;
    let silence = crate::fleet::silence(silence, at)?;
    tx.execute(
        "INSERT INTO device_silence (device, reason, begun_at, ends_at, until_recovery)
         VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (device) DO UPDATE SET reason = ?2, begun_at = ?3, ends_at = ?4,
             until_recovery = ?5",
        params![
            Id(device),
            silence.reason,
            Instant(at),
            silence.ends_at.map(Instant),
            silence.until_recovery
        ],
    )?;
    Ok(silence)
}

fn silence(
    db: &Connection,
    device: Uuid,
    cycles: SurveyCycles,
    at: Timestamp,
) -> Result<Silence, StoreError> {
    household_of(db, device)?;
    let than = FleetThresholds::at(at, cycles, newest(&versions(db)?));
    let found: Option<(FleetFacts, Silence)> = db
        .prepare_cached(
            "SELECT consent, granted_at, last_report, meters, unmeasured, measured_at,
                    another_meter, incidents, damaged, rising, clock_wrong, spool_trouble,
                    pending, version, certificate_end, device_silence.device,
                    reason, begun_at, ends_at, until_recovery
             FROM device_silence JOIN fleet_device ON fleet_device.device = device_silence.device
             WHERE device_silence.device = ?1",
        )?
        .query_row([Id(device)], |row| Ok((facts(row)?.0, silence_of(row, 16)?)))
        .optional()?;
    let found = found.filter(|(facts, silence)| holds(silence, facts.state(&than), at));
    found.map(|(_, silence)| silence).ok_or(StoreError::NotFound)
}

/// The devices whose silence is over.
fn over(db: &Connection, cycles: SurveyCycles, at: Timestamp) -> Result<Vec<Uuid>, StoreError> {
    let than = FleetThresholds::at(at, cycles, newest(&versions(db)?));
    let all: Vec<(Uuid, FleetFacts, Silence)> = db
        .prepare_cached(
            "SELECT consent, granted_at, last_report, meters, unmeasured, measured_at,
                    another_meter, incidents, damaged, rising, clock_wrong, spool_trouble,
                    pending, version, certificate_end, device_silence.device,
                    reason, begun_at, ends_at, until_recovery
             FROM device_silence JOIN fleet_device ON fleet_device.device = device_silence.device",
        )?
        .query_map([], |row| {
            let (facts, device) = facts(row)?;
            Ok((device, facts, silence_of(row, 16)?))
        })?
        .collect::<Result<_, _>>()?;
    let over =
        all.into_iter().filter(|(_, facts, silence)| !holds(silence, facts.state(&than), at));
    Ok(over.map(|(device, ..)| device).collect())
}

/// A silence from the columns at that place.
fn silence_of(row: &Row<'_>, place: usize) -> rusqlite::Result<Silence> {
    let Instant(begun_at) = row.get(place + 1)?;
    let ends_at: Option<Instant> = row.get(place + 2)?;
    Ok(Silence {
        reason: row.get(place)?,
        begun_at,
        ends_at: ends_at.map(|Instant(at)| at),
        until_recovery: row.get(place + 3)?,
    })
}
