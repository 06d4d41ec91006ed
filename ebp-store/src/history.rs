//! The history of a database. A standby that is promoted begins a new one at the point up to which
//! it had followed, and so does a restored backup.

use async_trait::async_trait;

/// Names a database and its history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// Which database of which cluster.
    pub(super) database: String,
    /// Each promotion begins a later one.
    pub(super) timeline: u32,
}

impl History {
    /// Whether this is an older history of the same database: a former primary that is back.
    pub(super) fn is_before(&self, other: &Self) -> bool {
        self.database == other.database && self.timeline < other.timeline
    }
}

/// A store's view of its database's history.
///
/// A standby that was behind has fewer revocations than were confirmed. So a store makes no
/// connection to a history other than the one that it serves, until the caller has applied the
/// revocations to it, and calls [`serve_history`](Self::serve_history).
#[async_trait]
pub trait HistoryStore: Send + Sync {
    /// The history that this store serves: at first the one of its first connection. `None` if the
    /// database has no history, as SQLite.
    fn history(&self) -> Option<History>;

    /// Waits until the database has another history than the served one. Until
    /// [`serve_history`](Self::serve_history) is called, the store answers that the database cannot
    /// be reached.
    async fn wait_for_another_history(&self);

    /// Serves that history from now on.
    fn serve_history(&self, history: History);
}
