//! PostgreSQL's errors without the values in them.

use std::error::Error as _;

use tokio_postgres::error::DbError;

use crate::NewerSchema;

/// What a hook says of a connection that does not answer.
pub(super) const NO_ANSWER: &str = "it does not answer";

/// Why an operation in PostgreSQL failed.
///
/// Its `DETAIL` is left out everywhere: it quotes keys and rows, and so personal data.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum PostgresError {
    /// It refused.
    #[error("PostgreSQL says {code}: {message}")]
    Refused {
        /// The SQLSTATE.
        code: String,
        /// In its words.
        message: String,
    },
    /// It cannot be reached, or could not any more: also in the midst of work, of which it may
    /// then have kept all or nothing.
    #[error("PostgreSQL cannot be reached: {0}")]
    Unreachable(String),
    /// It answers, and takes no changes: of a pair only the standby is reached.
    #[error("PostgreSQL is reached, but it is a read-only standby")]
    ReadOnly,
    /// Every connection is in use.
    #[error("every connection to PostgreSQL is in use")]
    Busy,
    /// Server and program do not understand each other.
    #[error("PostgreSQL is not understood: {0}")]
    Protocol(String),
    /// The URL cannot be used.
    #[error("database_url: {0}")]
    Url(String),
    /// The authority's certificate cannot be used.
    #[error("database_ca: {0}")]
    Authority(String),
    /// A pooler lends sessions for a transaction only.
    #[error(
        "database_url: it leads to a pooler of transactions (PgBouncer's pool_mode = transaction); \
         sessions have settings and prepared statements here, so set pool_mode = session"
    )]
    TransactionPooling,
    /// The database was changed by a newer version of the program, in a way that this one cannot use.
    #[error("the database has {0}")]
    Newer(NewerSchema),
}

impl PostgresError {
    /// Whether the same may succeed later.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::ReadOnly | Self::Busy => true,
            // Connection, transaction rollback (deadlock), resources (disk full, too many
            // connections), operator's intervention (shutting down, starting up), read and write.
            Self::Refused { code, .. } => {
                ["08", "40", "53", "57", "58"].iter().any(|class| code.starts_with(class))
                    // Waited too long for a lock; a standby that is not yet the primary.
                    || ["55P03", "25006"].contains(&code.as_str())
            }
            _ => false,
        }
    }

    /// It was asked and said nothing in time.
    pub(super) fn no_answer() -> Self {
        Self::Unreachable(NO_ANSWER.to_owned())
    }

    /// Whether other requests would fail at the moment, too.
    pub(super) fn is_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::ReadOnly | Self::Busy)
    }

    /// Whether it refused with that SQLSTATE.
    pub(crate) fn is(&self, sqlstate: &str) -> bool {
        matches!(self, Self::Refused { code, .. } if code == sqlstate)
    }
}

impl From<&DbError> for PostgresError {
    fn from(error: &DbError) -> Self {
        let code = error.code().code().to_owned();
        // What it says of data (class 22) quotes them.
        let message =
            if code.starts_with("22") { "a value is not of its form" } else { error.message() };
        Self::Refused { message: message.to_owned(), code }
    }
}

impl From<tokio_postgres::Error> for PostgresError {
    fn from(error: tokio_postgres::Error) -> Self {
        if let Some(refused) = error.as_db_error() {
            return refused.into();
        }
        let text = chain(&error);
        let io = error.source().is_some_and(<dyn std::error::Error>::is::<std::io::Error>);
        if io && text.ends_with("database does not allow writes") {
            Self::ReadOnly
        } else if error.is_closed() || io || text.starts_with("timeout") {
            Self::Unreachable(text)
        } else {
            Self::Protocol(text)
        }
    }
}

/// The error and what it came from.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_succeed_later() {
        let refused =
            |code: &str| PostgresError::Refused { code: code.into(), message: "x".into() };
        for code in ["08006", "40001", "40P01", "53100", "53300", "57P01", "57P03", "55P03"] {
            assert!(refused(code).is_temporary(), "{code}");
        }
        for code in ["23505", "42501", "28P01", "EBP01", "22021"] {
            assert!(!refused(code).is_temporary(), "{code}");
        }
        assert!(PostgresError::Busy.is_temporary());
        assert!(!PostgresError::Newer(NewerSchema { found: 9, known: 1 }).is_temporary());
    }
}
