//! Which schemas a program can use, whatever the database.
//!
//! A release only adds to the schema, so that servers of the release before go on working with it. What
//! a release no longer needs is removed by the one after. `docs/decisions/rolling-releases.md` says why,
//! and `ebp-store/tests/store/additive.rs` keeps migrations to it.

use std::fmt;

/// How a migration begins a line, of which the rest is the reason, that servers without it cannot go
/// on after.
const BREAKS: &str = "-- Breaks older servers: ";

/// Whether servers that do not know the migration cannot use the schema any more once it is applied.
pub fn breaks_older(migration: &str) -> bool {
    migration.lines().any(|line| line.starts_with(BREAKS))
}

/// How far the schema of a database is, counted in migrations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SchemaVersion {
    /// So many were applied.
    pub found: u32,
    /// A program has to know so many at least. Absent before programs wrote it down.
    pub since: Option<u32>,
}

impl SchemaVersion {
    /// The migrations that are to be applied; none where a newer program has applied all of them and
    /// more that this one can do without.
    ///
    /// # Errors
    /// Returns [`NewerSchema`] when a newer program has changed what this one needs.
    pub fn pending<'a>(self, known: &'a [&'a str]) -> Result<&'a [&'a str], NewerSchema> {
        let count = u32::try_from(known.len()).unwrap_or(u32::MAX);
        let newer = NewerSchema { found: self.found, known: count };
        match known.get(self.found as usize..) {
            Some(pending) => Ok(pending),
            None if self.since.is_some_and(|since| since <= count) => {
                tracing::warn!(
                    "the database has schema version {}, of a newer release; this program knows up \
                     to {count}, and can use it",
                    self.found
                );
                Ok(&[])
            }
            None => Err(newer),
        }
    }
}

/// A schema that a newer program has changed in a way that this one cannot go on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewerSchema {
    /// So many migrations were applied.
    pub found: u32,
    /// The program knows so many.
    pub known: u32,
}

impl fmt::Display for NewerSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { found, known } = self;
        write!(
            f,
            "schema version {found}, and this program knows up to {known} and cannot use what was \
             changed since"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 3] = ["a", "b", "c"];

    #[test]
    fn what_is_missing_is_applied_and_what_is_more_is_left_alone() {
        let pending = |found, since| SchemaVersion { found, since }.pending(&KNOWN);
        assert_eq!(pending(0, None).unwrap(), KNOWN);
        assert_eq!(pending(2, Some(2)).unwrap(), ["c"]);
        assert_eq!(pending(3, Some(3)).unwrap(), [""; 0]);
        assert_eq!(pending(5, Some(3)).unwrap(), [""; 0]);
        for since in [None, Some(4), Some(5)] {
            assert_eq!(pending(5, since), Err(NewerSchema { found: 5, known: 3 }));
        }
    }

    #[test]
    fn a_migration_says_whether_it_breaks_older_servers() {
        assert!(breaks_older(
            "-- Removes it.\n-- Breaks older servers: they read it.\nDROP TABLE x;"
        ));
        assert!(!breaks_older("-- Adds it.\nCREATE TABLE x (y TEXT);"));
    }
}
