//! Removing a household that was registered by mistake.

use askama::Template;
use axum::{
    extract::Path,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use ebp_survey::{HouseholdId, HouseholdVersion, StoreError, SurveyError};

use super::edit::page_of;
use crate::{
    cloud::{Researcher, ResearcherForm},
    kit::frame::Frame,
};

#[derive(Template)]
#[template(path = "registration/remove.html")]
struct RemovePage {
    frame: Frame,
    page: String,
    version: String,
    fault: Option<String>,
}

/// `GET /registration/household/{household}/remove`: asks whether it is to be removed.
pub async fn ask_remove(
    Researcher { visitor, caller }: Researcher,
    Path(household): Path<String>,
) -> Response {
    let Ok(household) = household.parse() else { return visitor.not_found() };
    let stored = match caller.household(HouseholdId(household)).await {
        Ok(stored) => stored,
        Err(error) => return visitor.fail(error),
    };
    let version = match HouseholdVersion::from_household(&stored) {
        Ok(version) => version.to_string(),
        Err(error) => return visitor.fail(error),
    };
    let frame = visitor.frame(visitor.language().say("reg-remove-title"));
    visitor.show(&RemovePage { frame, page: page_of(household), version, fault: None })
}

/// `POST /registration/household/{household}/remove`.
pub async fn remove(
    Path(household): Path<String>,
    ResearcherForm { visitor, caller, fields }: ResearcherForm,
) -> Response {
    let Ok(household) = household.parse() else { return visitor.not_found() };
    let version = fields.get("version").to_owned();
    match caller.remove_household(HouseholdId(household), version.parse().ok()).await {
        Ok(()) => Redirect::to("/registration").into_response(),
        Err(SurveyError::Store(StoreError::InUse(_))) => {
            let frame = visitor.frame(visitor.language().say("reg-remove-title"));
            let fault = Some(visitor.language().say("reg-remove-in-use"));
            let page = RemovePage { frame, page: page_of(household), version, fault };
            visitor.show_with(StatusCode::CONFLICT, &page)
        }
        Err(error) => visitor.fail(error),
    }
}
