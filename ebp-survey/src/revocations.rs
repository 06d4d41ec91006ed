//! The list of revocations, so that a restored backup does not undo them.
//!
//! Enters: a store that knows what was revoked, or the lines of one. Leaves: lines, or a store in
//! which the same is revoked. Absent: names, true locations, and what households were called
//! before: the lines say no more than everybody sees, and may be kept longer than backups.
//!
//! A backup contains what participants had deleted since it was taken. So restoring one requires to
//! revoke the same again before it is served, with the same identifiers and masked locations. The
//! backup knows which household gets which identifier.

mod kept;
mod list;

use ebp_store::{ListQuery, RegisterEntry, Store, StoreError};
use uuid::Uuid;

pub use kept::{KeptRevocations, KeptRevocationsError};
pub use list::{Applied, InvalidLine, Revocations};

/// So many of a list at once.
const PAGE: usize = 500;

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
            add_certificates(store, device.uuid, &mut entries).await?;
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => break,
        }
    }
    // Devices of households that revoked their consent are no household's any more.
    for device in store.revoked_devices().await? {
        add_certificates(store, device, &mut entries).await?;
    }
    Ok(entries)
}

async fn add_certificates(
    store: &dyn Store,
    device: Uuid,
    entries: &mut Vec<RegisterEntry>,
) -> Result<(), StoreError> {
    let mut query = ListQuery { after: None, limit: PAGE };
    loop {
        let page = store.certificates(device, query).await?;
        entries.extend(page.items);
        match page.next {
            Some(next) => query.after = Some(next),
            None => return Ok(()),
        }
    }
}
