//! Instants of measurements, for evaluations.

use async_trait::async_trait;
use ebp_core::evaluation::Observation;
use jiff::Timestamp;
use rusqlite::params;
use uuid::Uuid;

use super::{
    SqliteStore,
    value::{Id, Instant},
};
use crate::store::{EvaluatedMeter, EvaluationStore, StoreError};

#[async_trait]
impl EvaluationStore for SqliteStore {
    async fn evaluated_meters(&self) -> Result<Vec<EvaluatedMeter>, StoreError> {
        self.readers
            .run(|db| {
                // The first was measured within a day behind the first slot, and the last behind a
                // slot of the last day: for each meter two looks into the key and two days.
                let meters = db
                    .prepare_cached(
                        "SELECT meter.uuid, model,
                             (SELECT min(measured_at) FROM measurement AS kept
                              WHERE kept.meter = meter.number AND slot < 86400000000
                                  + (SELECT min(slot) FROM measurement AS other
                                     WHERE other.meter = meter.number)),
                             (SELECT max(measured_at) FROM measurement AS kept
                              WHERE kept.meter = meter.number AND slot > -86400000000
                                  + (SELECT max(slot) FROM measurement AS other
                                     WHERE other.meter = meter.number))
                         FROM meter JOIN household ON household.uuid = meter.household
                         WHERE NOT withheld
                         ORDER BY registered_at, household.uuid, position",
                    )?
                    .query_map([], |row| {
                        let (Id(uuid), model): (Id, String) = (row.get(0)?, row.get(1)?);
                        let (first, last): (Option<Instant>, Option<Instant>) =
                            (row.get(2)?, row.get(3)?);
                        Ok(first.zip(last).map(|(Instant(first), Instant(last))| EvaluatedMeter {
                            uuid,
                            model,
                            first,
                            last,
                        }))
                    })?
                    .filter_map(Result::transpose)
                    .collect::<Result<_, _>>()?;
                Ok(meters)
            })
            .await
    }

    async fn observations(
        &self,
        meter: Uuid,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Observation>, StoreError> {
        self.readers
            .run(move |db| {
                let mut observations = db
                    .prepare_cached(
                        "SELECT measured_at, received_at FROM measurement
                         WHERE meter = (SELECT number FROM meter WHERE uuid = ?1)
                             AND slot > ?2 - 86400000000 AND slot < ?3
                             AND measured_at >= ?2 AND measured_at < ?3",
                    )?
                    .query_map(params![Id(meter), Instant(from), Instant(to)], |row| {
                        let (Instant(measured_at), Instant(received_at)) =
                            (row.get(0)?, row.get(1)?);
                        Ok(Observation { measured_at, received_at })
                    })?
                    .collect::<Result<Vec<Observation>, _>>()?;
                // They come in the order of slots, which is nearly that of time.
                observations.sort_by_key(|one| (one.measured_at, one.received_at));
                Ok(observations)
            })
            .await
    }
}
