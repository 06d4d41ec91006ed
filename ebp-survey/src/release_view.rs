//! In which releases of the data set a household is.
//!
//! Enters: a household. Leaves: its releases, each with how fine it was shown. Absent: making releases,
//! which is `dataset/release`, and who made them.

use ebp_core::contract::HouseholdRelease;
use ebp_store::{DataRelease, HouseholdId};

use crate::{Caller, Survey, SurveyError};

impl Survey {
    /// The releases that the caller's household is in, the first first.
    ///
    /// # Errors
    /// [`ConsentRevoked`](ebp_store::StoreError::ConsentRevoked) if it revoked its consent: which
    /// releases it is in is forgotten then; [`SurveyError::HouseholdAmbiguous`].
    pub async fn own_releases(
        &self,
        caller: &Caller,
    ) -> Result<Vec<HouseholdRelease>, SurveyError> {
        let household = caller.household()?;
        // A household that is gone is in none, which is no answer.
        self.store().household(household).await?;
        self.releases_of(household).await
    }

    pub(crate) async fn releases_of(
        &self,
        household: HouseholdId,
    ) -> Result<Vec<HouseholdRelease>, SurveyError> {
        let releases = self.store().releases_of(household).await?;
        Ok(releases.into_iter().map(shown).collect())
    }
}

fn shown((release, detail): (DataRelease, String)) -> HouseholdRelease {
    let DataRelease { number, name, tier, recipient, as_of, confirmed_at, .. } = release;
    HouseholdRelease { number, name, tier, recipient, as_of, confirmed_at, detail }
}
