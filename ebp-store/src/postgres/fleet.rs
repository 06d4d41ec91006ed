//! The operations on the fleet in the PostgreSQL store.

use async_trait::async_trait;
use ebp_core::{
    contract::{Coverage, DeviceHistory, Silence},
    model::Incident,
};
use jiff::{Timestamp, civil::Date};
use uuid::Uuid;

use super::{PostgresStore, device_past, fleet_list, incident, silence};
use crate::{
    HouseholdId, StoreError,
    fleet::{Fleet, FleetQuery, FleetStore, STOPS_WITHIN_HOURS},
    rule::fleet::SurveyCycles,
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
        self.look_up(fleet_list::list(&mut client, &query, cycles, at)).await
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
        self.look_up(device_past::coverage(&client, device, from, days, cycles, at)).await
    }

    async fn device_history(
        &self,
        device: Uuid,
        since: Timestamp,
    ) -> Result<DeviceHistory, StoreError> {
        let client = self.client().await?;
        self.look_up(device_past::history(&client, device, since)).await
    }

    async fn device_silence(
        &self,
        device: Uuid,
        cycles: SurveyCycles,
        at: Timestamp,
    ) -> Result<Silence, StoreError> {
        let client = self.client().await?;
        self.look_up(silence::show(&client, device, cycles, at)).await
    }

    async fn past_incidents(
        &self,
        household: HouseholdId,
        meter: Uuid,
    ) -> Result<Vec<Incident>, StoreError> {
        let client = self.client().await?;
        self.look_up(incident::past(&client, household, meter)).await
    }

    async fn told_hours(&self, device: Uuid) -> Result<u8, StoreError> {
        let client = self.client().await?;
        let sql = "SELECT told_hours FROM fleet_device WHERE device = $1";
        let work = async {
            let row = client.query_opt(sql, &[&device]).await?;
            let hours: i16 = row.map_or(Ok(0), |row| row.try_get(0))?;
            u8::try_from(hours).map_err(|_| StoreError::Damaged("device"))
        };
        self.look_up(work).await
    }

    async fn note_told_hours(&self, device: Uuid, hours: u8) -> Result<(), StoreError> {
        let client = self.client().await?;
        let note = "UPDATE fleet_device SET told_hours = $2, speaks_on = speaks_on OR $2 >= $3
                    WHERE device = $1 AND consent = 2 AND told_hours < $2";
        let values = [hours, STOPS_WITHIN_HOURS].map(i16::from);
        let work =
            async { Ok(client.execute(note, &[&device, &values[0], &values[1]]).await.map(drop)?) };
        self.change(work).await
    }

    async fn end_silences(&self, cycles: SurveyCycles, at: Timestamp) -> Result<u64, StoreError> {
        let client = self.client().await?;
        let work = async {
            let over = silence::over(&client, cycles, at).await?;
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
