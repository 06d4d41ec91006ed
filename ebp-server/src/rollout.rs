//! The loop that judges a roll-out: whether its step is over, and whether it halts.
//!
//! Every server of a database judges. What one decides is stored only of the revision that it saw, so
//! that two of them cannot decide differently.

use std::{sync::Arc, time::Duration};

use ebp_survey::Survey;
use tokio::{
    sync::Notify,
    task::JoinHandle,
    time::{sleep, timeout},
};

/// How often a roll-out is judged though no device says anything: silence is found so.
const LOOK: Duration = Duration::from_secs(60);

/// The shortest pause between two looks, however many devices say something.
const PAUSE: Duration = Duration::from_secs(1);

/// What wakes the loop.
#[derive(Debug, Default)]
pub(crate) struct RolloutWatch(Notify);

impl RolloutWatch {
    /// Has the loop look soon.
    pub(crate) fn wake(&self) {
        self.0.notify_one();
    }

    /// Judges until it is aborted.
    pub(crate) fn start(self: &Arc<Self>, survey: Arc<Survey>) -> JoinHandle<()> {
        let watch = self.clone();
        tokio::spawn(async move {
            let mut has_failed = false;
            loop {
                let more = match survey.judge_rollout().await {
                    Ok(more) => {
                        has_failed = false;
                        more
                    }
                    Err(error) => {
                        if !std::mem::replace(&mut has_failed, true) {
                            tracing::warn!(%error, "the roll-out cannot be judged; tried again");
                        }
                        false
                    }
                };
                if !more {
                    // It makes no difference which of them ended the wait.
                    let _ = timeout(LOOK, watch.0.notified()).await;
                }
                sleep(PAUSE).await;
            }
        })
    }
}
