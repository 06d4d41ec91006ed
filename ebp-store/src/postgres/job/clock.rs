//! The database's clock.

use deadpool_postgres::GenericClient;
use jiff::Timestamp;

use super::super::value::Instant;
use crate::StoreError;

/// The time by the database's clock.
pub async fn now(db: &impl GenericClient) -> Result<Timestamp, StoreError> {
    Ok(db.query_one("SELECT clock_timestamp()", &[]).await?.try_get::<_, Instant>(0)?.0)
}
