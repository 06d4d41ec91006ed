//! The addresses that an import has looked up.

use std::sync::Arc;

use ebp_core::model::Address;
use tokio::runtime::Handle;

use crate::Survey;

/// The addresses that were looked up for households which are not registered yet. The geocoder
/// forgets them when this is dropped, unless the households were registered ([`Self::keep`]): an
/// import may be refused, cancelled or interrupted.
pub struct LookedUp {
    survey: Arc<Survey>,
    addresses: Vec<Address>,
}

impl LookedUp {
    pub(crate) const fn new(survey: Arc<Survey>) -> Self {
        Self { survey, addresses: Vec::new() }
    }

    /// Notes an address before it is looked up.
    pub(crate) fn add(&mut self, address: &Address) {
        self.addresses.push(address.clone());
    }

    /// The households are registered: what was answered stays as long as they do.
    pub fn keep(mut self) {
        self.addresses.clear();
    }

    /// Makes the geocoder forget them now.
    pub async fn forget(mut self) {
        self.survey.forget(std::mem::take(&mut self.addresses)).await;
    }
}

impl Drop for LookedUp {
    fn drop(&mut self) {
        let addresses = std::mem::take(&mut self.addresses);
        // Without a runtime the process is about to end; the next attempt looks them up again.
        if let (false, Ok(runtime)) = (addresses.is_empty(), Handle::try_current()) {
            let survey = self.survey.clone();
            runtime.spawn(async move { survey.forget(addresses).await });
        }
    }
}
