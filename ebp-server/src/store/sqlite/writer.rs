//! The connection that writes, on a thread of its own.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Mutex, PoisonError, mpsc},
    thread,
    time::Duration,
};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::oneshot;

use super::connection;
use crate::store::StoreError;

/// How long a revocation waits for those who read the log. Later writes do not wait at all.
const PATIENCE: Duration = Duration::from_secs(2);

type Job = Box<dyn FnOnce(&mut Thread) + Send>;

/// What the thread owns.
struct Thread {
    connection: Connection,
    /// Whether the log may hold deleted content.
    erase: bool,
}

impl Thread {
    /// Runs `work` in a transaction of its own; nothing stays of it unless it succeeds.
    fn transact<T>(
        &mut self,
        erase: bool,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let result = work(&tx)?;
        tx.commit()?;
        if erase {
            self.erase = true;
            self.erase_log(PATIENCE);
        } else if self.erase {
            self.erase_log(Duration::ZERO);
        }
        Ok(result)
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

/// Where work for the thread is left.
pub struct Writer {
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    ended: Mutex<Option<oneshot::Receiver<()>>>,
}

impl Writer {
    pub fn start(connection: Connection) -> Result<Self, StoreError> {
        let (jobs, queue) = mpsc::channel::<Job>();
        let (end, ended) = oneshot::channel();
        let work = move || {
            let mut thread = Thread { connection, erase: true };
            for job in queue {
                // A transaction rolls back when it is dropped, also by a panic: the connection
                // stays good, and so does the thread.
                if catch_unwind(AssertUnwindSafe(|| job(&mut thread))).is_err() {
                    tracing::error!("a write panicked and was rolled back");
                }
            }
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
        let job: Job = Box::new(move |thread| {
            // An answer that nobody waits for is dropped.
            let _ = answer.send(thread.transact(erase, work));
        });
        self.jobs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .and_then(|jobs| jobs.send(job).ok())
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
