//! Alerts: a look at all devices, and a message that tests how messages are sent.

use std::{collections::HashSet, sync::Arc};

use ebp_core::contract::{AlertChannel, AlertMessage};
use ebp_store::{
    AlertThresholds, Episode, Look, MessagePolicy, NewMessage, WatchLease, Watching, changes, plan,
};
use jiff::SignedDuration;
use uuid::Uuid;

use crate::{Survey, SurveyError};

/// By which rules devices are watched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlertPolicy {
    /// From when on devices are in trouble.
    pub thresholds: AlertThresholds,
    /// How messages are made of changes.
    pub messages: MessagePolicy,
    /// By which channels they are sent.
    pub channels: Vec<AlertChannel>,
}

impl Survey {
    /// Looks at all devices: decides which episodes begin and end, and whether a message is due.
    /// False if the lease is lost; nothing is recorded then.
    ///
    /// # Errors
    /// [`Store`](SurveyError::Store) if the database fails.
    pub async fn look_for_alerts(
        &self,
        lease: WatchLease,
        policy: &AlertPolicy,
    ) -> Result<bool, SurveyError> {
        let facts = self.store().alert_facts(policy.thresholds.clone(), self.clock().now()).await?;
        let now = self.clock().now();
        let since = now.checked_sub(SignedDuration::from_hours(1)).unwrap_or(now);
        let state = self.store().alert_state(since).await?;
        let thresholds = &policy.thresholds;
        let watching = Watching::look(state.watching, now, thresholds.longest_gap);
        let (begin, end) = changes(&facts, &state.episodes, thresholds, watching, Uuid::new_v4);
        let mut episodes = state.episodes;
        let ended: HashSet<Uuid> = end.iter().copied().collect();
        for episode in episodes.iter_mut().filter(|episode| ended.contains(&episode.uuid)) {
            (episode.open, episode.end_untold) = (false, Some(now));
        }
        episodes.extend(begin.iter().map(|new| Episode {
            uuid: new.uuid,
            device: new.device,
            kind: new.kind,
            begin_untold: Some(now),
            open: true,
            end_untold: None,
        }));
        let message = plan(&episodes, &state.sent, &policy.messages, now).map(|planned| {
            NewMessage { uuid: Uuid::new_v4(), planned, channels: policy.channels.clone() }
        });
        let look = Look { watching, begin, end, message };
        Ok(self.store().record_look(lease, Arc::new(look)).await?)
    }

    /// Adds a message that tests how messages are sent by these channels. The server that watches
    /// sends it soon, in quiet hours, too.
    ///
    /// # Errors
    /// [`Store`](SurveyError::Store) if the database fails.
    pub async fn test_alerts(
        &self,
        channels: Vec<AlertChannel>,
    ) -> Result<AlertMessage, SurveyError> {
        Ok(self.store().add_alert_test(channels, self.clock().now()).await?)
    }
}
