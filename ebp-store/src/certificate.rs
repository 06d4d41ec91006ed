//! The register's entry of an issued certificate.

use ebp_core::scope::Scopes;
use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{error::StoreError, serial::Serial};

/// Whom a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CertificateKind {
    /// The Data API's server.
    Server,
    /// A participant or one of the devices.
    Client,
}

impl CertificateKind {
    /// The name as the register writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Server, Self::Client].into_iter().find(|kind| kind.name() == name)
    }
}

/// The register's entry of an issued certificate. It does not contain the participant's e-mail
/// address, which has to be deleted when consent is revoked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisterEntry {
    /// The serial number.
    pub serial: Serial,
    /// Whom it is for.
    pub kind: CertificateKind,
    /// The measurement device that holds it.
    pub device: Option<Uuid>,
    /// Its scopes; none for a server.
    #[serde(with = "scopes_as_text")]
    pub scopes: Scopes,
    /// Valid from.
    pub not_before: Timestamp,
    /// Valid until.
    pub not_after: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// For a participant's own certificate: a digest with which a holder of the participant's
    /// identifier can find it ([`RegisterEntry::is_held_by`]). Once the identifier is deleted it
    /// identifies nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// The name of the person who connects to devices by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub administrator: Option<String>,
}

impl RegisterEntry {
    /// The entry of a certificate that both the servers' list and the authority's register may have:
    /// it is revoked if either says so, and otherwise as servers know it.
    #[must_use]
    pub(crate) fn of_both(servers: Option<Self>, register: Option<Self>) -> Option<Self> {
        match (servers, register) {
            (Some(servers), Some(register)) => {
                Some(Self { revoked_at: servers.revoked_at.or(register.revoked_at), ..servers })
            }
            (servers, register) => servers.or(register),
        }
    }

    /// Whether it is that participant's own certificate. A device's is not.
    #[must_use]
    pub fn is_held_by(&self, participant: Uuid) -> bool {
        self.holder.as_deref() == Some(&*holder(&self.serial, participant))
    }
}

/// Scopes from their column.
pub(crate) fn scopes_of(text: &str) -> Result<Scopes, StoreError> {
    text.parse().map_err(|_| StoreError::Damaged("set of scopes"))
}

/// A digest of serial number and participant, both of which are random.
#[must_use]
pub fn holder(serial: &Serial, participant: Uuid) -> String {
    let mut octets = serial.octets().to_vec();
    octets.extend(participant.as_bytes());
    let digest = digest(&SHA256, &octets);
    digest.as_ref().iter().map(|octet| format!("{octet:02x}")).collect()
}

mod scopes_as_text {
    use ebp_core::scope::Scopes;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(scopes: &Scopes, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(scopes)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Scopes, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
