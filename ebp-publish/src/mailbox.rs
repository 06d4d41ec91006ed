//! Hands readings over to an output's thread: of each meter the newest only, so that an output that
//! is slow or gone delays nobody and has no backlog to send.

use std::{
    collections::BTreeMap,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use uuid::Uuid;

use crate::reading::{Meter, Reading};

/// A reading on its way to an output.
pub(crate) type Post = (Meter, Reading);

/// What an output does in its thread until its mailbox is closed.
pub(crate) type Work = Box<dyn FnOnce(&Mailbox) + Send>;

/// Between the publisher and one output.
#[derive(Default)]
pub(crate) struct Mailbox {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    posts: BTreeMap<Uuid, Post>,
    is_closed: bool,
}

/// What there is for an output.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// The newest reading of each meter that has one.
    Posts(Vec<Post>),
    /// Nothing within the time.
    Nothing,
    /// Nothing more will come.
    Closed,
}

impl Mailbox {
    /// Leaves a reading, in place of an older one of the same meter.
    pub(crate) fn put(&self, meter: &Meter, reading: Reading) {
        self.lock().posts.insert(meter.uuid, (meter.clone(), reading));
        self.changed.notify_all();
    }

    /// Puts back what could not be sent, unless there is a newer one.
    pub(crate) fn put_back(&self, posts: Vec<Post>) {
        let mut state = self.lock();
        for post in posts {
            state.posts.entry(post.0.uuid).or_insert(post);
        }
    }

    /// Ends it: [`Taken::Closed`] follows.
    pub(crate) fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_all();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().is_closed
    }

    /// Waits for readings.
    pub(crate) fn take(&self, longest: Duration) -> Taken {
        let until = Instant::now() + longest;
        let mut state = self.lock();
        loop {
            if state.is_closed {
                return Taken::Closed;
            }
            if !state.posts.is_empty() {
                return Taken::Posts(std::mem::take(&mut state.posts).into_values().collect());
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Taken::Nothing;
            }
            state = self.wait(state, left);
        }
    }

    /// Waits for that long, or until it is closed.
    pub(crate) fn rest(&self, long: Duration) {
        let until = Instant::now() + long;
        let mut state = self.lock();
        while !state.is_closed {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            state = self.wait(state, left);
        }
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>, longest: Duration) -> MutexGuard<'a, State> {
        self.changed.wait_timeout(state, longest).unwrap_or_else(PoisonError::into_inner).0
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn the_newest_reading_of_each_meter_is_kept() {
        let mailbox = Mailbox::default();
        let (one, two) = (Meter::at_port("1", None), Meter::at_port("2", None));
        let at = |second| Reading::new(Timestamp::from_second(second).unwrap());
        for second in 0..10_000 {
            mailbox.put(&one, at(second));
        }
        mailbox.put(&two, at(1));
        let Taken::Posts(mut posts) = mailbox.take(Duration::ZERO) else { panic!("nothing") };
        posts.sort_by_key(|(_, reading)| reading.read_at);
        assert_eq!(posts, [(two, at(1)), (one.clone(), at(9_999))]);
        assert_eq!(mailbox.take(Duration::ZERO), Taken::Nothing);
        // What comes back is older than what came meanwhile.
        mailbox.put(&one, at(20_000));
        mailbox.put_back(posts);
        let Taken::Posts(posts) = mailbox.take(Duration::ZERO) else { panic!("nothing") };
        assert!(posts.contains(&(one, at(20_000))), "{posts:?}");
        mailbox.close();
        assert_eq!(mailbox.take(Duration::MAX.min(Duration::from_secs(60))), Taken::Closed);
    }
}
