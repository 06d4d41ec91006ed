//! All routes of the researchers' pages.

use std::sync::Arc;

use axum::{
    Router,
    routing::{get, post},
};

use super::{
    consents, device, edit, geodata, household, households, import, member, messages, new, remove,
    withdrawal,
};
use crate::{cloud::CloudWeb, kit::form::limit};

/// What a form has beside a file, octets at most.
const FORM: usize = 64 * 1024;

/// The routes.
pub fn routes() -> Router<Arc<CloudWeb>> {
    Router::new()
        .route("/registration", get(households::show))
        .route("/registration/households.csv", get(households::csv))
        .route("/registration/new", get(new::show).post(new::send))
        .route("/registration/check", post(new::check))
        .route("/registration/regions.svg", get(new::regions))
        .route("/registration/region/{code}", get(new::region))
        .route(
            "/registration/household/{household}",
            get(household::show).post(household::show_typed),
        )
        .route("/registration/household/{household}/edit", get(edit::show).post(edit::send))
        .route(
            "/registration/household/{household}/remove",
            get(remove::ask_remove).post(remove::remove),
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
        .route(
            "/registration/import",
            get(import::show).post(import::upload).layer(limit(import::LONGEST_FILE + FORM)),
        )
        // Text in a form is up to three times as long as in the file.
        .route(
            "/registration/import/check",
            post(import::check).layer(limit(3 * import::LONGEST_FILE + FORM)),
        )
        .route(
            "/registration/import/run",
            post(import::run).layer(limit(3 * import::LONGEST_FILE + FORM)),
        )
        .route("/registration/import/{job}", get(import::progress))
        .route("/registration/template.csv", get(import::template))
        .route("/registration/messages", get(messages::show).post(messages::show_typed))
        .route("/registration/message/{message}", post(messages::answer))
        .route("/registration/consents", get(consents::show))
        .route("/registration/geodata", get(geodata::show))
}
