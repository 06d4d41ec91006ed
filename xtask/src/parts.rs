//! The parts of the tree where a fault costs privacy or measurements: what mutation testing runs
//! over, and where thin coverage needs a reason.

use std::{fs, path::Path};

use anyhow::{Context, Result, bail};

/// One of those parts.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// What it is called on the command line.
    pub name: &'static str,
    /// The crate that it lies in.
    pub package: &'static str,
    /// Its source files, as globs of `*` (within a folder) and `**` (across folders).
    pub files: &'static [&'static str],
    /// Which of the crate's tests are to notice a mutant: arguments of `cargo test`.
    pub tests: &'static [&'static str],
}

/// Unit tests and the suites that drive the stores and the API, without those that kill processes
/// or fill disks.
const SERVER_TESTS: &[&str] = &["--lib", "--test", "api", "--test", "api_postgres"];
const STORE_TESTS: &[&str] = &["--lib", "--test", "store"];

const SURVEY_TESTS: &[&str] = &["--lib", "--test", "survey"];

const DEVICE_TESTS: &[&str] = &["--lib", "--test", "spool_slots", "--test", "spool_time"];

/// All of them.
pub const PARTS: [Part; 11] = [
    Part {
        name: "masking",
        package: "ebp-anon",
        files: &["ebp-anon/src/mask.rs", "ebp-anon/src/release.rs"],
        tests: &[],
    },
    Part { name: "bounds", package: "ebp-anon", files: &["ebp-anon/src/bounds.rs"], tests: &[] },
    Part { name: "coarsening", package: "ebp-anon", files: &["ebp-anon/src/pv.rs"], tests: &[] },
    Part {
        name: "consent",
        package: "ebp-device",
        files: &["ebp-device/src/consent.rs"],
        tests: DEVICE_TESTS,
    },
    Part {
        name: "spool",
        package: "ebp-device",
        files: &["ebp-device/src/spool/**.rs"],
        tests: DEVICE_TESTS,
    },
    Part {
        name: "transmitter",
        package: "ebp-device",
        files: &["ebp-device/src/transmitter/**.rs"],
        tests: DEVICE_TESTS,
    },
    Part {
        name: "admission",
        package: "ebp-store",
        files: &[
            "ebp-store/src/rule/**.rs",
            "ebp-store/src/*/consent.rs",
            "ebp-store/src/*/measurement.rs",
            "ebp-store/src/*/stored.rs",
        ],
        tests: STORE_TESTS,
    },
    Part {
        name: "purge",
        package: "ebp-store",
        files: &[
            "ebp-store/src/masking.rs",
            "ebp-store/src/revoked.rs",
            "ebp-store/src/*/masking.rs",
            "ebp-store/src/*/location.rs",
            "ebp-store/src/*/release.rs",
            "ebp-store/src/*/erase.rs",
        ],
        tests: STORE_TESTS,
    },
    Part {
        name: "access",
        package: "ebp-store",
        files: &["ebp-store/src/*/access.rs", "ebp-store/src/*/device.rs"],
        tests: STORE_TESTS,
    },
    Part {
        name: "operations",
        package: "ebp-survey",
        files: &[
            "ebp-survey/src/consent.rs",
            "ebp-survey/src/locate.rs",
            "ebp-survey/src/registration.rs",
            "ebp-survey/src/restore.rs",
            "ebp-survey/src/revocation.rs",
        ],
        tests: SURVEY_TESTS,
    },
    Part {
        name: "authorization",
        package: "ebp-server",
        files: &["ebp-server/src/auth/**.rs", "ebp-server/src/router.rs"],
        tests: SERVER_TESTS,
    },
];

/// The parts of those names; all of them for no name.
pub fn named(names: &[String]) -> Result<Vec<Part>> {
    if names.is_empty() {
        return Ok(PARTS.to_vec());
    }
    let named = |name: &String| {
        PARTS.into_iter().find(|part| part.name == name).with_context(|| {
            let known: Vec<_> = PARTS.iter().map(|part| part.name).collect();
            format!("there is no part `{name}`; there are {}", known.join(", "))
        })
    };
    names.iter().map(named).collect()
}

impl Part {
    /// Whether the file, from the repository's root, is one of this part.
    pub fn holds(&self, file: &str) -> bool {
        self.files.iter().any(|glob| matches(glob, file))
    }
}

/// `*` stands for anything within a folder, `**` for anything.
fn matches(glob: &str, path: &str) -> bool {
    let Some((before, rest)) = glob.split_once('*') else { return glob == path };
    let Some(path) = path.strip_prefix(before) else { return false };
    let (rest, across) = match rest.strip_prefix('*') {
        Some(rest) => (rest, true),
        None => (rest, false),
    };
    let ends = path.char_indices().map(|(at, _)| at).chain([path.len()]);
    ends.take_while(|end| across || !path[..*end].contains('/'))
        .any(|end| matches(rest, &path[end..]))
}

/// Exceptions with their reasons, one a line: `WHAT -- REASON`; lines that begin with `#` are
/// comments.
pub fn exceptions(path: &Path) -> Result<Vec<(String, String)>> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let mut exceptions = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        match line.split_once(" -- ") {
            Some((what, reason)) if !reason.trim().is_empty() => {
                exceptions.push((what.trim().to_owned(), reason.trim().to_owned()));
            }
            _ => bail!("{}:{}: no reason (`WHAT -- REASON`)", path.display(), index + 1),
        }
    }
    Ok(exceptions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_stay_within_a_folder_or_go_across() {
        assert!(matches("a/*/c.rs", "a/b/c.rs"));
        assert!(!matches("a/*/c.rs", "a/b/b/c.rs"));
        assert!(matches("a/**.rs", "a/b/b/c.rs"));
        assert!(matches("a/**.rs", "a/c.rs"));
        assert!(!matches("a/**.rs", "b/c.rs"));
        assert!(!matches("a/*.rs", "a/b/c.rs"));
    }

    #[test]
    fn every_part_has_files() {
        let mut root = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        root.pop();
        let mut files = Vec::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                if path.is_dir() {
                    if name != "target" && !name.starts_with('.') {
                        folders.push(path);
                    }
                } else {
                    files.push(path.strip_prefix(&root).unwrap().to_string_lossy().into_owned());
                }
            }
        }
        for part in PARTS {
            for glob in part.files {
                assert!(files.iter().any(|file| matches(glob, file)), "{}: {glob}", part.name);
            }
        }
    }
}
