//! Turns uploads away for which there is no place, before anybody is looked up.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::header,
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::api::intake::Intake;

/// Lets an upload through unless there is no place for it already.
pub async fn admit(State(intake): State<Arc<Intake>>, request: Request, next: Next) -> Response {
    let overload = &intake.overload;
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse().ok()).unwrap_or(0);
    if overload.places.left() < overload.weight(length) {
        return overload.put_off().into_response();
    }
    next.run(request).await
}
