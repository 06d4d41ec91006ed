//! Operations of researchers and administrators in the SQLite store.
//!
//! Enters: changes and places in lists. Leaves: the contract's bodies, of all households. Absent:
//! who may ask.

mod change;
pub mod device;
mod device_edit;
pub mod edit;
mod health;
mod registration;
pub mod remove;
mod search;

use async_trait::async_trait;
use ebp_core::contract::{
    ChangeKind, HouseholdHealth, ManagedDevice, ManagedHousehold, Registered, Registration,
    RegistrationChange, RegistrationEntry,
};
use jiff::Timestamp;
use uuid::Uuid;

use super::{SqliteStore, register};
use crate::{
    DeviceCounts, Edit, EditOptions, Editor, HouseholdId, HouseholdPage, HouseholdQuery,
    HouseholdVersion, ListPage, ListQuery, ManagementStore, StoreError,
};

#[async_trait]
impl ManagementStore for SqliteStore {
    async fn register_further(
        &self,
        registration: Registration,
        at: Timestamp,
    ) -> Result<Registered, StoreError> {
        self.writer.run(move |tx| register::register(tx, &registration, true, at)).await
    }

    async fn register_noted(
        &self,
        registration: Registration,
        further: bool,
        editor: Editor,
    ) -> Result<Registered, StoreError> {
        self.writer
            .run(move |tx| {
                let registered = register::register(tx, &registration, further, editor.at)?;
                let household = HouseholdId(registered.household);
                edit::note(tx, household, &editor, ChangeKind::Registered, &[])?;
                Ok(registered)
            })
            .await
    }

    async fn check_registration(
        &self,
        registration: Registration,
        further: bool,
    ) -> Result<(), StoreError> {
        self.readers.run(move |db| register::check(db, &registration, further)).await
    }

    async fn remove_version(
        &self,
        id: HouseholdId,
        expected: Option<Vec<HouseholdVersion>>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let options = EditOptions { editor: None, expected };
        self.writer
            .run_and_erase(move |tx| {
                if options.expected.is_some() {
                    change::require_open(tx, id)?;
                    options.check(&registration::show(tx, id)?)?;
                }
                remove::household(tx, id, at)
            })
            .await
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

    async fn search_households(&self, query: HouseholdQuery) -> Result<HouseholdPage, StoreError> {
        self.readers.run(move |db| search::page(db, &query)).await
    }

    async fn edit(
        &self,
        id: HouseholdId,
        edit: Edit,
        options: EditOptions,
    ) -> Result<Option<Uuid>, StoreError> {
        self.writer.run(move |tx| edit::edit(tx, id, &edit, &options)).await
    }

    async fn changes(
        &self,
        id: HouseholdId,
        query: ListQuery,
    ) -> Result<ListPage<RegistrationChange>, StoreError> {
        self.readers.run(move |db| edit::list(db, id, query)).await
    }

    async fn forget_labels(&self) -> Result<u64, StoreError> {
        self.writer.run_and_erase(edit::forget_labels).await
    }

    async fn health(&self, query: ListQuery) -> Result<ListPage<HouseholdHealth>, StoreError> {
        self.readers.run(move |db| health::list(db, query)).await
    }

    async fn all_devices(&self, query: ListQuery) -> Result<ListPage<ManagedDevice>, StoreError> {
        self.readers.run(move |db| device::list(db, query)).await
    }

    async fn managed_device(&self, uuid: Uuid) -> Result<ManagedDevice, StoreError> {
        self.readers.run(move |db| device::show(db, uuid)).await
    }

    async fn device_counts(&self, reported_since: Timestamp) -> Result<DeviceCounts, StoreError> {
        self.readers.run(move |db| device::counts(db, reported_since)).await
    }
}
