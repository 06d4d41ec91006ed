//! Erases removed values from PostgreSQL's files.
//!
//! A deleted row stays in its page until the page is used for something else, and plain VACUUM
//! clears no bytes. A new file does: the tables that a revocation removes from are copied into
//! empty ones that take their places, and the old ones are dropped, with their indexes. VACUUM FULL
//! and other rewrites of a table would not do: the first carries removed rows over as long as any
//! transaction is old enough to see them, and a crash of PostgreSQL during either leaves a file
//! with all values that belongs to no table and is never removed. Here the empty tables are
//! committed before anything is copied into them: what a crash leaves has a name, and the next
//! attempt drops it. The work itself is SQL (`migrations/postgres/0007_erasure.sql`).
//!
//! The write-ahead log still contains the values. If the role has the privileges (`pg_checkpoint`,
//! and EXECUTE on `pg_switch_wal`), its segments are ended and a checkpoint is made, after which
//! PostgreSQL does not need them any more; otherwise that happens with time. The book's chapter on
//! PostgreSQL explains the configuration, and what backups and archives keep.

use std::time::Duration;

use deadpool_postgres::{Client, Pool, Transaction};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, timeout, timeout_at},
};

use super::PostgresError;
use crate::StoreError;

/// How long a revocation waits for its erasure; after that it continues in the background.
const PATIENCE: Duration = Duration::from_secs(5);

/// The pause after an attempt that was blocked; it doubles with each further one.
const PAUSE: Duration = Duration::from_millis(200);

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A revocation waits for this many attempts: two take less than half a second, so that it is answered
/// within a second also while a dump holds the tables.
const AWAITED: u32 = 2;

/// Only one server of a database erases at a time.
const LOCK: i64 = 7_203_846_105;

/// The tables that revocations remove values from. Other transactions that need several of them
/// lock them in this order, or the participants first: a deadlock would make a revocation fail.
/// Tables that uploads need (households, consents, meters) are not among them.
const TABLES: [&str; 13] = [
    "participant",
    "address",
    "withheld_location",
    "location",
    "pv_system",
    "job_input",
    "job_result",
    "job_archive",
    "job_subject",
    "household_change",
    "household_message",
    "data_release_household",
    "device_silence",
];

/// All later transactions queue behind one that waits for a table lock, so it waits only briefly. A
/// dump that reads the table goes first.
const BRIEFLY: &str = "SET LOCAL lock_timeout = '50ms'; SET LOCAL statement_timeout = 0";

/// Erases what is due, in the background; any server may, whichever processed the revocation. It
/// ends with the store.
pub struct Eraser {
    due: mpsc::UnboundedSender<oneshot::Sender<()>>,
}

impl Eraser {
    /// Starts with what an interrupted revocation left.
    pub fn start(pool: &Pool) -> Self {
        let (due, asked) = mpsc::unbounded_channel();
        tokio::spawn(run(pool.clone(), asked));
        let eraser = Self { due };
        drop(eraser.ask());
        eraser
    }

    /// Waits until all that is due now is erased, or until it is known that this takes longer.
    pub async fn finish(&self) {
        // Its task continues if this request ends.
        if timeout(PATIENCE, self.ask()).await.is_err() {
            tracing::warn!("removed values are still being erased from the database's files");
        }
    }

    /// Asks for an erasure. The answer is that nothing comes any more.
    fn ask(&self) -> oneshot::Receiver<()> {
        let (done, answer) = oneshot::channel();
        let _ = self.due.send(done);
        answer
    }
}

async fn run(pool: Pool, mut asked: mpsc::UnboundedReceiver<oneshot::Sender<()>>) {
    let mut waiting = Vec::new();
    let mut failed = 0;
    loop {
        if failed == 0 {
            let Some(first) = asked.recv().await else { return };
            waiting.push(first);
        } else {
            let end = Instant::now() + pause(failed);
            while let Ok(next) = timeout_at(end, asked.recv()).await {
                let Some(next) = next else { return };
                // Who comes later than these tries does not wait for a dump to end.
                if failed < AWAITED {
                    waiting.push(next);
                }
            }
        }
        while let Ok(next) = asked.try_recv() {
            waiting.push(next);
        }
        match attempt(&pool).await {
            Ok(()) => failed = 0,
            Err(StoreError::Closed) => return,
            Err(error) => {
                failed += 1;
                if failed == AWAITED {
                    tracing::warn!(
                        %error,
                        "removed values are not yet erased from the database's files; tried again"
                    );
                }
            }
        }
        if failed == 0 || failed >= AWAITED {
            waiting.clear();
        }
    }
}

fn pause(failed: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(failed.saturating_sub(1));
    PAUSE.saturating_mul(doubled).min(LONGEST_PAUSE)
}

async fn attempt(pool: &Pool) -> Result<(), StoreError> {
    let mut client = pool.get().await?;
    let erased = erase_alone(&mut client).await;
    if matches!(erased, Ok(true)) {
        renew_log(&client).await;
    }
    // With its session ends its lock, whatever became of its work.
    drop(Client::take(client));
    erased.map(drop)
}

/// Erases while no other server does. False if nothing is due.
async fn erase_alone(client: &mut Client) -> Result<bool, StoreError> {
    let free: bool =
        client.query_one("SELECT pg_try_advisory_lock($1)", &[&LOCK]).await?.try_get(0)?;
    if !free {
        return Err(PostgresError::Busy.into());
    }
    let due: bool =
        client.query_one("SELECT EXISTS (SELECT FROM erasure_due)", &[]).await?.try_get(0)?;
    if !due {
        return Ok(false);
    }
    let tx = begin(client).await?;
    each(&tx, "end_erasure").await?;
    each(&tx, "prepare_erasure").await?;
    tx.commit().await?;
    let tx = begin(client).await?;
    let tables = TABLES.join(", ");
    tx.batch_execute(&format!("LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE")).await?;
    // Whoever revoked before the tables were locked is in none of the copies.
    tx.execute("UPDATE erasure_due SET copied = true", &[]).await?;
    each(&tx, "swap_for_erasure").await?;
    tx.commit().await?;
    let tx = begin(client).await?;
    each(&tx, "end_erasure").await?;
    tx.execute("DELETE FROM erasure_due WHERE copied", &[]).await?;
    tx.commit().await?;
    Ok(true)
}

async fn begin(client: &mut Client) -> Result<Transaction<'_>, StoreError> {
    let tx = client.transaction().await?;
    tx.batch_execute(BRIEFLY).await?;
    Ok(tx)
}

async fn each(tx: &Transaction<'_>, function: &str) -> Result<(), StoreError> {
    for table in TABLES {
        tx.execute(&format!("SELECT {function}($1)"), &[&table]).await?;
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        let awaited: Duration = (1..AWAITED).map(pause).sum();
        assert!(awaited + AWAITED * Duration::from_millis(50) < Duration::from_millis(500));
        assert_eq!(pause(4), Duration::from_millis(1600));
        assert_eq!(pause(100), LONGEST_PAUSE);
    }
}
