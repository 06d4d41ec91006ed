//! What decides about access and has to be the same on every server: one-time tokens of devices,
//! certificates that servers issued, tries at the shared secrets.
//!
//! Enters: hashes, never a token or a secret itself. Leaves: what they stand for. Absent:
//! cryptography.

use async_trait::async_trait;
use ebp_core::scope::Scopes;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{ListPage, ListQuery, StoreError};
use crate::{certificate::RegisterEntry, serial::Serial};

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
    /// The participant's identifier.
    pub participant: Uuid,
    /// The participant's e-mail address.
    pub email: String,
    /// What the certificate permits.
    pub scopes: Scopes,
}

/// By what a device asked for a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// By the one-time token with that digest, which was redeemed for the same key.
    Enrolment(Digest),
    /// By the certificate with that serial number.
    Renewal(Serial),
}

/// A certificate that a server has signed for a device, and that nobody has yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCertificate {
    /// What is registered of it.
    pub entry: RegisterEntry,
    /// Its device.
    pub device: Uuid,
    /// Its public key's digest.
    pub key: Digest,
    /// By what it was asked for.
    pub origin: Origin,
}

/// What became of a certificate that was to be registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Issuance {
    /// It is registered, and may be handed out.
    Registered,
    /// The certificate or token that it was asked for by has been revoked meanwhile.
    Ended,
    /// The device was given another one not long ago: when it may ask again.
    TooEarly(Timestamp),
}

/// How long a device waits from one renewal to the next.
pub const RENEWAL_PAUSE: SignedDuration = SignedDuration::from_hours(24);

/// Whose tries at the shared secrets are counted together: an address, or a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrySource {
    /// Its name.
    pub name: String,
    /// How many it has.
    pub limits: TryLimits,
}

/// How failed tries at the shared secrets are slowed down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TryLimits {
    /// So many are free.
    pub free: u32,
    /// How long is waited after the last free one; after each further one it is twice as long.
    pub first_pause: SignedDuration,
    /// The longest pause.
    pub longest_pause: SignedDuration,
    /// After so long without a failed one all are forgotten.
    pub memory: SignedDuration,
}

impl TryLimits {
    /// From when on the next try is let through, after so many of which the last one was then.
    #[must_use]
    pub fn next_at(&self, tries: u32, last: Timestamp) -> Timestamp {
        let Some(further) = tries.checked_sub(self.free) else { return Timestamp::MIN };
        let doubled = self.first_pause.checked_mul(1_i32.checked_shl(further).unwrap_or(0));
        // Beyond the range it is the longest one.
        let pause = doubled
            .filter(|pause| further < 30 && *pause < self.longest_pause)
            .unwrap_or(self.longest_pause);
        last.checked_add(pause).unwrap_or(Timestamp::MAX)
    }
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

    /// The identifier of the participant with that e-mail address. The address counts without
    /// regard to case.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is none.
    async fn participant(&self, email: &str) -> Result<Uuid, StoreError>;

    /// Keeps a certificate that a server issued to a device, before the device has it.
    ///
    /// A device renews once within [`RENEWAL_PAUSE`], or again for the same key, since the answer
    /// may be lost. For each set of scopes it has two valid ones: with this one stays the one that
    /// it was asked for by, or else the youngest; any other one that servers issued is revoked.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is no such device, [`StoreError::ConsentRevoked`].
    async fn register_certificate(
        &self,
        certificate: NewCertificate,
        at: Timestamp,
    ) -> Result<Issuance, StoreError>;

    /// A certificate that a server issued or revoked.
    async fn certificate(&self, serial: Serial) -> Result<Option<RegisterEntry>, StoreError>;

    /// A part of those of a device, oldest first. A place in the list is the instant from which one
    /// is valid, and its serial number.
    async fn certificates(
        &self,
        device: Uuid,
        query: ListQuery,
    ) -> Result<ListPage<RegisterEntry>, StoreError>;

    /// All that are revoked, by their serial numbers.
    async fn revoked_certificates(&self) -> Result<Vec<RegisterEntry>, StoreError>;

    /// Revokes a certificate, for good; one that is not registered here is registered as revoked.
    /// Revoking again changes nothing. Returns what is kept then.
    async fn revoke_certificate(
        &self,
        entry: RegisterEntry,
        at: Timestamp,
    ) -> Result<RegisterEntry, StoreError>;

    /// Revokes every certificate of a device, those that are `known` elsewhere included, and voids
    /// its one-time tokens: none that is asked for by one of them is registered any more. Returns
    /// how many were revoked by this.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is no such device.
    async fn revoke_device(
        &self,
        device: Uuid,
        known: Vec<RegisterEntry>,
        at: Timestamp,
    ) -> Result<u64, StoreError>;

    /// Counts a try at a shared secret from these sources, unless one of them has to wait: then it
    /// returns until when, and counts nothing. Two at the same time never both pass as the last
    /// one.
    async fn begin_try(
        &self,
        sources: &[TrySource],
        at: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError>;

    /// The try succeeded and does not count.
    async fn forgive_try(&self, sources: &[TrySource]) -> Result<(), StoreError>;

    /// Forgets all failed tries, so that nobody has to wait. Returns of how many sources there were
    /// some.
    async fn forget_tries(&self) -> Result<u64, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let limits = TryLimits {
            free: 3,
            first_pause: SignedDuration::from_secs(2),
            longest_pause: SignedDuration::from_secs(60),
            memory: SignedDuration::from_hours(1),
        };
        let last = Timestamp::UNIX_EPOCH;
        let pause = |tries| limits.next_at(tries, last).as_second();
        assert!((0..3).all(|tries| limits.next_at(tries, last) == Timestamp::MIN));
        assert_eq!([3, 4, 5, 6, 7, 8, 9].map(pause), [2, 4, 8, 16, 32, 60, 60]);
        assert_eq!([40, 1000, u32::MAX].map(pause), [60, 60, 60]);
    }
}
