//! The place in the sources that an error comes from.

use std::{fmt, panic::Location};

use serde::{Deserialize, Serialize};

/// The longest path that is kept, bytes.
const LONGEST: usize = 160;

/// A file of the sources, and a line in it. The path says nothing of the machine that built the program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The file, such as `ebp-device/src/spool/open.rs`; empty where it is not known.
    pub file: String,
    /// The line.
    pub line: u32,
}

impl Place {
    /// That line of that file.
    #[must_use]
    pub fn new(file: &str, line: u32) -> Self {
        Self { file: source_path(file).unwrap_or_default(), line }
    }
}

impl From<&Location<'_>> for Place {
    fn from(location: &Location<'_>) -> Self {
        Self::new(location.file(), location.line())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.file.as_str() {
            "" => f.write_str("unknown"),
            file => write!(f, "{file}:{}", self.line),
        }
    }
}

/// The part of a path that does not depend on where the program was built: of a crate of this project,
/// of a library, of the standard library.
pub(crate) fn source_path(path: &str) -> Option<String> {
    let path = path.trim_start_matches("./").replace('\\', "/");
    let behind = |mark: &str| path.rfind(mark).map(|at| &path[at + mark.len()..]);
    let kept = if let Some(rest) = behind("/registry/src/") {
        // The folder of the registry's index, then that of the library.
        rest.split_once('/').map(|(_, library)| library)?
    } else if path.starts_with("/rustc/") {
        &path[path.find("/library/")? + 1..]
    } else if let Some(at) = path.find("/ebp-").filter(|_| path.starts_with('/')) {
        &path[at + 1..]
    } else if path.starts_with('/') || path.contains("..") || path.contains(':') {
        return None;
    } else {
        &path
    };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+".contains(&byte);
    let is_kept = kept.ends_with(".rs") && kept.len() <= LONGEST && kept.bytes().all(is_plain);
    is_kept.then(|| kept.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_does_not_say_where_the_program_was_built() {
        for (path, kept) in [
            ("ebp-cli/src/main.rs", Some("ebp-cli/src/main.rs")),
            ("./ebp-cli/src/main.rs", Some("ebp-cli/src/main.rs")),
            ("/home/erika/ebp/ebp-cli/src/main.rs", Some("ebp-cli/src/main.rs")),
            (
                "/root/.cargo/registry/src/index.example-1949cf8c6b5b557f/h2-0.4.1/src/lib.rs",
                Some("h2-0.4.1/src/lib.rs"),
            ),
            ("/rustc/17067e9/library/core/src/option.rs", Some("library/core/src/option.rs")),
            ("/home/erika/other/src/main.rs", None),
            ("../erika/src/main.rs", None),
            ("C:/erika/main.rs", None),
            ("erika", None),
        ] {
            assert_eq!(source_path(path).as_deref(), kept, "{path}");
        }
        assert_eq!(Place::new("/home/erika/x.rs", 3).to_string(), "unknown");
    }
}
