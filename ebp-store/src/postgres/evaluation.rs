//! Instants of measurements, for evaluations.

use async_trait::async_trait;
use ebp_core::evaluation::{Observation, Stretch};
use jiff::Timestamp;
use tokio_postgres::{Row, types::ToSql};
use uuid::Uuid;

use super::{PostgresStore, patience::SURVEY, value::Instant};
use crate::{
    EvaluatedMeter, EvaluationStore, HouseholdId, StoreError, evaluation::latest_measured,
};

#[async_trait]
impl EvaluationStore for PostgresStore {
    async fn evaluated_meters(&self) -> Result<Vec<EvaluatedMeter>, StoreError> {
        let db = self.client().await?;
        let statement = db
            .prepare_cached(
                // The first was measured within a day behind the first slot, and the last behind a
                // slot of the last day: for each meter a few looks into the keys and two days. What
                // was measured after a meter was removed is of another one.
                "SELECT meter.uuid, model, meter.household, withheld, granted_at, revoked_at,
                     of_earliest.first, of_latest.last, of_latest.received, removed_at
                 FROM meter JOIN household ON household.uuid = meter.household
                 JOIN consent ON consent.household = meter.household
                 CROSS JOIN LATERAL (SELECT least(
                     (SELECT slot FROM measurement AS kept
                      WHERE kept.meter = meter.number AND uuid IS NULL
                      ORDER BY slot LIMIT 1),
                     (SELECT slot FROM measurement AS kept
                      WHERE kept.meter = meter.number AND uuid IS NOT NULL
                      ORDER BY slot LIMIT 1)
                 )) AS earliest (slot)
                 CROSS JOIN LATERAL (
                     SELECT coalesce(meter.removed_at, 'infinity')
                 ) AS down (since)
                 CROSS JOIN LATERAL (SELECT greatest(
                     (SELECT slot FROM measurement AS kept
                      WHERE kept.meter = meter.number AND uuid IS NULL
                          AND slot < down.since AND measured_at < down.since
                      ORDER BY slot DESC LIMIT 1),
                     (SELECT slot FROM measurement AS kept
                      WHERE kept.meter = meter.number AND uuid IS NOT NULL
                          AND slot < down.since AND measured_at < down.since
                      ORDER BY slot DESC LIMIT 1)
                 )) AS latest (slot)
                 CROSS JOIN LATERAL (
                     SELECT min(measured_at) FROM listed_measurement AS kept
                     WHERE kept.meter = meter.number
                         AND kept.slot < earliest.slot + interval '24 hours'
                         AND kept.measured_at < down.since
                 ) AS of_earliest (first)
                 LEFT JOIN LATERAL (
                     SELECT measured_at, received_at FROM listed_measurement AS kept
                     WHERE kept.meter = meter.number
                         AND kept.slot > latest.slot - interval '24 hours'
                         AND kept.measured_at < down.since
                     ORDER BY measured_at DESC, received_at DESC LIMIT 1
                 ) AS of_latest (last, received) ON true
                 ORDER BY registered_at, household.uuid, position",
            )
            .await?;
        let found = async { Ok::<_, StoreError>(db.query(&statement, &[]).await?) };
        self.connections.within(SURVEY, found).await?.iter().map(meter).collect()
    }

    async fn observations(
        &self,
        meter: Uuid,
        measured: Stretch,
        received: Stretch,
    ) -> Result<Vec<Observation>, StoreError> {
        let db = self.client().await?;
        let statement = db
            .prepare_cached(
                "SELECT measured_at, received_at FROM listed_measurement
                 WHERE meter = (SELECT number FROM meter WHERE uuid = $1) AND slot < $6
                     AND (measured_at >= $2 AND measured_at < $3
                          OR received_at >= $4 AND received_at < $5)
                 ORDER BY measured_at, received_at",
            )
            .await?;
        let within = |at: Timestamp| Instant::within(at.as_microsecond());
        let latest = within(latest_measured(measured, received));
        let (from, to) = (within(measured.from), within(measured.to));
        let (since, until) = (within(received.from), within(received.to));
        let found = async {
            let bounds: [&(dyn ToSql + Sync); 6] = [&meter, &from, &to, &since, &until, &latest];
            Ok::<_, StoreError>(db.query(&statement, &bounds).await?)
        };
        self.connections
            .within(SURVEY, found)
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

fn meter(row: &Row) -> Result<EvaluatedMeter, StoreError> {
    let instant = |column: usize| -> Result<Option<Timestamp>, StoreError> {
        Ok(row.try_get::<_, Option<Instant>>(column)?.map(|Instant(at)| at))
    };
    let last = instant(7)?.zip(instant(8)?);
    Ok(EvaluatedMeter {
        uuid: row.try_get(0)?,
        model: row.try_get(1)?,
        household: HouseholdId(row.try_get(2)?),
        withheld: row.try_get(3)?,
        granted_at: instant(4)?,
        revoked_at: instant(5)?,
        removed_at: instant(9)?,
        first: instant(6)?,
        last: last.map(|(measured_at, received_at)| Observation { measured_at, received_at }),
    })
}
