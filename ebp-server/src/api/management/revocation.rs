//! A withdrawal of consent that came elsewhere, for example by letter: researchers record it.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Request, State},
};
use ebp_core::contract::{Consent, Withdrawal};
use ebp_store::HouseholdId;
use ebp_survey::Survey;

use crate::{
    api::{body, intake::Intake, uuid},
    problem::ApiError,
};

/// `POST /management/household/{household}/revocation`: revokes consent for good, as
/// `DELETE /household/consent` does. The answer has months, and nothing of the household.
pub async fn record(
    State(survey): State<Arc<Survey>>,
    State(intake): State<Arc<Intake>>,
    Path(household): Path<String>,
    request: Request,
) -> Result<Json<Consent>, ApiError> {
    let household = HouseholdId(uuid(&household)?);
    let withdrawal: Withdrawal = body::json(&intake, request).await?;
    Ok(Json(survey.record_withdrawal(household, withdrawal).await?))
}
