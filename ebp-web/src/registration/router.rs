//! All routes of the researchers' pages.

use std::sync::Arc;

use axum::{
    Router,
    routing::{get, post},
};

use super::{
    consents, device, edit, geodata, household, households, member, messages, new, withdrawal,
};
use crate::cloud::CloudWeb;

/// The routes.
pub fn routes() -> Router<Arc<CloudWeb>> {
    Router::new()
        .route("/registration", get(households::show))
        .route("/registration/households.csv", get(households::csv))
        .route("/registration/new", get(new::show).post(new::send))
        .route("/registration/check", post(new::check))
        .route("/registration/regions.svg", get(new::regions))
        .route("/registration/household/{household}", get(household::show))
        .route("/registration/household/{household}/edit", get(edit::show).post(edit::send))
        .route(
            "/registration/household/{household}/remove",
            get(household::ask_remove).post(household::remove),
        )
        .route(
            "/registration/household/{household}/withdrawal",
            get(withdrawal::show).post(withdrawal::send),
        )
        .route("/registration/household/{household}/device", post(device::add))
        .route("/registration/household/{household}/device/{device}/sheet", post(device::sheet))
        .route(
            "/registration/household/{household}/{of}/{member}",
            get(member::show).post(member::send),
        )
        .route("/registration/messages", get(messages::show))
        .route("/registration/message/{message}", post(messages::answer))
        .route("/registration/consents", get(consents::show))
        .route("/registration/geodata", get(geodata::show))
}
