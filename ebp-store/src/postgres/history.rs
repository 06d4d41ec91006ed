//! Checks the history of PostgreSQL on each new connection before it is used.
//!
//! Enters: new connections, and which history a server has applied its revocations to. Leaves: whether
//! a connection is used. Absent: the revocations.

mod known;

use async_trait::async_trait;

pub use known::Histories;

use super::PostgresStore;
use crate::{History, HistoryStore};

#[async_trait]
impl HistoryStore for PostgresStore {
    fn history(&self) -> Option<History> {
        self.connections.histories().served().clone()
    }

    async fn wait_for_another_history(&self) {
        self.connections.histories().met_another().await;
    }

    fn serve_history(&self, history: History) {
        *self.connections.histories().served() = Some(history);
    }
}
