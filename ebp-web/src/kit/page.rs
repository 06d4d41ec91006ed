//! What the frame of every page shows, and the preferences that a browser keeps.

use std::{convert::Infallible, fmt, str::FromStr};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts},
    response::{AppendHeaders, Html, IntoResponse, Redirect, Response},
};
use cookie::{Cookie, SameSite, time::Duration};

use super::{defence::Defence, language::Language};

/// The browser's cookie with the language.
pub const LANGUAGE_COOKIE: &str = "ebp_language";
/// The browser's cookie with the theme.
pub const THEME_COOKIE: &str = "ebp_theme";

/// Light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// As the system has it.
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// A name of no theme.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("unknown theme: there are system, light and dark")]
pub struct UnknownTheme;

impl Theme {
    /// All, in the order in which the switch shows them.
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// Its name in addresses, cookies and `data-theme`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

impl FromStr for Theme {
    type Err = UnknownTheme;
    fn from_str(name: &str) -> Result<Self, UnknownTheme> {
        Self::ALL.into_iter().find(|theme| theme.name() == name).ok_or(UnknownTheme)
    }
}

/// How the visitor wants pages, and where they are. `?lang=` and `?theme=` choose, cookies keep it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preferences {
    /// The language.
    pub language: Language,
    /// The theme.
    pub theme: Theme,
    /// The path of the request.
    pub path: String,
    /// Its query, without `lang` and `theme`.
    pub query: Vec<(String, String)>,
    chosen: (Option<Language>, Option<Theme>),
}

impl Preferences {
    /// Those of a request.
    #[must_use]
    pub fn from_request(headers: &HeaderMap, path: &str, query: Option<&str>) -> Self {
        let mut rest = Vec::new();
        let mut chosen = (None, None);
        let pairs = url_pairs(query.unwrap_or_default());
        for (name, value) in pairs {
            match name.as_str() {
                "lang" => chosen.0 = value.parse().ok(),
                "theme" => chosen.1 = value.parse().ok(),
                _ => rest.push((name, value)),
            }
        }
        let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let language = chosen
            .0
            .or_else(|| cookie(headers, LANGUAGE_COOKIE)?.parse().ok())
            .unwrap_or_else(|| Language::negotiate(accepted.unwrap_or_default()));
        let theme = chosen
            .1
            .or_else(|| cookie(headers, THEME_COOKIE)?.parse().ok())
            .unwrap_or(Theme::System);
        Self { language, theme, path: path.to_owned(), query: rest, chosen }
    }

    /// A value of the query.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// This page's address with one more value.
    #[must_use]
    pub fn address_with(&self, name: &str, value: &str) -> String {
        let kept = self.query.iter().filter(|(other, _)| other != name);
        let mut address = format!("{}?", self.path);
        for (name, value) in kept {
            address.push_str(&format!("{}={}&", encode(name), encode(value)));
        }
        address.push_str(&format!("{}={}", encode(name), encode(value)));
        address
    }

    /// The cookies that keep what was chosen in the address: for a year.
    #[must_use]
    pub fn cookies(&self) -> Vec<String> {
        let keep = |name: &'static str, value: &'static str| {
            Cookie::build((name, value))
                .path("/")
                .same_site(SameSite::Strict)
                .http_only(true)
                .max_age(Duration::days(365))
                .to_string()
        };
        let language = self.chosen.0.map(|language| keep(LANGUAGE_COOKIE, language.code()));
        let theme = self.chosen.1.map(|theme| keep(THEME_COOKIE, theme.name()));
        language.into_iter().chain(theme).collect()
    }
}

impl<S: Sync> FromRequestParts<S> for Preferences {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::from_request(&parts.headers, parts.uri.path(), parts.uri.query()))
    }
}

/// The value of a cookie that is there exactly once: a second one of the same name may have been
/// planted by a page of another port.
#[must_use]
pub fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let mut found = None;
    for header in headers.get_all(header::COOKIE) {
        for cookie in Cookie::split_parse(header.to_str().ok()?).take(64).flatten() {
            if cookie.name() == name {
                if found.is_some() && Defence::SingleCookie.is_on() {
                    return None;
                }
                found = Some(cookie.value().to_owned());
            }
        }
    }
    found
}

/// The pairs of a query or a form, at most a hundred.
#[must_use]
pub fn url_pairs(text: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(text.as_bytes())
        .take(100)
        .map(|(a, b)| (a.into_owned(), b.into_owned()))
        .collect()
}

/// Text as part of a query.
#[must_use]
pub fn encode(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// A page, or 500 if it cannot be made.
#[must_use]
pub fn rendered<E: fmt::Display>(
    status: StatusCode,
    cookies: Vec<String>,
    html: Result<String, E>,
) -> Response {
    match html {
        Ok(html) => (status, html_with(cookies, html)).into_response(),
        Err(error) => {
            tracing::error!("a page cannot be made: {error}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Leads to another page, with cookies.
#[must_use]
pub fn lead_with(cookies: Vec<String>, path: &str) -> Response {
    let values = cookies.into_iter().filter_map(|cookie| HeaderValue::from_str(&cookie).ok());
    let headers: Vec<_> = values.map(|value| (header::SET_COOKIE, value)).collect();
    (AppendHeaders(headers), Redirect::to(path)).into_response()
}

/// HTML with cookies.
#[must_use]
pub fn html_with(cookies: Vec<String>, html: String) -> Response {
    let values = cookies.into_iter().filter_map(|cookie| HeaderValue::from_str(&cookie).ok());
    let headers: Vec<(HeaderName, HeaderValue)> =
        values.map(|value| (header::SET_COOKIE, value)).collect();
    (AppendHeaders(headers), Html(html)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn the_address_chooses_and_the_cookie_keeps() {
        let browser = headers(&[
            (header::ACCEPT_LANGUAGE, "de"),
            (header::COOKIE, "ebp_language=en; ebp_theme=dark"),
        ]);
        let kept = Preferences::from_request(&browser, "/today", None);
        assert_eq!((kept.language, kept.theme), (Language::En, Theme::Dark));
        assert!(kept.cookies().is_empty(), "nothing was chosen");
        let chosen =
            Preferences::from_request(&browser, "/a", Some("date=2026-01-01&lang=de&theme=x"));
        assert_eq!((chosen.language, chosen.theme), (Language::De, Theme::Dark));
        assert_eq!(
            chosen.cookies(),
            ["ebp_language=de; HttpOnly; SameSite=Strict; Path=/; Max-Age=31536000"]
        );
        assert_eq!(chosen.address_with("theme", "dark"), "/a?date=2026-01-01&theme=dark");
        assert_eq!(chosen.get("date"), Some("2026-01-01"));
    }

    #[test]
    fn a_cookie_that_is_there_twice_is_none() {
        let one = headers(&[(header::COOKIE, "a=1; s=2")]);
        assert_eq!(cookie(&one, "s").as_deref(), Some("2"));
        let two = headers(&[(header::COOKIE, "s=1; s=2")]);
        assert_eq!(cookie(&two, "s"), None);
    }

    #[test]
    fn hostile_queries_stay_text() {
        let pairs = url_pairs("a=%22%3E%3Cimg&b=%ff%00&c=%4&d=%zz&=&e");
        let values: Vec<_> = pairs.iter().map(|(_, value)| value.as_str()).collect();
        assert_eq!(values, ["\"><img", "\u{fffd}\0", "%4", "%zz", "", ""]);
        assert_eq!(url_pairs(&"a=1&".repeat(10_000)).len(), 100);
        assert_eq!(encode("a b&=\"ü"), "a+b%26%3D%22%C3%BC");
    }
}
