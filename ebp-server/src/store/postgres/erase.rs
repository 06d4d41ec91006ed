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
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, timeout, timeout_at},
};

use super::PostgresError;
use crate::store::StoreError;

/// How long a revocation waits for its erasure; from then on it goes on in the background.
const PATIENCE: Duration = Duration::from_secs(5);

/// The pause after a try that something was in the way of; it doubles with each further one.
const PAUSE: Duration = Duration::from_millis(200);

/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// So many tries are waited for by whoever revokes: three take less than a second.
const AWAITED: u32 = 3;

/// Of all servers of a database one erases at a time.
const LOCK: i64 = 7_203_846_105;

/// Everybody else waits behind the one who waits for these tables: so not for long. A dump that
/// reads them goes first.
const TAKE: &str = "
    SET LOCAL lock_timeout = '50ms';
    SET LOCAL statement_timeout = 0;
    LOCK TABLE participant, address, location, withheld_location, pv_system
        IN ACCESS EXCLUSIVE MODE";

/// Each expression is more than its column, so that no table keeps its file.
const REWRITE: &str = "
    ALTER TABLE participant ALTER name TYPE text USING name || '';
    ALTER TABLE address ALTER street TYPE text USING street || '';
    ALTER TABLE location ALTER latitude TYPE double precision USING latitude + 0;
    ALTER TABLE withheld_location ALTER latitude TYPE double precision USING latitude + 0;
    ALTER TABLE pv_system ALTER azimuth TYPE numeric USING azimuth + 0";

/// Erases what is due, in the background; any server may, whoever revoked. It ends with the store.
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
        // Its task goes on, whoever waits: an end of this request does not end the erasure.
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
    if rewrite(&mut client).await? {
        renew_log(&client).await;
    }
    Ok(())
}

/// False if nothing is due.
async fn rewrite(client: &mut Client) -> Result<bool, StoreError> {
    let tx = client.transaction().await?;
    let free: bool =
        tx.query_one("SELECT pg_try_advisory_xact_lock($1)", &[&LOCK]).await?.try_get(0)?;
    if !free {
        return Err(PostgresError::Busy.into());
    }
    let due: bool =
        tx.query_one("SELECT EXISTS (SELECT FROM erasure_due)", &[]).await?.try_get(0)?;
    if !due {
        return Ok(false);
    }
    tx.batch_execute(TAKE).await?;
    // Only now: what became due while the tables were waited for is erased, too.
    tx.execute("DELETE FROM erasure_due", &[]).await?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        let awaited: Duration = (1..AWAITED).map(pause).sum();
        assert!(awaited + AWAITED * Duration::from_millis(50) < Duration::from_secs(1));
        assert_eq!(pause(4), Duration::from_millis(1600));
        assert_eq!(pause(100), LONGEST_PAUSE);
    }
}
