//! Instants of measurements, for evaluations.

use async_trait::async_trait;
use ebp_core::evaluation::Observation;
use jiff::Timestamp;
use uuid::Uuid;

use super::{PostgresStore, value::Instant};
use crate::store::{EvaluatedMeter, EvaluationStore, StoreError};

#[async_trait]
impl EvaluationStore for PostgresStore {
    async fn evaluated_meters(&self) -> Result<Vec<EvaluatedMeter>, StoreError> {
        let db = self.client().await?;
        let statement = db
            .prepare_cached(
                // Two looks into the measurements' keys for each meter; nothing is scanned.
                "SELECT meter.uuid, model,
                     (SELECT min(measured_at) FROM measurement WHERE meter = meter.uuid),
                     (SELECT max(measured_at) FROM measurement WHERE meter = meter.uuid)
                 FROM meter JOIN household ON household.uuid = meter.household
                 WHERE NOT withheld
                 ORDER BY registered_at, household.uuid, position",
            )
            .await?;
        let mut meters = Vec::new();
        for row in db.query(&statement, &[]).await? {
            let (first, last): (Option<Instant>, Option<Instant>) =
                (row.try_get(2)?, row.try_get(3)?);
            if let Some((Instant(first), Instant(last))) = first.zip(last) {
                let (uuid, model) = (row.try_get(0)?, row.try_get(1)?);
                meters.push(EvaluatedMeter { uuid, model, first, last });
            }
        }
        Ok(meters)
    }

    async fn observations(
        &self,
        meter: Uuid,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Observation>, StoreError> {
        let db = self.client().await?;
        let statement = db
            .prepare_cached(
                "SELECT measured_at, received_at FROM measurement
                 WHERE meter = $1 AND measured_at >= $2 AND measured_at < $3
                 ORDER BY measured_at, uuid",
            )
            .await?;
        let within = |at: Timestamp| Instant::within(at.as_microsecond());
        db.query(&statement, &[&meter, &within(from), &within(to)])
            .await?
            .iter()
            .map(|row| {
                let (Instant(measured_at), Instant(received_at)) =
                    (row.try_get(0)?, row.try_get(1)?);
                Ok(Observation { measured_at, received_at })
            })
            .collect()
    }
}
