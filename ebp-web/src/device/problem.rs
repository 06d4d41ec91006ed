//! Pages that say what went wrong, what still holds, and what to do.

use std::sync::Arc;

use askama::Template;
use axum::{
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{cloud::CloudError, state::DeviceWeb, visitor::Visitor};
use crate::kit::{check::Refused, frame::Frame, host::HostNames, request_id};

#[derive(Template)]
#[template(path = "device/problem.html")]
struct Page {
    frame: Frame,
    what: String,
    holds: String,
    remedy: String,
    /// By which the log's lines about this request are found.
    request: String,
}

fn page(visitor: &Visitor, status: StatusCode, texts: [&str; 4]) -> Response {
    let [title, what, holds, remedy] = texts.map(|id| visitor.language().say(id));
    tracing::info!("answered with an error page, status {}", status.as_u16());
    let request = request_id::current();
    visitor.show_with(status, &Page { frame: visitor.frame(title), what, holds, remedy, request })
}

/// There is no such page.
pub fn not_found(visitor: &Visitor) -> Response {
    let texts = [
        /* text */ "not-found-title",
        /* text */ "not-found",
        /* text */ "nothing-changed",
        /* text */ "not-found-remedy",
    ];
    page(visitor, StatusCode::NOT_FOUND, texts)
}

/// The day or period that is asked for is none.
pub fn no_period(visitor: &Visitor) -> Response {
    let texts = [
        /* text */ "no-period",
        /* text */ "no-period-why",
        /* text */ "nothing-changed",
        /* text */ "not-found-remedy",
    ];
    page(visitor, StatusCode::BAD_REQUEST, texts)
}

/// A form that no page of this session made.
pub fn refuse_form(visitor: &Visitor) -> Response {
    let texts = [
        /* text */ "form-refused-title",
        /* text */ "form-refused",
        /* text */ "nothing-changed",
        /* text */ "form-refused-remedy",
    ];
    page(visitor, StatusCode::FORBIDDEN, texts)
}

/// The code that a form has to carry is not the device's.
pub fn wrong_code(visitor: &Visitor, status: StatusCode, fault: String) -> Response {
    let say = |id: &str| visitor.language().say(id);
    let page = Page {
        frame: visitor.frame(say("form-refused-title")),
        what: fault,
        holds: say("nothing-changed"),
        remedy: say("form-refused-remedy"),
        request: request_id::current(),
    };
    visitor.show_with(status, &page)
}

/// A form that is too long.
pub fn too_long(visitor: &Visitor) -> Response {
    let texts = [
        /* text */ "too-long-title",
        /* text */ "too-long",
        /* text */ "nothing-changed",
        /* text */ "too-long-remedy",
    ];
    page(visitor, StatusCode::PAYLOAD_TOO_LARGE, texts)
}

/// The server gave no answer that can be shown.
pub fn cloud(visitor: &Visitor, error: CloudError) -> Response {
    let (status, texts) = match error {
        CloudError::Away | CloudError::Revoked => (
            StatusCode::SERVICE_UNAVAILABLE,
            [
                /* text */ "away-title",
                /* text */ "away",
                /* text */ "away-holds",
                /* text */ "away-remedy",
            ],
        ),
        CloudError::NotAccepted => (
            StatusCode::BAD_GATEWAY,
            [
                /* text */ "not-accepted-title",
                /* text */ "not-accepted",
                /* text */ "away-holds",
                /* text */ "not-accepted-remedy",
            ],
        ),
        CloudError::TextChanged | CloudError::Refused(_) => (
            StatusCode::BAD_GATEWAY,
            [
                /* text */ "refused-title",
                /* text */ "refused",
                /* text */ "nothing-changed",
                /* text */ "refused-remedy",
            ],
        ),
    };
    page(visitor, status, texts)
}

/// The answer to a request that no page sees.
pub fn refused(
    web: &Arc<DeviceWeb>,
    hosts: &HostNames,
    refused: Refused,
    headers: &HeaderMap,
) -> Response {
    // Nothing of the session is shown: the request may come from another page.
    let mut visitor = Visitor::from_headers(web, headers, "/", None);
    visitor.session = None;
    let language = visitor.language();
    match refused {
        Refused::Host => {
            let names = hosts.to_string();
            let text = language.say_with("wrong-address", [("names", names.into())]);
            let text = format!("{text}\n");
            (refused.status(), [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text)
                .into_response()
        }
        Refused::Origin => refuse_form(&visitor),
        Refused::Method | Refused::Time => {
            let texts = [
                /* text */ "refused-title",
                /* text */ "request-refused",
                /* text */ "nothing-changed",
                /* text */ "form-refused-remedy",
            ];
            page(&visitor, refused.status(), texts)
        }
    }
}
