//! The list of what was revoked: its lines, and the same in a store.

use std::collections::{BTreeMap, HashSet};

use ebp_core::model::Address;
use ebp_store::{
    RegisterEntry, RevokedAgain, RevokedHousehold, Serial, Store, StoreError, WithdrawnPurpose,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What was revoked: consents, with the devices of those households, certificates, and what was
/// agreed to for further purposes.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Revocations(Vec<Revocation>);

/// One line of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
enum Revocation {
    Consent(RevokedHousehold),
    Device(RevokedDevice),
    Certificate(RevokedCertificate),
    Purpose(WithdrawnPurpose),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RevokedDevice {
    device: Uuid,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RevokedCertificate {
    certificate: RegisterEntry,
}

/// Their results.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Households that were revoked by this, with all that it removes.
    pub households: usize,
    /// Certificates that were revoked by this.
    pub certificates: usize,
    /// Further purposes that were withdrawn by this.
    pub purposes: usize,
    /// What was revoked there already.
    pub already: usize,
    /// Households that are not there: registered after the backup.
    pub unknown: usize,
    /// The addresses that were removed by this, so that whatever else remembers them forgets them.
    pub addresses: Vec<Address>,
}

/// A line that is none of ours.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("line {0} is not one that `ebp serve revocations list` prints")]
pub struct InvalidLine(pub usize);

impl Revocations {
    /// All that the store knows of.
    ///
    /// # Errors
    /// If it cannot be asked.
    pub async fn from_store(store: &dyn Store) -> Result<Self, StoreError> {
        let mut lines: Vec<Revocation> =
            store.revoked_households().await?.into_iter().map(Revocation::Consent).collect();
        let devices = store.revoked_devices().await?;
        lines
            .extend(devices.into_iter().map(|device| Revocation::Device(RevokedDevice { device })));
        let certificates = store.revoked_certificates().await?;
        lines.extend(
            certificates
                .into_iter()
                .map(|certificate| Revocation::Certificate(RevokedCertificate { certificate })),
        );
        lines.extend(store.withdrawn_purposes().await?.into_iter().map(Revocation::Purpose));
        Ok(Self(lines))
    }

    /// From lines of JSON.
    ///
    /// # Errors
    /// [`InvalidLine`].
    pub fn parse(text: &str) -> Result<Self, InvalidLine> {
        let line = |(index, line): (usize, &str)| {
            let line = Revocation::parse(line).filter(Revocation::is_valid);
            line.ok_or(InvalidLine(index + 1))
        };
        Ok(Self(text.lines().enumerate().map(line).collect::<Result<_, _>>()?))
    }

    /// As lines of JSON.
    ///
    /// # Errors
    /// If an instant is beyond the calendar.
    pub fn to_lines(&self) -> Result<String, serde_json::Error> {
        let lines = self.0.iter().map(|line| Ok(serde_json::to_string(line)? + "\n"));
        lines.collect()
    }

    /// These and those, each once, in an order that says nothing of when they were revoked. Of a
    /// household what either knows stays: the masked location, and how consent was withdrawn. Of a
    /// further purpose the last withdrawal stays.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let mut lines = BTreeMap::new();
        for line in self.0.into_iter().chain(other.0) {
            let key = line.key();
            let joined = match lines.remove(&key) {
                None => line,
                Some(known) => line.and(known),
            };
            lines.insert(key, joined);
        }
        Self(lines.into_values().collect())
    }

    /// Those of these that the others do not have, or do not tell as much of.
    #[must_use]
    pub fn without(self, others: &Self) -> Self {
        let others: BTreeMap<_, _> = others.0.iter().map(|line| (line.key(), line)).collect();
        let is_missing = |line: &Revocation| line.tells_more_than(others.get(&line.key()).copied());
        Self(self.0.into_iter().filter(is_missing).collect())
    }

    /// Whether nothing was revoked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Revokes the same in that store, where it is not yet. Doing so again changes nothing.
    ///
    /// # Errors
    /// If the store fails; what was done stays done.
    pub async fn apply(&self, store: &dyn Store) -> Result<Applied, StoreError> {
        let mut applied = Applied::default();
        // What only the authority's register knows as revoked is not on the lists of servers yet.
        let revoked: HashSet<Serial> =
            store.revoked_certificates().await?.iter().map(|entry| entry.serial).collect();
        // A household may be listed twice, withheld and masked: the masked location is used.
        let mut lines = self.clone().and(Self::default()).0;
        lines.sort_by_key(Revocation::rank);
        let mut purposes = Vec::new();
        for line in &lines {
            match line {
                Revocation::Consent(revoked) => match store.revoke_again(revoked).await? {
                    RevokedAgain::Revoked(address) => {
                        applied.households += 1;
                        applied.addresses.extend(address);
                    }
                    RevokedAgain::Masked => applied.households += 1,
                    RevokedAgain::Already => applied.already += 1,
                    RevokedAgain::Unknown => applied.unknown += 1,
                },
                Revocation::Device(RevokedDevice { device }) => {
                    store.remember_revoked_device(*device).await?
                }
                Revocation::Certificate(RevokedCertificate { certificate }) => {
                    if revoked.contains(&certificate.serial) {
                        applied.already += 1;
                        continue;
                    }
                    let mut certificate = certificate.clone();
                    let at = certificate.revoked_at.take().unwrap_or(certificate.not_after);
                    if let Some(device) = certificate.device
                        && matches!(
                            store.managed_device(device).await,
                            Err(StoreError::NotFound | StoreError::ConsentRevoked)
                        )
                    {
                        // Of a device that is not there, or whose household has just been revoked
                        // again; the certificate counts nevertheless.
                        certificate.device = None;
                    }
                    store.revoke_certificate(certificate, at).await?;
                    applied.certificates += 1;
                }
                Revocation::Purpose(purpose) => purposes.push(purpose.clone()),
            }
        }
        // Those of households that are not there, or have just been revoked again, concern nobody.
        applied.purposes = store.withdraw_again(&purposes).await?;
        Ok(applied)
    }
}

impl Revocation {
    /// One after another: what serde buffers to choose among kinds has no exact numbers.
    fn parse(line: &str) -> Option<Self> {
        serde_json::from_str(line)
            .map(Self::Consent)
            .or_else(|_| serde_json::from_str(line).map(Self::Device))
            .or_else(|_| serde_json::from_str(line).map(Self::Certificate))
            .or_else(|_| serde_json::from_str(line).map(Self::Purpose))
            .ok()
    }

    /// Households with a masked location first, then those without, then devices: one that the
    /// database has goes with its household.
    const fn rank(&self) -> u8 {
        match self {
            Self::Consent(RevokedHousehold { location: Some(_), .. }) => 0,
            Self::Consent(_) => 1,
            Self::Device(_) => 2,
            Self::Certificate(_) => 3,
            Self::Purpose(_) => 4,
        }
    }

    /// Whose revocation it is.
    fn key(&self) -> (u8, Vec<u8>) {
        match self {
            Self::Consent(household) => (0, household.household.as_bytes().to_vec()),
            Self::Device(device) => (1, device.device.as_bytes().to_vec()),
            Self::Certificate(revoked) => (2, revoked.certificate.serial.octets().to_vec()),
            Self::Purpose(withdrawn) => (3, withdrawn.purpose.as_bytes().to_vec()),
        }
    }

    /// Whether another line of the same key, if there is one, lacks data of this one.
    fn tells_more_than(&self, other: Option<&Self>) -> bool {
        match (self, other) {
            (_, None) => true,
            (Self::Consent(this), Some(Self::Consent(other))) => {
                this.location.is_some() && other.location.is_none()
                    || this.withdrawal.is_some() && other.withdrawal.is_none()
            }
            (Self::Purpose(this), Some(Self::Purpose(other))) => {
                this.withdrawn_at > other.withdrawn_at
            }
            _ => false,
        }
    }

    /// What this one and the one that was known before tell together, of the same key.
    fn and(self, known: Self) -> Self {
        match (self, known) {
            (Self::Consent(this), Self::Consent(known)) => Self::Consent(RevokedHousehold {
                location: known.location.or(this.location),
                withdrawal: known.withdrawal.or(this.withdrawal),
                ..known
            }),
            (this, known) if this.tells_more_than(Some(&known)) => this,
            (_, known) => known,
        }
    }

    /// A location is a masked one, and somewhere on the globe; a digest is one.
    fn is_valid(&self) -> bool {
        match self {
            Self::Consent(RevokedHousehold { location: Some(at), .. }) => {
                at.masked.is_some() && ebp_anon::Position::new(at.latitude, at.longitude).is_ok()
            }
            Self::Purpose(WithdrawnPurpose { purpose, .. }) => {
                let is_digit = |octet: u8| matches!(octet, b'0'..=b'9' | b'a'..=b'f');
                purpose.len() == 64 && purpose.bytes().all(is_digit)
            }
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_round_trip_and_others_are_named() {
        let household = "{\"household\":\"6e9d3c5c-6a0e-4a7e-8b43-0f9ae6d6a001\",\
             \"granted_at\":\"2026-01-01T00:00:00Z\",\"revoked_at\":\"2026-02-01T00:00:00Z\"";
        let at = "\"latitude\":50.1,\"longitude\":8.25";
        let text = format!(
            "{household}}}\n{household},\"location\":{{{at},\"masked\":{{\"nuts3\":\"DE714\"}}}}}}\n\
             {household},\"location\":{{{at},\"masked\":{{}}}}}}\n\
             {{\"device\":\"6e9d3c5c-6a0e-4a7e-8b43-0f9ae6d6a002\"}}\n"
        );
        let revocations = Revocations::parse(&text).unwrap();
        assert_eq!(revocations.to_lines().unwrap(), text);
        assert_eq!(Revocations::parse(&format!("{text}x")), Err(InvalidLine(5)));
        for wrong in [
            "{\"household\":\"x\"}".to_owned(),
            format!("{household},\"location\":{{{at}}}}}"),
            format!("{household},\"address\":\"here\"}}"),
            format!(
                "{household},\"location\":{{\"latitude\":91,\"longitude\":8,\"masked\":{{}}}}}}"
            ),
        ] {
            assert_eq!(Revocations::parse(&wrong), Err(InvalidLine(1)), "{wrong}");
        }
        assert_eq!(Revocations::parse(""), Ok(Revocations::default()));
    }

    #[test]
    fn lists_are_joined_by_what_tells_most() {
        let household = |number: u8, location: &str| {
            format!(
                "{{\"household\":\"6e9d3c5c-6a0e-4a7e-8b43-0f9ae6d6a00{number}\",\
                 \"granted_at\":\"2026-01-01T00:00:00Z\",\"revoked_at\":\"2026-02-01T00:00:00Z\"\
                 {location}}}\n"
            )
        };
        let masked = ",\"location\":{\"latitude\":50.1,\"longitude\":8.25,\"masked\":{}}";
        let device = "{\"device\":\"6e9d3c5c-6a0e-4a7e-8b43-0f9ae6d6a001\"}\n";
        let parse = |text: String| Revocations::parse(&text).unwrap();
        let one = parse(device.to_owned() + &household(2, "") + &household(1, masked));
        let other = parse(household(2, masked) + &household(1, "") + device);
        let joined = household(1, masked) + &household(2, masked) + device;
        assert_eq!(one.clone().and(other.clone()).to_lines().unwrap(), joined);
        assert_eq!(other.clone().and(one.clone()).to_lines().unwrap(), joined);
        let missing = one.clone().without(&other).to_lines().unwrap();
        assert_eq!(missing, household(1, masked));
        assert!(one.clone().without(&one).is_empty());
        assert_eq!(one.clone().without(&Revocations::default()), one);
    }
}
