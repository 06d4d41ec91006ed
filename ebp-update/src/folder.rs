//! Releases in a folder of this device: a stick, a share, or one that something else keeps.
//!
//! Enters: the file `desired.json` and the programs beside it. Leaves: the desired release and its
//! bytes. Absent: signatures: who may write there decides what this device runs.
//!
//! ```json
//! {"version": "1.4.2",
//!  "programs": {"aarch64": {"file": "ebp-1.4.2-aarch64", "length": 6531072, "sha256": "4f…"}}}
//! ```

use std::{
    collections::BTreeMap,
    fs::{self, File},
    os::unix::fs::FileExt,
    path::{Component, Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{
    release::{Digest, Release, Supply, SupplyError},
    version::Version,
};

/// The file that says what is desired.
pub const DESIRED: &str = "desired.json";

/// What is desired, in such a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Desired {
    /// The version that the device should run.
    pub version: Version,
    /// Its program for each architecture, as Rust names it.
    pub programs: BTreeMap<String, Program>,
}

/// A program in such a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// The file, relative to the folder.
    pub file: PathBuf,
    /// Its length, bytes.
    pub length: u64,
    /// Its hash.
    pub sha256: Digest,
}

/// Releases in a folder.
#[derive(Debug)]
pub struct FolderSupply {
    folder: PathBuf,
    architecture: String,
    file: Option<(Version, PathBuf)>,
}

impl FolderSupply {
    /// The releases in that folder for a machine of that architecture.
    #[must_use]
    pub fn new(folder: &Path, architecture: &str) -> Self {
        Self { folder: folder.to_owned(), architecture: architecture.to_owned(), file: None }
    }
}

impl Supply for FolderSupply {
    fn desired(&mut self) -> Result<Option<Release>, SupplyError> {
        let path = self.folder.join(DESIRED);
        let place = path.display().to_string();
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && self.folder.is_dir() => {
                return Ok(None);
            }
            Err(error) => {
                return Err(SupplyError::Unavailable { place, reason: error.to_string() });
            }
        };
        let wrong = |reason: String| SupplyError::Wrong { place: place.clone(), reason };
        let Desired { version, mut programs } =
            serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
        let Some(program) = programs.remove(&self.architecture) else {
            let architecture = self.architecture.clone();
            return Err(SupplyError::NotForArchitecture { version, architecture });
        };
        let is_inside = |part| matches!(part, Component::Normal(_) | Component::CurDir);
        if !program.file.components().all(is_inside) {
            return Err(wrong(format!("{} is not in this folder", program.file.display())));
        }
        if program.length == 0 {
            return Err(wrong("a program has no length".to_owned()));
        }
        self.file = Some((version.clone(), self.folder.join(program.file)));
        let architecture = self.architecture.clone();
        Ok(Some(Release { version, architecture, length: program.length, sha256: program.sha256 }))
    }

    fn read(
        &mut self,
        release: &Release,
        offset: u64,
        buffer: &mut [u8],
    ) -> Result<usize, SupplyError> {
        let file = self.file.as_ref().filter(|(version, _)| *version == release.version);
        let Some((_, path)) = file else {
            let place = format!("version {}", release.version);
            return Err(SupplyError::Unavailable {
                place,
                reason: "not desired any more".to_owned(),
            });
        };
        File::open(path).and_then(|file| file.read_at(buffer, offset)).map_err(|error| {
            SupplyError::Unavailable {
                place: path.display().to_string(),
                reason: error.to_string(),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_desired_for_this_machine() {
        let folder = tempfile::tempdir().unwrap();
        let mut supply = FolderSupply::new(folder.path(), "x86_64");
        assert!(supply.desired().unwrap().is_none());
        let hash = "ab".repeat(32);
        let write = |architecture: &str, file: &str, length: u64| {
            let text = format!(
                r#"{{"version": "1.4.2", "programs": {{"{architecture}":
                   {{"file": "{file}", "length": {length}, "sha256": "{hash}"}}}}}}"#
            );
            fs::write(folder.path().join(DESIRED), text).unwrap();
        };
        write("x86_64", "ebp-1.4.2", 7);
        let release = supply.desired().unwrap().unwrap();
        assert_eq!((release.version.as_str(), release.length), ("1.4.2", 7));
        assert_eq!(release.sha256.to_string(), hash);
        let mut buffer = [0; 4];
        let told = supply.read(&release, 0, &mut buffer).unwrap_err().to_string();
        assert!(told.contains("ebp-1.4.2"), "{told}");
        fs::write(folder.path().join("ebp-1.4.2"), b"program").unwrap();
        assert_eq!(supply.read(&release, 4, &mut buffer).unwrap(), 3);
        assert_eq!(&buffer[..3], b"ram");

        write("aarch64", "ebp-1.4.2", 7);
        assert!(matches!(supply.desired(), Err(SupplyError::NotForArchitecture { .. })));
        for (file, length) in [("../ebp", 7), ("/etc/passwd", 7), ("ebp", 0)] {
            write("x86_64", file, length);
            assert!(matches!(supply.desired(), Err(SupplyError::Wrong { .. })), "{file}");
        }
        let mut gone = FolderSupply::new(&folder.path().join("none"), "x86_64");
        assert!(matches!(gone.desired(), Err(SupplyError::Unavailable { .. })));
    }
}
