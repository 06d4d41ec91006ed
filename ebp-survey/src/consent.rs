//! Consent: granted once, revoked once, for good.

use std::sync::Arc;

use ebp_core::{
    contract::{Consent, ConsentGrant, PurposeGrant, Withdrawal},
    model::Address,
};
use ebp_store::{HouseholdId, PurposeChange, StoreError};

use crate::{Caller, Survey, SurveyError, finish};

impl Survey {
    /// Grants the consent of the caller's household, where the survey has no texts.
    ///
    /// # Errors
    /// Those of [`grant_consent_to`](Self::grant_consent_to).
    pub async fn grant_consent(&self, caller: &Caller) -> Result<Consent, SurveyError> {
        self.grant_consent_to(caller, ConsentGrant::default()).await
    }

    /// Grants the consent of the caller's household to a version of the survey's text, which is
    /// stored with it.
    ///
    /// # Errors
    /// [`ConsentAlreadyGranted`](ebp_store::StoreError::ConsentAlreadyGranted),
    /// [`ConsentRevoked`](ebp_store::StoreError::ConsentRevoked),
    /// [`Registration`](ebp_store::StoreError::Registration) if it does not say which text,
    /// [`ConsentTextChanged`](ebp_store::StoreError::ConsentTextChanged) if that is not the
    /// survey's, [`SurveyError::HouseholdAmbiguous`].
    pub async fn grant_consent_to(
        &self,
        caller: &Caller,
        grant: ConsentGrant,
    ) -> Result<Consent, SurveyError> {
        let household = caller.household()?;
        let through = Some(caller.through);
        let now = self.clock().now();
        Ok(self.store().grant_consent_through(household, grant, through, now).await?)
    }

    /// The caller's household agrees to a further purpose, whose text is stored with it.
    ///
    /// # Errors
    /// [`NotFound`](ebp_store::StoreError::NotFound) if the survey has no such purpose, or no text of it
    /// in that language; [`ConsentNotGranted`](ebp_store::StoreError::ConsentNotGranted),
    /// [`ConsentRevoked`](ebp_store::StoreError::ConsentRevoked),
    /// [`SurveyError::HouseholdAmbiguous`].
    pub async fn give_purpose(
        &self,
        caller: &Caller,
        name: String,
        grant: PurposeGrant,
    ) -> Result<Consent, SurveyError> {
        let household = caller.household()?;
        let PurposeGrant { language } = grant;
        let purpose = self.about().purposes.iter().find(|purpose| purpose.name == name);
        let texts = purpose.map(|purpose| purpose.texts.as_slice()).unwrap_or_default();
        let text = texts.iter().find(|text| text.language == language);
        let text = text.ok_or(StoreError::NotFound)?.text.clone();
        let change = PurposeChange::Give { name, language, text };
        Ok(self.store().change_purpose(household, change, self.clock().now()).await?)
    }

    /// The caller's household withdraws what it agreed to for a further purpose, whether or not the survey
    /// has that purpose still. That goes on this server's list of revocations. Continues if the
    /// request is cancelled.
    ///
    /// # Errors
    /// [`NotFound`](ebp_store::StoreError::NotFound) if it never agreed to that;
    /// [`ConsentNotGranted`](ebp_store::StoreError::ConsentNotGranted),
    /// [`ConsentRevoked`](ebp_store::StoreError::ConsentRevoked),
    /// [`SurveyError::HouseholdAmbiguous`].
    pub async fn withdraw_purpose(
        self: &Arc<Self>,
        caller: &Caller,
        name: String,
    ) -> Result<Consent, SurveyError> {
        let change = PurposeChange::Withdraw { name };
        let household = caller.household()?;
        let survey = self.clone();
        finish(async move {
            let now = survey.clock().now();
            let changed = survey.store().change_purpose(household, change, now).await?;
            survey.keep_revocations().await;
            Ok(changed)
        })
        .await
    }

    /// Revokes the consent of the caller's household: the store removes contact, address and
    /// messages and masks the location, the revocation goes on this server's list, and the geocoder
    /// deletes its answer for the address. Continues if the request is cancelled.
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
            survey.revoke(household, None, address).await
        })
        .await
    }

    /// Revokes the consent of a household that withdrew it elsewhere, for example by letter, with the
    /// same effects as a revocation of its own. Of the household nothing is returned but the months.
    ///
    /// # Errors
    /// [`NotFound`](ebp_store::StoreError::NotFound) if there is no such household;
    /// [`ConsentNotGranted`](ebp_store::StoreError::ConsentNotGranted),
    /// [`ConsentRevoked`](ebp_store::StoreError::ConsentRevoked);
    /// [`Registration`](ebp_store::StoreError::Registration) if it cannot have come on that day.
    pub async fn record_withdrawal(
        self: &Arc<Self>,
        household: HouseholdId,
        withdrawal: Withdrawal,
    ) -> Result<Consent, SurveyError> {
        let survey = self.clone();
        finish(async move {
            let address = survey.store().registration(household).await?.address;
            survey.revoke(household, Some(withdrawal), address).await
        })
        .await
    }

    /// Revokes, and makes the geocoder forget that address.
    async fn revoke(
        &self,
        household: HouseholdId,
        withdrawal: Option<Withdrawal>,
        address: Option<Address>,
    ) -> Result<Consent, SurveyError> {
        let now = self.clock().now();
        let revoked = self.store().revoke_consent_by(household, withdrawal, now).await?;
        self.forget_own(address.into_iter().collect()).await;
        self.keep_revocations().await;
        Ok(revoked)
    }
}
