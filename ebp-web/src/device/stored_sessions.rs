//! "Stay signed in": the hashes of sessions that outlive this process, in a private file.
//!
//! The file opens nothing by itself, as it has the hashes of tokens only. It belongs to one sign-in code:
//! once the code is replaced, nobody stays signed in by the old one.

use std::path::{Path, PathBuf};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ebp_core::private_file;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::kit::session::StoredSession;

/// The file.
#[derive(Debug, Clone)]
pub struct SessionFile(PathBuf);

#[derive(Serialize, Deserialize)]
struct Content {
    /// Of which sign-in code.
    code: String,
    sessions: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    hash: String,
    ends_at: Timestamp,
}

impl SessionFile {
    /// In that folder.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self(folder.join("sessions.json"))
    }

    /// The sessions that were opened by that code and have not ended. A file that cannot be read or
    /// that others may read has none: people sign in again.
    #[must_use]
    pub fn load(&self, code: &str, now: Timestamp) -> Vec<StoredSession> {
        let Ok(text) = private_file::read(&self.0) else { return Vec::new() };
        let Ok(content) = serde_json::from_slice::<Content>(&text) else { return Vec::new() };
        if content.code != code {
            return Vec::new();
        }
        let session = |entry: &Entry| {
            let hash = URL_SAFE_NO_PAD.decode(&entry.hash).ok()?.try_into().ok()?;
            let lasts = entry.ends_at.duration_since(now).try_into().ok()?;
            Some(StoredSession { hash, lasts })
        };
        content.sessions.iter().filter_map(session).collect()
    }

    /// Replaces what is stored. If the file cannot be written, people sign in again after a restart.
    pub fn store(&self, code: &str, sessions: &[StoredSession], now: Timestamp) {
        let entry = |session: &StoredSession| {
            let lasts = SignedDuration::try_from(session.lasts).ok()?;
            let ends_at = now.checked_add(lasts).ok()?;
            Some(Entry { hash: URL_SAFE_NO_PAD.encode(session.hash), ends_at })
        };
        let sessions = sessions.iter().filter_map(entry).collect();
        let content = Content { code: code.to_owned(), sessions };
        let text = serde_json::to_vec(&content).unwrap_or_default();
        if let Err(error) = private_file::replace(&self.0, &self.0.with_extension("new"), &text) {
            tracing::warn!("{}: {error}", self.0.display());
        }
    }

    /// Nobody stays signed in.
    pub fn remove(&self) {
        match std::fs::remove_file(&self.0) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!("{}: {error}", self.0.display());
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{os::unix::fs::PermissionsExt, time::Duration};

    use super::*;

    #[test]
    fn sessions_belong_to_their_code_and_the_file_to_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let file = SessionFile::new(folder.path());
        let now: Timestamp = "2026-11-30T12:00:00Z".parse().unwrap();
        assert_eq!(file.load("a", now), [], "there is none yet");
        let session = StoredSession { hash: [7; 32], lasts: Duration::from_secs(3600) };
        file.store("a", std::slice::from_ref(&session), now);
        let mode = std::fs::metadata(&file.0).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(file.load("a", now), [session]);
        assert_eq!(file.load("b", now), [], "the code was replaced");
        let later = now + SignedDuration::from_secs(3601);
        assert_eq!(file.load("a", later), [], "they have ended");
        std::fs::set_permissions(&file.0, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(file.load("a", now), [], "others could have written it");
        std::fs::write(&file.0, "{").unwrap();
        assert_eq!(file.load("a", now), []);
        file.remove();
        file.remove();
        assert!(!file.0.exists());
    }
}
