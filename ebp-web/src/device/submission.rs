//! Forms that are sent: signed in, of a page of this session, not too long.

use std::sync::Arc;

use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    response::Response,
};

use super::{
    problem,
    state::DeviceWeb,
    visitor::{SignedIn, Visitor},
};
use crate::kit::{
    defence::Defence,
    form::{Fields, FormFault},
    session::{Session, is_same},
};

/// A form of a page of ours: signed in, of this session, not too long.
pub struct Submitted {
    /// Who sent it.
    pub visitor: Visitor,
    /// Their session.
    pub session: Session,
    fields: Fields,
}

impl Submitted {
    /// A field's value; empty if it is absent.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.fields.get(name)
    }
}

impl FromRequest<Arc<DeviceWeb>> for Submitted {
    type Rejection = Response;
    async fn from_request(request: Request, web: &Arc<DeviceWeb>) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let SignedIn(visitor, session) = SignedIn::from_request_parts(&mut parts, web).await?;
        let fields = read_form(Request::from_parts(parts, body), &visitor).await?;
        let form = Self { visitor, session, fields };
        let is_own = is_same(form.get("token"), &form.session.form_token);
        if !is_own && Defence::FormToken.is_on() {
            return Err(problem::refuse_form(&form.visitor));
        }
        Ok(form)
    }
}

/// The fields of a form.
///
/// # Errors
/// Returns the page that says why it cannot be read.
pub async fn read_form(request: Request, visitor: &Visitor) -> Result<Fields, Response> {
    Fields::read(request).await.map_err(|fault| match fault {
        FormFault::NoForm => problem::refuse_form(visitor),
        FormFault::TooLong => problem::too_long(visitor),
    })
}
