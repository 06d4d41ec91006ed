//! Until when a server asked not to be called, from one round of updates to the next.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

use crate::{file::write_whole, tell::tell};

/// An instant that is further off than any wait is of another clock.
const LONGEST: SignedDuration = SignedDuration::from_hours(25);

/// A server's pause, in a file.
pub struct Pause(PathBuf);

impl Pause {
    /// That of the Data API.
    pub fn of_api(folder: &Path) -> Self {
        Self(folder.join("pause-api"))
    }

    /// That of the server with the releases.
    pub fn of_files(folder: &Path) -> Self {
        Self(folder.join("pause-files"))
    }

    /// Until when it may not be called, if that is ahead.
    pub fn end(&self, now: Timestamp) -> Option<Timestamp> {
        let end: Timestamp = fs::read_to_string(&self.0).ok()?.trim().parse().ok()?;
        (end > now && end.duration_since(now) <= LONGEST).then_some(end)
    }

    /// Begins it. If it cannot be written down, the server is called in the next round.
    pub fn begin(&self, wait: Duration, now: Timestamp) {
        let end = SignedDuration::try_from(wait).ok().and_then(|wait| now.checked_add(wait).ok());
        let Some(end) = end.filter(|end| *end > now) else { return };
        if let Err(failure) = write_whole(&self.0, format!("{end}\n").as_bytes()) {
            tell!("ebp: {failure}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_outlasts_a_round_and_ends() {
        let folder = tempfile::tempdir().unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let (now, end) = (at("2026-12-01T12:00:00Z"), at("2026-12-01T14:00:00Z"));
        Pause::of_api(folder.path()).begin(Duration::from_secs(7200), now);
        let pause = Pause::of_api(folder.path());
        assert_eq!(pause.end(now), Some(end));
        assert_eq!(pause.end(at("2026-12-01T13:59:59Z")), Some(end));
        assert_eq!(pause.end(end), None);
        assert_eq!(pause.end(at("2026-11-01T12:00:00Z")), None, "the clock was set back");
        assert_eq!(Pause::of_files(folder.path()).end(now), None);
    }
}
