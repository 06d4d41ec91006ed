//! `ebp ca list`: the certificates there are, and whose they are.

use std::collections::HashMap;

use ebp_store::{Database, HouseholdId, ListQuery, RegisterEntry, Store, StoreError};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    command::local_store::with_store,
    exit::CommandResult,
    output::{Format, list},
    stdout::print,
};

/// Entries that are asked for at once.
const PAGE: usize = 1_000;

/// A certificate as it is listed.
#[derive(Serialize)]
struct Listed {
    #[serde(flatten)]
    entry: RegisterEntry,
    /// Of a device, or of a participant with one household; absent where no database is at hand, or
    /// the household is not registered any more.
    household: Option<Uuid>,
}

const HEADER: [&str; 8] =
    ["serial", "kind", "household", "device", "administrator", "scopes", "not_after", "revoked_at"];

/// Prints them.
pub fn list(entries: Vec<RegisterEntry>, database: &Database, format: Format) -> CommandResult {
    let own = entries.iter().any(|entry| entry.holder.is_some());
    let owners = with_store(database, async |store| Owners::read(store, own).await)?;
    let owners = owners.unwrap_or_default();
    let listed: Vec<Listed> = entries
        .into_iter()
        .map(|entry| Listed {
            household: owners.household(&entry),
            entry: RegisterEntry { holder: None, ..entry },
        })
        .collect();
    print(list::list(format, HEADER, true, &listed, row)?)
}

fn row(Listed { entry, household }: &Listed) -> [String; 8] {
    let text = |uuid: Option<Uuid>| uuid.map(|uuid| uuid.to_string()).unwrap_or_default();
    [
        entry.serial.to_string(),
        entry.kind.name().to_owned(),
        text(*household),
        text(entry.device),
        entry.administrator.clone().unwrap_or_default(),
        entry.scopes.to_string(),
        entry.not_after.to_string(),
        entry.revoked_at.map(|at| at.to_string()).unwrap_or_default(),
    ]
}

/// The households of devices and participants.
#[derive(Default)]
struct Owners {
    devices: HashMap<Uuid, Uuid>,
    /// Participants with their households.
    participants: HashMap<Uuid, Vec<Uuid>>,
}

impl Owners {
    /// Reads them; participants only where they are asked for.
    async fn read(store: &dyn Store, with_participants: bool) -> Result<Self, StoreError> {
        let mut owners = Self::default();
        let mut query = ListQuery { after: None, limit: PAGE };
        loop {
            let page = store.all_devices(query).await?;
            owners.devices.extend(page.items.iter().map(|device| (device.uuid, device.household)));
            query.after = page.next;
            if query.after.is_none() {
                break;
            }
        }
        if !with_participants {
            return Ok(owners);
        }
        let mut query = ListQuery { after: None, limit: PAGE };
        loop {
            let page = store.registrations(query).await?;
            for entry in page.items.iter().filter(|entry| entry.participant.is_some()) {
                let household = match store.registration(HouseholdId(entry.uuid)).await {
                    // Removed or revoked meanwhile.
                    Err(StoreError::NotFound) => continue,
                    household => household?,
                };
                if let Some(participant) = household.participant_uuid {
                    owners.participants.entry(participant).or_default().push(entry.uuid);
                }
            }
            query.after = page.next;
            if query.after.is_none() {
                break;
            }
        }
        Ok(owners)
    }

    /// The household of a certificate; none where the participant has several.
    fn household(&self, entry: &RegisterEntry) -> Option<Uuid> {
        if let Some(device) = entry.device {
            return self.devices.get(&device).copied();
        }
        entry.holder.as_ref()?;
        let mut holders =
            self.participants.iter().filter(|(participant, _)| entry.is_held_by(**participant));
        match holders.next().map(|(_, households)| households.as_slice()) {
            Some([household]) => Some(*household),
            _ => None,
        }
    }
}
