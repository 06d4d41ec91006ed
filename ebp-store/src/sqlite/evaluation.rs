//! Instants of measurements, for evaluations.

use async_trait::async_trait;
use ebp_core::evaluation::{Observation, Stretch};
use jiff::Timestamp;
use rusqlite::{Row, params};
use uuid::Uuid;

use super::{
    SqliteStore,
    value::{Id, Instant},
};
use crate::{
    EvaluatedMeter, EvaluationStore, HouseholdId, StoreError, evaluation::latest_measured,
};

#[async_trait]
impl EvaluationStore for SqliteStore {
    async fn evaluated_meters(&self) -> Result<Vec<EvaluatedMeter>, StoreError> {
        self.readers
            .run(|db| {
                // The first was measured within a day behind the first slot, and the last behind a
                // slot of the last day: for each meter a few looks into the key and days. What was
                // measured after a meter was removed is of another one.
                let meters = db
                    .prepare_cached(
                        "SELECT meter.uuid, model, meter.household, withheld, granted_at,
                             revoked_at,
                             (SELECT min(measured_at) FROM measurement AS kept
                              WHERE kept.meter = meter.number AND slot < 86400000000
                                  + (SELECT min(slot) FROM measurement AS other
                                     WHERE other.meter = meter.number)
                                  AND measured_at < ifnull(removed_at, ?1)),
                             (SELECT max(measured_at) FROM measurement AS kept
                              WHERE kept.meter = meter.number AND slot > -86400000000
                                  + (SELECT slot FROM measurement AS other
                                     WHERE other.meter = meter.number
                                         AND slot < ifnull(removed_at, ?1)
                                         AND measured_at < ifnull(removed_at, ?1)
                                     ORDER BY slot DESC LIMIT 1)
                                  AND measured_at < ifnull(removed_at, ?1)),
                             (SELECT received_at FROM measurement AS kept
                              WHERE kept.meter = meter.number AND slot > -86400000000
                                  + (SELECT slot FROM measurement AS other
                                     WHERE other.meter = meter.number
                                         AND slot < ifnull(removed_at, ?1)
                                         AND measured_at < ifnull(removed_at, ?1)
                                     ORDER BY slot DESC LIMIT 1)
                                  AND measured_at < ifnull(removed_at, ?1)
                              ORDER BY measured_at DESC, received_at DESC LIMIT 1),
                             removed_at
                         FROM meter JOIN household ON household.uuid = meter.household
                         JOIN consent ON consent.household = meter.household
                         ORDER BY registered_at, household.uuid, position",
                    )?
                    .query_map([i64::MAX], meter)?
                    .collect::<Result<_, _>>()?;
                Ok(meters)
            })
            .await
    }

    async fn observations(
        &self,
        meter: Uuid,
        measured: Stretch,
        received: Stretch,
    ) -> Result<Vec<Observation>, StoreError> {
        let latest = latest_measured(measured, received);
        self.readers
            .run(move |db| {
                let mut observations = db
                    .prepare_cached(
                        "SELECT measured_at, received_at FROM measurement
                         WHERE meter = (SELECT number FROM meter WHERE uuid = ?1) AND slot < ?6
                             AND (measured_at >= ?2 AND measured_at < ?3
                                  OR received_at >= ?4 AND received_at < ?5)",
                    )?
                    .query_map(
                        params![
                            Id(meter),
                            Instant(measured.from),
                            Instant(measured.to),
                            Instant(received.from),
                            Instant(received.to),
                            Instant(latest),
                        ],
                        |row| {
                            let (Instant(measured_at), Instant(received_at)) =
                                (row.get(0)?, row.get(1)?);
                            Ok(Observation { measured_at, received_at })
                        },
                    )?
                    .collect::<Result<Vec<Observation>, _>>()?;
                // They come in the order of slots, which is nearly that of time.
                observations.sort_by_key(|one| (one.measured_at, one.received_at));
                Ok(observations)
            })
            .await
    }
}

fn meter(row: &Row<'_>) -> rusqlite::Result<EvaluatedMeter> {
    let (Id(uuid), Id(household)): (Id, Id) = (row.get(0)?, row.get(2)?);
    let instant = |column| -> rusqlite::Result<Option<Timestamp>> {
        Ok(row.get::<_, Option<Instant>>(column)?.map(|Instant(at)| at))
    };
    let last = instant(7)?.zip(instant(8)?);
    Ok(EvaluatedMeter {
        uuid,
        model: row.get(1)?,
        household: HouseholdId(household),
        withheld: row.get(3)?,
        granted_at: instant(4)?,
        revoked_at: instant(5)?,
        removed_at: instant(9)?,
        first: instant(6)?,
        last: last.map(|(measured_at, received_at)| Observation { measured_at, received_at }),
    })
}
