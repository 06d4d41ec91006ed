//! The outlines of all regions, for the page that shows where the household lies.

use std::sync::Arc;

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};

use super::{problem, state::DeviceWeb, visitor::SignedIn};

/// `GET /regions.svg`.
pub async fn regions(
    State(web): State<Arc<DeviceWeb>>,
    SignedIn(visitor, _): SignedIn,
) -> Response {
    match web.outlines().await {
        Some(outlines) => {
            let headers = [
                (header::CONTENT_TYPE, "image/svg+xml"),
                // It holds nothing of the household.
                (header::CACHE_CONTROL, "private, max-age=86400"),
            ];
            (headers, outlines.svg.clone()).into_response()
        }
        None => problem::not_found(&visitor),
    }
}
