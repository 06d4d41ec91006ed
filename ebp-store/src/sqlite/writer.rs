//! The connection that writes, on a separate thread.
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
use crate::StoreError;

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
    /// Does it; whether its changes are to stay. Done again where the transaction had to be.
    fn perform(&mut self, tx: &Transaction<'_>) -> bool;
    /// Sends the result, once that is durable or has failed.
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

struct Write<T, F> {
    erase: bool,
    work: F,
    result: Option<Result<T, StoreError>>,
    answer: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Job for Write<T, F>
where
    T: Send,
    F: Fn(&Transaction<'_>) -> Result<T, StoreError> + Send,
{
    fn erases(&self) -> bool {
        self.erase
    }

    fn perform(&mut self, tx: &Transaction<'_>) -> bool {
        self.result = None;
        self.result.insert((self.work)(tx)).is_ok()
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let answer = match (self.result, committed) {
            (Some(Ok(value)), Ok(())) => Ok(value),
            (Some(Err(error)), _) | (_, Err(error)) => Err(error),
            // It panicked.
            (None, Ok(())) => Err(StoreError::Closed),
        };
        // An answer is dropped if the caller does not wait any more.
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
    /// costs. Each answers for itself and nothing stays of one that fails: if that one had changed
    /// something, the others are done again without it. What all share is whether the transaction
    /// is durable.
    ///
    /// A savepoint for each would be simpler, and cost more than the writes: within one, SQLite
    /// goes through all that the savepoint has changed after each statement that fires a trigger.
    fn group(&mut self, first: Box<dyn Job>, queue: &mpsc::Receiver<Box<dyn Job>>) {
        let erase = first.erases();
        let mut done = vec![first];
        let committed = loop {
            let queue = (done.len() == 1).then_some(queue);
            match self.transact(&mut done, queue) {
                Ok(Done::Committed) => break Ok(()),
                Err(error) => break Err(error),
                Ok(Done::Failed(place)) => {
                    done.swap_remove(place).answer(Ok(()));
                    if done.is_empty() {
                        break Ok(());
                    }
                }
            }
        };
        if erase && committed.is_ok() {
            self.erase = true;
            self.erase_log(PATIENCE);
        } else if self.erase {
            self.erase_log(Duration::ZERO);
        }
        for job in done {
            job.answer(committed.clone());
        }
    }

    fn transact(
        &mut self,
        jobs: &mut Vec<Box<dyn Job>>,
        queue: Option<&mpsc::Receiver<Box<dyn Job>>>,
    ) -> Result<Done, StoreError> {
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // From when on others are kept waiting: whoever came while this waited may join.
        let start = Instant::now();
        let mut place = 0;
        while let Some(job) = jobs.get_mut(place) {
            if !perform(&tx, job.as_mut()) {
                // SQLite may have rolled back already, for example because the disk is full.
                if !tx.is_autocommit() {
                    tx.rollback()?;
                }
                return Ok(Done::Failed(place));
            }
            // What erases does so alone: the others are not to wait for it.
            let alone = job.erases();
            place += 1;
            if place < jobs.len() {
                continue;
            }
            let Some(queue) = queue.filter(|_| self.next.is_none()) else { break };
            if alone || place >= GROUP || start.elapsed() > LONG {
                break;
            }
            match queue.try_recv() {
                Ok(next) if !next.erases() => jobs.push(next),
                Ok(next) => self.next = Some(next),
                Err(_) => break,
            }
        }
        tx.commit()?;
        Ok(Done::Committed)
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

/// The result of a transaction.
enum Done {
    /// It is durable.
    Committed,
    /// It was rolled back for the write at this place, which failed after it had begun.
    Failed(usize),
}

/// Does one write of several; false if it failed and has changed something, or may have.
fn perform(tx: &Transaction<'_>, job: &mut dyn Job) -> bool {
    let before = tx.total_changes();
    let stays = catch_unwind(AssertUnwindSafe(|| job.perform(tx))).unwrap_or_else(|_| {
        tracing::error!("a write panicked and was rolled back");
        false
    });
    stays || (tx.total_changes() == before && !tx.is_autocommit())
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
        thread::Builder::new().name("store-writer".into()).spawn(work).map_err(|source| {
            StoreError::File { path: "a thread".into(), source: source.into() }
        })?;
        Ok(Self { jobs: Mutex::new(Some(jobs)), ended: Mutex::new(Some(ended)) })
    }

    /// Runs `work` in a transaction and answers when it is on disk. Once begun it is finished, even
    /// if the caller does not wait any more.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl Fn(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.submit(false, work).await
    }

    /// As [`run`](Self::run), and afterwards nothing of what was deleted is left in the log.
    pub async fn run_and_erase<T: Send + 'static>(
        &self,
        work: impl Fn(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.submit(true, work).await
    }

    async fn submit<T: Send + 'static>(
        &self,
        erase: bool,
        work: impl Fn(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let job = Box::new(Write { erase, work, result: None, answer });
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn count(connection: &Connection) -> i64 {
        connection.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap()
    }

    /// Many at once, of which some fail before they have changed anything, some after, and some
    /// panic: exactly the others stay, and each gets its own answer.
    #[tokio::test]
    async fn each_answers_for_itself() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.sqlite");
        let connection = Connection::open(&path).unwrap();
        connection
            .execute_batch("PRAGMA journal_mode=wal; CREATE TABLE t (i PRIMARY KEY)")
            .unwrap();
        let writer = Arc::new(Writer::start(connection).unwrap());
        let write = |i: u32| {
            let writer = writer.clone();
            tokio::spawn(async move {
                let work = move |tx: &Transaction<'_>| {
                    if i % 7 == 1 {
                        return Err(StoreError::NotFound);
                    }
                    tx.execute("INSERT INTO t VALUES (?1)", [i])?;
                    if i % 7 == 2 {
                        return Err(StoreError::ConsentRevoked);
                    }
                    assert!(i % 7 != 3, "as intended");
                    Ok(i)
                };
                let answer = if i.is_multiple_of(31) {
                    writer.run_and_erase(work).await
                } else {
                    writer.run(work).await
                };
                match i % 7 {
                    1 => assert!(matches!(answer, Err(StoreError::NotFound))),
                    2 => assert!(matches!(answer, Err(StoreError::ConsentRevoked))),
                    3 => assert!(matches!(answer, Err(StoreError::Closed))),
                    _ => assert_eq!(answer.unwrap(), i),
                }
            })
        };
        for task in (0..700).map(write).collect::<Vec<_>>() {
            task.await.unwrap();
        }
        writer.close().await.unwrap();
        assert_eq!(count(&Connection::open(&path).unwrap()), 400);
    }

    /// Those who come while another connection writes are not answered one commit after another.
    #[tokio::test]
    async fn who_came_while_it_waited_shares_the_transaction() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.sqlite");
        let open = || {
            let connection = Connection::open(&path).unwrap();
            connection.busy_timeout(Duration::from_secs(10)).unwrap();
            connection
        };
        let other = open();
        other.execute_batch("PRAGMA journal_mode=wal; CREATE TABLE t (i PRIMARY KEY)").unwrap();
        let writer = Arc::new(Writer::start(open()).unwrap());
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let write = |i: u32| {
            let (writer, path) = (writer.clone(), path.clone());
            let work = move |tx: &Transaction<'_>| {
                tx.execute("INSERT INTO t VALUES (?1)", [i])?;
                Ok(count(&Connection::open(&path)?))
            };
            tokio::spawn(async move { writer.run(work).await.unwrap() })
        };
        let writes: Vec<_> = (0..5).map(write).collect();
        tokio::time::sleep(4 * LONG).await;
        other.execute_batch("COMMIT").unwrap();
        for committed_before in writes {
            assert_eq!(committed_before.await.unwrap(), 0, "it was in a later transaction");
        }
        assert_eq!(count(&other), 5);
    }
}
