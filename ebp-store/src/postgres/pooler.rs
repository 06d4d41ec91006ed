//! Checks that a connection keeps its session, which is not so behind a pooler in transaction mode.
//!
//! Statements are prepared and settings made for a session, and locks are held by it. A pooler that
//! lends a session for a transaction only gives them to others; that would only show under load, as
//! errors. So it is tested at the start.

use tokio_postgres::SimpleQueryMessage;

use super::{PostgresError, patience::Connections};
use crate::StoreError;

/// Rejects a database that is reached through such a pooler.
///
/// Two simultaneous connections are two processes of PostgreSQL, and stay so whatever the order of
/// their transactions. A pooler gives the session that became free last to the next transaction.
pub async fn refuse(connections: &Connections) -> Result<(), StoreError> {
    let (mut one, mut other) = (connections.open().await?, connections.open().await?);
    let mut seen = Vec::new();
    for _ in 0..2 {
        let (held, behind) = (one.transaction().await?, other.transaction().await?);
        let first = process(&held.simple_query(PROCESS).await?)?;
        let second = process(&behind.simple_query(PROCESS).await?)?;
        // The one that becomes free last is the first one's.
        behind.commit().await?;
        held.commit().await?;
        let third = process(&other.simple_query(PROCESS).await?)?;
        seen.push((first, second, third));
    }
    let kept = seen.iter().all(|(first, second, third)| first != second && second == third)
        && seen.windows(2).all(|pair| pair[0] == pair[1]);
    if kept { Ok(()) } else { Err(PostgresError::TransactionPooling.into()) }
}

/// Sent as a simple query: such a pooler may reject prepared statements.
const PROCESS: &str = "SELECT pg_backend_pid()";

fn process(answer: &[SimpleQueryMessage]) -> Result<String, StoreError> {
    let process = answer.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    Ok(process.ok_or_else(|| PostgresError::Protocol("it names no process".into()))?)
}
