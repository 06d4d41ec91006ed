//! Signing in by a link, once.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use ebp_survey::{StoreError, SurveyError};

use super::{
    problem,
    sign_in::{arrived_at, end_before, with_cookie},
    site,
    state::CloudWeb,
    visitor::Visitor,
};
use crate::kit::frame::Frame;

#[derive(Template)]
#[template(path = "cloud/link.html")]
struct LinkPage {
    frame: Frame,
    link: String,
    fault: Option<String>,
}

/// `GET /link/{token}`: changes nothing, as mail programs look at links, too.
pub async fn show_link(visitor: Visitor, Path(link): Path<String>) -> Response {
    link_page(&visitor, StatusCode::OK, link, None)
}

fn link_page(
    visitor: &Visitor,
    status: StatusCode,
    link: String,
    fault: Option<String>,
) -> Response {
    let stranger = Visitor { session: None, ..visitor.clone() };
    let frame = stranger.frame(visitor.language().say("cloud-link-title"));
    visitor.show_with(status, &LinkPage { frame, link, fault })
}

/// `POST /link/{token}`: signs in once.
pub async fn sign_in_by_link(
    State(web): State<Arc<CloudWeb>>,
    visitor: Visitor,
    Path(link): Path<String>,
) -> Response {
    match web.survey.sign_in_by_link(&link, visitor.browser.clone()).await {
        Ok((token, group)) => {
            end_before(&web, &visitor).await;
            with_cookie(&web, token.as_str(), None, arrived_at(site::home(group)))
        }
        Err(SurveyError::Store(StoreError::NotFound)) => {
            let fault = Some(visitor.language().say("cloud-link-used"));
            link_page(&visitor, StatusCode::GONE, link, fault)
        }
        Err(error) => problem::failed(&visitor, error),
    }
}
