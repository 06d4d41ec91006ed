//! Revocations of elsewhere and of before: applied to a store that lacks them, and kept on this
//! server's own list.

use ebp_store::{Store, StoreError};

use crate::{
    Survey,
    revocations::{Applied, KeptRevocationsError, Revocations},
};

impl Survey {
    /// Revokes in the store what was revoked elsewhere. The geocoder forgets the addresses that are
    /// removed by this. Doing so again changes nothing.
    ///
    /// # Errors
    /// When the store fails; what was revoked stays so.
    pub async fn apply_revocations(
        &self,
        revocations: &Revocations,
    ) -> Result<Applied, StoreError> {
        let applied = revocations.apply(&**self.store()).await?;
        self.forget_own(applied.addresses.clone()).await;
        Ok(applied)
    }

    /// Revokes in the store what is on this server's own list: before the store is served. The
    /// geocoder forgets the addresses that are removed by this.
    ///
    /// # Errors
    /// [`KeptRevocationsError`] when list or store cannot be used; what was revoked stays so.
    pub async fn apply_kept_revocations(&self) -> Result<Applied, KeptRevocationsError> {
        self.apply_kept_revocations_to(&**self.store()).await
    }

    /// The same in another store, which is to take the place of this survey's.
    pub(crate) async fn apply_kept_revocations_to(
        &self,
        store: &dyn Store,
    ) -> Result<Applied, KeptRevocationsError> {
        let Some(kept) = self.kept() else { return Ok(Applied::default()) };
        let applied = kept.apply(store).await?;
        self.forget_own(applied.addresses.clone()).await;
        let Applied { households, certificates, purposes, .. } = applied;
        if households + certificates + purposes > 0 {
            tracing::warn!(
                households,
                certificates,
                purposes,
                "the database lacked revocations: they are applied again, from this server's list"
            );
        }
        Ok(applied)
    }

    /// Completes this server's list after a revocation, before that is answered. A failure is
    /// logged, and made up for later: the revocation counts.
    pub(crate) async fn keep_revocations(&self) {
        let Some(kept) = self.kept() else { return };
        if let Err(error) = kept.complete(&**self.store()).await {
            tracing::error!(
                %error,
                "a revocation is not on this server's own list yet: a standby that does not have \
                 it must not be promoted"
            );
        }
    }
}
