//! The operations on the fleet in the SQLite store.

use async_trait::async_trait;
use ebp_core::{
    contract::{Coverage, DeviceHistory, Silence},
    model::Incident,
};
use jiff::{Timestamp, civil::Date};
use rusqlite::{OptionalExtension, params};
use uuid::Uuid;

use super::{SqliteStore, device_past, fleet_list, incident, silence, value::Id};
use crate::{
    HouseholdId, StoreError,
    fleet::{Fleet, FleetQuery, FleetStore, STOPS_WITHIN_HOURS},
    rule::fleet::SurveyCycles,
};

#[async_trait]
impl FleetStore for SqliteStore {
    async fn fleet(
        &self,
        query: FleetQuery,
        cycles: SurveyCycles,
        at: Timestamp,
    ) -> Result<Fleet, StoreError> {
        self.readers.run(move |db| fleet_list::list(db, &query, cycles, at)).await
    }

    async fn coverage(
        &self,
        device: Uuid,
        from: Date,
        days: usize,
        cycles: SurveyCycles,
        at: Timestamp,
    ) -> Result<Coverage, StoreError> {
        self.readers.run(move |db| device_past::coverage(db, device, from, days, cycles, at)).await
    }

    async fn device_history(
        &self,
        device: Uuid,
        since: Timestamp,
    ) -> Result<DeviceHistory, StoreError> {
        self.readers.run(move |db| device_past::history(db, device, since)).await
    }

    async fn device_silence(
        &self,
        device: Uuid,
        cycles: SurveyCycles,
        at: Timestamp,
    ) -> Result<Silence, StoreError> {
        self.readers.run(move |db| silence::show(db, device, cycles, at)).await
    }

    async fn past_incidents(
        &self,
        household: HouseholdId,
        meter: Uuid,
    ) -> Result<Vec<Incident>, StoreError> {
        self.readers.run(move |db| incident::past(db, household, meter)).await
    }

    async fn told_hours(&self, device: Uuid) -> Result<u8, StoreError> {
        let sql = "SELECT told_hours FROM fleet_device WHERE device = ?1";
        self.readers
            .run(move |db| {
                let hours = db.query_row(sql, [Id(device)], |row| row.get(0)).optional()?;
                Ok(hours.unwrap_or(0))
            })
            .await
    }

    async fn note_told_hours(&self, device: Uuid, hours: u8) -> Result<(), StoreError> {
        let note = "UPDATE fleet_device SET told_hours = ?2, speaks_on = speaks_on OR ?2 >= ?3
                    WHERE device = ?1 AND consent = 2 AND told_hours < ?2";
        self.writer
            .run(move |tx| {
                tx.execute(note, params![Id(device), hours, STOPS_WITHIN_HOURS])?;
                Ok(())
            })
            .await
    }

    async fn end_silences(&self, cycles: SurveyCycles, at: Timestamp) -> Result<u64, StoreError> {
        let none = self.readers.run(move |db| silence::over(db, cycles, at)).await?.is_empty();
        if none {
            return Ok(0);
        }
        self.writer
            .run(move |tx| {
                let over = silence::over(tx, cycles, at)?;
                for device in &over {
                    tx.execute("DELETE FROM device_silence WHERE device = ?1", [Id(*device)])?;
                }
                Ok(u64::try_from(over.len()).unwrap_or(u64::MAX))
            })
            .await
    }
}
