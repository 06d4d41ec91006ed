//! Errors of a profile, with their place.
//!
//! Enters: TOML's errors and found contradictions. Leaves: [`ProfileError`], [`UnknownModel`].
//! Absent: remedies beyond what the fault itself suggests.

use std::{io, path::PathBuf};

use toml::de::{DeTable, DeValue};

/// Why a profile or a folder of them cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// The text is no profile.
    #[error("{file}:{line}: {reason}")]
    Invalid {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        reason: String,
    },
    /// The file or folder cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl ProfileError {
    pub(super) fn syntax(file: &str, text: &str, error: &toml::de::Error) -> Self {
        let line = error.span().map_or(1, |span| line_of(text, span.start));
        Self::Invalid { file: file.to_owned(), line, reason: error.message().trim().to_owned() }
    }
}

/// A model that no profile describes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no model is called `{name}`{}", hint(.near))]
pub struct UnknownModel {
    /// What was asked for.
    pub name: String,
    /// Models whose names are near, nearest first.
    pub near: Vec<String>,
}

fn hint(near: &[String]) -> String {
    if near.is_empty() { String::new() } else { format!(": do you mean {}?", near.join(" or ")) }
}

/// One step on the way to a value in a TOML document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Key(&'static str),
    Index(usize),
}

/// A contradiction, and the way to the value that shows it.
#[derive(Debug)]
pub(super) struct Contradiction {
    pub path: Vec<Step>,
    pub reason: String,
}

impl Contradiction {
    pub(super) fn into_error(self, file: &str, text: &str) -> ProfileError {
        let offset = locate(text, &self.path);
        ProfileError::Invalid {
            file: file.to_owned(),
            line: line_of(text, offset),
            reason: self.reason,
        }
    }
}

/// Where the value at the end of the way starts, or the last of its parents that exists.
fn locate(text: &str, path: &[Step]) -> usize {
    let Ok(document) = DeTable::parse(text) else { return 0 };
    let mut offset = 0;
    let root = DeValue::Table(document.into_inner());
    let mut value = &root;
    for step in path {
        let next = match step {
            Step::Key(key) => {
                // The key's own place is better than the value's: a table's value starts below.
                let entry = value.as_table().and_then(|table| table.get_key_value(*key));
                entry.map(|(key, value)| (key.span().start, value.get_ref()))
            }
            Step::Index(index) => value
                .as_array()
                .and_then(|array| array.get(*index))
                .map(|value| (value.span().start, value.get_ref())),
        };
        let Some((at, inner)) = next else { break };
        (offset, value) = (at, inner);
    }
    offset
}

fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset.min(text.len())].iter().filter(|&&byte| byte == b'\n').count() + 1
}
