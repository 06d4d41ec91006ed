//! What researchers and administrators ask of a store: registrations, changes, health, devices.
//!
//! Enters: the contract's changes. Leaves: the contract's bodies, of all households. Absent: who
//! may ask; the router says that.

use async_trait::async_trait;
use ebp_core::contract::{
    HouseholdChange, HouseholdHealth, ManagedDevice, ManagedHousehold, MeterChange, NewMeter,
    NewPvSystem, PvSystemChange, Registered, Registration, RegistrationEntry,
};
use jiff::Timestamp;
use uuid::Uuid;

use super::{HouseholdId, StoreError};
use crate::certificate::RegisterEntry;

/// A place in a list that is in the order of registration: behind the one registered then with
/// that identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListCursor {
    /// When it was registered, microseconds since the Unix epoch.
    pub registered_at: i64,
    /// Its identifier.
    pub uuid: Uuid,
}

impl ListCursor {
    /// A certificate's place: from when on it is valid, and its serial number.
    #[must_use]
    pub fn of_certificate(entry: &RegisterEntry) -> Self {
        Self {
            registered_at: entry.not_before.as_microsecond(),
            uuid: Uuid::from_bytes(*entry.serial.octets()),
        }
    }
}

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListQuery {
    /// Behind this place.
    pub after: Option<ListCursor>,
    /// So many at most; at least 1.
    pub limit: usize,
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListPage<T> {
    /// What is listed, in the order of registration.
    pub items: Vec<T>,
    /// Where the next part starts, if there is one.
    pub next: Option<ListCursor>,
}

/// How many devices there are in which state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DeviceCounts {
    /// Spoke since the given instant.
    pub active: u64,
    /// Spoke before it and not since.
    pub silent: u64,
    /// Never spoke.
    pub never: u64,
    /// Of a household that revoked its consent.
    pub revoked: u64,
}

/// What researchers and administrators ask of a store.
///
/// A withheld household is unknown to every method that researchers use. A household whose consent
/// is revoked cannot be changed: [`StoreError::ConsentRevoked`]. What is wrong with a change is
/// told in one [`StoreError::Registration`], all of it.
#[async_trait]
pub trait ManagementStore: Send + Sync {
    /// Takes in a household as [`Store::register`](super::Store::register) does, also where the
    /// participant has one at the same address.
    ///
    /// # Errors
    /// [`StoreError::Registration`] lists every fault of the registration.
    async fn register_further(
        &self,
        registration: Registration,
        at: Timestamp,
    ) -> Result<Registered, StoreError>;

    /// Whether a registration could be taken in now, as a `further` one or not; nothing is stored.
    ///
    /// # Errors
    /// As [`Store::register`](super::Store::register).
    async fn check_registration(
        &self,
        registration: Registration,
        further: bool,
    ) -> Result<(), StoreError>;

    /// Removes a household that was registered by mistake, with all that belongs to it. Its devices'
    /// certificates are revoked, and name no device then. The participant goes, too, unless they
    /// have another household. No byte of the removed values stays in the database's files.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is no such household; [`StoreError::InUse`] if anything was
    /// measured in it.
    async fn remove_household(
        &self,
        household: HouseholdId,
        at: Timestamp,
    ) -> Result<(), StoreError>;

    /// Registrations and consents, without withheld households.
    async fn registrations(
        &self,
        query: ListQuery,
    ) -> Result<ListPage<RegistrationEntry>, StoreError>;

    /// A registration with all that belongs to it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], also of a withheld household.
    async fn registration(&self, household: HouseholdId) -> Result<ManagedHousehold, StoreError>;

    /// Changes a household's members. With another e-mail address the participant gets another
    /// identifier, so that no certificate with the earlier one counts, wherever it was issued;
    /// those of their devices are revoked, and the devices' one-time tokens void.
    async fn change_household(
        &self,
        household: HouseholdId,
        change: HouseholdChange,
        at: Timestamp,
    ) -> Result<(), StoreError>;

    /// Adds a meter behind those there are.
    async fn add_meter(&self, household: HouseholdId, meter: NewMeter) -> Result<Uuid, StoreError>;

    /// Changes a meter.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the household has no such meter.
    async fn change_meter(
        &self,
        household: HouseholdId,
        meter: Uuid,
        change: MeterChange,
    ) -> Result<(), StoreError>;

    /// Adds a photovoltaic system behind those there are.
    async fn add_pv_system(
        &self,
        household: HouseholdId,
        system: NewPvSystem,
    ) -> Result<Uuid, StoreError>;

    /// Changes a photovoltaic system.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the household has no such system.
    async fn change_pv_system(
        &self,
        household: HouseholdId,
        system: Uuid,
        change: PvSystemChange,
    ) -> Result<(), StoreError>;

    /// Removes a meter that was registered by mistake, with its incidents.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the household has no such meter; [`StoreError::InUse`] if it has
    /// measurements or a photovoltaic system is connected to it.
    async fn remove_meter(&self, household: HouseholdId, meter: Uuid) -> Result<(), StoreError>;

    /// Removes a photovoltaic system that was registered by mistake.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the household has no such system; [`StoreError::InUse`] if its
    /// meter has measurements.
    async fn remove_pv_system(
        &self,
        household: HouseholdId,
        system: Uuid,
    ) -> Result<(), StoreError>;

    /// Says which meters of its household a device reads from now on, and no others.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is no such device, or its household has no such meter.
    async fn change_device(&self, device: Uuid, meters: Vec<Uuid>) -> Result<(), StoreError>;

    /// Removes a device that was added by mistake; no device reads its meters then.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is no such device; [`StoreError::InUse`] if it reads a
    /// meter that has measurements, or certificates were issued to it.
    async fn remove_device(&self, device: Uuid) -> Result<(), StoreError>;

    /// How the devices and meters of all households are, withheld ones included.
    async fn health(&self, query: ListQuery) -> Result<ListPage<HouseholdHealth>, StoreError>;

    /// Adds a device to a household; those meters are read by it from now on.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is no such household, or it has no such meter.
    async fn add_device(
        &self,
        household: HouseholdId,
        meters: Vec<Uuid>,
    ) -> Result<Uuid, StoreError>;

    /// All devices, in the order of their households' registration and then by identifier, which
    /// is what the cursor holds.
    async fn all_devices(&self, query: ListQuery) -> Result<ListPage<ManagedDevice>, StoreError>;

    /// One device.
    async fn managed_device(&self, device: Uuid) -> Result<ManagedDevice, StoreError>;

    /// How many devices are in which state.
    async fn device_counts(&self, active_since: Timestamp) -> Result<DeviceCounts, StoreError>;
}
