//! The names in the updates' folder.

use std::path::{Path, PathBuf};

use crate::version::Version;

/// The updates' folder, unless another one is given.
pub const FOLDER: &str = "/var/lib/ebp-update";
/// The program's name in the folder of its version.
pub const PROGRAM: &str = "ebp";
/// The link to what services run; the floor where it is missing.
pub const CURRENT: &str = "current";
/// The engine's state.
pub const STATE: &str = "state.json";
/// How many rounds in a row did not get as far as to their first step.
pub const ROUNDS: &str = "rounds";
/// What the server last said that is wanted.
pub(crate) const WISH: &str = "wish.json";
pub(crate) const VERSIONS: &str = "versions";
pub(crate) const LOCK: &str = "lock";
pub(crate) const CURRENT_NEW: &str = "current.new";
/// Where a state that cannot be read is put aside.
pub(crate) const STATE_ASIDE: &str = "state.damaged";

/// The folder of a version, relative to the updates' folder.
pub(crate) fn folder(version: &Version) -> String {
    format!("{VERSIONS}/{version}")
}

/// The program of a version, relative to the updates' folder.
pub(crate) fn program(version: &Version) -> String {
    format!("{VERSIONS}/{version}/{PROGRAM}")
}

/// The program of a version as far as it is fetched.
pub(crate) fn part(version: &Version) -> String {
    format!("{VERSIONS}/{version}/{PROGRAM}.part")
}

/// The program of a version in that updates' folder.
#[must_use]
pub fn program_in(updates: &Path, version: &Version) -> PathBuf {
    updates.join(program(version))
}
