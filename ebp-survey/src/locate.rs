//! Locating addresses and deleting the answers, for all operations on households.

use ebp_core::model::Address;

use crate::{Survey, geocoding::Located};

impl Survey {
    /// Looks an address up; nothing if no way to find out is configured.
    pub(crate) async fn locate(&self, address: &Address) -> Option<Located> {
        let (geocoder, address) = (self.geocoder()?.clone(), address.clone());
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

    /// Makes the geocoder forget what it was answered for addresses that have ended.
    pub(crate) async fn forget(&self, addresses: Vec<Address>) {
        let Some(geocoder) = self.geocoder().filter(|_| !addresses.is_empty()).cloned() else {
            return;
        };
        // Files are waited for on another thread. If that fails what is left is sealed.
        let forget = move || addresses.iter().for_each(|address| geocoder.forget(address));
        let _ = tokio::task::spawn_blocking(forget).await;
    }
}

/// Logs why an address was not looked up.
pub fn log_trouble(located: &Option<Located>) {
    if let Some(error) = located.as_ref().and_then(|located| located.trouble.as_ref()) {
        tracing::warn!(%error, "an address was not looked up");
    }
}
