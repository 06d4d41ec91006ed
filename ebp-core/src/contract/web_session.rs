//! Sessions of researchers and administrators in the frontends' pages.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::scope::Group;

/// Characters of the name that a session has, at most.
pub const SESSION_LABEL_LENGTH: usize = 64;

/// A session in the pages of researchers or administrators.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WebSession {
    /// Its identifier, which opens nothing.
    pub uuid: Uuid,
    /// Whose pages it shows.
    #[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^(researchers|administrators)$"))]
    pub group: Group,
    /// The initials that were given, or the name for which a link was made.
    pub label: Option<String>,
    /// The family of the browser, as it said itself.
    pub browser: Option<String>,
    /// When somebody signed in.
    pub began_at: Timestamp,
    /// When it was used last, to a minute.
    pub seen_at: Timestamp,
}
