//! All routes that the frontends share, and the frontends' own.

use std::sync::Arc;

use axum::{
    Router, middleware,
    response::Response,
    routing::{get, post},
};

use super::{
    document,
    draft::{self, LongForms},
    link, problem, sign_in,
    state::{CloudParts, CloudWeb},
    visitor::Visitor,
};
use crate::kit::{
    check::{self, Checks},
    file,
    form::limit,
};

/// The longest body of a request, bytes. Routes that take more say so by themselves.
const LONGEST_BODY: usize = 256 * 1024;

/// The pages of the frontends that are built.
pub fn router(parts: CloudParts) -> Router {
    let CloudParts { survey, secrets, server, zone, hosts, scheme } = parts;
    let web = Arc::new(CloudWeb {
        survey,
        secrets,
        zone,
        scheme,
        long_forms: LongForms::default(),
        server,
        #[cfg(feature = "status")]
        fleets: crate::status::KeptFleets::default(),
    });
    let hosts = Arc::new(hosts);
    let page = {
        let (web, hosts) = (Arc::clone(&web), Arc::clone(&hosts));
        Arc::new(move |refused, headers: &_| problem::refused(&web, &hosts, refused, headers))
    };
    let checks = Checks { hosts, scheme, page };
    let router: Router<Arc<CloudWeb>> = Router::new()
        .route("/", get(sign_in::begin))
        // It may bring a table that was entered before.
        .route("/sign-in", get(sign_in::show).post(sign_in::sign_in).layer(limit(draft::LONGEST)))
        .route(
            "/signed-in",
            get(sign_in::arrive).post(sign_in::arrive_with_draft).layer(limit(draft::LONGEST)),
        )
        .route("/sign-out", post(sign_in::sign_out))
        .route("/link/{token}", get(link::show_link).post(link::sign_in_by_link))
        .route("/privacy", get(document::privacy))
        .route("/accessibility", get(document::accessibility));
    #[cfg(feature = "registration")]
    let router = router.merge(crate::registration::routes());
    #[cfg(feature = "status")]
    let router = router.merge(crate::status::routes());
    router
        .fallback(not_found)
        .route("/static/{name}", get(file::serve))
        .layer(limit(LONGEST_BODY))
        .layer(middleware::from_fn_with_state(checks, check::check))
        .with_state(web)
}

async fn not_found(visitor: Visitor) -> Response {
    problem::not_found(&visitor)
}
