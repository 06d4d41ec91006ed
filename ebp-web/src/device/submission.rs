//! Forms that are sent: signed in, of a page of this session, not too long.

use std::sync::Arc;

use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    http::StatusCode,
    response::Response,
};

use super::{
    code_wait::wait_text,
    problem, sign_in_page,
    state::DeviceWeb,
    visitor::{SignedIn, Visitor},
};
use crate::kit::{
    code::Tried,
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

    /// All fields.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter()
    }

    /// Holds the form's `code` against the device's; the session is fresh again if it is right.
    pub async fn check_code(&self, web: &Arc<DeviceWeb>) -> CodeInForm {
        let visitor = &self.visitor;
        let Some(hash) = web.code_hash() else { return CodeInForm::NotEnrolled };
        match web.codes.verify(&hash, self.get("code"), || web.since_boot()).await {
            Tried::Right => {
                let refresh = |token: &String| web.sessions.refresh(token, web.since_boot());
                visitor.token.iter().for_each(refresh);
                CodeInForm::Right
            }
            Tried::Wrong { wait } if wait.is_zero() => {
                let fault = visitor.language().say("code-wrong");
                CodeInForm::Wrong(StatusCode::UNPROCESSABLE_ENTITY, fault)
            }
            Tried::Wrong { wait } | Tried::TooEarly { wait } => {
                let fault = wait_text(visitor, wait.as_secs() + 1);
                CodeInForm::Wrong(StatusCode::TOO_MANY_REQUESTS, fault)
            }
        }
    }
}

/// What a form's code is worth.
pub enum CodeInForm {
    /// It is the device's.
    Right,
    /// It is not: the status and the text that say so.
    Wrong(StatusCode, String),
    /// The device has none yet.
    NotEnrolled,
}

impl FromRequest<Arc<DeviceWeb>> for Submitted {
    type Rejection = Response;
    async fn from_request(request: Request, web: &Arc<DeviceWeb>) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let signed_in = SignedIn::from_request_parts(&mut parts, web).await;
        let SignedIn(visitor, session) = match signed_in {
            Ok(signed_in) => signed_in,
            // A message that was written for minutes is not lost with the session.
            Err(led) if parts.uri.path() == "/registration" => {
                let Ok(visitor) = Visitor::from_request_parts(&mut parts, web).await;
                let fields = read_form(Request::from_parts(parts, body), &visitor).await?;
                return Err(sign_in_page::with_draft(web, &visitor, &fields).unwrap_or(led));
            }
            Err(led) => return Err(led),
        };
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
