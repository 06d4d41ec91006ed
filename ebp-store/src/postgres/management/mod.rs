//! Operations of researchers and administrators in the PostgreSQL store.
//!
//! Enters: the contract's changes. Leaves: the contract's bodies. Absent: the checks of a change,
//! which the stores share. Changes go one after another, with registrations and revocations.

mod change;
mod device;
mod device_edit;
pub mod edit;
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
    DeviceCounts, Edit, EditOptions, Editor, HouseholdId, HouseholdPage, HouseholdQuery,
    HouseholdVersion, ListPage, ListQuery, ManagementStore, StoreError,
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

    async fn register_noted(
        &self,
        registration: Registration,
        further: bool,
        editor: Editor,
    ) -> Result<Registered, StoreError> {
        let registering = async |tx: &Transaction<'_>| {
            let registered = register::register_in(tx, &registration, further, editor.at).await?;
            let household = HouseholdId(registered.household);
            edit::note(tx, household, &editor, ChangeKind::Registered, &[]).await?;
            Ok::<_, StoreError>(registered)
        };
        in_transaction!(self, tx, registering(&tx))
    }

    async fn check_registration(
        &self,
        registration: Registration,
        further: bool,
    ) -> Result<(), StoreError> {
        let client = self.client().await?;
        self.look_up(register::check(&client, &registration, further)).await
    }

    async fn remove_version(
        &self,
        id: HouseholdId,
        expected: Option<Vec<HouseholdVersion>>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let options = EditOptions { editor: None, expected };
        let removing = async |tx: &Transaction<'_>| {
            if options.expected.is_some() {
                change::require_open(tx, id).await?;
                options.check(&registration::shown(tx, id).await?)?;
            }
            remove::household(tx, id, at).await
        };
        let removed: Result<(), StoreError> = in_transaction!(self, tx, removing(&tx));
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

    async fn device_counts(&self, reported_since: Timestamp) -> Result<DeviceCounts, StoreError> {
        let client = self.client().await?;
        self.look_up(device::counts(&client, reported_since)).await
    }
}
