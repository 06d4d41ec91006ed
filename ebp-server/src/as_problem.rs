//! Refusals of the framework as problem documents.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use ebp_core::contract::PROBLEM_JSON;

use crate::problem::ApiError;

/// Makes a problem of every refusal that is none yet: those of the framework come as text.
pub(crate) async fn as_problem(response: Response) -> Response {
    let status = response.status();
    let is_problem =
        response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == PROBLEM_JSON);
    // Of a range that is not there its header says how much there is (RFC 9110, section 15.5.17).
    let is_complete = is_problem || status == StatusCode::RANGE_NOT_SATISFIABLE;
    if is_complete || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    match status {
        StatusCode::NOT_FOUND => ApiError::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => ApiError::MethodNotAllowed,
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::TooLarge("the request is too large".to_owned()),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => ApiError::UnsupportedMedia,
        status if status.is_client_error() => {
            ApiError::Invalid("the request is not of a form that is understood".to_owned())
        }
        status => ApiError::Internal(format!("an answer {status} without a problem")),
    }
    .into_response()
}
