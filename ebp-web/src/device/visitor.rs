//! Who asks for a page, and how they want it.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, Method, StatusCode, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use jiff::Timestamp;

use super::{
    site::{SITE, page_behind},
    state::DeviceWeb,
};
use crate::kit::{
    frame::{Frame, Site},
    language::Language,
    moment::Moments,
    page::{self, Preferences, encode},
    session::Session,
};

/// The browser's cookie with the visitor's own prices, ct/kWh.
pub const PRICES_COOKIE: &str = "ebp_prices";

/// Whoever asks, signed in or not.
#[derive(Clone)]
pub struct Visitor {
    /// The page.
    pub web: Arc<DeviceWeb>,
    /// How they want it.
    pub preferences: Preferences,
    /// Their session.
    pub session: Option<Session>,
    /// The session cookie's value, whether or not there is such a session.
    pub token: Option<String>,
    /// Their own prices, as their browser keeps them.
    pub prices: Option<String>,
    /// The time.
    pub now: Timestamp,
}

impl Visitor {
    /// From a request's parts.
    #[must_use]
    pub fn from_headers(
        web: &Arc<DeviceWeb>,
        headers: &HeaderMap,
        path: &str,
        query: Option<&str>,
    ) -> Self {
        let token = page::cookie(headers, &web.session_cookie());
        if token.is_some() {
            web.watch_code();
        }
        // A region that renews itself does not keep a session open.
        let is_used = !headers.contains_key("x-ebp-region");
        let find = |token: &String| web.sessions.find(token, web.since_boot(), is_used);
        Self {
            session: token.as_ref().and_then(find),
            preferences: Preferences::from_request(headers, path, query),
            token,
            prices: page::cookie(headers, PRICES_COOKIE),
            now: web.now(),
            web: Arc::clone(web),
        }
    }

    /// The language.
    #[must_use]
    pub const fn language(&self) -> Language {
        self.preferences.language
    }

    /// How times are shown.
    #[must_use]
    pub fn moments(&self) -> Moments {
        Moments { zone: self.web.parts.zone.clone(), language: self.language() }
    }

    /// The frame of a page with that title.
    #[must_use]
    pub fn frame(&self, title: String) -> Frame {
        self.frame_of(&SITE, title)
    }

    /// The frame of a page of that site.
    #[must_use]
    pub fn frame_of(&self, site: &'static Site, title: String) -> Frame {
        let token = self.session.as_ref().map(|session| session.form_token.clone());
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
}

impl FromRequestParts<Arc<DeviceWeb>> for Visitor {
    type Rejection = std::convert::Infallible;
    async fn from_request_parts(
        parts: &mut Parts,
        web: &Arc<DeviceWeb>,
    ) -> Result<Self, Self::Rejection> {
        let mut visitor =
            Self::from_headers(web, &parts.headers, parts.uri.path(), parts.uri.query());
        // Links of a page that answers a form lead to a page that can be asked for.
        if parts.method == Method::POST {
            visitor.preferences.path = page_behind(&visitor.preferences.path).to_owned();
        }
        Ok(visitor)
    }
}

/// A visitor who is signed in. Others are led to the sign-in page, and back afterwards.
pub struct SignedIn(pub Visitor, pub Session);

impl FromRequestParts<Arc<DeviceWeb>> for SignedIn {
    type Rejection = Response;
    async fn from_request_parts(parts: &mut Parts, web: &Arc<DeviceWeb>) -> Result<Self, Response> {
        let Ok(visitor) = Visitor::from_request_parts(parts, web).await;
        if let Some(session) = visitor.session.clone() {
            return Ok(Self(visitor, session));
        }
        let ended = if visitor.token.is_some() { "&ended=1" } else { "" };
        let back = if parts.method == Method::GET {
            parts.uri.path_and_query().map_or("/today", |target| target.as_str())
        } else {
            "/today"
        };
        Err(Redirect::to(&format!("/?next={}{ended}", encode(back))).into_response())
    }
}
