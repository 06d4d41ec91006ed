//! Pages that say what went wrong, what still holds, and what to do.

use std::sync::Arc;

use askama::Template;
use axum::{
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use ebp_core::scope::Group;
use ebp_survey::{StoreError, SurveyError};

use super::{site, state::CloudWeb, visitor::Visitor};
use crate::kit::{check::Refused, frame::Frame, host::HostNames};

#[derive(Template)]
#[template(path = "cloud/problem.html")]
struct Page {
    frame: Frame,
    what: String,
    holds: String,
    remedy: String,
    request: Option<String>,
    home: &'static str,
}

/// What is said: title, what happened, what still holds, what to do.
type Texts = [&'static str; 4];

fn page(visitor: &Visitor, status: StatusCode, texts: Texts) -> Response {
    let [title, what, holds, remedy] = texts.map(|id| visitor.language().say(id));
    let page = Page {
        frame: visitor.frame(title),
        what,
        holds,
        remedy,
        request: visitor.request.map(|request| request.to_string()),
        home: visitor.session.as_ref().map_or("/", |session| site::home(session.group)),
    };
    visitor.show_with(status, &page)
}

/// There is no such page or thing.
pub fn not_found(visitor: &Visitor) -> Response {
    page(
        visitor,
        StatusCode::NOT_FOUND,
        [
            /* text */ "cloud-not-found-title",
            /* text */ "cloud-not-found",
            /* text */ "cloud-nothing-changed",
            /* text */ "cloud-not-found-remedy",
        ],
    )
}

/// A form that no page of this session made.
pub fn refuse_form(visitor: &Visitor) -> Response {
    page(
        visitor,
        StatusCode::FORBIDDEN,
        [
            /* text */ "cloud-form-refused-title",
            /* text */ "cloud-form-refused",
            /* text */ "cloud-nothing-changed",
            /* text */ "cloud-form-refused-remedy",
        ],
    )
}

/// A form that is too long.
pub fn too_long(visitor: &Visitor) -> Response {
    page(
        visitor,
        StatusCode::PAYLOAD_TOO_LARGE,
        [
            /* text */ "cloud-too-long-title",
            /* text */ "cloud-too-long",
            /* text */ "cloud-nothing-changed",
            /* text */ "cloud-too-long-remedy",
        ],
    )
}

/// A long form of somebody who is not signed in, while the server reads others.
pub fn busy(visitor: &Visitor) -> Response {
    page(
        visitor,
        StatusCode::SERVICE_UNAVAILABLE,
        [
            /* text */ "cloud-unavailable-title",
            /* text */ "cloud-busy",
            /* text */ "cloud-nothing-changed",
            /* text */ "cloud-busy-remedy",
        ],
    )
}

const FOR_RESEARCHERS: &str = /* text */ "cloud-for-researchers";
const FOR_ADMINISTRATORS: &str = /* text */ "cloud-for-administrators";

/// A page of the other group.
pub fn other_group(visitor: &Visitor, group: Group) -> Response {
    let what = match group {
        Group::Researchers => FOR_RESEARCHERS,
        Group::Administrators => FOR_ADMINISTRATORS,
    };
    page(
        visitor,
        StatusCode::FORBIDDEN,
        [
            /* text */ "cloud-other-group-title",
            what,
            /* text */ "cloud-nothing-changed",
            /* text */ "cloud-other-group-remedy",
        ],
    )
}

/// An operation that failed, and how a page tells of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failed {
    /// There is no such thing.
    NotFound,
    /// It is for the other group.
    NotPermitted,
    /// Consent is revoked: there is nothing to change any more.
    Revoked,
    /// It was changed since it was read.
    Changed,
    /// It is needed, or in another state.
    InUse,
    /// The database cannot be asked, or is busy.
    Unavailable,
    /// The server failed.
    Internal,
}

impl Failed {
    /// By the error of an operation.
    #[must_use]
    pub fn from_error(error: &SurveyError) -> Self {
        match error {
            SurveyError::NotPermitted(_) => Self::NotPermitted,
            SurveyError::Store(error) => match error {
                StoreError::NotFound => Self::NotFound,
                StoreError::ConsentRevoked => Self::Revoked,
                StoreError::Changed => Self::Changed,
                StoreError::InUse(_)
                | StoreError::MessageClosed
                | StoreError::ConsentNotGranted
                | StoreError::ConsentAlreadyGranted
                | StoreError::JobState(_)
                | StoreError::RolloutState(_) => Self::InUse,
                error if error.is_temporary() => Self::Unavailable,
                _ => Self::Internal,
            },
            SurveyError::SeriesChanging => Self::Unavailable,
            _ => Self::Internal,
        }
    }
}

/// An operation failed.
pub fn failed(visitor: &Visitor, error: SurveyError) -> Response {
    let failed = Failed::from_error(&error);
    let (status, texts): (_, Texts) = match failed {
        Failed::NotFound => return not_found(visitor),
        Failed::NotPermitted => {
            let other = match visitor.session.as_ref().map(|session| session.group) {
                Some(Group::Researchers) => Group::Administrators,
                _ => Group::Researchers,
            };
            return other_group(visitor, other);
        }
        Failed::Revoked => (
            StatusCode::GONE,
            [
                /* text */ "cloud-revoked-title",
                /* text */ "cloud-revoked",
                /* text */ "cloud-nothing-changed",
                /* text */ "cloud-revoked-remedy",
            ],
        ),
        Failed::Changed => (
            StatusCode::PRECONDITION_FAILED,
            [
                /* text */ "cloud-changed-title",
                /* text */ "cloud-changed",
                /* text */ "cloud-nothing-changed",
                /* text */ "cloud-changed-remedy",
            ],
        ),
        Failed::InUse => (
            StatusCode::CONFLICT,
            [
                /* text */ "cloud-in-use-title",
                /* text */ "cloud-in-use",
                /* text */ "cloud-nothing-changed",
                /* text */ "cloud-in-use-remedy",
            ],
        ),
        Failed::Unavailable => (
            StatusCode::SERVICE_UNAVAILABLE,
            [
                /* text */ "cloud-unavailable-title",
                /* text */ "cloud-unavailable",
                /* text */ "cloud-perhaps-changed",
                /* text */ "cloud-unavailable-remedy",
            ],
        ),
        Failed::Internal => (
            StatusCode::INTERNAL_SERVER_ERROR,
            [
                /* text */ "cloud-failed-title",
                /* text */ "cloud-failed",
                /* text */ "cloud-perhaps-changed",
                /* text */ "cloud-failed-remedy",
            ],
        ),
    };
    if matches!(failed, Failed::Unavailable | Failed::Internal) {
        tracing::error!(%error, "a page's operation failed");
    }
    page(visitor, status, texts)
}

/// The answer to a request that no page sees.
pub fn refused(
    web: &Arc<CloudWeb>,
    hosts: &HostNames,
    refused: Refused,
    headers: &HeaderMap,
) -> Response {
    // Nothing of a session is shown: the request may come from another page.
    let visitor = Visitor::stranger(web, headers, "/", None);
    match refused {
        Refused::Host => {
            let names = [("names", hosts.to_string().into())];
            let text = format!("{}\n", visitor.language().say_with("cloud-wrong-address", names));
            (refused.status(), [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text)
                .into_response()
        }
        Refused::Origin => refuse_form(&visitor),
        Refused::Method | Refused::Time => page(
            &visitor,
            refused.status(),
            [
                /* text */ "cloud-failed-title",
                /* text */ "cloud-request-refused",
                /* text */ "cloud-perhaps-changed",
                /* text */ "cloud-form-refused-remedy",
            ],
        ),
    }
}

impl Visitor {
    /// The page that says that an operation failed.
    #[must_use]
    pub fn fail(&self, error: impl Into<SurveyError>) -> Response {
        failed(self, error.into())
    }

    /// The page that says that there is no such page or thing.
    #[must_use]
    pub fn not_found(&self) -> Response {
        not_found(self)
    }

    /// The page that says that a form is of no page of this session.
    #[must_use]
    pub fn refuse_form(&self) -> Response {
        refuse_form(self)
    }

    /// The page that says that a form or file is too long.
    #[must_use]
    pub fn too_long(&self) -> Response {
        too_long(self)
    }
}
