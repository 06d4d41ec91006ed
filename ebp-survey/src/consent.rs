//! Consent: granted once, revoked once, for good.

use std::sync::Arc;

use ebp_core::contract::Consent;

use crate::{Caller, Survey, SurveyError, finish};

impl Survey {
    /// Grants the consent of the caller's household.
    ///
    /// # Errors
    /// [`ConsentAlreadyGranted`](ebp_store::StoreError::ConsentAlreadyGranted),
    /// [`ConsentRevoked`](ebp_store::StoreError::ConsentRevoked),
    /// [`SurveyError::HouseholdAmbiguous`].
    pub async fn grant_consent(&self, caller: &Caller) -> Result<Consent, SurveyError> {
        Ok(self.store().grant_consent(caller.household()?, self.clock().now()).await?)
    }

    /// Revokes the consent of the caller's household: the store removes contact and address and
    /// masks the location, the revocation goes on this server's list, and the geocoder deletes its
    /// answer for the address. Continues if the request is cancelled.
    ///
    /// # Errors
    /// [`ConsentNotGranted`](ebp_store::StoreError::ConsentNotGranted),
    /// [`ConsentRevoked`](ebp_store::StoreError::ConsentRevoked),
    /// [`SurveyError::HouseholdAmbiguous`].
    pub async fn revoke_consent(self: &Arc<Self>, caller: &Caller) -> Result<Consent, SurveyError> {
        let household = caller.household()?;
        let survey = self.clone();
        finish(async move {
            let address = match survey.geocoder() {
                Some(_) => survey.store().household(household).await?.address,
                None => None,
            };
            let revoked = survey.store().revoke_consent(household, survey.clock().now()).await?;
            survey.forget_own(address.into_iter().collect()).await;
            survey.keep_revocations().await;
            Ok(revoked)
        })
        .await
    }
}
