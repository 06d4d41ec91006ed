//! Converts PostgreSQL's errors to a store's.

use deadpool_postgres::{HookError, PoolError};

use super::PostgresError;
use crate::StoreError;

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        PostgresError::from(error).into()
    }
}

/// The error of a statement that adds to what somebody may remove at the same time: a reference to
/// a row that no longer exists (SQLSTATE 23503) means that it was not found.
pub(super) fn or_gone(error: tokio_postgres::Error) -> StoreError {
    match error.into() {
        StoreError::Postgres(error) if error.is("23503") => StoreError::NotFound,
        other => other,
    }
}

impl From<PoolError> for StoreError {
    fn from(error: PoolError) -> Self {
        use deadpool_postgres::TimeoutType;
        match error {
            PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => {
                error.into()
            }
            PoolError::Timeout(TimeoutType::Wait) => PostgresError::Busy.into(),
            PoolError::Timeout(_) => PostgresError::no_answer().into(),
            PoolError::PostCreateHook(HookError::Message(message)) => {
                PostgresError::Unreachable(message.into_owned()).into()
            }
            PoolError::Closed => Self::Closed,
            other => PostgresError::Protocol(other.to_string()).into(),
        }
    }
}
