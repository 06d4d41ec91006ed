//! What all servers of a database know of the authority and of the groups: which certificates were
//! issued with the authority's key, and the hashes of the groups' secrets.
//!
//! Enters: the register's entries, hashes. Leaves: the same, whichever server is asked. Absent: keys,
//! which stay on disk; certificates that servers issued to devices, which
//! [`AccessStore`](crate::AccessStore) has.

use async_trait::async_trait;
use ebp_core::scope::Group;
use jiff::Timestamp;

use crate::{ListPage, ListQuery, StoreError, certificate::RegisterEntry, serial::Serial};

/// The authority's register and the groups' secrets, shared by all servers of a database.
#[async_trait]
pub trait AuthorityStore: Send + Sync {
    /// Adds the entries that the register lacks, and revokes those of its entries that are revoked
    /// here. What is revoked stays so. Doing so again changes nothing. Returns how many were added
    /// or revoked by this.
    async fn add_to_register(&self, entries: Vec<RegisterEntry>) -> Result<u64, StoreError>;

    /// An entry of the register.
    async fn registered(&self, serial: Serial) -> Result<Option<RegisterEntry>, StoreError>;

    /// A page of the register, oldest first. The cursor is as in
    /// [`AccessStore::certificates`](crate::AccessStore::certificates).
    async fn register_page(&self, query: ListQuery) -> Result<ListPage<RegisterEntry>, StoreError>;

    /// From when the youngest of the register's certificates is valid.
    async fn last_registered(&self) -> Result<Option<Timestamp>, StoreError>;

    /// The hash of a group's secret (a PHC string), if it has one.
    async fn group_hash(&self, group: Group) -> Result<Option<String>, StoreError>;

    /// Replaces the hash of a group's secret.
    async fn set_group_hash(&self, group: Group, hash: String) -> Result<(), StoreError>;

    /// Sets the hash of a group that has none. Whether it had none.
    async fn add_group_hash(&self, group: Group, hash: String) -> Result<bool, StoreError>;
}
