//! The survey's texts as files: what participants agree to, by version and language.
//!
//! Enters: a folder. Leaves: the texts of its newest version, or what is wrong with which line.
//! Absent: the database, which keeps every version that was published.
//!
//! `FOLDER/VERSION/LANGUAGE/summary.md` is what everybody should read, `details.md` beside it the
//! whole information. `FOLDER/VERSION/release.txt` says how far data may go whose participants agree to
//! it: `research` or `public`; without it they stay with the research group. The greatest version counts. A text with a gap such as `TODO` is refused:
//! nobody can agree to that.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use ebp_core::{
    contract::{Language, ReleaseTier, SurveyText},
    plain_text::find_hidden,
};

/// Octets of a summary, at most.
const SUMMARY: u64 = 16 << 10;

/// Octets of the details, at most.
const DETAILS: u64 = 64 << 10;

/// The greatest version: every database has a number for it.
const VERSIONS: u32 = 1_000_000;

/// What an author leaves where something is still missing.
const GAPS: [&str; 4] = ["TODO", "TBD", "FIXME", "XXX"];

/// The texts of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionedTexts {
    /// The version.
    pub version: u32,
    /// The texts, by language.
    pub texts: Vec<SurveyText>,
}

/// Why texts cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// A file or folder cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: Arc<io::Error>,
    },
    /// The folder has no folder that is named by a version.
    #[error("{} has no folder of a version, such as {}", folder.display(), folder.join("1").display())]
    NoVersion {
        /// The folder.
        folder: PathBuf,
    },
    /// A folder is named by no version (1 to 1000000).
    #[error("{} is named by no version: versions are whole numbers from 1 on", folder.display())]
    InvalidVersion {
        /// The folder.
        folder: PathBuf,
    },
    /// A version has no text.
    #[error("{} has no folder of a language: de or en", folder.display())]
    NoLanguage {
        /// The version's folder.
        folder: PathBuf,
    },
    /// A folder is named by no language.
    #[error("{} is named by no language: there are de and en", folder.display())]
    UnknownLanguage {
        /// The folder.
        folder: PathBuf,
    },
    /// A file names no tier of releases.
    #[error("{} names no tier of releases: there are research and public", path.display())]
    UnknownTier {
        /// The file.
        path: PathBuf,
    },
    /// A file is too long.
    #[error("{} has more than {limit} bytes", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// How many it may have.
        limit: u64,
    },
    /// A file says nothing.
    #[error("{} is empty", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A file is no plain text.
    #[error("{}, line {line}: it is no plain text in UTF-8", path.display())]
    NoText {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
    },
    /// A text has a gap.
    #[error("{}, line {line}: `{gap}` is still to be filled in", path.display())]
    Gap {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// What stands for what is missing.
        gap: &'static str,
    },
}

/// The first gap of a text: its line, from 1, and what stands for what is missing.
#[must_use]
pub fn find_gap(text: &str) -> Option<(usize, &'static str)> {
    let gap_of = |line: &str| GAPS.into_iter().find(|gap| line.contains(gap));
    (1..).zip(text.lines()).find_map(|(number, line)| gap_of(line).map(|gap| (number, gap)))
}

/// Reads the texts of the newest version in a folder.
///
/// # Errors
/// [`TextError`] names the file, and the line where it has a gap or is no plain text.
pub fn load_texts(folder: &Path) -> Result<VersionedTexts, TextError> {
    let mut newest = None;
    for path in subfolders(folder)? {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let version: Option<u32> = name
            .parse()
            .ok()
            .filter(|version| (1..=VERSIONS).contains(version) && version.to_string() == name);
        let Some(version) = version else { return Err(TextError::InvalidVersion { folder: path }) };
        newest = newest.max(Some((version, path)));
    }
    let Some((version, folder)) = newest else {
        return Err(TextError::NoVersion { folder: folder.to_owned() });
    };
    let release = read_tier(&folder.join("release.txt"))?;
    let mut texts = Vec::new();
    for path in subfolders(&folder)? {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Ok(language) = name.parse::<Language>() else {
            return Err(TextError::UnknownLanguage { folder: path });
        };
        texts.push(SurveyText {
            language,
            summary: read_text(&path.join("summary.md"), SUMMARY)?,
            details: read_text(&path.join("details.md"), DETAILS)?,
            release,
        });
    }
    if texts.is_empty() {
        return Err(TextError::NoLanguage { folder });
    }
    texts.sort_by_key(|text| text.language);
    Ok(VersionedTexts { version, texts })
}

/// How far data may go, if the text says that they may.
fn read_tier(path: &Path) -> Result<Option<ReleaseTier>, TextError> {
    if !path.exists() {
        return Ok(None);
    }
    let name = read_text(path, SUMMARY)?;
    let tier = ReleaseTier::from_name(name.trim());
    tier.map(Some).ok_or_else(|| TextError::UnknownTier { path: path.to_owned() })
}

/// The folders in a folder, without hidden ones; files beside them are for whoever writes them.
fn subfolders(folder: &Path) -> Result<Vec<PathBuf>, TextError> {
    let failed = |source: io::Error| TextError::Read { path: folder.into(), source: source.into() };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let is_hidden =
            path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if path.is_dir() && !is_hidden {
            found.push(path);
        }
    }
    Ok(found)
}

fn read_text(path: &Path, limit: u64) -> Result<String, TextError> {
    let failed = |source: io::Error| TextError::Read { path: path.into(), source: source.into() };
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(failed)?;
    file.take(limit + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > limit {
        return Err(TextError::TooLong { path: path.to_owned(), limit });
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        TextError::NoText { path: path.to_owned(), line }
    })?;
    // Editors of Windows write a mark at the beginning and two characters at a line's end.
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    for (number, line) in (1..).zip(text.lines()) {
        if find_hidden(&line.replace('\t', " ")).is_some() {
            return Err(TextError::NoText { path: path.to_owned(), line: number });
        }
    }
    if let Some((line, gap)) = find_gap(&text) {
        return Err(TextError::Gap { path: path.to_owned(), line, gap });
    }
    let text = text.trim();
    if text.is_empty() {
        return Err(TextError::Empty { path: path.to_owned() });
    }
    Ok(format!("{text}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in [
            ("README.md", "TODO: not a text"),
            ("1/de/summary.md", "Alt"),
            ("1/de/details.md", "Alt"),
            ("2/en/summary.md", "\u{feff}# Short\r\n\r\nIn short.\r\n"),
            ("2/en/details.md", "Long\n\n- \tall of it\n"),
            ("2/de/summary.md", "Kurz"),
            ("2/de/details.md", "Lang"),
        ] {
            write(folder.path(), name, content);
        }
        folder
    }

    fn error(folder: &Path) -> String {
        load_texts(folder).unwrap_err().to_string().replace(&folder.display().to_string(), "F")
    }

    #[test]
    fn the_newest_version_counts() {
        let folder = folder();
        let VersionedTexts { version, texts } = load_texts(folder.path()).unwrap();
        assert_eq!(version, 2);
        let [german, english] = texts.try_into().unwrap();
        assert_eq!((german.language, german.summary.as_str()), (Language::De, "Kurz\n"));
        assert_eq!(english.summary, "# Short\n\nIn short.\n");
        assert_eq!(english.release, None);
        write(folder.path(), "2/release.txt", "research\n");
        let tiers = load_texts(folder.path()).unwrap().texts.into_iter().map(|it| it.release);
        assert_eq!(tiers.collect::<Vec<_>>(), [Some(ReleaseTier::Research); 2]);
        write(folder.path(), "2/release.txt", "everybody");
        assert!(error(folder.path()).starts_with("F/2/release.txt names no tier"));
        fs::remove_file(folder.path().join("2/release.txt")).unwrap();
        // 10 is more than 2.
        write(folder.path(), "10/de/summary.md", "Neu");
        write(folder.path(), "10/de/details.md", "Neu");
        assert_eq!(load_texts(folder.path()).unwrap().version, 10);
    }

    #[test]
    fn a_gap_is_refused_with_its_line() {
        for (gap, line) in [("who: TODO", 3), ("TBD", 3), ("the XXX", 3), ("(FIXME)", 3)] {
            let folder = folder();
            write(folder.path(), "2/en/details.md", format!("a\n\n{gap}\nb\n"));
            let error = error(folder.path());
            assert!(error.starts_with(&format!("F/2/en/details.md, line {line}: `")), "{error}");
        }
        assert_eq!(find_gap("todo is a word; so is Todo"), None);
    }

    #[test]
    fn what_is_no_text_is_refused() {
        for (name, content, expected) in [
            ("2/en/summary.md", &b"a\nb\xff"[..], "F/2/en/summary.md, line 2: it is no plain text"),
            ("2/en/summary.md", b"a\n\nb\x1b[2J", "F/2/en/summary.md, line 3: it is no plain"),
            ("2/en/summary.md", b" \n\t\n", "F/2/en/summary.md is empty"),
            ("2/en/summary.md", &[b'a'; 16385], "F/2/en/summary.md has more than 16384 bytes"),
            ("2/fr/summary.md", b"a", "F/2/fr is named by no language"),
            ("v3/de/summary.md", b"a", "F/v3 is named by no version"),
            ("03/de/summary.md", b"a", "F/03 is named by no version"),
            ("0/de/summary.md", b"a", "F/0 is named by no version"),
            ("1000001/de/summary.md", b"a", "F/1000001 is named by no version"),
            ("3/README.md", b"a", "F/3 has no folder of a language"),
            ("3/de/summary.md", b"a", "cannot read F/3/de/details.md"),
        ] {
            let folder = folder();
            write(folder.path(), name, content);
            let error = error(folder.path());
            assert!(error.starts_with(expected), "{error}");
        }
        let empty = tempfile::tempdir().unwrap();
        assert!(error(empty.path()).starts_with("F has no folder of a version, such as F/1"));
        assert!(error(&empty.path().join("nowhere")).starts_with("cannot read F: "));
    }
}
