//! Operations for researchers and administrators, as pages call them: each decides by itself whether
//! the caller's group may.
//!
//! Enters: a group that is proven. Leaves: what the operation of the [`Survey`] returns, or
//! [`SurveyError::NotPermitted`]. Absent: the survey itself, so that a page cannot pass by a permission.

use std::sync::Arc;

use ebp_anon::{Position, RegionCode};
use ebp_core::{
    contract::{
        Consent, EnrolmentToken, HouseholdChange, HouseholdCounts, LABEL_LENGTH, ManagedDevice,
        ManagedHousehold, Message, NewSignInCode, RegionName, Registration, RegistrationChange,
        SurveyInformation, WebSession, Withdrawal,
    },
    model::Location,
    scope::Group,
};
use ebp_store::{
    Edit, HouseholdId, HouseholdPage, HouseholdQuery, HouseholdVersion, Label, ListPage, ListQuery,
};
use uuid::Uuid;

use crate::{Author, NewHousehold, Operation, Revision, Survey, SurveyError};

/// Of what the regions are by which households are masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegionsInUse {
    /// The day of the import.
    pub imported: String,
    /// Where the borders are from.
    pub borders: String,
    /// Where the population densities are from.
    pub densities: String,
    /// What has to be shown with anything that is derived from them.
    pub notices: Vec<String>,
    /// How many regions there are.
    pub count: usize,
}

/// Somebody of a group, who is proven to be.
#[derive(Clone)]
pub struct GroupCaller {
    survey: Arc<Survey>,
    group: Group,
    label: Option<Label>,
}

impl GroupCaller {
    /// Whoever has that session.
    #[must_use]
    pub fn of_session(survey: Arc<Survey>, session: &WebSession) -> Self {
        let short = |label: &String| {
            let label: String = label.chars().take(LABEL_LENGTH).collect();
            label.parse().ok()
        };
        Self { survey, group: session.group, label: session.label.as_ref().and_then(short) }
    }

    /// The group.
    #[must_use]
    pub const fn group(&self) -> Group {
        self.group
    }

    /// The survey, if the caller may do that.
    pub(crate) fn may(&self, operation: Operation) -> Result<&Arc<Survey>, SurveyError> {
        operation.permit(self.group)?;
        Ok(&self.survey)
    }

    /// By what name the caller ends what others began: as sessions through tunnels name who has no person's
    /// certificate.
    pub(crate) fn name(&self) -> String {
        self.label.as_ref().map_or_else(|| "shared".to_owned(), |label| label.as_str().to_owned())
    }

    /// The initials that were given when signing in.
    pub(crate) fn label(&self) -> Option<Label> {
        self.label.clone()
    }

    fn author(&self) -> Author {
        Author { group: self.group, label: self.label.clone() }
    }

    pub(crate) fn revision(&self, expected: Option<HouseholdVersion>) -> Option<Revision> {
        Some(Revision { author: self.author(), expected: expected.map(|version| vec![version]) })
    }

    /// Registrations by a search.
    ///
    /// # Errors
    /// [`Search`](ebp_store::StoreError::Search).
    pub async fn search_households(
        &self,
        query: HouseholdQuery,
    ) -> Result<HouseholdPage, SurveyError> {
        Ok(self.may(Operation::SearchHouseholds)?.store().search_households(query).await?)
    }

    /// How many households there are.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn household_counts(&self) -> Result<HouseholdCounts, SurveyError> {
        let query = HouseholdQuery { filter: Default::default(), after: None, limit: 1 };
        Ok(self.search_households(query).await?.counts)
    }

    /// A registration with all that belongs to it.
    ///
    /// # Errors
    /// [`NotFound`](ebp_store::StoreError::NotFound).
    pub async fn household(&self, household: HouseholdId) -> Result<ManagedHousehold, SurveyError> {
        Ok(self.may(Operation::ShowHousehold)?.store().registration(household).await?)
    }

    /// Registers a household. As [`Survey::register`].
    ///
    /// # Errors
    /// Those of [`Survey::register`].
    pub async fn register(
        &self,
        registration: Registration,
        further: bool,
    ) -> Result<NewHousehold, SurveyError> {
        let survey = self.may(Operation::RegisterHousehold)?;
        survey.register(registration, further, Some(self.author())).await
    }

    /// Whether a registration would be taken in.
    ///
    /// # Errors
    /// Those of [`Survey::check_registration`].
    pub async fn check_registration(
        &self,
        registration: Registration,
        further: bool,
    ) -> Result<(), SurveyError> {
        let survey = self.may(Operation::CheckRegistration)?;
        survey.check_registration(registration, further).await
    }

    /// Changes contact, address, location or answers of a household.
    ///
    /// # Errors
    /// Those of [`Survey::change_household`].
    pub async fn change_household(
        &self,
        household: HouseholdId,
        change: HouseholdChange,
        expected: Option<HouseholdVersion>,
    ) -> Result<ManagedHousehold, SurveyError> {
        let survey = self.may(Operation::ChangeHousehold)?;
        let expected = expected.map(|version| vec![version]);
        survey.change_household(household, change, Some(self.author()), expected).await
    }

    /// Adds, changes or removes a meter or a photovoltaic system, or adds a device.
    ///
    /// # Errors
    /// Those of [`Survey::edit`].
    pub async fn edit(
        &self,
        household: HouseholdId,
        edit: Edit,
        expected: Option<HouseholdVersion>,
    ) -> Result<Option<Uuid>, SurveyError> {
        let operation = match &edit {
            Edit::Household(..) => Operation::ChangeHousehold,
            Edit::AddMeter(_) => Operation::AddMeter,
            Edit::ChangeMeter(..) => Operation::ChangeMeter,
            Edit::RemoveMeter(_) => Operation::RemoveMeter,
            Edit::AddPvSystem(_) => Operation::AddPvSystem,
            Edit::ChangePvSystem(..) => Operation::ChangePvSystem,
            Edit::RemovePvSystem(_) => Operation::RemovePvSystem,
            Edit::AddDevice(_) => Operation::AddDevice,
        };
        let survey = self.may(operation)?;
        let expected = expected.map(|version| vec![version]);
        survey.edit(household, edit, self.author(), expected).await
    }

    /// Removes a household that was registered by mistake.
    ///
    /// # Errors
    /// Those of [`Survey::remove_household`].
    pub async fn remove_household(
        &self,
        household: HouseholdId,
        expected: Option<HouseholdVersion>,
    ) -> Result<(), SurveyError> {
        let survey = self.may(Operation::RemoveHousehold)?;
        survey.remove_household(household, expected.map(|version| vec![version])).await
    }

    /// The history of a registration, oldest first.
    ///
    /// # Errors
    /// [`NotFound`](ebp_store::StoreError::NotFound).
    pub async fn changes(
        &self,
        household: HouseholdId,
        query: ListQuery,
    ) -> Result<ListPage<RegistrationChange>, SurveyError> {
        Ok(self.may(Operation::ListChanges)?.store().changes(household, query).await?)
    }

    /// Records a withdrawal of consent that came elsewhere.
    ///
    /// # Errors
    /// Those of [`Survey::record_withdrawal`].
    pub async fn record_withdrawal(
        &self,
        household: HouseholdId,
        withdrawal: Withdrawal,
    ) -> Result<Consent, SurveyError> {
        self.may(Operation::RecordWithdrawal)?.record_withdrawal(household, withdrawal).await
    }

    /// Households' messages, oldest first: open ones, closed ones, or all.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn messages(
        &self,
        open: Option<bool>,
        query: ListQuery,
    ) -> Result<ListPage<Message>, SurveyError> {
        Ok(self.may(Operation::ListMessages)?.store().messages(open, query).await?)
    }

    /// A household's messages, oldest first.
    ///
    /// # Errors
    /// [`ConsentRevoked`](ebp_store::StoreError::ConsentRevoked) if it is not known (any more).
    pub async fn household_messages(
        &self,
        household: HouseholdId,
        query: ListQuery,
    ) -> Result<ListPage<Message>, SurveyError> {
        let survey = self.may(Operation::ListMessages)?;
        Ok(survey.store().household_messages(household, query).await?)
    }

    /// Answers a message, or closes it without an answer.
    ///
    /// # Errors
    /// [`NotFound`](ebp_store::StoreError::NotFound), [`MessageClosed`](ebp_store::StoreError::MessageClosed).
    pub async fn close_message(
        &self,
        message: Uuid,
        answer: Option<String>,
    ) -> Result<Message, SurveyError> {
        let operation = match answer {
            Some(_) => Operation::AnswerMessage,
            None => Operation::CloseMessage,
        };
        let survey = self.may(operation)?;
        Ok(survey.store().close_message(message, answer, survey.clock().now()).await?)
    }

    /// A one-time token for a device, and the sign-in code for its page.
    ///
    /// # Errors
    /// Those of [`Survey::create_enrolment`].
    pub async fn create_enrolment(
        &self,
        device: Uuid,
        hours: Option<u16>,
        expected: Option<HouseholdVersion>,
    ) -> Result<EnrolmentToken, SurveyError> {
        let survey = self.may(Operation::CreateEnrolment)?;
        survey.create_enrolment(device, None, hours, self.revision(expected)).await
    }

    /// Another sign-in code for a device's page.
    ///
    /// # Errors
    /// Those of [`Survey::create_sign_in_code`].
    pub async fn create_sign_in_code(
        &self,
        device: Uuid,
        expected: Option<HouseholdVersion>,
    ) -> Result<NewSignInCode, SurveyError> {
        let survey = self.may(Operation::CreateSignInCode)?;
        survey.create_sign_in_code(device, self.revision(expected)).await
    }

    /// A device.
    ///
    /// # Errors
    /// [`NotFound`](ebp_store::StoreError::NotFound).
    pub async fn device(&self, device: Uuid) -> Result<ManagedDevice, SurveyError> {
        Ok(self.may(Operation::ShowDevice)?.store().managed_device(device).await?)
    }

    /// The region that a location lies in.
    ///
    /// # Errors
    /// [`SurveyError::NotPermitted`].
    pub fn region_at(&self, location: &Location) -> Result<Option<RegionName>, SurveyError> {
        let survey = self.may(Operation::LocateRegion)?;
        let position = Position::new(location.latitude, location.longitude).ok();
        Ok(position.and_then(|position| survey.region_at(position)))
    }

    /// The outlines of all regions, which are official data and for everybody.
    ///
    /// # Errors
    /// [`SurveyError::Interrupted`].
    pub async fn outlines(&self) -> Result<Option<Arc<str>>, SurveyError> {
        self.survey.outlines().await
    }

    /// One region in detail, by its code; none if there is none of that code.
    #[must_use]
    pub fn outline(&self, code: &str) -> Option<String> {
        self.survey.outline(RegionCode::new(code).ok()?)
    }

    /// What the survey says of itself to everybody.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn information(&self) -> Result<SurveyInformation, SurveyError> {
        self.survey.information(None, None).await
    }

    /// Of what the regions are by which households are masked; none if there are no regions.
    #[must_use]
    pub fn geodata(&self) -> Option<RegionsInUse> {
        let masking = self.survey.store().masking()?;
        let regions = masking.regions()?;
        let provenance = regions.provenance();
        Some(RegionsInUse {
            imported: provenance.imported.clone(),
            borders: provenance.borders.clone(),
            densities: provenance.densities.clone(),
            notices: provenance.notices.clone(),
            count: regions.iter().count(),
        })
    }

    /// All sessions in pages that go on.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn sessions(&self) -> Result<Vec<WebSession>, SurveyError> {
        self.may(Operation::ListSessions)?.web_sessions().await
    }

    /// Ends a session in pages.
    ///
    /// # Errors
    /// [`NotFound`](ebp_store::StoreError::NotFound).
    pub async fn end_session(&self, session: Uuid) -> Result<(), SurveyError> {
        self.may(Operation::EndSession)?.end_web_session(session).await
    }
}
