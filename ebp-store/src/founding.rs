//! Whether a program may make its tables in a database that has none.
//!
//! Enters: the version of the database's schema. Leaves: a refusal, or nothing. Absent: the tables.

use crate::{StoreError, schema::SchemaVersion};

/// Whether a database without tables of this program gets them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Founding {
    /// It gets them.
    Allowed,
    /// It stays as it is, and is not opened.
    Refused,
}

impl Founding {
    /// Refuses a database that no migration was applied to, unless it may get its tables now.
    ///
    /// # Errors
    /// Returns [`StoreError::Empty`].
    pub fn require(self, version: SchemaVersion) -> Result<(), StoreError> {
        match self {
            Self::Refused if version.found == 0 => Err(StoreError::Empty),
            _ => Ok(()),
        }
    }
}
