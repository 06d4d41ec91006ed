//! The operations of researchers and administrators: registrations, changes, health, devices.
//!
//! Enters: the contract's changes. Leaves: the contract's bodies, of all households. Absent:
//! authorization, which is the router's.

use async_trait::async_trait;
use ebp_core::contract::{
    HouseholdChange, HouseholdHealth, ManagedDevice, ManagedHousehold, MeterChange, NewMeter,
    NewPvSystem, PvSystemChange, Registered, Registration, RegistrationChange, RegistrationEntry,
};
use jiff::Timestamp;
use uuid::Uuid;

use super::{HouseholdId, StoreError};
use crate::{
    certificate::RegisterEntry,
    edit::{Edit, EditOptions, Editor, HouseholdVersion},
    search::{HouseholdPage, HouseholdQuery},
};

/// A cursor in a list ordered by registration: after the entry with that time and identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListCursor {
    /// When it was registered, microseconds since the Unix epoch.
    pub registered_at: i64,
    /// Its identifier.
    pub uuid: Uuid,
}

impl ListCursor {
    /// The cursor of a list of certificates: from when a certificate is valid, and its serial
    /// number.
    #[must_use]
    pub fn of_certificate(entry: &RegisterEntry) -> Self {
        Self {
            registered_at: entry.not_before.as_microsecond(),
            uuid: Uuid::from_bytes(*entry.serial.octets()),
        }
    }
}

/// The entries of two lists as one, in the order of a page, with their cursors. Of what both have the
/// first list's entry counts.
pub(crate) fn in_order(entries: Vec<RegisterEntry>) -> Vec<(ListCursor, RegisterEntry)> {
    let mut entries: Vec<_> =
        entries.into_iter().map(|entry| (ListCursor::of_certificate(&entry), entry)).collect();
    entries.sort_by_key(|(place, _)| (place.registered_at, place.uuid));
    entries.dedup_by_key(|(place, _)| *place);
    entries
}

/// Which page of a list is requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListQuery {
    /// After this cursor.
    pub after: Option<ListCursor>,
    /// The maximum number of items, at least 1.
    pub limit: usize,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListPage<T> {
    /// The items, in the order of registration.
    pub items: Vec<T>,
    /// The cursor of the next page, if there is one.
    pub next: Option<ListCursor>,
}

/// The number of devices in each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DeviceCounts {
    /// Reported since the given instant: sent measurements or its status.
    pub active: u64,
    /// Sent the last report before it.
    pub silent: u64,
    /// Never sent a report.
    pub never: u64,
    /// Of a household that revoked its consent.
    pub revoked: u64,
    /// Of the active ones, those whose clock is wrong: not synchronised, as they say.
    pub clock_wrong: u64,
}

/// What an addition has added.
fn added(added: Option<Uuid>) -> Result<Uuid, StoreError> {
    added.ok_or(StoreError::Damaged("addition"))
}

/// What researchers and administrators ask of a store.
///
/// To the methods for researchers a withheld household does not exist. A household whose consent is
/// revoked cannot be changed: [`StoreError::ConsentRevoked`]. All faults of a change are reported
/// in one [`StoreError::Registration`].
#[async_trait]
pub trait ManagementStore: Send + Sync {
    /// Registers a household as [`Store::register`](super::Store::register) does, even if the
    /// participant has one at the same address.
    ///
    /// # Errors
    /// Returns [`StoreError::Registration`], which lists every fault of the registration.
    async fn register_further(
        &self,
        registration: Registration,
        at: Timestamp,
    ) -> Result<Registered, StoreError>;

    /// Registers a household as [`Store::register`](super::Store::register) does, or as
    /// [`register_further`](Self::register_further), and writes that into its history, in one
    /// transaction.
    ///
    /// # Errors
    /// Returns the same errors as these.
    async fn register_noted(
        &self,
        registration: Registration,
        further: bool,
        editor: Editor,
    ) -> Result<Registered, StoreError>;

    /// Checks whether a registration would be accepted now, as a `further` one or not; nothing is
    /// stored.
    ///
    /// # Errors
    /// Returns the same errors as [`Store::register`](super::Store::register).
    async fn check_registration(
        &self,
        registration: Registration,
        further: bool,
    ) -> Result<(), StoreError>;

    /// Removes a household that was registered by mistake, with all that belongs to it. Its
    /// devices' certificates are revoked, and their entries name no device afterwards. The
    /// participant is deleted, too, unless they have another household. No byte of the removed
    /// values stays in the database's files. With `expected` it has to be one of these versions.
    ///
    /// # Errors
    /// Returns [`StoreError::NotFound`] if there is no such household; [`StoreError::InUse`] if
    /// anything was measured in it; [`StoreError::Changed`] if it is another version.
    async fn remove_version(
        &self,
        household: HouseholdId,
        expected: Option<Vec<HouseholdVersion>>,
        at: Timestamp,
    ) -> Result<(), StoreError>;

    /// The same, whatever version it is.
    #[doc(hidden)]
    async fn remove_household(
        &self,
        household: HouseholdId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.remove_version(household, None, at).await
    }

    /// Registrations and consents, without withheld households.
    async fn registrations(
        &self,
        query: ListQuery,
    ) -> Result<ListPage<RegistrationEntry>, StoreError>;

    /// A registration with all that belongs to it.
    ///
    /// # Errors
    /// Returns [`StoreError::NotFound`] if there is no such household, or if it is withheld.
    async fn registration(&self, household: HouseholdId) -> Result<ManagedHousehold, StoreError>;

    /// Households by a search, a state of consent, and in an order; without withheld ones, but for
    /// their number.
    ///
    /// # Errors
    /// Returns [`StoreError::Search`] if the search is too long, or the cursor is of another order.
    async fn search_households(&self, query: HouseholdQuery) -> Result<HouseholdPage, StoreError>;

    /// Makes a change of a registration if the household is a version that the caller has seen, and
    /// writes it into the household's history, all in one transaction. Returns the identifier of
    /// what was added. The methods for single changes below do the same without a history and
    /// whatever the version is.
    ///
    /// # Errors
    /// Returns [`StoreError::Changed`] if it is another version, and the errors of the method for
    /// that change.
    async fn edit(
        &self,
        household: HouseholdId,
        edit: Edit,
        options: EditOptions,
    ) -> Result<Option<Uuid>, StoreError>;

    /// The same, whatever version the household is, and without a history.
    #[doc(hidden)]
    async fn edit_unseen(
        &self,
        household: HouseholdId,
        edit: Edit,
    ) -> Result<Option<Uuid>, StoreError> {
        self.edit(household, edit, EditOptions::default()).await
    }

    /// A page of a household's history, oldest first. The cursor's instant is the number of the
    /// change. A household that revoked its consent has none.
    ///
    /// # Errors
    /// Returns [`StoreError::NotFound`] if there is no such household, or if it is withheld.
    async fn changes(
        &self,
        household: HouseholdId,
        query: ListQuery,
    ) -> Result<ListPage<RegistrationChange>, StoreError>;

    /// Deletes the initials in the histories of all households, as at the end of the survey. Returns
    /// how many there were.
    async fn forget_labels(&self) -> Result<u64, StoreError>;

    /// Changes a household's members. With another e-mail address the participant gets another
    /// identifier, so that no certificate with the earlier one is valid, wherever it was issued;
    /// those of their devices are revoked, and the devices' one-time tokens become invalid.
    async fn change_household(
        &self,
        household: HouseholdId,
        change: HouseholdChange,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.edit_unseen(household, Edit::Household(Box::new(change), at)).await.map(drop)
    }

    /// Appends a meter.
    async fn add_meter(&self, household: HouseholdId, meter: NewMeter) -> Result<Uuid, StoreError> {
        added(self.edit_unseen(household, Edit::AddMeter(meter)).await?)
    }

    /// Changes a meter.
    ///
    /// # Errors
    /// Returns [`StoreError::NotFound`] if the household has no such meter.
    async fn change_meter(
        &self,
        household: HouseholdId,
        meter: Uuid,
        change: MeterChange,
    ) -> Result<(), StoreError> {
        self.edit_unseen(household, Edit::ChangeMeter(meter, change)).await.map(drop)
    }

    /// Appends a photovoltaic system.
    async fn add_pv_system(
        &self,
        household: HouseholdId,
        system: NewPvSystem,
    ) -> Result<Uuid, StoreError> {
        added(self.edit_unseen(household, Edit::AddPvSystem(system)).await?)
    }

    /// Changes a photovoltaic system.
    ///
    /// # Errors
    /// Returns [`StoreError::NotFound`] if the household has no such system.
    async fn change_pv_system(
        &self,
        household: HouseholdId,
        system: Uuid,
        change: PvSystemChange,
    ) -> Result<(), StoreError> {
        self.edit_unseen(household, Edit::ChangePvSystem(system, change)).await.map(drop)
    }

    /// Removes a meter that was registered by mistake, with its incidents.
    ///
    /// # Errors
    /// Returns [`StoreError::NotFound`] if the household has no such meter; [`StoreError::InUse`]
    /// if it has measurements or a photovoltaic system is connected to it.
    async fn remove_meter(&self, household: HouseholdId, meter: Uuid) -> Result<(), StoreError> {
        self.edit_unseen(household, Edit::RemoveMeter(meter)).await.map(drop)
    }

    /// Removes a photovoltaic system that was registered by mistake.
    ///
    /// # Errors
    /// Returns [`StoreError::NotFound`] if the household has no such system; [`StoreError::InUse`]
    /// if its meter has measurements.
    async fn remove_pv_system(
        &self,
        household: HouseholdId,
        system: Uuid,
    ) -> Result<(), StoreError> {
        self.edit_unseen(household, Edit::RemovePvSystem(system)).await.map(drop)
    }

    /// The health of the devices and meters of all households, withheld ones included.
    async fn health(&self, query: ListQuery) -> Result<ListPage<HouseholdHealth>, StoreError>;

    /// Adds a device to a household; those meters are read by it from now on.
    ///
    /// # Errors
    /// Returns [`StoreError::NotFound`] if there is no such household, or it has no such meter.
    async fn add_device(
        &self,
        household: HouseholdId,
        meters: Vec<Uuid>,
    ) -> Result<Uuid, StoreError> {
        added(self.edit_unseen(household, Edit::AddDevice(meters)).await?)
    }

    /// All devices, in the order of their households' registration and then by identifier, as in
    /// the cursor.
    async fn all_devices(&self, query: ListQuery) -> Result<ListPage<ManagedDevice>, StoreError>;

    /// One device.
    async fn managed_device(&self, device: Uuid) -> Result<ManagedDevice, StoreError>;

    /// The number of devices in each state.
    async fn device_counts(&self, reported_since: Timestamp) -> Result<DeviceCounts, StoreError>;
}
