//! Keeping days and states of energy series.

use async_trait::async_trait;
use ebp_core::model::{Battery, Measurement, MeteringConcept};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use uuid::Uuid;

use super::{
    SqliteStore,
    value::{Id, Instant, Kind, Name, Text},
};
use crate::{
    HouseholdId, InsertOutcome, KeptSeries, NewDays, SeriesHousehold, SeriesMeter, SeriesPlace,
    SeriesStore, SeriesSystem, StoreError, rule::series::is_late,
};

#[async_trait]
impl SeriesStore for SqliteStore {
    async fn series_household(&self, id: HouseholdId) -> Result<SeriesHousehold, StoreError> {
        self.readers.run(move |db| household(db, id)).await
    }

    async fn begin_series(
        &self,
        household: HouseholdId,
        meter: i32,
        basis: &str,
    ) -> Result<i64, StoreError> {
        let basis = basis.to_owned();
        self.writer.run(move |tx| begin(tx, household, meter, &basis)).await
    }

    async fn keep_days(&self, days: NewDays) -> Result<bool, StoreError> {
        self.writer.run(move |tx| keep(tx, &days)).await
    }

    async fn kept_days(&self, meter: i32, from: i64, to: i64) -> Result<Vec<String>, StoreError> {
        self.readers
            .run(move |db| {
                let days = db
                    .prepare_cached(
                        "SELECT day FROM energy_day
                         WHERE meter = ?1 AND starts >= ?2 AND starts < ?3 ORDER BY starts",
                    )?
                    .query_map([i64::from(meter), from, to], |row| row.get(0))?
                    .collect::<Result<_, _>>()?;
                Ok(days)
            })
            .await
    }

    async fn kept_state(&self, meter: i32, at: i64) -> Result<Option<(i64, String)>, StoreError> {
        self.readers
            .run(move |db| {
                let state = db
                    .prepare_cached(
                        "SELECT starts, state FROM energy_day
                         WHERE meter = ?1 AND starts <= ?2 AND state IS NOT NULL
                         ORDER BY starts DESC LIMIT 1",
                    )?
                    .query_row([i64::from(meter), at], |row| Ok((row.get(0)?, row.get(1)?)))
                    .optional()?;
                Ok(state)
            })
            .await
    }

    async fn series_generations(&self, meters: &[i32]) -> Result<Vec<(i32, i64)>, StoreError> {
        let meters = meters.to_vec();
        self.readers
            .run(move |db| {
                let mut statement =
                    db.prepare_cached("SELECT generation FROM energy_series WHERE meter = ?1")?;
                let mut found = Vec::with_capacity(meters.len());
                for meter in meters {
                    let generation = statement.query_row([meter], |row| row.get(0)).optional()?;
                    found.extend(generation.map(|generation| (meter, generation)));
                }
                Ok(found)
            })
            .await
    }

    async fn series_places(&self, after: i32, limit: u32) -> Result<Vec<SeriesPlace>, StoreError> {
        self.readers
            .run(move |db| {
                let places = db
                    .prepare_cached(
                        "SELECT number, household,
                             (SELECT ends FROM energy_day WHERE energy_day.meter = number
                              ORDER BY starts DESC LIMIT 1)
                         FROM meter WHERE number > ?1 AND EXISTS (
                             SELECT 1 FROM measurement WHERE measurement.meter = number)
                         ORDER BY number LIMIT ?2",
                    )?
                    .query_map([i64::from(after), i64::from(limit)], |row| {
                        let household = HouseholdId(row.get::<_, Id>(1)?.0);
                        Ok(SeriesPlace { meter: row.get(0)?, household, kept_to: row.get(2)? })
                    })?
                    .collect::<Result<_, _>>()?;
                Ok(places)
            })
            .await
    }
}

fn household(db: &Connection, id: HouseholdId) -> Result<SeriesHousehold, StoreError> {
    let (metadata, is_revoked) = db
        .prepare_cached(
            "SELECT revoked_at IS NOT NULL, home_battery, battery, metering_concept
             FROM consent LEFT JOIN metadata USING (household) WHERE consent.household = ?1",
        )?
        .query_row([Id(id.0)], |row| {
            let metadata = match row.get::<_, Option<bool>>(1)? {
                Some(home_battery) => Some((home_battery, row.get(2)?, row.get(3)?)),
                None => None,
            };
            Ok((metadata, row.get(0)?))
        })
        .optional()?
        .ok_or(StoreError::ConsentRevoked)?;
    let system = |row: &Row<'_>| {
        let (meter, Text(installed_on)): (Option<Id>, Text<_>) = (row.get(0)?, row.get(1)?);
        Ok(SeriesSystem { meter: meter.map(|Id(uuid)| uuid), installed_on })
    };
    let systems = db
        .prepare_cached("SELECT meter, installed_on FROM pv_system WHERE household = ?1")?
        .query_map([Id(id.0)], system)?
        .collect::<Result<_, _>>()?;
    let meters = db
        .prepare_cached(
            "SELECT number, uuid, type, removed_at, basis, generation, state_at, energy_series.state,
                 ends, day, generation_register
             FROM meter LEFT JOIN energy_series ON energy_series.meter = number
             LEFT JOIN energy_day ON energy_day.meter = number AND starts = (
                 SELECT max(starts) FROM energy_day AS kept WHERE kept.meter = number)
             WHERE household = ?1 ORDER BY position",
        )?
        .query_map([Id(id.0)], meter)?
        .collect::<Result<_, _>>()?;
    let (home_battery, Name(battery), Name(metering_concept)) =
        metadata.unwrap_or((true, Name(Battery::Unknown), Name(MeteringConcept::Unknown)));
    Ok(SeriesHousehold { home_battery, battery, metering_concept, is_revoked, systems, meters })
}

fn meter(row: &Row<'_>) -> rusqlite::Result<SeriesMeter> {
    let (Id(uuid), Kind(kind)): (Id, Kind) = (row.get(1)?, row.get(2)?);
    let removed_at: Option<Instant> = row.get(3)?;
    let pair = |at: usize, text: usize| -> rusqlite::Result<Option<(i64, String)>> {
        Ok(row.get::<_, Option<i64>>(at)?.zip(row.get::<_, Option<String>>(text)?))
    };
    let kept = match row.get(4)? {
        None => None,
        Some(basis) => {
            let (generation, state, last) = (row.get(5)?, pair(6, 7)?, pair(8, 9)?);
            Some(KeptSeries { basis, generation, state, last })
        }
    };
    let removed_at = removed_at.map(|Instant(at)| at);
    let register: Option<Name<_>> = row.get(10)?;
    let generation_register = register.map(|Name(register)| register);
    Ok(SeriesMeter { number: row.get(0)?, uuid, kind, removed_at, generation_register, kept })
}

fn begin(
    tx: &Transaction<'_>,
    household: HouseholdId,
    meter: i32,
    basis: &str,
) -> Result<i64, StoreError> {
    let is_known: bool = tx
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM meter WHERE number = ?1 AND household = ?2)")?
        .query_row(params![meter, Id(household.0)], |row| row.get(0))?;
    if !is_known {
        return Err(StoreError::NotFound);
    }
    tx.prepare_cached(
        "INSERT INTO energy_series (meter, basis) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
    )?
    .execute(params![meter, basis])?;
    let other = tx
        .prepare_cached(
            "UPDATE energy_series
             SET basis = ?2, generation = generation + 1, state_at = NULL, state = NULL
             WHERE meter = ?1 AND basis <> ?2",
        )?
        .execute(params![meter, basis])?;
    if other > 0 {
        tx.prepare_cached("DELETE FROM energy_day WHERE meter = ?1")?.execute([meter])?;
    }
    Ok(tx
        .prepare_cached("SELECT generation FROM energy_series WHERE meter = ?1")?
        .query_row([meter], |row| row.get(0))?)
}

fn keep(tx: &Transaction<'_>, new: &NewDays) -> Result<bool, StoreError> {
    let NewDays { meter, generation, days, state } = new;
    let known: Option<(i64, Option<i64>, Option<i64>)> = tx
        .prepare_cached(
            "SELECT generation, state_at,
                 (SELECT ends FROM energy_day WHERE energy_day.meter = energy_series.meter
                  ORDER BY starts DESC LIMIT 1)
             FROM energy_series WHERE meter = ?1",
        )?
        .query_row([meter], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((known, state_at, kept_to)) = known else { return Ok(false) };
    let follows = days.first().is_none_or(|day| kept_to.is_none_or(|to| day.starts <= to));
    if known != *generation || !follows {
        return Ok(false);
    }
    let mut insert = tx.prepare_cached(
        "INSERT INTO energy_day (meter, starts, ends, reach, day, state)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
    )?;
    for day in days {
        insert.execute(params![meter, day.starts, day.ends, day.reach, day.day, day.state])?;
    }
    if let Some((at, state)) = state.as_ref().filter(|(at, _)| Some(*at) > state_at) {
        tx.prepare_cached("UPDATE energy_series SET state_at = ?2, state = ?3 WHERE meter = ?1")?
            .execute(params![meter, at, state])?;
    }
    Ok(true)
}

/// Removes the days that late measurements among those stored change.
pub fn remove_changed(
    tx: &Transaction<'_>,
    measurements: &[Measurement],
    outcomes: &[InsertOutcome],
    received_at: Timestamp,
) -> Result<(), StoreError> {
    let mut late: Vec<(Uuid, Timestamp)> = Vec::new();
    for (measurement, outcome) in measurements.iter().zip(outcomes) {
        let at = measurement.measured_at;
        if !is_late(at, received_at) || *outcome != InsertOutcome::Accepted {
            continue;
        }
        match late.iter_mut().find(|(meter, _)| *meter == measurement.meter) {
            Some((_, first)) => *first = at.min(*first),
            None => late.push((measurement.meter, at)),
        }
    }
    for (meter, first) in late {
        let begun = tx
            .prepare_cached(
                "UPDATE energy_series
                 SET generation = generation + 1, state_at = NULL, state = NULL
                 WHERE meter = (SELECT number FROM meter WHERE uuid = ?1)",
            )?
            .execute([Id(meter)])?;
        if begun > 0 {
            tx.prepare_cached(
                "DELETE FROM energy_day
                 WHERE meter = (SELECT number FROM meter WHERE uuid = ?1) AND reach > ?2",
            )?
            .execute(params![Id(meter), Instant(first)])?;
        }
    }
    Ok(())
}
