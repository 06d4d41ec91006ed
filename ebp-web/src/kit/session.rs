//! Sessions: who is signed in.
//!
//! A session is known by the SHA-256 of its token, so that a copy of this process' memory, or of what
//! a frontend stores of its sessions, opens nothing. Times are those since the machine's start, which
//! cannot be set.

use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    digest::{SHA256, digest},
    rand::{SecureRandom, SystemRandom},
};

use super::defence::Defence;

/// The limits of sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLimits {
    /// How many there may be; one more ends the one that was used least recently.
    pub most: usize,
    /// A session ends after this long without a request.
    pub idle: Duration,
    /// A session ends this long after it began.
    pub absolute: Duration,
    /// A session that may only look ends this long after it began, idle or not.
    pub looking: Duration,
    /// What cannot be undone needs a code that was entered at most this long ago.
    pub fresh: Duration,
}

impl Default for SessionLimits {
    fn default() -> Self {
        const HOUR: u64 = 3600;
        Self {
            most: 16,
            idle: Duration::from_secs(HOUR / 2),
            absolute: Duration::from_secs(12 * HOUR),
            looking: Duration::from_secs(30 * 24 * HOUR),
            fresh: Duration::from_secs(600),
        }
    }
}

/// What a session's token looks like to a browser: 256 random bits. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// As the cookie's value.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(redacted)")
    }
}

/// The operating system gave no random numbers.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gives no random numbers")]
pub struct NoRandomness;

/// A session, as a page sees it.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    /// What forms of this session carry.
    pub form_token: String,
    /// Whether the code was entered recently enough for what cannot be undone.
    pub is_fresh: bool,
    /// Whether it lasts for weeks, and may only look until the code is entered again.
    pub is_looking: bool,
}

/// All sessions.
#[derive(Debug)]
pub struct Sessions {
    limits: SessionLimits,
    open: Mutex<Vec<Open>>,
}

#[derive(Debug)]
struct Open {
    hash: [u8; 32],
    /// When it ends, used or not.
    ends: Duration,
    seen: Duration,
    /// Never, in this process, for a session of an earlier one.
    code_entered: Option<Duration>,
    is_looking: bool,
}

/// A session that may look for weeks, as a frontend may store it. `Debug` shows no hash.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredSession {
    /// The SHA-256 of its token.
    pub hash: [u8; 32],
    /// How long it still lasts.
    pub lasts: Duration,
}

impl fmt::Debug for StoredSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredSession").field("lasts", &self.lasts).finish_non_exhaustive()
    }
}

impl Sessions {
    /// None yet.
    #[must_use]
    pub const fn new(limits: SessionLimits) -> Self {
        Self { limits, open: Mutex::new(Vec::new()) }
    }

    /// Begins a session: the code was entered just now.
    ///
    /// # Errors
    /// Returns [`NoRandomness`] if no token can be made.
    pub fn begin(&self, now: Duration, is_looking: bool) -> Result<Token, NoRandomness> {
        let mut bytes = [0; 32];
        SystemRandom::new().fill(&mut bytes).map_err(|_| NoRandomness)?;
        let token = Token(URL_SAFE_NO_PAD.encode(bytes));
        let mut open = self.drop_ended(now);
        if open.len() >= self.limits.most {
            let oldest = (0..open.len()).min_by_key(|place| open[*place].seen).unwrap_or(0);
            open.remove(oldest);
        }
        let limit = if is_looking { self.limits.looking } else { self.limits.absolute };
        open.push(Open {
            hash: hash(token.as_str()),
            ends: now + limit,
            seen: now,
            code_entered: Some(now),
            is_looking,
        });
        Ok(token)
    }

    /// The sessions that may look for weeks, to be stored.
    #[must_use]
    pub fn to_store(&self, now: Duration) -> Vec<StoredSession> {
        let open = self.drop_ended(now);
        let looking = open.iter().filter(|open| open.is_looking);
        looking.map(|open| StoredSession { hash: open.hash, lasts: open.ends - now }).collect()
    }

    /// Opens stored sessions again: they may look, and none lasts longer than a new one.
    pub fn restore(&self, stored: &[StoredSession], now: Duration) {
        let mut open = self.drop_ended(now);
        open.extend(stored.iter().take(self.limits.most).map(|stored| Open {
            hash: stored.hash,
            ends: now + stored.lasts.min(self.limits.looking),
            seen: now,
            code_entered: None,
            is_looking: true,
        }));
    }

    /// The session of a cookie's value. If a person uses it now, it is not idle; a page that renews
    /// itself does not keep it open.
    #[must_use]
    pub fn find(&self, token: &str, now: Duration, is_used: bool) -> Option<Session> {
        if token.len() != 43 {
            return None;
        }
        let hash = hash(token);
        let mut sessions = self.drop_ended(now);
        let open = sessions.iter_mut().find(|open| open.hash == hash)?;
        if is_used {
            open.seen = now;
        }
        Some(Session {
            form_token: form_token(token),
            is_fresh: open
                .code_entered
                .is_some_and(|at| now.saturating_sub(at) <= self.limits.fresh),
            is_looking: open.is_looking,
        })
    }

    /// The code was entered again.
    pub fn refresh(&self, token: &str, now: Duration) {
        let hash = hash(token);
        if let Some(open) = self.drop_ended(now).iter_mut().find(|open| open.hash == hash) {
            open.code_entered = Some(now);
        }
    }

    /// Ends a session.
    pub fn end(&self, token: &str) {
        if !Defence::SessionEnd.is_on() {
            return;
        }
        let hash = hash(token);
        self.lock().retain(|open| open.hash != hash);
    }

    /// Ends all.
    pub fn end_all(&self) {
        self.lock().clear();
    }

    fn drop_ended(&self, now: Duration) -> MutexGuard<'_, Vec<Open>> {
        let mut open = self.lock();
        open.retain(|session| {
            let is_used = now.saturating_sub(session.seen) < self.limits.idle;
            now < session.ends && (session.is_looking || is_used)
        });
        open
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hash(text: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
    hash
}

/// What forms of the session carry: from the token, which it does not reveal.
#[must_use]
pub fn form_token(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, format!("form {token}").as_bytes()))
}

/// Compares in a time that depends on the lengths only.
#[must_use]
pub fn is_same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60;

    fn minutes(minutes: u64) -> Duration {
        Duration::from_secs(minutes * MINUTE)
    }

    #[test]
    fn a_session_ends_when_it_is_idle_and_after_half_a_day() {
        let sessions = Sessions::new(SessionLimits::default());
        let token = sessions.begin(minutes(0), false).unwrap();
        let found = |at| sessions.find(token.as_str(), minutes(at), true);
        assert!(!found(29).unwrap().is_fresh && found(58).is_some());
        assert!(found(88).is_none(), "30 minutes later it is over");
        assert!(found(60).is_none(), "and stays over");

        let token = sessions.begin(minutes(0), false).unwrap();
        for at in (0..30).step_by(5) {
            assert!(sessions.find(token.as_str(), minutes(at), false).is_some(), "{at}");
        }
        assert!(sessions.find(token.as_str(), minutes(30), false).is_none(), "nobody used it");

        let token = sessions.begin(minutes(0), false).unwrap();
        for at in (0..720).step_by(20) {
            assert!(sessions.find(token.as_str(), minutes(at), true).is_some(), "{at}");
        }
        assert!(sessions.find(token.as_str(), minutes(720), true).is_none());
    }

    #[test]
    fn a_phone_looks_for_thirty_days() {
        let sessions = Sessions::new(SessionLimits::default());
        let token = sessions.begin(minutes(0), true).unwrap();
        let day = 24 * 60;
        let later = sessions.find(token.as_str(), minutes(29 * day), true).unwrap();
        assert!(later.is_looking && !later.is_fresh);
        sessions.refresh(token.as_str(), minutes(29 * day));
        assert!(sessions.find(token.as_str(), minutes(29 * day + 10), true).unwrap().is_fresh);
        assert!(!sessions.find(token.as_str(), minutes(29 * day + 11), true).unwrap().is_fresh);
        assert!(sessions.find(token.as_str(), minutes(30 * day), true).is_none());
    }

    #[test]
    fn stored_sessions_look_on_and_have_to_enter_the_code_to_decide() {
        let sessions = Sessions::new(SessionLimits::default());
        let (looking, short) = (
            sessions.begin(minutes(10), true).unwrap(),
            sessions.begin(minutes(10), false).unwrap(),
        );
        let mut stored = sessions.to_store(minutes(12));
        assert_eq!(stored.len(), 1, "the other ends with the process");
        let day = 24 * 60;
        assert_eq!(stored[0].lasts, minutes(30 * day - 2));
        let later = Sessions::new(SessionLimits::default());
        // A file that was changed gives nobody more time.
        stored[0].lasts = Duration::MAX;
        later.restore(&stored, minutes(1));
        let found = later.find(looking.as_str(), minutes(2), true).unwrap();
        assert!(found.is_looking && !found.is_fresh);
        assert!(later.find(short.as_str(), minutes(2), true).is_none());
        assert!(later.find(looking.as_str(), minutes(30 * day + 1), true).is_none());
    }

    #[test]
    fn the_seventeenth_ends_the_one_that_was_used_least_recently() {
        let sessions = Sessions::new(SessionLimits::default());
        let tokens: Vec<_> =
            (0..16).map(|at| sessions.begin(Duration::from_secs(at), false).unwrap()).collect();
        assert!(sessions.find(tokens[0].as_str(), Duration::from_secs(20), true).is_some());
        sessions.begin(Duration::from_secs(21), false).unwrap();
        let there = |place: usize| {
            sessions.find(tokens[place].as_str(), Duration::from_secs(22), true).is_some()
        };
        assert_eq!((there(0), there(1), there(2)), (true, false, true));
    }

    #[test]
    fn ended_and_planted_tokens_open_nothing() {
        let sessions = Sessions::new(SessionLimits::default());
        let token = sessions.begin(minutes(0), false).unwrap();
        let other = Sessions::new(SessionLimits::default());
        assert!(other.find(token.as_str(), minutes(1), true).is_none(), "another process");
        for planted in ["", "x", &"A".repeat(43), &token.as_str()[1..]] {
            assert!(sessions.find(planted, minutes(1), true).is_none(), "{planted}");
        }
        sessions.end(token.as_str());
        assert!(sessions.find(token.as_str(), minutes(1), true).is_none());
        assert!(!format!("{sessions:?} {token:?}").contains(token.as_str()));
    }

    #[test]
    fn forms_carry_what_does_not_reveal_the_session() {
        let sessions = Sessions::new(SessionLimits::default());
        let (a, b) = (
            sessions.begin(minutes(0), false).unwrap(),
            sessions.begin(minutes(0), false).unwrap(),
        );
        let of =
            |token: &Token| sessions.find(token.as_str(), minutes(1), true).unwrap().form_token;
        assert!(of(&a) != of(&b) && !of(&a).contains(a.as_str()));
        assert!(is_same(&of(&a), &of(&a)) && !is_same(&of(&a), &of(&b)) && !is_same("a", "ab"));
    }
}
