//! Operations of researchers and administrators in the PostgreSQL store.
//!
//! Enters: the contract's changes. Leaves: the contract's bodies. Absent: the checks of a change,
//! which the stores share. Changes go one after another, with registrations and revocations.

mod change;
mod device;
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

use super::{
    PostgresStore,
    register::{self, one_at_a_time},
};
use crate::{DeviceCounts, HouseholdId, ListPage, ListQuery, ManagementStore, StoreError};

/// Does `$work` in a transaction, after those that are under way and before further ones.
macro_rules! in_transaction {
    ($store:expr, $tx:ident, $work:expr) => {{
        let mut client = $store.client().await?;
        let work = async {
            let $tx = client.transaction().await?;
            one_at_a_time(&$tx).await?;
            let done = $work.await?;
            $tx.commit().await?;
            Ok(done)
        };
        $store.change(work).await
    }};
}

#[async_trait]
impl ManagementStore for PostgresStore {
    async fn register_further(
        &self,
        registration: Registration,
        at: Timestamp,
    ) -> Result<Registered, StoreError> {
        let mut client = self.client().await?;
        self.change(register::register(&mut client, &registration, true, at)).await
    }

    async fn check_registration(
        &self,
        registration: Registration,
        further: bool,
    ) -> Result<(), StoreError> {
        let client = self.client().await?;
        self.look_up(register::check(&client, &registration, further)).await
    }

    async fn remove_household(&self, id: HouseholdId, at: Timestamp) -> Result<(), StoreError> {
        let removed: Result<(), StoreError> =
            in_transaction!(self, tx, remove::household(&tx, id, at));
        removed?;
        self.eraser.finish().await;
        Ok(())
    }

    async fn registrations(
        &self,
        query: ListQuery,
    ) -> Result<ListPage<RegistrationEntry>, StoreError> {
        let client = self.client().await?;
        self.look_up(registration::list(&client, query)).await
    }

    async fn registration(&self, id: HouseholdId) -> Result<ManagedHousehold, StoreError> {
        let mut client = self.client().await?;
        self.look_up(registration::show(&mut client, id)).await
    }

    async fn change_household(
        &self,
        id: HouseholdId,
        change: HouseholdChange,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        in_transaction!(self, tx, change::household(&tx, id, &change, at))
    }

    async fn add_meter(&self, id: HouseholdId, meter: NewMeter) -> Result<Uuid, StoreError> {
        in_transaction!(self, tx, change::add_meter(&tx, id, &meter))
    }

    async fn change_meter(
        &self,
        id: HouseholdId,
        meter: Uuid,
        change: MeterChange,
    ) -> Result<(), StoreError> {
        in_transaction!(self, tx, change::meter(&tx, id, meter, &change))
    }

    async fn add_pv_system(
        &self,
        id: HouseholdId,
        system: NewPvSystem,
    ) -> Result<Uuid, StoreError> {
        in_transaction!(self, tx, change::add_pv_system(&tx, id, &system))
    }

    async fn change_pv_system(
        &self,
        id: HouseholdId,
        system: Uuid,
        change: PvSystemChange,
    ) -> Result<(), StoreError> {
        in_transaction!(self, tx, change::pv_system(&tx, id, system, &change))
    }

    async fn remove_meter(&self, id: HouseholdId, meter: Uuid) -> Result<(), StoreError> {
        in_transaction!(self, tx, remove::meter(&tx, id, meter))
    }

    async fn remove_pv_system(&self, id: HouseholdId, system: Uuid) -> Result<(), StoreError> {
        in_transaction!(self, tx, remove::pv_system(&tx, id, system))
    }

    async fn change_device(&self, device: Uuid, meters: Vec<Uuid>) -> Result<(), StoreError> {
        in_transaction!(self, tx, device::change(&tx, device, &meters))
    }

    async fn remove_device(&self, device: Uuid) -> Result<(), StoreError> {
        in_transaction!(self, tx, remove::device(&tx, device))
    }

    async fn health(&self, query: ListQuery) -> Result<ListPage<HouseholdHealth>, StoreError> {
        let mut client = self.client().await?;
        self.look_up(health::list(&mut client, query)).await
    }

    async fn add_device(&self, id: HouseholdId, meters: Vec<Uuid>) -> Result<Uuid, StoreError> {
        in_transaction!(self, tx, device::add(&tx, id, &meters))
    }

    async fn all_devices(&self, query: ListQuery) -> Result<ListPage<ManagedDevice>, StoreError> {
        let client = self.client().await?;
        self.look_up(device::list(&client, query)).await
    }

    async fn managed_device(&self, uuid: Uuid) -> Result<ManagedDevice, StoreError> {
        let client = self.client().await?;
        self.look_up(device::show(&client, uuid)).await
    }

    async fn device_counts(&self, active_since: Timestamp) -> Result<DeviceCounts, StoreError> {
        let client = self.client().await?;
        self.look_up(device::counts(&client, active_since)).await
    }
}
