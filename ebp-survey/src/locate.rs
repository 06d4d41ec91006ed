//! Locating addresses and deleting the answers, for all operations on households.

use ebp_core::model::Address;
use ebp_store::StoreError;

use crate::{Survey, geocoding::Located};

impl Survey {
    /// Looks an address up; nothing if no way to find out is configured.
    pub(crate) async fn locate(&self, address: &Address) -> Option<Located> {
        let (geocoder, address) = (self.geocoder()?.clone(), address.clone());
        if let Err(error) = self.forget_ended().await {
            tracing::warn!(%error, "an address was not looked up");
            return None;
        }
        let (patience, turn) = (self.patience(), self.locating().clone().acquire_owned());
        // Each lookup takes a thread, also when the request was cancelled: no more than a few wait
        // for the service. Who finds all of them waiting goes without a location.
        let turn = tokio::time::timeout(patience, turn).await.ok()?.ok()?;
        let look_up = move || {
            let located = geocoder.locate(&address, patience);
            drop(turn);
            located
        };
        tokio::task::spawn_blocking(look_up).await.ok()
    }

    /// Makes the geocoder forget everything if another server has ended an address since: which one
    /// is not told, so that nothing of it stays in the database.
    ///
    /// # Errors
    /// If the store cannot be asked.
    pub async fn forget_ended(&self) -> Result<(), StoreError> {
        let Some(geocoder) = self.geocoder().cloned() else { return Ok(()) };
        let ended = self.store().ended_addresses().await?;
        let forget = move || {
            if geocoder.ended() != Some(ended) {
                geocoder.forget_all();
                geocoder.note_ended(ended);
            }
        };
        tokio::task::spawn_blocking(forget).await.map_err(|_| StoreError::Closed)
    }

    /// Makes the geocoder forget what it was answered for addresses that were looked up in vain.
    pub(crate) async fn forget(&self, addresses: Vec<Address>) {
        let Some(geocoder) = self.geocoder().filter(|_| !addresses.is_empty()).cloned() else {
            return;
        };
        // Files are waited for on another thread. If that fails what is left is sealed.
        let forget = move || addresses.iter().for_each(|address| geocoder.forget(address));
        let _ = tokio::task::spawn_blocking(forget).await;
    }

    /// Makes the geocoder forget what it was answered for addresses that this server has ended. If
    /// no other server ended one meanwhile, all else stays remembered.
    pub(crate) async fn forget_own(&self, addresses: Vec<Address>) {
        let Some(geocoder) = self.geocoder().filter(|_| !addresses.is_empty()).cloned() else {
            return;
        };
        let own = u64::try_from(addresses.len()).unwrap_or(u64::MAX);
        self.forget(addresses).await;
        match self.store().ended_addresses().await {
            Ok(ended) => {
                let note = move || {
                    if geocoder.ended().and_then(|before| before.checked_add(own)) == Some(ended) {
                        geocoder.note_ended(ended);
                    }
                };
                let _ = tokio::task::spawn_blocking(note).await;
            }
            Err(error) => {
                tracing::debug!(%error, "the geocoder forgets more than it has to");
            }
        }
    }
}
