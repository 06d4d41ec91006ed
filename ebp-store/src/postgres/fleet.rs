//! The fleet of devices: states, coverage, histories, silences.

use std::collections::HashMap;

use async_trait::async_trait;
use deadpool_postgres::{Client, GenericClient};
use ebp_core::{
    contract::{
        Coverage, DeviceDay, DeviceHistory, FleetMeter, FleetPage, FleetSort, FleetVersion,
        IncidentEpisode, MeterCoverage, NewSilence, Reception, Silence,
    },
    model::IncidentType,
};
use jiff::{Timestamp, ToSpan, civil::Date};
use tokio_postgres::{IsolationLevel, Row, types::ToSql};
use uuid::Uuid;

use super::{
    PostgresStore, consent,
    device::require_device,
    store_error::or_gone,
    value::{Instant, meter_type},
};
use crate::{
    HouseholdId, StoreError,
    fleet::{
        Dialect, Fleet, FleetCursor, FleetDetail, FleetQuery, FleetStatements, FleetStore, counts,
        device, holds, key, newest,
    },
    rule::{
        coverage::{Covered, CoveredDays},
        fleet::{FleetFacts, FleetThresholds, SurveyCycles, rank},
    },
    set,
};

const DIALECT: Dialect = Dialect {
    mark: '$',
    like: "COLLATE \"C\" ILIKE",
    octets: " COLLATE \"C\"",
    earliest: "'epoch'::timestamptz",
    latest: "'9999-01-01Z'::timestamptz",
};

#[async_trait]
impl FleetStore for PostgresStore {
    async fn fleet(
        &self,
        query: FleetQuery,
        cycles: SurveyCycles,
        at: Timestamp,
    ) -> Result<Fleet, StoreError> {
        let mut client = self.client().await?;
        self.look_up(list(&mut client, &query, cycles, at)).await
    }

    async fn coverage(
        &self,
        device: Uuid,
        from: Date,
        days: usize,
        cycles: SurveyCycles,
        at: Timestamp,
    ) -> Result<Coverage, StoreError> {
        let client = self.client().await?;
        self.look_up(coverage(&client, device, from, days, cycles, at)).await
    }

    async fn device_history(
        &self,
        device: Uuid,
        since: Timestamp,
    ) -> Result<DeviceHistory, StoreError> {
        let client = self.client().await?;
        self.look_up(history(&client, device, since)).await
    }

    async fn silence_device(
        &self,
        device: Uuid,
        silence: NewSilence,
        at: Timestamp,
    ) -> Result<Silence, StoreError> {
        let mut client = self.client().await?;
        self.change(silence_device(&mut client, device, &silence, at)).await
    }

    async fn device_silence(
        &self,
        device: Uuid,
        cycles: SurveyCycles,
        at: Timestamp,
    ) -> Result<Silence, StoreError> {
        let client = self.client().await?;
        self.look_up(silence(&client, device, cycles, at)).await
    }

    async fn end_silence(&self, device: Uuid) -> Result<(), StoreError> {
        let client = self.client().await?;
        let work = async {
            household_of(&client, device).await?;
            let sql = "DELETE FROM device_silence WHERE device = $1";
            match client.execute(sql, &[&device]).await? {
                0 => Err(StoreError::NotFound),
                _ => Ok(()),
            }
        };
        self.change(work).await
    }

    async fn end_silences(&self, cycles: SurveyCycles, at: Timestamp) -> Result<u64, StoreError> {
        let client = self.client().await?;
        let work = async {
            let over = over(&client, cycles, at).await?;
            let statement = client
                .prepare_cached("DELETE FROM device_silence WHERE device = $1 AND begun_at = $2")
                .await?;
            let mut ended = 0;
            for (device, begun_at) in over {
                // One that was begun anew meanwhile stays.
                ended += client.execute(&statement, &[&device, &begun_at]).await?;
            }
            Ok(ended)
        };
        self.change(work).await
    }
}

/// The household that the device stands in, unless it revoked its consent.
async fn household_of(db: &impl GenericClient, device: Uuid) -> Result<HouseholdId, StoreError> {
    let statement =
        db.prepare_cached("SELECT household FROM measurement_device WHERE uuid = $1").await?;
    let row = db.query_opt(&statement, &[&device]).await?.ok_or(StoreError::NotFound)?;
    let household: Option<Uuid> = row.try_get(0)?;
    household.map(HouseholdId).ok_or(StoreError::ConsentRevoked)
}

async fn list(
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
    let versions = versions(&tx).await?;
    let than = FleetThresholds::at(at, cycles, newest(&versions));
    let FleetStatements { page, counts: counting } = query.statements(&DIALECT);
    let instants = [than.silent, than.late, than.measured, than.certificate].map(Instant);
    let search = query.search();
    let between = search.as_ref().and_then(|search| search.between).unzip();
    let state = query.state.map(|state| i32::try_from(rank(state)).unwrap_or_default());
    let mut parameters: Vec<&(dyn ToSql + Sync)> =
        instants.iter().map(|at| at as &(dyn ToSql + Sync)).collect();
    parameters.push(&than.pending);
    parameters.push(&than.newest);
    if let Some(version) = &query.version {
        parameters.push(version);
    }
    if let Some(search) = &search {
        parameters.extend(search.patterns.iter().map(|it| it as &(dyn ToSql + Sync)));
        parameters.push(&between.0);
        parameters.push(&between.1);
    }
    let statement = tx.prepare_cached(&counting).await?;
    let found = tx.query(&statement, &parameters).await?;
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

async fn versions(db: &impl GenericClient) -> Result<Vec<FleetVersion>, StoreError> {
    let statement = db
        .prepare_cached(
            "SELECT version, count(*) FROM fleet_device WHERE version IS NOT NULL
             GROUP BY version ORDER BY version COLLATE \"C\"",
        )
        .await?;
    let version = |row: &Row| {
        let devices: i64 = row.try_get(1)?;
        Ok(FleetVersion { version: row.try_get(0)?, devices: devices.unsigned_abs() })
    };
    db.query(&statement, &[]).await?.iter().map(version).collect()
}

/// The facts of a row, and its device.
fn facts(row: &Row) -> Result<(FleetFacts, Uuid), StoreError> {
    let instant =
        |place: usize| row.try_get::<_, Option<Instant>>(place).map(|at| at.map(|Instant(at)| at));
    let facts = FleetFacts {
        consent: crate::fleet::consent(row.try_get(0)?),
        granted_at: instant(1)?,
        last_report: instant(2)?,
        meters: row.try_get(3)?,
        unmeasured: row.try_get(4)?,
        measured_at: instant(5)?,
        another_meter: row.try_get(6)?,
        incidents: row.try_get(7)?,
        damaged: row.try_get(8)?,
        rising: row.try_get(9)?,
        clock_wrong: row.try_get(10)?,
        spool_trouble: row.try_get(11)?,
        pending: row.try_get(12)?,
        version: row.try_get(13)?,
        certificate_end: instant(14)?,
    };
    Ok((facts, row.try_get(15)?))
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

async fn coverage(
    db: &Client,
    device: Uuid,
    from: Date,
    days: usize,
    cycles: SurveyCycles,
    at: Timestamp,
) -> Result<Coverage, StoreError> {
    let household = household_of(db, device).await?;
    let granted_at = consent::consent(db, household).await?.granted_at;
    let covered = CoveredDays { from, days, granted_at, at, cycles };
    let (start, end) = covered.bounds();
    let statement = db
        .prepare_cached(
            "SELECT uuid, number FROM meter WHERE measurement_device = $1 ORDER BY position",
        )
        .await?;
    let known = db.query(&statement, &[&device]).await?;
    let statement = db
        .prepare_cached(
            "SELECT slot, measured_at, received_at, flags FROM listed_measurement
             WHERE meter = $1 AND slot >= $2 AND slot < $3",
        )
        .await?;
    let mut meters = Vec::new();
    for meter in known {
        let number: i32 = meter.try_get(1)?;
        let rows = db.query(&statement, &[&number, &Instant(start), &Instant(end)]).await?;
        let row = |row: &Row| {
            let (Instant(slot), Instant(measured_at)) = (row.try_get(0)?, row.try_get(1)?);
            let Instant(received_at) = row.try_get(2)?;
            Ok(Covered { slot, measured_at, received_at, flags: set::flags(row.try_get(3)?) })
        };
        let rows = rows.iter().map(row).collect::<Result<Vec<_>, StoreError>>()?;
        meters.push(MeterCoverage { uuid: meter.try_get(0)?, days: covered.draw(rows) });
    }
    let to = from.checked_add(i64::try_from(days).unwrap_or(1).days()).unwrap_or(Date::MAX);
    let cycle = u32::try_from(cycles.measurement.duration().as_secs()).unwrap_or(900);
    Ok(Coverage { cycle, from, to, meters })
}

async fn history(db: &Client, device: Uuid, since: Timestamp) -> Result<DeviceHistory, StoreError> {
    household_of(db, device).await?;
    let statement = db
        .prepare_cached(
            // Of each meter by itself: a device has a few.
            "SELECT of_meter.type, reported_at, resolved_at, meter.uuid
             FROM meter CROSS JOIN LATERAL (
                 SELECT incident.type, reported_at, resolved_at FROM incident
                 WHERE incident.meter = meter.uuid AND coalesce(resolved_at, $2) >= $2
                 UNION ALL
                 SELECT past.type, reported_at, resolved_at FROM incident_episode AS past
                 WHERE past.meter = meter.uuid AND resolved_at >= $2
                 OFFSET 0
             ) AS of_meter
             WHERE measurement_device = $1",
        )
        .await?;
    let episode = |row: &Row| {
        let incident = super::incident::from_row(row)?;
        Ok(IncidentEpisode {
            meter: row.try_get(3)?,
            kind: incident.kind,
            reported_at: incident.reported_at,
            resolved_at: incident.resolved_at,
        })
    };
    let rows = db.query(&statement, &[&device, &Instant(since)]).await?;
    let incidents = rows.iter().map(episode).collect::<Result<_, StoreError>>()?;
    let statement = db
        .prepare_cached(
            "SELECT day, version, pending, bytes,
                    least(telegrams, 9000000000000000000)::bigint,
                    least(damaged, 9000000000000000000)::bigint
             FROM device_day WHERE device = $1 AND day >= $2 ORDER BY day",
        )
        .await?;
    let day = |row: &Row| {
        let count = |place: usize| {
            row.try_get::<_, Option<i64>>(place).map(|count| count.map(i64::unsigned_abs))
        };
        let day: i32 = row.try_get(0)?;
        Ok(DeviceDay {
            day: crate::fleet::day(day.into()),
            version: row.try_get(1)?,
            pending: count(2)?,
            bytes: count(3)?,
            damaged_share: Reception::share(
                count(4)?.unwrap_or_default(),
                count(5)?.unwrap_or_default(),
            ),
        })
    };
    let first = i32::try_from(since.as_second().div_euclid(86_400)).unwrap_or_default();
    let rows = db.query(&statement, &[&device, &first]).await?;
    let days = rows.iter().map(day).collect::<Result<_, StoreError>>()?;
    Ok(DeviceHistory { incidents: crate::fleet::latest_first(incidents), days })
}

async fn silence_device(
    client: &mut Client,
    device: Uuid,
    silence: &NewSilence,
    at: Timestamp,
) -> Result<Silence, StoreError> {
    let silence = crate::fleet::silence(silence, at)?;
    let tx = client.transaction().await?;
    require_device(&tx, device).await?;
    tx.execute(
        "INSERT INTO device_silence (device, reason, begun_at, ends_at, until_recovery)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (device) DO UPDATE SET reason = $2, begun_at = $3, ends_at = $4,
             until_recovery = $5",
        &[
            &device,
            &silence.reason,
            &Instant(at),
            &silence.ends_at.map(Instant),
            &silence.until_recovery,
        ],
    )
    .await
    .map_err(or_gone)?;
    tx.commit().await?;
    Ok(silence)
}

async fn silence(
    db: &Client,
    device: Uuid,
    cycles: SurveyCycles,
    at: Timestamp,
) -> Result<Silence, StoreError> {
    household_of(db, device).await?;
    let than = FleetThresholds::at(at, cycles, newest(&versions(db).await?));
    let statement = db
        .prepare_cached(
            "SELECT consent, granted_at, last_report, meters, unmeasured, measured_at,
                    another_meter, incidents, damaged, rising, clock_wrong, spool_trouble,
                    pending, version, certificate_end, device_silence.device,
                    reason, begun_at, ends_at, until_recovery
             FROM device_silence JOIN fleet_device ON fleet_device.device = device_silence.device
             WHERE device_silence.device = $1",
        )
        .await?;
    let row = db.query_opt(&statement, &[&device]).await?.ok_or(StoreError::NotFound)?;
    let ((facts, _), silence) = (facts(&row)?, silence_of(&row, 16)?);
    if holds(&silence, facts.state(&than), at) { Ok(silence) } else { Err(StoreError::NotFound) }
}

/// The devices whose silence is over, and when it began.
async fn over(
    db: &Client,
    cycles: SurveyCycles,
    at: Timestamp,
) -> Result<Vec<(Uuid, Instant)>, StoreError> {
    let statement = db
        .prepare_cached(
            "SELECT consent, granted_at, last_report, meters, unmeasured, measured_at,
                    another_meter, incidents, damaged, rising, clock_wrong, spool_trouble,
                    pending, version, certificate_end, device_silence.device,
                    reason, begun_at, ends_at, until_recovery
             FROM device_silence JOIN fleet_device ON fleet_device.device = device_silence.device",
        )
        .await?;
    let rows = db.query(&statement, &[]).await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let than = FleetThresholds::at(at, cycles, newest(&versions(db).await?));
    let mut over = Vec::new();
    for row in &rows {
        let ((facts, device), silence) = (facts(row)?, silence_of(row, 16)?);
        if !holds(&silence, facts.state(&than), at) {
            over.push((device, Instant(silence.begun_at)));
        }
    }
    Ok(over)
}

/// A silence from the columns at that place.
fn silence_of(row: &Row, place: usize) -> Result<Silence, StoreError> {
    let Instant(begun_at) = row.try_get(place + 1)?;
    let ends_at: Option<Instant> = row.try_get(place + 2)?;
    Ok(Silence {
        reason: row.try_get(place)?,
        begun_at,
        ends_at: ends_at.map(|Instant(at)| at),
        until_recovery: row.try_get(place + 3)?,
    })
}
