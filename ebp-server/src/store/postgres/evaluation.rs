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
                // The first was measured within a day behind the first slot, and the last behind a
                // slot of the last day: for each meter a few looks into the keys and two days.
                "SELECT meter.uuid, model, of_earliest.first, of_latest.last
                 FROM meter JOIN household ON household.uuid = meter.household
                 CROSS JOIN LATERAL (SELECT least(
                     (SELECT slot FROM measurement AS kept
                      WHERE kept.meter = meter.number AND uuid IS NULL
                      ORDER BY slot LIMIT 1),
                     (SELECT slot FROM measurement AS kept
                      WHERE kept.meter = meter.number AND uuid IS NOT NULL
                      ORDER BY slot LIMIT 1)
                 )) AS earliest (slot)
                 CROSS JOIN LATERAL (SELECT greatest(
                     (SELECT slot FROM measurement AS kept
                      WHERE kept.meter = meter.number AND uuid IS NULL
                      ORDER BY slot DESC LIMIT 1),
                     (SELECT slot FROM measurement AS kept
                      WHERE kept.meter = meter.number AND uuid IS NOT NULL
                      ORDER BY slot DESC LIMIT 1)
                 )) AS latest (slot)
                 CROSS JOIN LATERAL (
                     SELECT min(measured_at) FROM listed_measurement AS kept
                     WHERE kept.meter = meter.number
                         AND kept.slot < earliest.slot + interval '24 hours'
                 ) AS of_earliest (first)
                 CROSS JOIN LATERAL (
                     SELECT max(measured_at) FROM listed_measurement AS kept
                     WHERE kept.meter = meter.number
                         AND kept.slot > latest.slot - interval '24 hours'
                 ) AS of_latest (last)
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
                "SELECT measured_at, received_at FROM listed_measurement
                 WHERE meter = (SELECT number FROM meter WHERE uuid = $1)
                     AND slot > $2::timestamptz - interval '24 hours' AND slot < $3
                     AND measured_at >= $2 AND measured_at < $3
                 ORDER BY measured_at, received_at",
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
