//! Endpoints 3 and 4: granting and revoking consent, and reading it.
//!
//! After revocation every endpoint answers 410 to the household's devices, this one included: a
//! second `DELETE` has the same effect as the first, none, and the same final word as all others. A
//! participant's own certificate gets the same answer, with what was done, unless they have another
//! household: of the participant nothing is kept but a digest of the identifier in it.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Request, State},
    http::StatusCode,
};
use ebp_core::contract::{Consent, ConsentGrant, PurposeGrant};
use ebp_survey::Survey;

use super::{body, intake::Intake};
use crate::{auth::Requester, problem::ApiError};

/// `GET /household/consent`: the state of consent.
pub async fn show(
    State(survey): State<Arc<Survey>>,
    Requester(caller): Requester,
) -> Result<Json<Consent>, ApiError> {
    Ok(Json(survey.store().consent(caller.household()?).await?))
}

/// `POST /household/consent`: grants it, once (201); later 409. Where the survey has texts the body
/// says which one is agreed to: 422 without, and 409 with the text's version if it has changed.
pub async fn grant(
    State(survey): State<Arc<Survey>>,
    State(intake): State<Arc<Intake>>,
    Requester(caller): Requester,
    request: Request,
) -> Result<(StatusCode, Json<Consent>), ApiError> {
    let grant: ConsentGrant = body::json_or_default(&intake, request).await?;
    Ok((StatusCode::CREATED, Json(survey.grant_consent_to(&caller, grant).await?)))
}

/// `POST /household/consent/purpose/{purpose}`: agrees to a further purpose.
pub async fn give_purpose(
    State(survey): State<Arc<Survey>>,
    State(intake): State<Arc<Intake>>,
    Requester(caller): Requester,
    Path(purpose): Path<String>,
    request: Request,
) -> Result<Json<Consent>, ApiError> {
    let grant: PurposeGrant = body::json(&intake, request).await?;
    Ok(Json(survey.give_purpose(&caller, purpose, grant).await?))
}

/// `DELETE /household/consent/purpose/{purpose}`: withdraws that.
pub async fn withdraw_purpose(
    State(survey): State<Arc<Survey>>,
    Requester(caller): Requester,
    Path(purpose): Path<String>,
) -> Result<Json<Consent>, ApiError> {
    Ok(Json(survey.withdraw_purpose(&caller, purpose).await?))
}

/// `DELETE /household/consent`: revokes it for good; 409 if it was never granted.
pub async fn revoke(
    State(survey): State<Arc<Survey>>,
    Requester(caller): Requester,
) -> Result<Json<Consent>, ApiError> {
    Ok(Json(survey.revoke_consent(&caller).await?))
}
