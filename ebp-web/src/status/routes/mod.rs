//! All routes of the administrators' pages.
//!
//! Enters: requests of a session, forms. Leaves: pages made of what the survey's operations answer, or
//! where to go after a change. Absent: who may do what, which the operations decide; HTML.

mod address;
mod alerts;
mod device;
mod overview;
mod rollout;
mod server;

use std::sync::Arc;

use axum::{
    Router,
    routing::{get, post},
};

use crate::cloud::CloudWeb;

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
        .route("/status/device/{device}/session/{session}/end", post(device::end_session))
        .route("/status/alerts", get(alerts::show))
        .route("/status/alerts/rules", get(alerts::show_rules).post(alerts::change_rules))
        .route("/status/alerts/test", post(alerts::test))
        .route("/status/rollout", get(rollout::show).post(rollout::begin))
        .route("/status/rollout/{rollout}", post(rollout::steer))
        .route("/status/server", get(server::show))
        .route("/status/server/job/{job}/cancel", post(server::cancel))
        .route("/status/server/job/{job}/retry", post(server::retry))
        .route(
            "/status/server/session/{session}",
            get(server::confirm_end).post(server::end_session),
        )
}
