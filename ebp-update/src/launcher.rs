//! The launcher: which program a service runs.
//!
//! Enters: the updates' folder, the floor's program. Leaves: the program to become, and why if it is
//! the floor's. Absent: starting it: the caller replaces itself by it, so that the process keeps its
//! number, by which systemd knows it.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    layout,
    machine_disk::MachineDisk,
    machine_programs::{built_for, printed_version},
    state::State,
};

/// After so many rounds of updates in a row that did not get to their first step the floor judges.
const MOST_ROUNDS: u32 = 3;

/// A program to become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The program.
    pub program: PathBuf,
    /// Why it is the floor's although there is a release; `None` if it is not, or there is none.
    pub instead: Option<String>,
}

/// The program for a service: the current release, or the floor's where that is missing, built for
/// another machine, must not be run, or does not print its version within 5 s.
#[must_use]
pub fn for_service(updates: &Path, floor: &Path) -> Choice {
    choose(&updates.join(layout::CURRENT), floor)
}

/// The program that judges releases: the committed one, never one on trial. After three rounds in a
/// row that did not get to their first step it is the floor's.
#[must_use]
pub fn for_judge(updates: &Path, floor: &Path) -> Choice {
    let rounds = updates.join(layout::ROUNDS);
    let failed: u32 =
        fs::read_to_string(&rounds).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    // Where it cannot be counted the floor is not reached this way, but by the checks below.
    let _ = fs::write(&rounds, format!("{}\n", failed.saturating_add(1)));
    if failed >= MOST_ROUNDS {
        let instead = Some(format!("{failed} rounds of updates in a row failed"));
        return Choice { program: floor.to_owned(), instead };
    }
    let state = State::look(&MachineDisk::at(updates));
    match state.ok().and_then(|state| state.committed) {
        Some(release) => {
            let program = layout::program_in(updates, &release.version);
            choose(program.parent().unwrap_or(updates), floor)
        }
        None => Choice { program: floor.to_owned(), instead: None },
    }
}

/// A round of updates has got to its first step.
pub fn round_works(updates: &Path) {
    let _ = fs::remove_file(updates.join(layout::ROUNDS));
}

fn choose(folder: &Path, floor: &Path) -> Choice {
    if fs::symlink_metadata(folder).is_err() {
        return Choice { program: floor.to_owned(), instead: None };
    }
    let program = folder.join(layout::PROGRAM);
    match check(&program, floor) {
        Ok(()) => Choice { program, instead: None },
        Err(reason) => {
            let instead = Some(format!("{}: {reason}", program.display()));
            Choice { program: floor.to_owned(), instead }
        }
    }
}

fn check(program: &Path, floor: &Path) -> Result<(), String> {
    let metadata = fs::metadata(program).map_err(|error| error.to_string())?;
    if !metadata.is_file() || metadata.permissions().mode() & 0o111 == 0 {
        return Err("it is no program".to_owned());
    }
    let own = built_for(floor).map_err(|error| error.to_string())?;
    let built = built_for(program).map_err(|error| error.to_string())?;
    if built.is_some() && own.is_some() && built != own {
        return Err("it is built for another machine".to_owned());
    }
    printed_version(Command::new(program)).map(drop).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{release::Release, version::Version};

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn floor(&self) -> PathBuf {
            let path = self.0.path().join("floor");
            fs::write(&path, "#!/bin/sh\necho ebp 1.0\n").unwrap();
            path
        }

        /// A version with that program, which is current.
        fn version(&self, version: &str, text: &[u8], mode: u32) -> PathBuf {
            let folder = self.0.path().join("versions").join(version);
            fs::create_dir_all(&folder).unwrap();
            let program = folder.join("ebp");
            fs::write(&program, text).unwrap();
            fs::set_permissions(&program, fs::Permissions::from_mode(mode)).unwrap();
            let current = self.0.path().join("current");
            let _ = fs::remove_file(&current);
            std::os::unix::fs::symlink(format!("versions/{version}"), current).unwrap();
            program
        }

        fn choice(&self) -> Choice {
            for_service(self.0.path(), &self.floor())
        }
    }

    const GOOD: &[u8] = b"#!/bin/sh\necho ebp 1.1\n";

    #[test]
    fn the_current_release_if_it_can_be_run() {
        let folder = Folder::new();
        assert_eq!(folder.choice(), Choice { program: folder.floor(), instead: None });
        folder.version("1.1", GOOD, 0o755);
        let current = folder.0.path().join("current/ebp");
        assert_eq!(folder.choice(), Choice { program: current, instead: None });
    }

    #[test]
    fn the_floor_in_its_place_and_why() {
        let folder = Folder::new();
        let mut elf = [0; 64];
        elf[..4].copy_from_slice(b"\x7fELF");
        for (text, mode, reason) in [
            (GOOD, 0o644, "it is no program"),
            (&elf[..], 0o755, "it cannot be started"),
            (b"#!/bin/sh\nexit 1\n", 0o755, "it failed: exit status: 1"),
            (b"#!/bin/sh\nexec sleep 60\n", 0o755, "it did not end within 5 s"),
        ] {
            folder.version("1.1", text, mode);
            let Choice { program, instead } = folder.choice();
            assert_eq!(program, folder.floor());
            assert!(instead.as_ref().unwrap().contains(reason), "{instead:?}");
        }
        let program = folder.version("1.1", GOOD, 0o755);
        fs::remove_file(program).unwrap();
        assert_eq!(folder.choice().program, folder.floor());
    }

    #[test]
    fn another_machines_program_is_found_without_running_it() {
        let folder = Folder::new();
        let elf = |machine| [&b"\x7fELF\x02\x01"[..], &[0; 12], &[machine, 0], &[0; 44]].concat();
        folder.version("1.1", &elf(183), 0o755);
        let floor = folder.0.path().join("floor");
        fs::write(&floor, elf(62)).unwrap();
        let Choice { program, instead } = for_service(folder.0.path(), &floor);
        assert_eq!(program, floor);
        assert!(instead.unwrap().ends_with("it is built for another machine"));
    }

    #[test]
    fn a_release_on_trial_never_judges_and_after_three_failures_the_floor_does() {
        let folder = Folder::new();
        let committed = folder.version("1.1", GOOD, 0o755);
        folder.version("1.2", GOOD, 0o755);
        let version: Version = "1.1".parse().unwrap();
        let sha256 = crate::release::Digest([0; 32]);
        let release = Release { version, architecture: "x".to_owned(), length: 1, sha256 };
        let state = State { committed: Some(release), ..State::default() };
        let text = serde_json::to_string(&state).unwrap();
        fs::write(folder.0.path().join(layout::STATE), text).unwrap();
        let judge = || for_judge(folder.0.path(), &folder.floor()).program;
        assert_eq!(judge(), committed);
        round_works(folder.0.path());
        assert_eq!(
            [judge(), judge(), judge(), judge()].map(|program| program == committed),
            [true, true, true, false]
        );
    }
}
