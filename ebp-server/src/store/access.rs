//! What decides about access and has to be the same on every server: one-time tokens of devices,
//! certificates that servers issued, tries at the shared secrets.
//!
//! Enters: hashes, never a token or a secret itself. Leaves: what they stand for. Absent:
//! cryptography.

use async_trait::async_trait;
use ebp_core::scope::Scopes;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::StoreError;
use crate::authority::{RegisterEntry, Serial};

/// A SHA-256 digest.
pub type Digest = [u8; 32];

/// A one-time token that is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolment {
    /// The token's digest.
    pub token: Digest,
    /// The device that it enrolls.
    pub device: Uuid,
    /// What the device's certificate will permit.
    pub scopes: Scopes,
    /// Until when it is good.
    pub expires_at: Timestamp,
}

/// Whom a certificate is to be issued for.
#[derive(Clone, PartialEq, Eq)]
pub struct Enrolled {
    /// The device.
    pub device: Uuid,
    /// The participant's e-mail address.
    pub email: String,
    /// What the certificate permits.
    pub scopes: Scopes,
}

/// How many failed tries at the shared secrets there may be within a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TryLimits {
    /// From one source.
    pub per_source: u32,
    /// From all of them.
    pub in_all: u32,
    /// Within so long from the first of them.
    pub window: SignedDuration,
}

/// What decides about access and is shared by all servers of a database.
#[async_trait]
pub trait AccessStore: Send + Sync {
    /// Keeps a one-time token. An earlier one of the same device that was not used is void.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is no such device, [`StoreError::ConsentRevoked`].
    async fn create_enrolment(&self, enrolment: Enrolment) -> Result<(), StoreError>;

    /// Uses a token up, for the public key with that digest: whoever lost the answer may ask again
    /// with the same key until the token expires, and nobody with another.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is no such token, it is used up or expired;
    /// [`StoreError::ConsentRevoked`].
    async fn redeem_enrolment(
        &self,
        token: Digest,
        key: Digest,
        at: Timestamp,
    ) -> Result<Enrolled, StoreError>;

    /// Keeps a certificate that a server issued, before its holder has it.
    async fn register_certificate(&self, entry: RegisterEntry) -> Result<(), StoreError>;

    /// A certificate that a server issued or revoked.
    async fn certificate(&self, serial: Serial) -> Result<Option<RegisterEntry>, StoreError>;

    /// Those of a device, oldest first.
    async fn certificates(&self, device: Uuid) -> Result<Vec<RegisterEntry>, StoreError>;

    /// Revokes a certificate, for good; one that is not registered here is registered as revoked.
    /// Revoking again changes nothing. Returns what is kept then.
    async fn revoke_certificate(
        &self,
        entry: RegisterEntry,
        at: Timestamp,
    ) -> Result<RegisterEntry, StoreError>;

    /// Counts a try at a shared secret from that source, unless there were too many: then it
    /// returns until when no further one is let through. Two at the same time never both pass as
    /// the last one.
    async fn begin_try(
        &self,
        source: &str,
        limits: TryLimits,
        at: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError>;

    /// The try succeeded and does not count.
    async fn forgive_try(&self, source: &str) -> Result<(), StoreError>;
}
