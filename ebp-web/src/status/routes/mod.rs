//! All routes of the administrators' pages.

mod alerts;
mod device;
mod overview;
mod server;

use std::sync::Arc;

use axum::{
    Router,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use ebp_survey::{Cursor, ListCursor};

use crate::{cloud::CloudWeb, kit::page::Preferences};

/// The administrators' pages.
pub fn routes() -> Router<Arc<CloudWeb>> {
    Router::new()
        .route("/status", get(overview::show))
        .route("/status/device/{device}", get(device::show))
        .route("/status/device/{device}/silence", post(device::silence))
        .route("/status/device/{device}/silence/end", post(device::end_silence))
        .route("/status/device/{device}/token", post(device::make_token))
        .route(
            "/status/device/{device}/certificate/all",
            get(device::confirm_all).post(device::revoke_all),
        )
        .route(
            "/status/device/{device}/certificate/{serial}",
            get(device::confirm).post(device::revoke),
        )
        .route("/status/alerts", get(alerts::show))
        .route("/status/alerts/rules", get(alerts::show_rules).post(alerts::change_rules))
        .route("/status/alerts/test", post(alerts::test))
        .route("/status/server", get(server::show))
        .route("/status/server/job/{job}/cancel", post(server::cancel))
        .route("/status/server/job/{job}/retry", post(server::retry))
        .route(
            "/status/server/session/{session}",
            get(server::confirm_end).post(server::end_session),
        )
}

/// To a page that says what was done.
fn done(path: &str, what: &str) -> Response {
    Redirect::to(&format!("{path}?done={what}")).into_response()
}

/// Up to which item a page goes, by its address.
fn until(preferences: &Preferences) -> Option<ListCursor> {
    let Cursor { measured_at, uuid } = preferences.get("until")?.parse().ok()?;
    Some(ListCursor { registered_at: measured_at, uuid })
}

/// The address of the page up to that item.
fn up_to(path: &str, place: ListCursor) -> String {
    let ListCursor { registered_at, uuid } = place;
    format!("{path}?until={}", Cursor { measured_at: registered_at, uuid })
}
