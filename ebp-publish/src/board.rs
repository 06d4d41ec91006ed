//! The latest reading of each meter, for those who ask: until it is too old.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use uuid::Uuid;

use crate::mailbox::Post;

/// A reading is shown for so many intervals.
const SHOWN_INTERVALS: u32 = 3;

/// The latest readings.
pub(crate) struct Board {
    latest: Mutex<BTreeMap<Uuid, (Instant, Post)>>,
    shown_for: Duration,
}

impl Board {
    pub(crate) fn new(interval: Duration) -> Self {
        Self { latest: Mutex::default(), shown_for: interval.saturating_mul(SHOWN_INTERVALS) }
    }

    pub(crate) fn put(&self, posts: Vec<Post>) {
        let now = Instant::now();
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        for post in posts {
            latest.insert(post.0.uuid, (now, post));
        }
    }

    /// Those that are not too old.
    pub(crate) fn posts(&self) -> Vec<Post> {
        let now = Instant::now();
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        latest
            .values()
            .filter(|(since, _)| now.saturating_duration_since(*since) <= self.shown_for)
            .map(|(_, post)| post.clone())
            .collect()
    }
}
