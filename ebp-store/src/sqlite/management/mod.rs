//! Operations of researchers and administrators in the SQLite store.
//!
//! Enters: changes and places in lists. Leaves: the contract's bodies, of all households. Absent:
//! who may ask.

mod change;
pub mod device;
mod health;
mod registration;
pub mod remove;

use async_trait::async_trait;
use ebp_core::contract::{
    HouseholdChange, HouseholdHealth, ManagedDevice, ManagedHousehold, MeterChange, NewMeter,
    NewPvSystem, PvSystemChange, Registered, Registration, RegistrationEntry,
};
use jiff::Timestamp;
use uuid::Uuid;

use super::{SqliteStore, register};
use crate::{DeviceCounts, HouseholdId, ListPage, ListQuery, ManagementStore, StoreError};

#[async_trait]
impl ManagementStore for SqliteStore {
    async fn register_further(
        &self,
        registration: Registration,
        at: Timestamp,
    ) -> Result<Registered, StoreError> {
        self.writer.run(move |tx| register::register(tx, &registration, true, at)).await
    }

    async fn check_registration(
        &self,
        registration: Registration,
        further: bool,
    ) -> Result<(), StoreError> {
        self.readers.run(move |db| register::check(db, &registration, further)).await
    }

    async fn remove_household(&self, id: HouseholdId, at: Timestamp) -> Result<(), StoreError> {
        self.writer.run_and_erase(move |tx| remove::household(tx, id, at)).await
    }

    async fn registrations(
        &self,
        query: ListQuery,
    ) -> Result<ListPage<RegistrationEntry>, StoreError> {
        self.readers.run(move |db| registration::list(db, query)).await
    }

    async fn registration(&self, id: HouseholdId) -> Result<ManagedHousehold, StoreError> {
        self.readers.run(move |db| registration::show(db, id)).await
    }

    async fn change_household(
        &self,
        id: HouseholdId,
        change: HouseholdChange,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.writer.run(move |tx| change::household(tx, id, &change, at)).await
    }

    async fn add_meter(&self, id: HouseholdId, meter: NewMeter) -> Result<Uuid, StoreError> {
        self.writer.run(move |tx| change::add_meter(tx, id, &meter)).await
    }

    async fn change_meter(
        &self,
        id: HouseholdId,
        meter: Uuid,
        change: MeterChange,
    ) -> Result<(), StoreError> {
        self.writer.run(move |tx| change::meter(tx, id, meter, &change)).await
    }

    async fn add_pv_system(
        &self,
        id: HouseholdId,
        system: NewPvSystem,
    ) -> Result<Uuid, StoreError> {
        self.writer.run(move |tx| change::add_pv_system(tx, id, &system)).await
    }

    async fn change_pv_system(
        &self,
        id: HouseholdId,
        system: Uuid,
        change: PvSystemChange,
    ) -> Result<(), StoreError> {
        self.writer.run(move |tx| change::pv_system(tx, id, system, &change)).await
    }

    async fn remove_meter(&self, id: HouseholdId, meter: Uuid) -> Result<(), StoreError> {
        self.writer.run(move |tx| remove::meter(tx, id, meter)).await
    }

    async fn remove_pv_system(&self, id: HouseholdId, system: Uuid) -> Result<(), StoreError> {
        self.writer.run(move |tx| remove::pv_system(tx, id, system)).await
    }

    async fn change_device(&self, device: Uuid, meters: Vec<Uuid>) -> Result<(), StoreError> {
        self.writer.run(move |tx| device::change(tx, device, &meters)).await
    }

    async fn remove_device(&self, device: Uuid) -> Result<(), StoreError> {
        self.writer.run(move |tx| remove::device(tx, device)).await
    }

    async fn health(&self, query: ListQuery) -> Result<ListPage<HouseholdHealth>, StoreError> {
        self.readers.run(move |db| health::list(db, query)).await
    }

    async fn add_device(&self, id: HouseholdId, meters: Vec<Uuid>) -> Result<Uuid, StoreError> {
        self.writer.run(move |tx| device::add(tx, id, &meters)).await
    }

    async fn all_devices(&self, query: ListQuery) -> Result<ListPage<ManagedDevice>, StoreError> {
        self.readers.run(move |db| device::list(db, query)).await
    }

    async fn managed_device(&self, uuid: Uuid) -> Result<ManagedDevice, StoreError> {
        self.readers.run(move |db| device::show(db, uuid)).await
    }

    async fn device_counts(&self, active_since: Timestamp) -> Result<DeviceCounts, StoreError> {
        self.readers.run(move |db| device::counts(db, active_since)).await
    }
}
