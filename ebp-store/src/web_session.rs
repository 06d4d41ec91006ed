//! Sessions in the pages of researchers and administrators, so that any server answers them.
//!
//! Enters: hashes of tokens, never a token itself. Leaves: whose session it is. Absent: cookies, forms.

use async_trait::async_trait;
use ebp_core::{contract::WebSession, scope::Group};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::{Digest, StoreError};

/// After this time without a request a session has ended.
pub const WEB_SESSION_IDLE: SignedDuration = SignedDuration::from_mins(30);

/// After this time a session has ended, used or not.
pub const WEB_SESSION_ABSOLUTE: SignedDuration = SignedDuration::from_hours(10);

/// A use is noted if none was noted for so long: not each request writes.
const NOTED_AGAIN: SignedDuration = SignedDuration::from_mins(1);

/// A session that begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewWebSession {
    /// The hash of its token.
    pub token: Digest,
    /// Its identifier.
    pub uuid: Uuid,
    /// Whose pages it shows.
    pub group: Group,
    /// The initials that were given, or the name for which a link was made.
    pub label: Option<String>,
    /// The family of the browser.
    pub browser: Option<String>,
}

/// A link by which somebody signs in once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSignInLink {
    /// The hash of its token.
    pub token: Digest,
    /// Whose pages it leads to.
    pub group: Group,
    /// For whom it is.
    pub label: String,
    /// Until when it is valid.
    pub expires_at: Timestamp,
}

/// The instants that decide about sessions at a time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SessionBounds {
    /// What was used last before or at this has ended.
    pub(crate) idle: Timestamp,
    /// What began before or at this has ended.
    pub(crate) absolute: Timestamp,
    /// A use before or at this is noted anew.
    pub(crate) noted: Timestamp,
}

impl SessionBounds {
    pub(crate) fn at(now: Timestamp) -> Self {
        let before = |length| now.checked_sub(length).unwrap_or(Timestamp::MIN);
        Self {
            idle: before(WEB_SESSION_IDLE),
            absolute: before(WEB_SESSION_ABSOLUTE),
            noted: before(NOTED_AGAIN),
        }
    }

    /// Whether the session goes on.
    pub(crate) fn last(&self, session: &WebSession) -> bool {
        session.seen_at > self.idle && session.began_at > self.absolute
    }
}

/// Sessions and links of a database's servers. Setting or removing a group's secret ends its sessions
/// and links in the same transaction.
#[async_trait]
pub trait WebSessionStore: Send + Sync {
    /// Begins a session. Those that have ended are deleted.
    async fn begin_web_session(&self, new: NewWebSession, at: Timestamp) -> Result<(), StoreError>;

    /// The session with a token of that hash, if it goes on. If it is used now, it is not idle.
    async fn web_session(
        &self,
        token: Digest,
        is_used: bool,
        at: Timestamp,
    ) -> Result<Option<WebSession>, StoreError>;

    /// Ends the session with a token of that hash. Whether there was one.
    async fn end_web_session_by(&self, token: Digest) -> Result<bool, StoreError>;

    /// Ends a session. Whether there was one.
    async fn end_web_session(&self, session: Uuid) -> Result<bool, StoreError>;

    /// All sessions that go on, oldest first.
    async fn web_sessions(&self, at: Timestamp) -> Result<Vec<WebSession>, StoreError>;

    /// Adds a link. Those that have expired are deleted.
    async fn add_sign_in_link(&self, new: NewSignInLink, at: Timestamp) -> Result<(), StoreError>;

    /// Uses up a link: whose pages it leads to, and for whom it is. Of two at the same time one gets it.
    ///
    /// # Errors
    /// Returns [`StoreError::NotFound`] if there is none, or it is used up or expired.
    async fn use_sign_in_link(
        &self,
        token: Digest,
        at: Timestamp,
    ) -> Result<(Group, String), StoreError>;
}
