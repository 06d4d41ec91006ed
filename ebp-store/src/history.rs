//! Which history a database goes on with. A standby that is promoted begins one of its own at the
//! place up to which it had followed, and so does a backup that is put back.

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
    /// Whether this is what the other one has left behind: a primary that was given up and is back.
    pub(super) fn is_before(&self, other: &Self) -> bool {
        self.database == other.database && self.timeline < other.timeline
    }
}

/// What a store knows of its database's history.
///
/// A standby that was behind has fewer revocations than were confirmed. So a store makes no
/// connection to a history other than the one that it serves, until somebody has applied to it what
/// was revoked, and tells the store to serve it.
#[async_trait]
pub trait HistoryStore: Send + Sync {
    /// The history that this store serves: the first one that it met, until told otherwise. `None`
    /// where the database does not tell, as SQLite does not.
    fn history(&self) -> Option<History>;

    /// Waits until the database goes on with another history than the served one. Until the store is
    /// told to [`serve_history`](Self::serve_history), it answers that the database cannot be
    /// reached.
    async fn wait_for_another_history(&self);

    /// Serves that history from now on.
    fn serve_history(&self, history: History);
}
