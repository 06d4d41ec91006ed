//! Keeping days and states of energy series. Which days a late measurement removes, the schema says
//! (`measurement_is_within_consent`).

use async_trait::async_trait;
use deadpool_postgres::Client;
use ebp_core::model::{Battery, GenerationRegister, MeteringConcept};
use tokio_postgres::Row;
use uuid::Uuid;

use super::{
    PostgresStore,
    value::{Day, Instant, meter_type},
};
use crate::{
    HouseholdId, KeptSeries, NewDays, SeriesHousehold, SeriesMeter, SeriesPlace, SeriesStore,
    SeriesSystem, StoreError,
};

#[async_trait]
impl SeriesStore for PostgresStore {
    async fn series_household(&self, id: HouseholdId) -> Result<SeriesHousehold, StoreError> {
        let client = self.client().await?;
        self.look_up(household(&client, id)).await
    }

    async fn begin_series(
        &self,
        household: HouseholdId,
        meter: i32,
        basis: &str,
    ) -> Result<i64, StoreError> {
        let mut client = self.client().await?;
        self.change(begin(&mut client, household, meter, basis)).await
    }

    async fn keep_days(&self, days: NewDays) -> Result<bool, StoreError> {
        let mut client = self.client().await?;
        self.change(keep(&mut client, &days)).await
    }

    async fn kept_days(&self, meter: i32, from: i64, to: i64) -> Result<Vec<String>, StoreError> {
        let client = self.client().await?;
        let found = async {
            let statement = client
                .prepare_cached(
                    "SELECT day FROM energy_day
                     WHERE meter = $1 AND starts >= $2 AND starts < $3 ORDER BY starts",
                )
                .await?;
            let (from, to) = (Instant::within(from), Instant::within(to));
            let rows = client.query(&statement, &[&meter, &from, &to]).await?;
            rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
        };
        self.look_up(found).await
    }

    async fn kept_state(&self, meter: i32, at: i64) -> Result<Option<(i64, String)>, StoreError> {
        let client = self.client().await?;
        let found = async {
            let statement = client
                .prepare_cached(
                    "SELECT starts, state FROM energy_day
                     WHERE meter = $1 AND starts <= $2 AND state IS NOT NULL
                     ORDER BY starts DESC LIMIT 1",
                )
                .await?;
            let row = client.query_opt(&statement, &[&meter, &Instant::within(at)]).await?;
            row.map(|row| Ok((micros(row.try_get(0)?), row.try_get(1)?))).transpose()
        };
        self.look_up(found).await
    }

    async fn series_generations(&self, meters: &[i32]) -> Result<Vec<(i32, i64)>, StoreError> {
        let client = self.client().await?;
        let found = async {
            let statement = client
                .prepare_cached(
                    "SELECT meter, generation FROM energy_series WHERE meter = ANY ($1)",
                )
                .await?;
            let rows = client.query(&statement, &[&meters]).await?;
            rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
        };
        self.look_up(found).await
    }

    async fn series_places(&self, after: i32, limit: u32) -> Result<Vec<SeriesPlace>, StoreError> {
        let client = self.client().await?;
        let found = async {
            let statement = client
                .prepare_cached(
                    "SELECT number, household, last.ends
                     FROM meter LEFT JOIN LATERAL (
                         SELECT ends FROM energy_day WHERE energy_day.meter = number
                         ORDER BY starts DESC LIMIT 1
                     ) AS last ON true
                     CROSS JOIN LATERAL (
                         SELECT FROM listed_measurement AS kept WHERE kept.meter = number LIMIT 1
                     ) AS measured
                     WHERE number > $1 ORDER BY number LIMIT $2",
                )
                .await?;
            let rows = client.query(&statement, &[&after, &i64::from(limit)]).await?;
            let place = |row: &Row| {
                let kept_to: Option<Instant> = row.try_get(2)?;
                Ok(SeriesPlace {
                    meter: row.try_get(0)?,
                    household: HouseholdId(row.try_get(1)?),
                    kept_to: kept_to.map(micros),
                })
            };
            rows.iter().map(place).collect()
        };
        self.look_up(found).await
    }
}

fn micros(Instant(at): Instant) -> i64 {
    at.as_microsecond()
}

async fn household(db: &Client, id: HouseholdId) -> Result<SeriesHousehold, StoreError> {
    let statement = db
        .prepare_cached(
            "SELECT revoked_at IS NOT NULL, home_battery, battery, metering_concept
             FROM consent LEFT JOIN metadata USING (household) WHERE consent.household = $1",
        )
        .await?;
    let found = db.query_opt(&statement, &[&id.0]).await?.ok_or(StoreError::ConsentRevoked)?;
    let (home_battery, battery, metering_concept) = match found.try_get(1)? {
        None => (true, Battery::Unknown, MeteringConcept::Unknown),
        Some(home_battery) => (
            home_battery,
            Battery::named(found.try_get(2)?).ok_or(StoreError::Damaged("metadata"))?,
            MeteringConcept::named(found.try_get(3)?).ok_or(StoreError::Damaged("metadata"))?,
        ),
    };
    let statement =
        db.prepare_cached("SELECT meter, installed_on FROM pv_system WHERE household = $1").await?;
    let rows = db.query(&statement, &[&id.0]).await?;
    let system = |row: &Row| {
        let (meter, Day(installed_on)): (Option<Uuid>, Day) = (row.try_get(0)?, row.try_get(1)?);
        Ok::<_, StoreError>(SeriesSystem { meter, installed_on })
    };
    let systems = rows.iter().map(system).collect::<Result<_, _>>()?;
    let statement = db
        .prepare_cached(
            "SELECT number, uuid, type, removed_at, basis, generation, state_at, energy_series.state,
                 last.ends, last.day, generation_register
             FROM meter LEFT JOIN energy_series ON energy_series.meter = meter.number
             LEFT JOIN LATERAL (
                 SELECT ends, day FROM energy_day WHERE energy_day.meter = number
                 ORDER BY starts DESC LIMIT 1
             ) AS last ON true
             WHERE household = $1 ORDER BY position",
        )
        .await?;
    let rows = db.query(&statement, &[&id.0]).await?;
    let meters = rows.iter().map(meter).collect::<Result<_, _>>()?;
    let is_revoked = found.try_get(0)?;
    Ok(SeriesHousehold { home_battery, battery, metering_concept, is_revoked, systems, meters })
}

fn meter(row: &Row) -> Result<SeriesMeter, StoreError> {
    let pair = |at: usize, text: usize| -> Result<Option<(i64, String)>, StoreError> {
        let (at, text): (Option<Instant>, Option<String>) = (row.try_get(at)?, row.try_get(text)?);
        Ok(at.map(micros).zip(text))
    };
    let kept = match row.try_get(4)? {
        None => None,
        Some(basis) => {
            let (generation, state, last) = (row.try_get(5)?, pair(6, 7)?, pair(8, 9)?);
            Some(KeptSeries { basis, generation, state, last })
        }
    };
    let removed_at: Option<Instant> = row.try_get(3)?;
    let register: Option<&str> = row.try_get(10)?;
    let named = |name| GenerationRegister::named(name).ok_or(StoreError::Damaged("meter"));
    Ok(SeriesMeter {
        number: row.try_get(0)?,
        uuid: row.try_get(1)?,
        kind: meter_type(row.try_get(2)?).ok_or(StoreError::Damaged("meter"))?,
        removed_at: removed_at.map(|at| at.0),
        generation_register: register.map(named).transpose()?,
        kept,
    })
}

async fn begin(
    client: &mut Client,
    household: HouseholdId,
    meter: i32,
    basis: &str,
) -> Result<i64, StoreError> {
    let tx = client.transaction().await?;
    // Insertions that are under way end first: who reads from now on sees what they have stored, and
    // later ones see the row below.
    tx.execute("SELECT pg_advisory_xact_lock(consent_lock($1))", &[&household.0]).await?;
    let statement = tx
        .prepare_cached(
            "INSERT INTO energy_series (meter, basis)
             SELECT number, $3 FROM meter WHERE number = $1 AND household = $2
             ON CONFLICT DO NOTHING",
        )
        .await?;
    tx.execute(&statement, &[&meter, &household.0, &basis]).await?;
    let statement = tx
        .prepare_cached(
            "UPDATE energy_series
             SET basis = $2, generation = generation + 1, state_at = NULL, state = NULL
             WHERE meter = $1 AND basis <> $2",
        )
        .await?;
    if tx.execute(&statement, &[&meter, &basis]).await? > 0 {
        let statement = tx.prepare_cached("DELETE FROM energy_day WHERE meter = $1").await?;
        tx.execute(&statement, &[&meter]).await?;
    }
    let statement =
        tx.prepare_cached("SELECT generation FROM energy_series WHERE meter = $1").await?;
    let row = tx.query_opt(&statement, &[&meter]).await?.ok_or(StoreError::NotFound)?;
    tx.commit().await?;
    Ok(row.try_get(0)?)
}

async fn keep(client: &mut Client, new: &NewDays) -> Result<bool, StoreError> {
    let NewDays { meter, generation, days, state } = new;
    let tx = client.transaction().await?;
    // Insertions of late measurements wait for this row, or this waits for them.
    let statement = tx
        .prepare_cached(
            "SELECT generation, state_at FROM energy_series WHERE meter = $1 FOR NO KEY UPDATE",
        )
        .await?;
    let Some(row) = tx.query_opt(&statement, &[meter]).await? else { return Ok(false) };
    let (known, state_at): (i64, Option<Instant>) = (row.try_get(0)?, row.try_get(1)?);
    let statement = tx
        .prepare_cached("SELECT ends FROM energy_day WHERE meter = $1 ORDER BY starts DESC LIMIT 1")
        .await?;
    let last = tx.query_opt(&statement, &[meter]).await?;
    let kept_to = last.map(|row| row.try_get(0).map(micros)).transpose()?;
    let follows = days.first().is_none_or(|day| kept_to.is_none_or(|to| day.starts <= to));
    if known != *generation || !follows {
        return Ok(false);
    }
    let of = |at: fn(&crate::KeptDay) -> i64| -> Vec<Instant> {
        days.iter().map(|day| Instant::within(at(day))).collect()
    };
    let (starts, ends, reach) = (of(|day| day.starts), of(|day| day.ends), of(|day| day.reach));
    let texts: Vec<&str> = days.iter().map(|day| day.day.as_str()).collect();
    let states: Vec<Option<&str>> = days.iter().map(|day| day.state.as_deref()).collect();
    let statement = tx
        .prepare_cached(
            "INSERT INTO energy_day (meter, starts, ends, reach, day, state)
             SELECT $1, made.* FROM unnest(
                 $2::timestamptz[], $3::timestamptz[], $4::timestamptz[], $5::text[], $6::text[]
             ) AS made (starts, ends, reach, day, state)
             ON CONFLICT DO NOTHING",
        )
        .await?;
    tx.execute(&statement, &[meter, &starts, &ends, &reach, &texts, &states]).await?;
    let state_at = state_at.map_or(i64::MIN, micros);
    if let Some((at, state)) = state.as_ref().filter(|(at, _)| *at > state_at) {
        let statement = tx
            .prepare_cached("UPDATE energy_series SET state_at = $2, state = $3 WHERE meter = $1")
            .await?;
        tx.execute(&statement, &[meter, &Instant::within(*at), state]).await?;
    }
    tx.commit().await?;
    Ok(true)
}
