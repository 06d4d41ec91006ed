//! Forms that are sent: signed in, of a page of this session, not too long.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::header,
    response::Response,
};

use super::{
    problem,
    state::DeviceWeb,
    visitor::{SignedIn, Visitor},
};
use crate::kit::{
    page,
    session::{Session, is_same},
};

/// A form of a page of ours: signed in, of this session, not too long.
pub struct Submitted {
    /// Who sent it.
    pub visitor: Visitor,
    /// Their session.
    pub session: Session,
    fields: Vec<(String, String)>,
}

impl Submitted {
    /// A field's value; empty if it is absent.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.fields.iter().find(|(other, _)| other == name).map_or("", |(_, value)| value)
    }
}

impl FromRequest<Arc<DeviceWeb>> for Submitted {
    type Rejection = Response;
    async fn from_request(request: Request, web: &Arc<DeviceWeb>) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let SignedIn(visitor, session) = SignedIn::from_request_parts(&mut parts, web).await?;
        let fields = read_form(Request::from_parts(parts, body), web, &visitor).await?;
        let form = Self { visitor, session, fields };
        if !is_same(form.get("token"), &form.session.form_token) {
            return Err(problem::refuse_form(&form.visitor));
        }
        Ok(form)
    }
}

/// The fields of a form.
///
/// # Errors
/// Returns the page that says why it cannot be read.
pub async fn read_form(
    request: Request,
    web: &Arc<DeviceWeb>,
    visitor: &Visitor,
) -> Result<Vec<(String, String)>, Response> {
    let media_type = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
    let is_form = media_type.is_some_and(|media_type| {
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
    });
    if !is_form {
        return Err(problem::refuse_form(visitor));
    }
    let body = Bytes::from_request(request, web).await.map_err(|_| problem::too_long(visitor))?;
    std::str::from_utf8(&body).map(page::url_pairs).map_err(|_| problem::refuse_form(visitor))
}
