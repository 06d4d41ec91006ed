//! Wrong attempts, counted for each meter across runs and crashes, so that no timer blocks a meter.
//!
//! Enters: a folder for the state, a meter's identity, the time. Leaves: permission to try. Absent:
//! the attempt itself; any identity in plain text.
//!
//! An attempt is on the disk before its first press. What happens in between - a kill, a power
//! failure, a panic - leaves it counted, because a PIN that was entered in part is a wrong one: the
//! meter fills it up with zeros. Only an attempt that has succeeded clears the count.

use std::{
    collections::BTreeMap,
    fmt,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use ebp_core::private_file;
use jiff::Timestamp;
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{port::PortName, readout::ServerId};

/// A pseudonym of a meter: a name-based UUID of its identity. It keeps numbers out of files that
/// are copied into bug reports; it does not protect against an attacker who tries all numbers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MeterKey(String);

impl MeterKey {
    const NAMESPACE: Uuid = Uuid::from_u128(0x6f0c_9b1e_51d7_4a2c_8a53_e1f2_7d40_b6a9);

    /// From the identity that the meter sends, or from the port if it sends none.
    #[must_use]
    pub fn new(server_id: Option<&ServerId>, port: &PortName) -> Self {
        let name = match server_id {
            Some(id) if !id.0.is_empty() => [b"meter:".as_slice(), &id.0].concat(),
            _ => format!("port:{port}").into_bytes(),
        };
        Self(Uuid::new_v5(&Self::NAMESPACE, &name).to_string())
    }
}

impl fmt::Display for MeterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The stored state of a meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remembered {
    /// Attempts since the last successful one.
    pub wrong: u8,
    /// When the light of the last attempt ends, or ended.
    pub light_until: Timestamp,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    version: u32,
    meters: BTreeMap<String, Remembered>,
}

/// The file of attempts in a state folder.
#[derive(Debug, Clone)]
pub struct Tries {
    folder: PathBuf,
}

impl Tries {
    /// The attempts of that folder, which is created with the first attempt.
    #[must_use]
    pub fn in_folder(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.folder.join("unlock-tries.json")
    }

    /// The attempts of that meter.
    ///
    /// # Errors
    /// Returns [`TriesError`] if the file cannot be read or understood. A file that cannot be
    /// understood is never treated as empty.
    pub fn get(&self, meter: &MeterKey) -> Result<Option<Remembered>, TriesError> {
        Ok(self.load()?.meters.get(&meter.0).copied())
    }

    /// Counts an attempt as wrong, on the disk, before it is made; `None` if `stop_at` are counted
    /// already. The light will be off at `light_until`.
    ///
    /// # Errors
    /// Returns [`TriesError`] if the file of attempts cannot be read, understood or written.
    /// Nothing may be tried then.
    pub fn begin(
        &self,
        meter: &MeterKey,
        stop_at: u8,
        light_until: Timestamp,
    ) -> Result<Option<Remembered>, TriesError> {
        self.change(|meters| {
            let wrong = meters.get(&meter.0).map_or(0, |known| known.wrong);
            if wrong >= stop_at {
                return None;
            }
            let remembered = Remembered { wrong: wrong + 1, light_until };
            meters.insert(meter.0.clone(), remembered);
            Some(remembered)
        })
    }

    /// The attempt ended before any light was sent: it does not count.
    ///
    /// # Errors
    /// Returns [`TriesError`] if the file of attempts cannot be read, understood or written.
    pub fn withdraw(&self, meter: &MeterKey) -> Result<(), TriesError> {
        self.change(|meters| {
            if let Some(known) = meters.get_mut(&meter.0) {
                known.wrong = known.wrong.saturating_sub(1);
                if known.wrong == 0 {
                    meters.remove(&meter.0);
                }
            }
        })
    }

    /// The attempt was interrupted: its light ended at that time.
    ///
    /// # Errors
    /// Returns [`TriesError`] if the file of attempts cannot be read, understood or written.
    pub fn ended(&self, meter: &MeterKey, at: Timestamp) -> Result<(), TriesError> {
        self.change(|meters| {
            if let Some(known) = meters.get_mut(&meter.0) {
                known.light_until = known.light_until.min(at);
            }
        })
    }

    /// The PIN was right, or its owner is certain of it (`--reset-tries`): the meter's count is
    /// cleared.
    ///
    /// # Errors
    /// Returns [`TriesError`] if the file of attempts cannot be read, understood or written.
    pub fn forget(&self, meter: &MeterKey) -> Result<(), TriesError> {
        self.change(|meters| {
            meters.remove(&meter.0);
        })
    }

    /// Earlier attempts no longer count, but the pause after the last one's light is kept.
    ///
    /// # Errors
    /// Returns [`TriesError`] if the file of attempts cannot be read, understood or written.
    pub fn pardon(&self, meter: &MeterKey) -> Result<(), TriesError> {
        self.change(|meters| {
            if let Some(known) = meters.get_mut(&meter.0) {
                known.wrong = 0;
            }
        })
    }

    /// Deletes the counts of all meters: for `--reset-tries` without a meter, and for a file that
    /// cannot be understood.
    ///
    /// # Errors
    /// Returns [`TriesError`] if the file of attempts cannot be read, understood or written.
    pub fn forget_all(&self) -> Result<(), TriesError> {
        let _lock = self.lock()?;
        self.store(&Contents { version: 1, meters: BTreeMap::new() })
    }

    fn change<T>(
        &self,
        change: impl FnOnce(&mut BTreeMap<String, Remembered>) -> T,
    ) -> Result<T, TriesError> {
        let _lock = self.lock()?;
        let mut contents = self.load()?;
        let result = change(&mut contents.meters);
        self.store(&contents)?;
        Ok(result)
    }

    /// Locked while the file is read and rewritten; the processes of several meters share it.
    fn lock(&self) -> Result<File, TriesError> {
        let path = self.folder.join("unlock-tries.lock");
        let failed = |source| TriesError::Io { path: path.clone(), source };
        fs::create_dir_all(&self.folder).map_err(failed)?;
        let lock = private_file::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(failed)?;
        flock(&lock, FlockOperation::LockExclusive).map_err(|errno| failed(errno.into()))?;
        Ok(lock)
    }

    fn load(&self) -> Result<Contents, TriesError> {
        let path = self.path();
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Contents { version: 1, meters: BTreeMap::new() });
            }
            Err(source) => return Err(TriesError::Io { path, source }),
        };
        match serde_json::from_slice::<Contents>(&text) {
            Ok(contents) if contents.version == 1 => Ok(contents),
            Ok(_) => Err(TriesError::Damaged { path, reason: "it is of a later version".into() }),
            Err(error) => Err(TriesError::Damaged { path, reason: error.to_string() }),
        }
    }

    /// Writes the file atomically and durably.
    fn store(&self, contents: &Contents) -> Result<(), TriesError> {
        let path = self.path();
        let failed = |source| TriesError::Io { path: path.clone(), source };
        let text =
            serde_json::to_vec_pretty(contents).map_err(|error| failed(io::Error::other(error)))?;
        let new = path.with_extension("json.new");
        let mut file = private_file::options()
            .create(true)
            .truncate(true)
            .write(true)
            .open(&new)
            .map_err(failed)?;
        file.write_all(&text).and_then(|()| file.sync_all()).map_err(failed)?;
        fs::rename(&new, &path).map_err(failed)?;
        File::open(&self.folder).and_then(|folder| folder.sync_all()).map_err(failed)
    }
}

impl Remembered {
    /// How long the meter must still get no presses, so that it has returned to its normal display.
    /// A clock that was set back cannot extend it beyond the pause and the longest plan.
    #[must_use]
    pub fn rest(&self, now: Timestamp, rest: Duration, longest: Duration) -> Duration {
        let since_light = now.duration_since(self.light_until);
        let left = i128::try_from(rest.as_millis()).unwrap_or(i128::MAX) - since_light.as_millis();
        let left = Duration::from_millis(u64::try_from(left.max(0)).unwrap_or(u64::MAX));
        left.min(rest + longest)
    }
}

/// Why attempts cannot be counted.
#[derive(Debug, thiserror::Error)]
pub enum TriesError {
    /// The file exists but cannot be understood.
    #[error("{} does not say how often a PIN was tried: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The file cannot be read or written.
    #[error("cannot remember tries in {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).unwrap()
    }

    #[test]
    fn tries_are_counted_over_runs_and_cleared_by_success() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        let id = ServerId(b"\x0a\x01ISK\0\x04\xc1\xd2\xe3"[..].into());
        let port = PortName::Path("/dev/ttyUSB0".into());
        let (meter, other) = (MeterKey::new(Some(&id), &port), MeterKey::new(None, &port));
        assert_ne!(meter, other);
        for wrong in 1..=2 {
            let begun = Tries::in_folder(&state).begin(&meter, 2, at(0)).unwrap();
            assert_eq!(begun, Some(Remembered { wrong, light_until: at(0) }));
        }
        let tries = Tries::in_folder(&state);
        assert_eq!(tries.begin(&meter, 2, at(9)).unwrap(), None);
        assert_eq!(tries.get(&meter).unwrap().unwrap().light_until, at(0));
        assert_eq!(tries.begin(&other, 2, at(0)).unwrap().unwrap().wrong, 1);
        tries.withdraw(&other).unwrap();
        assert_eq!(tries.get(&other).unwrap(), None);
        let text = fs::read_to_string(tries.path()).unwrap();
        assert!(!text.contains(&id.hex()) && !text.contains("ttyUSB0"), "{text}");
        tries.forget(&meter).unwrap();
        assert_eq!(tries.begin(&meter, 2, at(10)).unwrap().unwrap().wrong, 1);
    }

    #[test]
    fn a_pardoned_meter_still_rests() {
        let folder = tempfile::tempdir().unwrap();
        let tries = Tries::in_folder(folder.path());
        let meter = MeterKey::new(None, &PortName::StandardInput);
        tries.begin(&meter, 2, at(0)).unwrap();
        tries.begin(&meter, 2, at(60)).unwrap();
        tries.pardon(&meter).unwrap();
        let known = tries.get(&meter).unwrap().unwrap();
        assert_eq!(known, Remembered { wrong: 0, light_until: at(60) });
        assert_eq!(tries.begin(&meter, 2, at(90)).unwrap().unwrap().wrong, 1);
    }

    #[test]
    fn a_damaged_file_permits_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let tries = Tries::in_folder(folder.path());
        let meter = MeterKey::new(None, &PortName::StandardInput);
        for text in ["", "{", "[]", r#"{"version":2,"meters":{}}"#, r#"{"version":1}"#] {
            fs::write(tries.path(), text).unwrap();
            let error = tries.begin(&meter, 2, at(0)).unwrap_err();
            assert!(matches!(error, TriesError::Damaged { .. }), "{text}: {error}");
        }
        tries.forget_all().unwrap();
        assert!(tries.begin(&meter, 2, at(0)).unwrap().is_some());
    }

    #[test]
    fn many_processes_lose_no_try() {
        let folder = tempfile::tempdir().unwrap();
        let meter = MeterKey::new(None, &PortName::StandardInput);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    Tries::in_folder(folder.path()).begin(&meter, 200, at(0)).unwrap().unwrap()
                });
            }
        });
        assert_eq!(Tries::in_folder(folder.path()).get(&meter).unwrap().unwrap().wrong, 8);
    }

    #[test]
    fn rest_is_bounded_even_if_the_clock_was_set() {
        let (rest, longest) = (Duration::from_secs(130), Duration::from_secs(60));
        let known = Remembered { wrong: 1, light_until: at(0) };
        assert_eq!(known.rest(at(0), rest, longest), rest);
        assert_eq!(known.rest(at(30), rest, longest), Duration::from_secs(100));
        assert_eq!(known.rest(at(131), rest, longest), Duration::ZERO);
        assert_eq!(known.rest(at(-30), rest, longest), Duration::from_secs(160));
        assert_eq!(known.rest(at(-1_000_000), rest, longest), Duration::from_secs(190));
    }
}
