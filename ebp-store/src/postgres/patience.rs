//! Timeouts for PostgreSQL's answers, and what happens to a connection without one.
//!
//! The database's server enforces a statement's timeout. It does not help if that process is
//! stopped, a proxy in between hangs or packets are lost. So the client has one, too. A connection
//! on which an answer is late may never answer again, and a statement that is sent after it waits
//! behind it: neither it nor any that was opened before is used again.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use deadpool::managed::Manager as _;
use deadpool_postgres::{Client, ClientWrapper, Pool};

use super::{PostgresError, history::Histories};
use crate::StoreError;

/// The timeout for queries of every request.
pub const LOOK_UP: Duration = Duration::from_secs(5);

/// The timeout for changes, which may wait for a lock, and for copying rows.
pub const CHANGE: Duration = Duration::from_secs(15);

/// The timeout for reading a whole survey; above the server's own limit (`statement_timeout`).
pub const SURVEY: Duration = Duration::from_secs(60);

/// Connections opened before this time are not reused.
#[derive(Debug, Default, Clone)]
pub struct Distrust(Arc<Mutex<Option<Instant>>>);

impl Distrust {
    /// Whether a connection that was opened then must not be reused.
    pub fn covers(&self, created: Instant) -> bool {
        let until = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| created <= until)
    }

    fn all_until_now(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }
}

/// A pool of connections with timeouts.
#[derive(Debug, Clone)]
pub struct Connections {
    pool: Pool,
    distrust: Distrust,
    histories: Histories,
}

impl Connections {
    /// Of that pool, which asks `distrust` before it lends a connection again, and `histories`
    /// before it lends a new one.
    pub fn new(pool: Pool, distrust: Distrust, histories: Histories) -> Self {
        Self { pool, distrust, histories }
    }

    /// The history of its connections.
    pub fn histories(&self) -> &Histories {
        &self.histories
    }

    /// The pool.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// A connection on loan.
    pub async fn get(&self) -> Result<Client, StoreError> {
        Ok(self.pool.get().await?)
    }

    /// A connection apart from the pool, without its settings.
    pub async fn open(&self) -> Result<ClientWrapper, StoreError> {
        self.within(LOOK_UP, async { Ok(self.pool.manager().create().await?) }).await
    }

    /// The result of the work on a borrowed connection within the timeout; otherwise the error that
    /// PostgreSQL cannot be reached, and no present connection is reused.
    pub async fn within<T, E: From<PostgresError>>(
        &self,
        limit: Duration,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        match tokio::time::timeout(limit, work).await {
            Ok(answer) => answer,
            Err(_) => {
                self.distrust.all_until_now();
                self.pool.retain(|_, _| false);
                Err(PostgresError::no_answer().into())
            }
        }
    }
}
