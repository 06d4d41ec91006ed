//! Sessions that an administrator ends, at whichever server they are carried.
//!
//! What is asked for is stored with the session. The server that carries it looks every second while it
//! carries any: that needs no way from one server to the other, and works where only the database is
//! shared.

use std::{sync::Arc, time::Duration};

use ebp_core::contract::TunnelSession;
use ebp_store::StoreError;
use uuid::Uuid;

use super::tunnels::Tunnels;

/// How often a server that carries sessions looks which of them are to end.
const LOOK: Duration = Duration::from_secs(1);

/// How long whoever asks waits for the end.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often that is looked at.
const STEP: Duration = Duration::from_millis(100);

impl Tunnels {
    /// Ends a session, for that administrator. Returns it as it is then: ended, unless the server that
    /// carries it does not reach the database.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is no such session.
    pub(crate) async fn end_session(
        &self,
        session: Uuid,
        administrator: &str,
    ) -> Result<TunnelSession, StoreError> {
        let store = self.survey.store();
        store.ask_session_end(session, administrator.to_owned()).await?;
        self.end_here(&[session]);
        let begun = tokio::time::Instant::now();
        loop {
            let now = store.tunnel_session(session).await?;
            if now.ended_at.is_some() || begun.elapsed() >= PATIENCE {
                return Ok(now);
            }
            tokio::time::sleep(STEP).await;
        }
    }

    /// Ends those of the sessions that this server carries.
    fn end_here(&self, sessions: &[Uuid]) {
        let open = self.lock_sessions();
        for session in sessions.iter().filter_map(|session| open.get(session)) {
            session.ended.notify_one();
        }
    }

    /// Ends what administrators want to end, as long as the server runs.
    pub(crate) async fn watch_ends(self: Arc<Self>) {
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            let sessions: Vec<Uuid> = self.lock_sessions().keys().copied().collect();
            if sessions.is_empty() {
                continue;
            }
            match self.survey.store().sessions_to_end(sessions).await {
                Ok(ended) => self.end_here(&ended),
                Err(error) => tracing::warn!(%error, "it is not known which sessions are to end"),
            }
        }
    }
}
