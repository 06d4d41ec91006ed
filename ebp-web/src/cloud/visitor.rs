//! Who asks for a page, and how they want it.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use askama::Template;
use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, Method, StatusCode, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use ebp_core::{contract::WebSession, scope::Group};
use ebp_survey::{GroupCaller, SurveyError};
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    browser, problem, sign_in,
    site::{self, PUBLIC},
    state::CloudWeb,
};
use crate::kit::{
    defence::Defence,
    form::{Fields, FormFault},
    frame::Frame,
    language::Language,
    moment::Moments,
    page::{self, Preferences, encode},
    session::{form_token, is_same},
};

/// Fields of a form, at most: a hundred meters and a hundred systems.
const MOST_FIELDS: usize = 1_200;

/// Whoever asks, signed in or not.
#[derive(Clone)]
pub struct Visitor {
    /// How they want it.
    pub preferences: Preferences,
    /// Their session.
    pub session: Option<WebSession>,
    /// The time.
    pub now: Timestamp,
    pub(super) web: Arc<CloudWeb>,
    pub(super) token: Option<String>,
    pub(super) request: Option<Uuid>,
    pub(super) source: IpAddr,
    pub(super) browser: Option<String>,
}

impl Visitor {
    /// Without looking for a session.
    pub(super) fn stranger(
        web: &Arc<CloudWeb>,
        headers: &HeaderMap,
        path: &str,
        query: Option<&str>,
    ) -> Self {
        Self {
            preferences: Preferences::from_request(headers, path, query),
            session: None,
            now: web.survey.clock().now(),
            web: Arc::clone(web),
            token: page::cookie(headers, web.session_cookie()),
            request: None,
            source: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            browser: browser::family(headers),
        }
    }

    /// With their session, if they have one.
    async fn from_parts(parts: &Parts, web: &Arc<CloudWeb>) -> Result<Self, Response> {
        let (headers, uri) = (&parts.headers, &parts.uri);
        let mut visitor = Self::stranger(web, headers, uri.path(), uri.query());
        visitor.request = parts.extensions.get().copied();
        visitor.source = parts.extensions.get().copied().unwrap_or(visitor.source);
        let Some(token) = visitor.token.clone() else { return Ok(visitor) };
        // A region that renews itself does not keep a session open.
        let is_used = !headers.contains_key("x-ebp-region");
        match web.survey.web_session(&token, is_used).await {
            Ok(session) => visitor.session = session,
            // Whoever is signed in is not sent to sign in because the database is away.
            Err(error) => return Err(problem::failed(&visitor, error)),
        }
        Ok(visitor)
    }

    /// The language.
    #[must_use]
    pub const fn language(&self) -> Language {
        self.preferences.language
    }

    /// How times are shown.
    #[must_use]
    pub fn moments(&self) -> Moments {
        Moments { zone: self.web.zone.clone(), language: self.language() }
    }

    /// The frame of a page with that title.
    #[must_use]
    pub fn frame(&self, title: String) -> Frame {
        let site = self.session.as_ref().map_or(&PUBLIC, |session| site::of_group(session.group));
        let token = self.session.as_ref().and(self.token.as_deref()).map(form_token);
        Frame::new(site, title, self.preferences.clone(), self.moments(), self.now, token)
    }

    /// A page.
    #[must_use]
    pub fn show(&self, template: &impl Template) -> Response {
        self.show_with(StatusCode::OK, template)
    }

    /// A page with another status.
    #[must_use]
    pub fn show_with(&self, status: StatusCode, template: &impl Template) -> Response {
        page::rendered(status, self.preferences.cookies(), template.render())
    }

    /// The page that says that an operation failed.
    #[must_use]
    pub fn fail(&self, error: impl Into<SurveyError>) -> Response {
        problem::failed(self, error.into())
    }

    /// The page that says that there is no such page or thing.
    #[must_use]
    pub fn not_found(&self) -> Response {
        problem::not_found(self)
    }

    /// Whether that is what forms of this session carry.
    #[must_use]
    pub fn is_own_form(&self, token: &str) -> bool {
        let own = self.token.as_deref().map(form_token).unwrap_or_default();
        is_same(token, &own) || !Defence::FormToken.is_on()
    }

    /// The page that says that a form is of no page of this session.
    #[must_use]
    pub fn refuse_form(&self) -> Response {
        problem::refuse_form(self)
    }

    /// The page that says that a form or file is too long.
    #[must_use]
    pub fn too_long(&self) -> Response {
        problem::too_long(self)
    }

    fn caller(&self, session: &WebSession) -> GroupCaller {
        GroupCaller::of_session(Arc::clone(&self.web.survey), session)
    }

    /// The caller, if the visitor is signed in as one of that group.
    fn of_group(&self, group: Group) -> Result<Option<GroupCaller>, Response> {
        match &self.session {
            Some(session) if session.group == group => Ok(Some(self.caller(session))),
            Some(_) => Err(problem::other_group(self, group)),
            None => Ok(None),
        }
    }
}

impl FromRequestParts<Arc<CloudWeb>> for Visitor {
    type Rejection = Response;
    async fn from_request_parts(parts: &mut Parts, web: &Arc<CloudWeb>) -> Result<Self, Response> {
        Self::from_parts(parts, web).await
    }
}

/// A visitor who is signed in as one of the group. Others are led to the sign-in page, and back
/// afterwards.
async fn signed_in(
    parts: &Parts,
    web: &Arc<CloudWeb>,
    group: Group,
) -> Result<(Visitor, GroupCaller), Response> {
    let visitor = Visitor::from_parts(parts, web).await?;
    if let Some(caller) = visitor.of_group(group)? {
        return Ok((visitor, caller));
    }
    // A link in a mail: the browser left the cookie out, and sends it if the page asks for itself.
    let is_linked = parts.headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site");
    if is_linked && parts.method == Method::GET && visitor.token.is_none() {
        return Err(sign_in::ask_again(&visitor));
    }
    let ended = if visitor.token.is_some() { "&ended=1" } else { "" };
    let back = if parts.method == Method::GET {
        parts.uri.path_and_query().map_or(site::home(group), |target| target.as_str())
    } else {
        site::home(group)
    };
    let target = format!("/sign-in?group={}&next={}{ended}", group.name(), encode(back));
    Err(Redirect::to(&target).into_response())
}

/// A form of a page of this session. Who is not signed in (any more) gets the sign-in page, which keeps
/// what was entered.
async fn submitted(
    request: Request,
    web: &Arc<CloudWeb>,
    group: Group,
) -> Result<(Visitor, GroupCaller, Fields), Response> {
    let (parts, body) = request.into_parts();
    let visitor = Visitor::from_parts(&parts, web).await?;
    let caller = visitor.of_group(group)?;
    let path = parts.uri.path().to_owned();
    let fields = Fields::read_all(Request::from_parts(parts, body), MOST_FIELDS).await;
    let fields = fields.map_err(|fault| match fault {
        FormFault::NoForm => problem::refuse_form(&visitor),
        FormFault::TooLong => problem::too_long(&visitor),
    })?;
    let Some(caller) = caller else {
        return Err(sign_in::with_draft(&visitor, group, &path, &fields));
    };
    if !visitor.is_own_form(fields.get("token")) {
        return Err(problem::refuse_form(&visitor));
    }
    Ok((visitor, caller, fields))
}

macro_rules! of_groups {
    ($($(#[$about:meta])* $name:ident, $form:ident: $group:expr;)*) => {$(
        $(#[$about])*
        pub struct $name {
            /// Who asks.
            pub visitor: Visitor,
            /// What they may have done.
            pub caller: GroupCaller,
        }

        impl FromRequestParts<Arc<CloudWeb>> for $name {
            type Rejection = Response;
            async fn from_request_parts(
                parts: &mut Parts,
                web: &Arc<CloudWeb>,
            ) -> Result<Self, Response> {
                let (visitor, caller) = signed_in(parts, web, $group).await?;
                Ok(Self { visitor, caller })
            }
        }

        $(#[$about])*
        ///
        /// They sent a form, which is of a page of this session.
        pub struct $form {
            /// Who sent it.
            pub visitor: Visitor,
            /// What they may have done.
            pub caller: GroupCaller,
            /// What they sent.
            pub fields: Fields,
        }

        impl FromRequest<Arc<CloudWeb>> for $form {
            type Rejection = Response;
            async fn from_request(
                request: Request,
                web: &Arc<CloudWeb>,
            ) -> Result<Self, Response> {
                let (visitor, caller, fields) = submitted(request, web, $group).await?;
                Ok(Self { visitor, caller, fields })
            }
        }
    )*};
}

of_groups! {
    /// A researcher who is signed in.
    Researcher, ResearcherForm: Group::Researchers;
    /// An administrator who is signed in.
    Administrator, AdministratorForm: Group::Administrators;
}
