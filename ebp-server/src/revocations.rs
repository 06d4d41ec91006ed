//! What was revoked, so that a backup that is put back does not bring it to life again.
//!
//! Enters: a store that knows what was revoked, or the lines that one told. Leaves: lines, or a
//! store in which the same is revoked. Absent: names; the lines hold identifiers and instants, and
//! may be kept beside backups, and longer than they.
//!
//! A backup holds what participants had removed since it was taken. So whoever puts one back revokes
//! the same again before it is served.

use ebp_core::model::ConsentState;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    authority::RegisterEntry,
    store::{HouseholdId, ListQuery, Store, StoreError},
};

/// So many of a list at once.
const PAGE: usize = 500;

/// What was revoked: consents and certificates.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Revocations(Vec<Revocation>);

/// One line of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Revocation {
    Consent { household: Uuid, granted_at: Timestamp, revoked_at: Timestamp },
    Certificate { certificate: RegisterEntry },
}

/// What became of them.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Applied {
    /// Households that were revoked by this, with all that it removes.
    pub households: usize,
    /// Certificates that were revoked by this.
    pub certificates: usize,
    /// What was revoked there already.
    pub already: usize,
    /// Households that are not there: registered after the backup.
    pub unknown: usize,
}

/// A line that is none of ours.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("line {0} is not one that `ebp serve revocations list` prints")]
pub struct InvalidLine(pub usize);

impl Revocations {
    /// All that the store knows of.
    ///
    /// # Errors
    /// If it cannot be asked.
    pub async fn of(store: &dyn Store) -> Result<Self, StoreError> {
        let mut lines = Vec::new();
        let mut query = ListQuery { after: None, limit: PAGE };
        loop {
            let page = store.health(query).await?;
            for household in page.items {
                if household.consent != ConsentState::Revoked {
                    continue;
                }
                let consent = store.consent(HouseholdId(household.uuid)).await?;
                if let (Some(granted_at), Some(revoked_at)) =
                    (consent.granted_at, consent.revoked_at)
                {
                    let household = household.uuid;
                    lines.push(Revocation::Consent { household, granted_at, revoked_at });
                }
            }
            match page.next {
                Some(next) => query.after = Some(next),
                None => break,
            }
        }
        for certificate in issued(store).await? {
            if certificate.revoked_at.is_some() {
                lines.push(Revocation::Certificate { certificate });
            }
        }
        Ok(Self(lines))
    }

    /// From lines of JSON.
    ///
    /// # Errors
    /// [`InvalidLine`].
    pub fn parse(text: &str) -> Result<Self, InvalidLine> {
        let line = |(index, line): (usize, &str)| {
            serde_json::from_str(line).map_err(|_| InvalidLine(index + 1))
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

    /// These and those.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Revokes the same in that store, where it is not yet. Doing so again changes nothing.
    ///
    /// # Errors
    /// If the store fails; what was done stays done.
    pub async fn apply(&self, store: &dyn Store) -> Result<Applied, StoreError> {
        let mut applied = Applied::default();
        for line in &self.0 {
            match line {
                Revocation::Consent { household, granted_at, revoked_at } => {
                    let id = HouseholdId(*household);
                    // Granted after the backup: what it has of the household goes all the same.
                    match store.grant_consent(id, *granted_at).await {
                        Ok(_)
                        | Err(
                            StoreError::ConsentAlreadyGranted
                            | StoreError::ConsentRevoked
                            | StoreError::NotFound,
                        ) => {}
                        Err(error) => return Err(error),
                    }
                    match store.revoke_consent(id, *revoked_at).await {
                        Ok(_) => applied.households += 1,
                        Err(StoreError::ConsentRevoked) => applied.already += 1,
                        Err(StoreError::NotFound) => applied.unknown += 1,
                        Err(error) => return Err(error),
                    }
                }
                Revocation::Certificate { certificate } => {
                    let known = store.certificate(certificate.serial).await?;
                    if known.is_some_and(|known| known.revoked_at.is_some()) {
                        applied.already += 1;
                        continue;
                    }
                    let mut certificate = certificate.clone();
                    let at = certificate.revoked_at.take().unwrap_or(certificate.not_after);
                    if let Some(device) = certificate.device
                        && matches!(store.managed_device(device).await, Err(StoreError::NotFound))
                    {
                        // Of a device that is not there; the certificate counts all the same.
                        certificate.device = None;
                    }
                    store.revoke_certificate(certificate, at).await?;
                    applied.certificates += 1;
                }
            }
        }
        Ok(applied)
    }
}

/// Every certificate of a device that servers issued or revoked.
///
/// # Errors
/// If the store cannot be asked.
pub async fn issued(store: &dyn Store) -> Result<Vec<RegisterEntry>, StoreError> {
    let mut entries = Vec::new();
    let mut query = ListQuery { after: None, limit: PAGE };
    loop {
        let page = store.all_devices(query).await?;
        for device in page.items {
            let mut of_device = ListQuery { after: None, limit: PAGE };
            loop {
                let page = store.certificates(device.uuid, of_device).await?;
                entries.extend(page.items);
                of_device.after = page.next;
                if of_device.after.is_none() {
                    break;
                }
            }
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => return Ok(entries),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_round_trip_and_others_are_named() {
        let text = "{\"household\":\"6e9d3c5c-6a0e-4a7e-8b43-0f9ae6d6a001\",\
             \"granted_at\":\"2026-01-01T00:00:00Z\",\"revoked_at\":\"2026-02-01T00:00:00Z\"}\n";
        let revocations = Revocations::parse(text).unwrap();
        assert_eq!(revocations.to_lines().unwrap(), text);
        assert_eq!(Revocations::parse(&format!("{text}x")), Err(InvalidLine(2)));
        assert_eq!(Revocations::parse("{\"household\":\"x\"}"), Err(InvalidLine(1)));
        assert_eq!(Revocations::parse(""), Ok(Revocations::default()));
    }
}
