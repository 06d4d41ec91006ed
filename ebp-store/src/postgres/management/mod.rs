//! Operations of researchers and administrators in the PostgreSQL store.
//!
//! Enters: the contract's changes. Leaves: the contract's bodies. Absent: the checks of a change,
//! which the stores share. Changes go one after another, with registrations and revocations.

mod change;
mod device;
mod edit;
mod health;
mod registration;
pub mod remove;
mod search;

use async_trait::async_trait;
use deadpool_postgres::Transaction;
use ebp_core::contract::{
    ChangeKind, HouseholdHealth, ManagedDevice, ManagedHousehold, Registered, Registration,
    RegistrationChange, RegistrationEntry,
};
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    PostgresStore,
    register::{self, one_at_a_time},
};
use crate::{
    DeviceCounts, Edit, EditOptions, Editor, HouseholdId, HouseholdPage, HouseholdQuery, ListPage,
    ListQuery, ManagementStore, StoreError,
};

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

    async fn search_households(&self, query: HouseholdQuery) -> Result<HouseholdPage, StoreError> {
        let client = self.client().await?;
        self.look_up(search::page(&client, &query)).await
    }

    async fn edit(
        &self,
        id: HouseholdId,
        edit: Edit,
        options: EditOptions,
    ) -> Result<Option<Uuid>, StoreError> {
        in_transaction!(self, tx, edit::edit(&tx, id, &edit, &options))
    }

    async fn note_registration(&self, id: HouseholdId, editor: Editor) -> Result<(), StoreError> {
        let noting = async |tx: &Transaction<'_>| {
            change::require_open(tx, id).await?;
            edit::note(tx, id, &editor, ChangeKind::Registered, &[]).await
        };
        in_transaction!(self, tx, noting(&tx))
    }

    async fn changes(
        &self,
        id: HouseholdId,
        query: ListQuery,
    ) -> Result<ListPage<RegistrationChange>, StoreError> {
        let client = self.client().await?;
        self.look_up(edit::list(&client, id, query)).await
    }

    async fn forget_labels(&self) -> Result<u64, StoreError> {
        let forgotten: Result<u64, StoreError> =
            in_transaction!(self, tx, edit::forget_labels(&tx));
        let forgotten = forgotten?;
        self.eraser.finish().await;
        Ok(forgotten)
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
