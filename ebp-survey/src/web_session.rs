//! Sessions in the pages of researchers and administrators, and links by which they sign in once.
//!
//! What a browser or a link has is 256 random bits; the database has their SHA-256. The group's secret
//! is verified by the server, which counts wrong ones for the Data API and pages alike
//! ([`VerifySecret`]).

use std::{fmt, net::IpAddr};

use async_trait::async_trait;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ebp_core::{
    contract::{SESSION_LABEL_LENGTH, WebSession},
    plain_text::remove_hidden,
    scope::Group,
};
use ebp_store::{Digest, NewSignInLink, NewWebSession, StoreError};
use jiff::{SignedDuration, Timestamp};
use ring::{
    digest::{SHA256, digest},
    rand::{SecureRandom, SystemRandom},
};
use uuid::Uuid;

use crate::{Survey, SurveyError};

/// For how long a link is valid at most.
pub const LONGEST_LINK: SignedDuration = SignedDuration::from_hours(24);

/// What opens a session or is in a link: 256 random bits. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct WebToken(String);

impl WebToken {
    fn draw() -> Result<Self, SurveyError> {
        let mut bytes = [0; 32];
        SystemRandom::new().fill(&mut bytes).map_err(|_| SurveyError::NoRandomness)?;
        Ok(Self(BASE64_URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// As a cookie's value, or a part of an address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for WebToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebToken(redacted)")
    }
}

/// Why somebody is not signed in.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SignInError {
    /// The secret is wrong, or the group has none.
    #[error("the group's secret is wrong")]
    Wrong,
    /// There were too many wrong ones from there: so many seconds until the next one counts.
    #[error("too many tries")]
    Wait(u64),
    /// Not now: the database cannot be asked.
    #[error("unavailable: {0}")]
    Unavailable(String),
}

/// Verifies groups' secrets. The server has one for the Data API and pages, so that wrong ones are
/// counted together, by address and network.
#[async_trait]
pub trait VerifySecret: Send + Sync {
    /// Whether that is the group's secret.
    ///
    /// # Errors
    /// [`SignInError`] says why not.
    async fn verify_secret(
        &self,
        group: Group,
        secret: &str,
        source: IpAddr,
    ) -> Result<(), SignInError>;
}

impl Survey {
    /// Begins a session of somebody who has proven to be of the group.
    ///
    /// # Errors
    /// [`SurveyError::NoRandomness`], and those of the store.
    pub async fn begin_web_session(
        &self,
        group: Group,
        label: Option<String>,
        browser: Option<String>,
    ) -> Result<WebToken, SurveyError> {
        let token = WebToken::draw()?;
        let label = label.map(|label| shortened(&label)).filter(|label| !label.is_empty());
        let browser = browser.map(|browser| shortened(&browser)).filter(|it| !it.is_empty());
        let (uuid, hash) = (Uuid::new_v4(), hash(token.as_str()));
        let new = NewWebSession { token: hash, uuid, group, label, browser };
        self.store().begin_web_session(new, self.clock().now()).await?;
        Ok(token)
    }

    /// The session that a token opens, if it goes on. If it is used now, it is not idle.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn web_session(
        &self,
        token: &str,
        is_used: bool,
    ) -> Result<Option<WebSession>, SurveyError> {
        Ok(self.store().web_session(hash(token), is_used, self.clock().now()).await?)
    }

    /// Ends the session that a token opens.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn sign_out(&self, token: &str) -> Result<bool, SurveyError> {
        Ok(self.store().end_web_session_by(hash(token)).await?)
    }

    /// All sessions that go on, oldest first.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn web_sessions(&self) -> Result<Vec<WebSession>, SurveyError> {
        Ok(self.store().web_sessions(self.clock().now()).await?)
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`NotFound`](StoreError::NotFound) if there is none.
    pub async fn end_web_session(&self, session: Uuid) -> Result<(), SurveyError> {
        let ended = self.store().end_web_session(session).await?;
        if ended { Ok(()) } else { Err(StoreError::NotFound.into()) }
    }

    /// Makes what a link has by which somebody signs in once, within that time.
    ///
    /// # Errors
    /// [`SurveyError::NoRandomness`], and those of the store.
    pub async fn create_sign_in_link(
        &self,
        group: Group,
        label: &str,
        valid_for: SignedDuration,
    ) -> Result<(WebToken, Timestamp), SurveyError> {
        let (token, now) = (WebToken::draw()?, self.clock().now());
        let expires_at = now + valid_for.min(LONGEST_LINK);
        let (hash, label) = (hash(token.as_str()), shortened(label));
        let link = NewSignInLink { token: hash, group, label, expires_at };
        self.store().add_sign_in_link(link, now).await?;
        Ok((token, expires_at))
    }

    /// Uses up a link, and begins the session of whom it was made for.
    ///
    /// # Errors
    /// [`NotFound`](StoreError::NotFound) if it is unknown, used or expired.
    pub async fn sign_in_by_link(
        &self,
        token: &str,
        browser: Option<String>,
    ) -> Result<(WebToken, Group), SurveyError> {
        let (group, label) = self.store().use_sign_in_link(hash(token), self.clock().now()).await?;
        Ok((self.begin_web_session(group, Some(label), browser).await?, group))
    }
}

/// A name that the database takes.
fn shortened(text: &str) -> String {
    remove_hidden(text).trim().chars().take(SESSION_LABEL_LENGTH).collect()
}

fn hash(text: &str) -> Digest {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
    hash
}
