//! Data that decide about access and are shared by all servers: one-time tokens of devices,
//! certificates that servers issued, wrong shared secrets.
//!
//! Enters: hashes, never a token or a secret itself. Leaves: the devices and certificates that they
//! belong to. Absent: cryptography.

use std::fmt;

use async_trait::async_trait;
use ebp_core::scope::Scopes;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{ListPage, ListQuery, StoreError};
use crate::{certificate::RegisterEntry, serial::Serial};

/// A SHA-256 digest.
pub type Digest = [u8; 32];

/// A new one-time token.
#[derive(Clone, PartialEq, Eq)]
pub struct Enrolment {
    /// The token's digest.
    pub token: Digest,
    /// The device that it enrolls.
    pub device: Uuid,
    /// The scopes of the device's certificate.
    pub scopes: Scopes,
    /// Until when it is valid.
    pub expires_at: Timestamp,
    /// The hash of the sign-in code that the device's page has once the token is used.
    pub sign_in_hash: Option<String>,
}

/// Does not show the hash of the sign-in code.
impl fmt::Debug for Enrolment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Enrolment")
            .field("device", &self.device)
            .field("scopes", &self.scopes)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
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
    /// The certificate's scopes.
    pub scopes: Scopes,
}

/// The credential with which a device requested a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The one-time token with that digest, which was redeemed for the same key.
    Enrolment(Digest),
    /// The certificate with that serial number.
    Renewal(Serial),
    /// The device's measuring certificate with that serial number, for one of another purpose.
    Sibling(Serial),
}

/// A certificate that a server has signed for a device and not handed out yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCertificate {
    /// Its entry in the register.
    pub entry: RegisterEntry,
    /// Its device.
    pub device: Uuid,
    /// Its public key's digest.
    pub key: Digest,
    /// The credential with which it was requested.
    pub origin: Origin,
}

/// The result of registering a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Issuance {
    /// It is registered, and may be handed out.
    Registered,
    /// The certificate or token with which it was requested has been revoked meanwhile.
    Ended,
    /// The device got another one recently: when it may request the next.
    TooEarly(Timestamp),
}

/// The minimum time between two renewals of a device.
pub const RENEWAL_PAUSE: SignedDuration = SignedDuration::from_hours(24);

/// A source whose wrong secrets are counted together: an address, or a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrySource {
    /// Its name.
    pub name: String,
    /// How many wrong secrets it may send.
    pub limits: TryLimits,
}

/// How sources of wrong secrets are slowed down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TryLimits {
    /// The number without a delay.
    pub free: u32,
    /// The delay after the last of them; it doubles with each further one.
    pub first_pause: SignedDuration,
    /// The longest delay.
    pub longest_pause: SignedDuration,
    /// After this time without a wrong secret the count is deleted.
    pub memory: SignedDuration,
}

impl TryLimits {
    /// The time from which the next attempt is checked, after `count` wrong ones, the last at
    /// `last`.
    #[must_use]
    pub fn next_at(&self, tries: u32, last: Timestamp) -> Timestamp {
        let Some(further) = tries.checked_sub(self.free) else { return Timestamp::MIN };
        let doubled = self.first_pause.checked_mul(1_i32.checked_shl(further).unwrap_or(0));
        // Beyond the range the longest delay applies.
        let pause = doubled
            .filter(|pause| further < 30 && *pause < self.longest_pause)
            .unwrap_or(self.longest_pause);
        last.checked_add(pause).unwrap_or(Timestamp::MAX)
    }
}

/// Data that decide about access and are shared by all servers of a database.
#[async_trait]
pub trait AccessStore: Send + Sync {
    /// Redeems a token for the public key with that digest, and for that of the device's page, if one
    /// is given. If the answer was lost, the request may be repeated with the same keys until the
    /// token expires, but not with others. From then on the device's page has the token's sign-in
    /// code.
    ///
    /// # Errors
    /// Returns [`StoreError::NotFound`] if there is no such token, it is used up or expired;
    /// [`StoreError::ConsentRevoked`].
    async fn redeem_enrolment(
        &self,
        token: Digest,
        key: Digest,
        frontend: Option<Digest>,
        at: Timestamp,
    ) -> Result<Enrolled, StoreError>;

    /// The hash of the sign-in code of a device's page.
    async fn sign_in_hash(&self, device: Uuid) -> Result<Option<String>, StoreError>;

    /// Deletes one-time tokens that are expired, used or not. Returns how many.
    async fn forget_expired_enrolments(&self, at: Timestamp) -> Result<u64, StoreError>;

    /// The identifier of the participant with that e-mail address. Case is ignored.
    ///
    /// # Errors
    /// Returns [`StoreError::NotFound`] if there is none.
    async fn participant(&self, email: &str) -> Result<Uuid, StoreError>;

    /// Registers a certificate that a server issued to a device, before the device receives it.
    ///
    /// A device renews once within [`RENEWAL_PAUSE`], or again for the same key, since the answer
    /// may be lost. For each set of scopes it has two valid ones: this one, and the one with which
    /// it was requested, or otherwise the newest; any other one that servers issued is revoked.
    ///
    /// # Errors
    /// Returns [`StoreError::NotFound`] if there is no such device,
    /// [`StoreError::ConsentRevoked`].
    async fn register_certificate(
        &self,
        certificate: NewCertificate,
        at: Timestamp,
    ) -> Result<Issuance, StoreError>;

    /// A client's certificate that a server issued or revoked, or that is in the authority's
    /// register. It is revoked if it is so anywhere.
    async fn certificate(&self, serial: Serial) -> Result<Option<RegisterEntry>, StoreError>;

    /// A page of a device's certificates, those in the authority's register included, oldest first. The cursor is the instant from which a
    /// certificate is valid, and its serial number.
    async fn certificates(
        &self,
        device: Uuid,
        query: ListQuery,
    ) -> Result<ListPage<RegisterEntry>, StoreError>;

    /// All that are revoked, by their serial numbers; of those in the authority's register the ones
    /// that were revoked by a call of this trait.
    async fn revoked_certificates(&self) -> Result<Vec<RegisterEntry>, StoreError>;

    /// Revokes a certificate, for good, in the authority's register, too; a client's that is not
    /// registered is registered as revoked. Revoking again changes nothing. Returns the entry.
    async fn revoke_certificate(
        &self,
        entry: RegisterEntry,
        at: Timestamp,
    ) -> Result<RegisterEntry, StoreError>;

    /// Counts an attempt at a shared secret from these sources, unless one of them is blocked: then
    /// it returns until when, and counts nothing. Two simultaneous attempts never both pass as the
    /// last one.
    async fn begin_try(
        &self,
        sources: &[TrySource],
        at: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError>;

    /// The attempt succeeded and is not counted.
    async fn forgive_try(&self, sources: &[TrySource]) -> Result<(), StoreError>;

    /// Deletes all counts, so that no source is blocked. Returns how many sources had one.
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
