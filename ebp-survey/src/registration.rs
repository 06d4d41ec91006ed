//! Households: registered and located, changed and located again, removed and forgotten.

use std::sync::Arc;

use ebp_core::{
    contract::{HouseholdChange, ManagedHousehold, Registered, Registration},
    model::Address,
    scope::Group,
};
use ebp_store::{Edit, EditOptions, Editor, Faults, HouseholdId, HouseholdVersion, Label, faults};
use jiff::Timestamp;
use uuid::Uuid;

use crate::{Survey, SurveyError, finish, geocoding::Located};

/// A household that was taken in.
#[derive(Debug)]
pub struct NewHousehold {
    /// The identifiers that it was given.
    pub registered: Registered,
    /// What came of looking its address up; absent if the registration had a location, or there is
    /// no geocoder.
    pub located: Option<Located>,
}

/// Who changes a registration, for its history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The group whose secret was used.
    pub group: Group,
    /// The initials that were given with it.
    pub label: Option<Label>,
}

/// A change by a person: who makes it, and which versions of the household it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// For the history.
    pub author: Author,
    /// Any version if absent.
    pub expected: Option<Vec<HouseholdVersion>>,
}

impl Author {
    pub(crate) fn editor(self, at: Timestamp) -> Editor {
        Editor { group: self.group, label: self.label, at }
    }
}

impl Survey {
    /// On what a change depends, and what the history says of it.
    pub(crate) fn edit_options(&self, by: Option<Revision>) -> EditOptions {
        let Some(Revision { author, expected }) = by else { return EditOptions::default() };
        EditOptions { editor: Some(author.editor(self.clock().now())), expected }
    }

    /// Takes in a household, whose address is located unless the registration has a location. With
    /// `further` the participant may have another household at the same address. With an author the
    /// household's history begins with it.
    ///
    /// # Errors
    /// [`Registration`](ebp_store::StoreError::Registration) lists every fault,
    /// [`RegisteredAlready`](ebp_store::StoreError::RegisteredAlready) names the participant's
    /// household at that address.
    pub async fn register(
        &self,
        mut registration: Registration,
        further: bool,
        author: Option<Author>,
    ) -> Result<NewHousehold, SurveyError> {
        let (store, mut located) = (self.store(), None);
        // Don't geocode a registration that will be rejected.
        if registration.location.is_none() && faults(&registration).is_empty() {
            self.check_registration(registration.clone(), further).await?;
            located = self.locate(&registration.address).await;
            registration.location = located.as_ref().and_then(|found| found.location.clone());
        }
        let looked_up = located.as_ref().map(|_| registration.address.clone());
        let now = self.clock().now();
        let registered = match (author.map(|author| author.editor(now)), further) {
            (Some(editor), further) => store.register_noted(registration, further, editor).await,
            (None, true) => store.register_further(registration, now).await,
            (None, false) => store.register(registration, now).await,
        };
        if registered.is_err() {
            self.forget(looked_up.into_iter().collect()).await;
        }
        Ok(NewHousehold { registered: registered?, located })
    }

    /// Whether a registration would be taken in. Nothing is stored, and no address is looked up.
    ///
    /// # Errors
    /// As [`Self::register`].
    pub async fn check_registration(
        &self,
        registration: Registration,
        further: bool,
    ) -> Result<(), SurveyError> {
        Ok(self.store().check_registration(registration, further).await?)
    }

    /// Changes a household's members, meters or systems, or adds a device, and writes it into the
    /// history. With `expected` the household has to be one of these versions. Returns the
    /// identifier of what was added. [`Self::change_household`] changes contact, address, location
    /// and answers.
    ///
    /// # Errors
    /// [`Changed`](ebp_store::StoreError::Changed) if it is another version, and as
    /// [`Self::change_household`].
    pub async fn edit(
        &self,
        household: HouseholdId,
        edit: Edit,
        author: Author,
        expected: Option<Vec<HouseholdVersion>>,
    ) -> Result<Option<Uuid>, SurveyError> {
        let options = self.edit_options(Some(Revision { author, expected }));
        Ok(self.store().edit(household, edit, options).await?)
    }

    /// Changes a household. A new address without a location is located; if it is not found the
    /// location stays. The geocoder deletes its answer for the old address. Continues if nobody
    /// waits for it any more. With an author the history has the change; with `expected` the
    /// household has to be one of these versions.
    ///
    /// # Errors
    /// [`Registration`](ebp_store::StoreError::Registration) lists every fault of the change,
    /// [`Changed`](ebp_store::StoreError::Changed) if it is another version;
    /// [`NotFound`](ebp_store::StoreError::NotFound) and
    /// [`ConsentRevoked`](ebp_store::StoreError::ConsentRevoked) say that there is no such household
    /// to change.
    pub async fn change_household(
        self: &Arc<Self>,
        household: HouseholdId,
        mut change: HouseholdChange,
        author: Option<Author>,
        expected: Option<Vec<HouseholdVersion>>,
    ) -> Result<ManagedHousehold, SurveyError> {
        // Don't geocode for a version that is gone.
        if expected.is_some() {
            let before = self.store().registration(household).await?;
            EditOptions { editor: None, expected: expected.clone() }.check(&before)?;
        }
        // Don't geocode a change that will be rejected.
        let new = change.address.clone().filter(|_| Faults::against_schema(&change).is_empty());
        if let (Some(new), None) = (&new, &change.location)
            && self.address_of(household).await?.is_some()
            && let Some(located) = self.locate(new).await
        {
            located.log_trouble();
            change.location = located.location;
        }
        let survey = self.clone();
        finish(async move {
            let now = survey.clock().now();
            let editor = author.map(|author| author.editor(now));
            let options = EditOptions { editor, expected };
            match survey.replace(household, change, new.is_some(), options).await {
                Ok(before) => {
                    let ended = before.filter(|before| Some(before) != new.as_ref());
                    survey.forget_own(ended.into_iter().collect()).await;
                }
                Err(error) => {
                    survey.forget(new.into_iter().collect()).await;
                    return Err(error);
                }
            }
            // Another e-mail address revokes the certificates of the one before.
            survey.keep_revocations().await;
            Ok(survey.store().registration(household).await?)
        })
        .await
    }

    /// Removes a household that was registered by mistake, with the certificates of its devices.
    /// The geocoder deletes its answer for the address. Continues if the request is cancelled. With
    /// `expected` the household has to be one of these versions.
    ///
    /// # Errors
    /// [`NotFound`](ebp_store::StoreError::NotFound) if there is no such household,
    /// [`InUse`](ebp_store::StoreError::InUse) if anything was measured in it,
    /// [`Changed`](ebp_store::StoreError::Changed) if it is another version.
    pub async fn remove_household(
        self: &Arc<Self>,
        household: HouseholdId,
        expected: Option<Vec<HouseholdVersion>>,
    ) -> Result<(), SurveyError> {
        let survey = self.clone();
        finish(async move {
            let address = survey.address_of(household).await?;
            survey.store().remove_version(household, expected, survey.clock().now()).await?;
            survey.forget_own(address.into_iter().collect()).await;
            survey.keep_revocations().await;
            Ok(())
        })
        .await
    }

    /// Changes a household in the store, and returns the address of before where it gets another. It
    /// is read here and not before the lookup, during which another change may have come first.
    async fn replace(
        &self,
        household: HouseholdId,
        change: HouseholdChange,
        has_address: bool,
        options: EditOptions,
    ) -> Result<Option<Address>, SurveyError> {
        let before = match has_address {
            true => self.address_of(household).await?,
            false => None,
        };
        let edit = Edit::Household(Box::new(change), self.clock().now());
        self.store().edit(household, edit, options).await?;
        Ok(before)
    }

    /// The address that a household is registered with, where there is a geocoder that may remember
    /// it.
    async fn address_of(&self, household: HouseholdId) -> Result<Option<Address>, SurveyError> {
        match self.geocoder() {
            Some(_) => Ok(self.store().registration(household).await?.address),
            None => Ok(None),
        }
    }
}
