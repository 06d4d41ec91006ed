//! Giving what root makes to the user that the services run as.
//!
//! Enters: files and folders that a command made. Leaves: them, owned by the user `ebp` where there
//! is one and root is at work. Absent: files that others made.

use std::{
    ffi::OsStr,
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use ebp_core::owner::Owner;
use rustix::process::geteuid;

use crate::tell::tell;

/// The services' user.
const SERVICE: &str = "ebp";

/// The services' user, if it is to be given anything: root is at work, and there is one.
fn service() -> Option<Owner> {
    may_give_to(SERVICE).then(|| Owner::named(SERVICE).ok()).flatten()
}

/// Whether files can be given to the user of that name: root is at work, and there is one.
pub fn may_give_to(name: &str) -> bool {
    geteuid().is_root() && Owner::named(name).is_ok()
}

/// Whether a command may change a folder's owner: it does not exist yet, or contains only files of
/// these names.
pub fn is_own(folder: &Path, names: &[&str]) -> bool {
    let ours = |name: &OsStr| names.iter().any(|own| name == *own);
    let Ok(mut entries) = fs::read_dir(folder) else { return true };
    entries.all(|entry| entry.is_ok_and(|entry| ours(&entry.file_name())))
}

/// Gives files to the services' user, and their folder if it is `own`.
pub fn give(folder: &Path, own: bool, files: &[PathBuf]) {
    let Some(owner) = service() else { return };
    let mut all: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    if own {
        all.push(folder);
    }
    if all.iter().all(|path| give_one(path, owner)) && own {
        tell!("ebp: {} belongs to the user `{SERVICE}`", folder.display());
    }
    let theirs = fs::metadata(folder).is_ok_and(|metadata| metadata.uid() == owner.user);
    if !theirs {
        tell!(
            "ebp: {} is not the user `{SERVICE}`'s, who has to write there: chown {SERVICE} {}",
            folder.display(),
            folder.display()
        );
    }
}

/// Gives what root made in a service's folder to the folder's owner.
#[cfg(feature = "server")]
pub fn give_to_owner_of(folder: &Path) {
    if let Some(owner) = Owner::of_folder(folder) {
        owner.give_below(folder, &mut tell_failure);
    }
}

/// Gives a folder that root made in a service's folder, and what is in it, to the owner of that one.
pub fn give_to_owner_above(folder: &Path) {
    let owner = folder.parent().and_then(Owner::of_folder);
    if let Some(owner) = owner.filter(|_| folder.exists()) {
        give_one(folder, owner);
        owner.give_below(folder, &mut tell_failure);
    }
}

/// Whether it belongs to them now; if not, that is reported.
fn give_one(path: &Path, owner: Owner) -> bool {
    let given = owner.give(path);
    if let Err(error) = &given {
        tell_failure(path, error);
    }
    given.is_ok()
}

fn tell_failure(path: &Path, error: &io::Error) {
    tell!("ebp: {} cannot be given to another user: {error}", path.display());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_files_of_others_is_not_own() {
        let folder = tempfile::tempdir().unwrap();
        let is_own = |path: &Path| is_own(path, &["device.key"]);
        assert!(is_own(folder.path()) && is_own(&folder.path().join("new")));
        fs::write(folder.path().join("device.key"), "").unwrap();
        assert!(is_own(folder.path()));
        fs::write(folder.path().join("file"), "").unwrap();
        assert!(!is_own(folder.path()));
    }
}
