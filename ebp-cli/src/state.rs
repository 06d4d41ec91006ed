//! The folder for state that is kept between runs.
//!
//! Enters: a folder that was named, or the environment. Leaves: the folder. Absent: what is in it.

use std::path::{Path, PathBuf};

use crate::exit::Failure;

/// The folder for state that outlives restarts (XDG Base Directory Specification).
pub fn folder(given: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(folder) = given {
        return Ok(folder.to_owned());
    }
    if rustix::process::geteuid().is_root() {
        return Ok(PathBuf::from("/var/lib/ebp"));
    }
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
    absolute("XDG_STATE_HOME")
        .or_else(|| Some(absolute("HOME")?.join(".local/state")))
        .map(|folder| folder.join("ebp"))
        .ok_or_else(|| {
            Failure::usage("no folder is known for the count of wrong PINs")
                .remedy("name a folder with --state")
        })
}
