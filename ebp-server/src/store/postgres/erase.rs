//! Getting removed values out of PostgreSQL's files.
//!
//! A deleted row stays in its page until the page is used for something else, and plain VACUUM
//! clears no bytes. What does is a new file: the five small tables that a revocation removes from
//! are written anew, with their indexes, and the old files are cut to nothing as the transaction
//! commits. A change of a column's type is used for it, not VACUUM FULL: that would carry removed
//! rows over as long as any transaction is old enough to see them, and cannot be one transaction
//! with the note that it was done.
//!
//! The write-ahead log still has the values. Where the role may (`pg_checkpoint`, and EXECUTE on
//! `pg_switch_wal`), its segments are ended and a checkpoint is made, behind which PostgreSQL needs
//! them no more; otherwise that happens with time. The book's chapter on PostgreSQL says what is to
//! be configured, and what backups and archives keep.

use std::time::Duration;

use deadpool_postgres::{Client, Pool};
use tokio::task::JoinHandle;

use super::PostgresError;
use crate::store::StoreError;

/// How long a revocation waits for its erasure; from then on it goes on in the background.
const PATIENCE: Duration = Duration::from_secs(5);

/// The longest pause between two tries.
const PAUSE: Duration = Duration::from_secs(60);

/// Each expression is more than its column, so that no table keeps its file. Whoever else needs
/// several of these tables takes them in this order, or the participants first: a deadlock would
/// cost a revocation. Tables that uploads need (households, consents, meters) are not among them.
const REWRITE: &str = "
    ALTER TABLE participant ALTER name TYPE text USING name || '';
    ALTER TABLE address ALTER street TYPE text USING street || '';
    ALTER TABLE withheld_location ALTER latitude TYPE double precision USING latitude + 0;
    ALTER TABLE location ALTER latitude TYPE double precision USING latitude + 0;
    ALTER TABLE pv_system ALTER azimuth TYPE numeric USING azimuth + 0";

/// Erases what is due, tries until it is done, and returns when it is, or else soon.
pub async fn finish(pool: &Pool) {
    // On a task of its own: whoever asked may go away.
    if tokio::time::timeout(PATIENCE, start(pool.clone())).await.is_err() {
        tracing::warn!("removed values are still being erased from the database's files");
    }
}

/// Erases what is due in the background; any server may, whoever revoked.
pub fn start(pool: Pool) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut pause = Duration::from_secs(1);
        loop {
            match attempt(&pool).await {
                Ok(()) | Err(StoreError::Closed) => return,
                Err(error) => tracing::warn!(
                    %error,
                    "removed values are not yet erased from the database's files; tried again soon"
                ),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE);
        }
    })
}

async fn attempt(pool: &Pool) -> Result<(), StoreError> {
    let mut client = pool.get().await?;
    if rewrite(&mut client).await? {
        renew_log(&client).await;
    }
    Ok(())
}

/// False if nothing is due.
async fn rewrite(client: &mut Client) -> Result<bool, StoreError> {
    let tx = client.transaction().await?;
    // Everybody else waits behind the one who waits for these tables: so not for long. A dump that
    // reads them goes first.
    tx.batch_execute("SET LOCAL lock_timeout = '2s'; SET LOCAL statement_timeout = 0").await?;
    if tx.execute("DELETE FROM erasure_due", &[]).await? == 0 {
        return Ok(false);
    }
    tx.batch_execute(REWRITE).await?;
    tx.commit().await?;
    Ok(true)
}

/// Ends the log's segment and makes a checkpoint, so that older segments are let go.
async fn renew_log(client: &Client) {
    for command in ["SELECT pg_switch_wal()", "CHECKPOINT"] {
        if let Err(error) = client.batch_execute(command).await.map_err(PostgresError::from) {
            tracing::warn!(
                %error,
                "removed values stay in the write-ahead log until PostgreSQL's next checkpoint; \
                 see the book's chapter on PostgreSQL"
            );
            return;
        }
    }
}
