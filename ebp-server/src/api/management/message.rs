//! Households' messages, for researchers: listed, answered, closed.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Request, State},
    http::Uri,
};
use ebp_core::contract::{Listing, Message, MessageAnswer, MessageText, limits};
use ebp_store::{Cursor, ListCursor, ListQuery};
use ebp_survey::Survey;

use super::listing;
use crate::{
    api::{body, intake::Intake, query, uuid},
    problem::ApiError,
};

/// `GET /management/message?open&limit&cursor`: oldest first; with `open=true` those that are open,
/// with `open=false` those that are closed.
pub async fn list(
    State(survey): State<Arc<Survey>>,
    uri: Uri,
) -> Result<Json<Listing<Message>>, ApiError> {
    let (mut open, mut place) = (None, ListQuery { after: None, limit: limits::PAGE_DEFAULT });
    query::read(&uri, &["open", "limit", "cursor"], |name, value| {
        match name {
            "open" => {
                let given = value.parse().map_err(|_| "`open` must be true or false".to_owned());
                open = Some(given?);
            }
            "limit" => place.limit = query::limit(value)?,
            _ => {
                let Cursor { measured_at, uuid } = query::cursor(value)?;
                place.after = Some(ListCursor { registered_at: measured_at, uuid });
            }
        }
        Ok(())
    })?;
    Ok(Json(listing(survey.store().messages(open, place).await?)))
}

/// `POST /management/message/{uuid}/answer`: answers it, once, which closes it.
pub async fn answer(
    State(survey): State<Arc<Survey>>,
    State(intake): State<Arc<Intake>>,
    Path(message): Path<String>,
    request: Request,
) -> Result<Json<Message>, ApiError> {
    let message = uuid(&message)?;
    let MessageAnswer { text: MessageText(text) } = body::json(&intake, request).await?;
    let now = survey.clock().now();
    Ok(Json(survey.store().close_message(message, Some(text), now).await?))
}

/// `POST /management/message/{uuid}/close`: closes it without an answer.
pub async fn close(
    State(survey): State<Arc<Survey>>,
    Path(message): Path<String>,
) -> Result<Json<Message>, ApiError> {
    let message = uuid(&message)?;
    Ok(Json(survey.store().close_message(message, None, survey.clock().now()).await?))
}
