//! Messages of a household: what is wrong with what is registered or measured.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Request, State},
    http::{StatusCode, Uri},
};
use ebp_core::contract::{Listing, Message, NewMessage};
use ebp_survey::Survey;

use super::{
    body,
    intake::Intake,
    management::{list_query, listing},
};
use crate::{auth::Requester, problem::ApiError};

/// `GET /household/message?limit&cursor`: the household's messages with their answers, oldest first.
pub async fn list(
    State(survey): State<Arc<Survey>>,
    Requester(caller): Requester,
    uri: Uri,
) -> Result<Json<Listing<Message>>, ApiError> {
    let query = list_query(&uri)?;
    Ok(Json(listing(survey.store().household_messages(caller.household()?, query).await?)))
}

/// `POST /household/message`: writes to the researchers.
pub async fn write(
    State(survey): State<Arc<Survey>>,
    State(intake): State<Arc<Intake>>,
    Requester(caller): Requester,
    request: Request,
) -> Result<(StatusCode, Json<Message>), ApiError> {
    let household = caller.household()?;
    let message: NewMessage = body::json(&intake, request).await?;
    let now = survey.clock().now();
    let written = survey.store().add_message(household, message, now).await?;
    Ok((StatusCode::CREATED, Json(written)))
}
