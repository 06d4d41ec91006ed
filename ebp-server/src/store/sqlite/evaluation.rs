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
                // Two looks into the measurements' primary key for each meter; nothing is scanned.
                let meters = db
                    .prepare_cached(
                        "SELECT meter.uuid, model,
                             (SELECT min(measured_at) FROM measurement WHERE meter = meter.uuid),
                             (SELECT max(measured_at) FROM measurement WHERE meter = meter.uuid)
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
                let observations = db
                    .prepare_cached(
                        "SELECT measured_at, received_at FROM measurement
                         WHERE meter = ?1 AND measured_at >= ?2 AND measured_at < ?3
                         ORDER BY measured_at, uuid",
                    )?
                    .query_map(params![Id(meter), Instant(from), Instant(to)], |row| {
                        let (Instant(measured_at), Instant(received_at)) =
                            (row.get(0)?, row.get(1)?);
                        Ok(Observation { measured_at, received_at })
                    })?
                    .collect::<Result<_, _>>()?;
                Ok(observations)
            })
            .await
    }
}
