//! Who asks for a page, and how they want it.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use askama::Template;
use axum::{
    http::{HeaderMap, Method, StatusCode, request::Parts},
    response::Response,
};
use ebp_core::contract::WebSession;
use ebp_survey::SurveyError;
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    browser,
    site::{self, PUBLIC},
    state::CloudWeb,
};
use crate::kit::{
    defence::Defence,
    frame::Frame,
    language::Language,
    moment::Moments,
    page::{self, Preferences},
    session::{form_token, is_same},
};

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

    /// With their session, if they have one. Where the database is away, with the error: whoever is
    /// signed in is not sent to sign in again.
    pub(super) async fn from_parts(
        parts: &Parts,
        web: &Arc<CloudWeb>,
    ) -> Result<Self, (Self, SurveyError)> {
        let (headers, uri) = (&parts.headers, &parts.uri);
        let mut visitor = Self::stranger(web, headers, uri.path(), uri.query());
        // Links of a page that answers a form lead to a page that can be asked for.
        if parts.method == Method::POST {
            visitor.preferences.path = site::page_behind(uri.path());
        }
        visitor.request = parts.extensions.get().copied();
        visitor.source = parts.extensions.get().copied().unwrap_or(visitor.source);
        let Some(token) = visitor.token.clone() else { return Ok(visitor) };
        // A region that renews itself does not keep a session open.
        let is_used = !headers.contains_key("x-ebp-region");
        match web.survey.web_session(&token, is_used).await {
            Ok(session) => visitor.session = session,
            Err(error) => return Err((visitor, error)),
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

    /// Whether that is what forms of this session carry.
    #[must_use]
    pub fn is_own_form(&self, token: &str) -> bool {
        let own = self.token.as_deref().map(form_token).unwrap_or_default();
        is_same(token, &own) || !Defence::FormToken.is_on()
    }
}
