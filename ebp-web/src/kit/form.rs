//! Forms as browsers send them.

use axum::{
    Extension,
    body::{Bytes, HttpBody},
    extract::{DefaultBodyLimit, FromRequest, Request},
    http::header,
};

use super::{defence::Defence, page};

/// The longest body that a route takes, octets.
#[derive(Debug, Clone, Copy)]
pub struct LongestBody(usize);

/// Limits the bodies of routes, of one that says its length before it is read.
pub fn limit(octets: usize) -> (Extension<LongestBody>, DefaultBodyLimit) {
    let octets = if Defence::BodyLimit.is_on() { octets } else { usize::MAX };
    (Extension(LongestBody(octets)), DefaultBodyLimit::max(octets))
}

/// Whether a request says that its body is longer than its route takes.
pub fn says_too_long(request: &Request) -> bool {
    let longest = request.extensions().get::<LongestBody>();
    longest.is_some_and(|longest| request.body().size_hint().lower() > longest.0 as u64)
}

/// Why a body is no form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FormFault {
    /// It is of another media type, or no UTF-8.
    #[error("the body is no form")]
    NoForm,
    /// It is longer than the router's limit.
    #[error("the body is too long")]
    TooLong,
}

/// The fields of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// A field's value; empty if it is absent.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(other, _)| other == name).map_or("", |(_, value)| value)
    }

    /// All fields, in the form's order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Those fields.
    #[must_use]
    pub const fn from_pairs(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }

    /// Reads a request's body, at most a hundred fields of it.
    ///
    /// # Errors
    /// Returns [`FormFault`] if it is no form, or too long.
    pub async fn read(request: Request) -> Result<Self, FormFault> {
        let text = Self::text(request).await?;
        Ok(Self(page::url_pairs(&text)))
    }

    /// Reads a request's body.
    ///
    /// # Errors
    /// Returns [`FormFault`] if it is no form, too long, or has more fields than that.
    pub async fn read_all(request: Request, most: usize) -> Result<Self, FormFault> {
        let text = Self::text(request).await?;
        let pairs: Vec<_> = form_urlencoded::parse(text.as_bytes())
            .take(most.saturating_add(1))
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        if pairs.len() > most { Err(FormFault::TooLong) } else { Ok(Self(pairs)) }
    }

    async fn text(request: Request) -> Result<String, FormFault> {
        if says_too_long(&request) {
            return Err(FormFault::TooLong);
        }
        let media_type = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
        let is_form = media_type.is_some_and(|media_type| {
            let essence = media_type.split(';').next().unwrap_or_default().trim();
            essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
        });
        if !is_form {
            return Err(FormFault::NoForm);
        }
        let body = Bytes::from_request(request, &()).await.map_err(|_| FormFault::TooLong)?;
        String::from_utf8(body.into()).map_err(|_| FormFault::NoForm)
    }
}
