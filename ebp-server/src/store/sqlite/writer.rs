//! The connection that writes, on a thread of its own.
//!
//! Enters: writes. Leaves: their answers, once they are durable; those that come together share a
//! transaction. Absent: what is written.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Mutex, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::oneshot;

use super::connection;
use crate::store::StoreError;

/// How long a revocation waits for those who read the log. Later writes do not wait at all.
const PATIENCE: Duration = Duration::from_secs(2);

/// Writes in one transaction, at most.
const GROUP: usize = 512;

/// After which no further write joins a transaction.
const LONG: Duration = Duration::from_millis(50);

/// A write that waits for its turn.
trait Job: Send {
    /// Whether nothing of what it deletes may stay in the log.
    fn erases(&self) -> bool;
    /// Does it; whether its changes are to stay.
    fn perform(&mut self, tx: &Transaction<'_>) -> bool;
    /// Tells what became of it, once that is durable or has failed.
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

struct Write<T, F> {
    erase: bool,
    work: Option<F>,
    result: Option<Result<T, StoreError>>,
    answer: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Job for Write<T, F>
where
    T: Send,
    F: FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send,
{
    fn erases(&self) -> bool {
        self.erase
    }

    fn perform(&mut self, tx: &Transaction<'_>) -> bool {
        self.result = self.work.take().map(|work| work(tx));
        matches!(self.result, Some(Ok(_)))
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let answer = match (self.result, committed) {
            (Some(Ok(value)), Ok(())) => Ok(value),
            (Some(Err(error)), _) | (_, Err(error)) => Err(error),
            // It panicked.
            (None, Ok(())) => Err(StoreError::Closed),
        };
        // An answer that nobody waits for is dropped.
        let _ = self.answer.send(answer);
    }
}

/// What the thread owns.
struct Thread {
    connection: Connection,
    /// Whether the log may hold deleted content.
    erase: bool,
    /// The next write, where it did not join the one before.
    next: Option<Box<dyn Job>>,
}

impl Thread {
    /// Does what is queued until the queue is closed.
    fn run(&mut self, queue: &mpsc::Receiver<Box<dyn Job>>) {
        while let Some(first) = self.next.take().or_else(|| queue.recv().ok()) {
            self.group(first, queue);
        }
    }

    /// Does a write, and those that have come meanwhile, in one transaction: it is the commit that
    /// costs. Each answers for itself and nothing stays of one that fails; what all share is
    /// whether the transaction is durable.
    fn group(&mut self, first: Box<dyn Job>, queue: &mpsc::Receiver<Box<dyn Job>>) {
        let erase = first.erases();
        let mut done = vec![first];
        let committed = self.transact(&mut done, queue);
        if erase && committed.is_ok() {
            self.erase = true;
            self.erase_log(PATIENCE);
        } else if self.erase {
            self.erase_log(Duration::ZERO);
        }
        for job in done {
            job.answer(committed.as_ref().map(|()| ()).map_err(again));
        }
    }

    fn transact(
        &mut self,
        jobs: &mut Vec<Box<dyn Job>>,
        queue: &mpsc::Receiver<Box<dyn Job>>,
    ) -> Result<(), StoreError> {
        let start = Instant::now();
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut place = 0;
        while let Some(job) = jobs.get_mut(place) {
            perform(&tx, job.as_mut())?;
            place += 1;
            // What erases does so alone: the others are not to wait for it.
            let more = !job.erases() && place < GROUP && start.elapsed() < LONG;
            match queue.try_recv() {
                Ok(next) if more && !next.erases() => jobs.push(next),
                Ok(next) => {
                    self.next = Some(next);
                    break;
                }
                Err(_) => break,
            }
        }
        Ok(tx.commit()?)
    }

    /// The transaction stands whether this succeeds or not: a reader may hold on to the log. Then
    /// the next write tries again, or the next start.
    fn erase_log(&mut self, patience: Duration) {
        match connection::erase_log(&self.connection, patience) {
            Ok(true) => self.erase = false,
            Ok(false) => tracing::warn!("the log is being read: it is erased with the next write"),
            Err(error) => tracing::error!(%error, "the log cannot be erased"),
        }
    }
}

/// Does one write of several. A savepoint takes it back by itself, also after a panic: the
/// connection stays good, and so does the thread.
///
/// # Errors
/// If the transaction is gone, with all that was done in it: the disk is full, say.
fn perform(tx: &Transaction<'_>, job: &mut dyn Job) -> Result<(), StoreError> {
    let execute = |sql| tx.prepare_cached(sql)?.execute([]);
    execute("SAVEPOINT one")?;
    let stays = catch_unwind(AssertUnwindSafe(|| job.perform(tx))).unwrap_or_else(|_| {
        tracing::error!("a write panicked and was rolled back");
        false
    });
    if !stays {
        execute("ROLLBACK TO one")?;
    }
    execute("RELEASE one")?;
    Ok(())
}

/// The error once more, for another who suffers from it.
fn again(error: &StoreError) -> StoreError {
    match error {
        StoreError::Database(rusqlite::Error::SqliteFailure(code, message)) => {
            rusqlite::Error::SqliteFailure(*code, message.clone()).into()
        }
        _ => StoreError::Closed,
    }
}

/// Where work for the thread is left.
pub struct Writer {
    jobs: Mutex<Option<mpsc::Sender<Box<dyn Job>>>>,
    ended: Mutex<Option<oneshot::Receiver<()>>>,
}

impl Writer {
    pub fn start(connection: Connection) -> Result<Self, StoreError> {
        let (jobs, queue) = mpsc::channel();
        let (end, ended) = oneshot::channel();
        let work = move || {
            let mut thread = Thread { connection, erase: true, next: None };
            thread.run(&queue);
            if let Err((_, error)) = thread.connection.close() {
                tracing::error!(%error, "the database did not close");
            }
            // Nobody waits for it if the store was dropped.
            let _ = end.send(());
        };
        thread::Builder::new()
            .name("store-writer".into())
            .spawn(work)
            .map_err(|source| StoreError::File { path: "a thread".into(), source })?;
        Ok(Self { jobs: Mutex::new(Some(jobs)), ended: Mutex::new(Some(ended)) })
    }

    /// Runs `work` in a transaction and answers when it is on disk. Once begun it is finished,
    /// even if nobody waits for the answer any more.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.submit(false, work).await
    }

    /// As [`run`](Self::run), and afterwards nothing of what was deleted is left in the log.
    pub async fn run_and_erase<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.submit(true, work).await
    }

    async fn submit<T: Send + 'static>(
        &self,
        erase: bool,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let job = Box::new(Write { erase, work: Some(work), result: None, answer });
        self.jobs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .and_then(|jobs| jobs.send(job as Box<dyn Job>).ok())
            .ok_or(StoreError::Closed)?;
        answered.await.map_err(|_| StoreError::Closed)?
    }

    /// Finishes what was submitted and closes the connection.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take();
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner).take();
        match ended {
            Some(ended) => ended.await.map_err(|_| StoreError::Closed),
            None => Ok(()),
        }
    }
}
