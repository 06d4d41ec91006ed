//! Researchers' requests for registrations: a list that is searched, the history, and versions.

use reqwest::{Method, Url};
use uuid::Uuid;

use crate::{ClientError, Manager, client::set_up, management::fill_path};
use ebp_core::contract::{
    HouseholdFilter, HouseholdListing, HouseholdSort, Listing, ManagedHousehold,
    RegistrationChange, paths,
};

impl Manager {
    /// Endpoint 10 for researchers: a page of registrations and consents, with the number of
    /// households in each state.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem.
    pub fn registrations(
        &self,
        filter: &HouseholdFilter,
        cursor: Option<&str>,
    ) -> Result<HouseholdListing, ClientError> {
        let consent = filter.consent.map(|state| state.name().to_owned());
        let sort = (filter.sort != HouseholdSort::default()).then(|| filter.sort.to_string());
        let pairs = [
            ("q", filter.search.clone()),
            ("consent", consent),
            ("sort", sort),
            ("cursor", cursor.map(str::to_owned)),
        ];
        let given = pairs.into_iter().filter_map(|(name, value)| Some((name, value?)));
        // Only to encode the query.
        let url = Url::parse_with_params("https://query.invalid/", given);
        let url = url.map_err(|e| set_up(&self.client.server, e.to_string()))?;
        let query = url.query().filter(|query| !query.is_empty());
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        self.client.get(&format!("{}{query}", paths::MANAGEMENT_HOUSEHOLD))
    }

    /// A page of the history of a registration, oldest first.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem: status
    /// 404 if there is no such household.
    pub fn changes(
        &self,
        household: Uuid,
        cursor: Option<&str>,
    ) -> Result<Listing<RegistrationChange>, ClientError> {
        let query = cursor.map(|cursor| format!("?cursor={cursor}")).unwrap_or_default();
        let path = fill_path(paths::HOUSEHOLD_CHANGES, household, None);
        self.client.get(&format!("{path}{query}"))
    }

    /// A registration with all that belongs to it, and its version (`ETag`).
    ///
    /// # Errors
    /// Returns the same errors as [`Self::registration`].
    pub fn registration_version(
        &self,
        household: Uuid,
    ) -> Result<(ManagedHousehold, Option<String>), ClientError> {
        let path = fill_path(paths::MANAGED_HOUSEHOLD, household, None);
        self.client.answer_with_version(&path, self.client.request(Method::GET, &path))
    }
}
