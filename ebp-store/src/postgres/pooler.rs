//! Whether a connection keeps its session: behind a pooler of transactions it does not.
//!
//! Statements are prepared and settings made for a session, and locks are held by it. A pooler that
//! lends a session for a transaction only gives them to others; that would be found out under load
//! alone, by errors. So it is tried at the start.

use tokio_postgres::SimpleQueryMessage;

use super::{PostgresError, patience::Connections};
use crate::StoreError;

/// Refuses a database that is reached through such a pooler.
///
/// Two connections that are there at the same time are two processes of PostgreSQL, and stay those
/// two, whatever order their transactions have. A pooler gives the session that became free last
/// to whoever begins next.
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

/// Sent as a text: nothing is prepared, which such a pooler may refuse by itself.
const PROCESS: &str = "SELECT pg_backend_pid()";

fn process(answer: &[SimpleQueryMessage]) -> Result<String, StoreError> {
    let process = answer.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    Ok(process.ok_or_else(|| PostgresError::Protocol("it names no process".into()))?)
}
