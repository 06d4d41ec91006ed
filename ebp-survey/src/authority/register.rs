//! The file of issued certificates: one JSON object a line.

use std::{
    fs,
    io::{self, Read},
    path::Path,
};

use ebp_store::RegisterEntry;

use super::AuthorityError;

/// The register as it was when it was read.
#[derive(Debug, Default)]
pub struct Register {
    /// Its entries, oldest first.
    pub entries: Vec<RegisterEntry>,
}

impl Register {
    /// Reads the register; it is empty where there is no file.
    ///
    /// # Errors
    /// If the file cannot be read or a line of it is damaged.
    pub fn read(path: &Path) -> Result<Self, AuthorityError> {
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(&text, path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(AuthorityError::file(path, source)),
        }
    }

    /// Reads the register from a file that is open; `path` names it in errors.
    ///
    /// # Errors
    /// If the file cannot be read or a line of it is damaged.
    pub fn read_from(mut file: &fs::File, path: &Path) -> Result<Self, AuthorityError> {
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(|source| AuthorityError::file(path, source))?;
        Self::parse(&text, path)
    }

    fn parse(text: &str, path: &Path) -> Result<Self, AuthorityError> {
        let entry = |(index, line): (usize, &str)| {
            serde_json::from_str(line).map_err(|_| AuthorityError::DamagedRegister {
                path: path.to_owned(),
                line: index + 1,
            })
        };
        Ok(Self { entries: text.lines().enumerate().map(entry).collect::<Result<_, _>>()? })
    }

    pub(super) fn to_lines(&self) -> Result<String, AuthorityError> {
        let mut text = String::new();
        for entry in &self.entries {
            let line = serde_json::to_string(entry).map_err(|_| AuthorityError::InvalidValidity)?;
            text.push_str(&line);
            text.push('\n');
        }
        Ok(text)
    }
}
