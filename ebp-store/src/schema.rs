//! Which schemas a program can use, whatever the database.
//!
//! A release only adds to the schema, so that servers of the release before go on working with it.
//! What a release no longer needs is removed by the next one. `docs/decisions/rolling-releases.md`
//! says why, and `ebp-store/tests/store/additive.rs` checks that migrations keep the rule.

use std::fmt;

/// The beginning of the line in a migration that marks it as one after which older servers cannot
/// use the schema; the rest of the line is the reason.
const BREAKS: &str = "-- Breaks older servers: ";

/// Whether servers that do not know the migration cannot use the schema once it is applied.
pub fn breaks_older(migration: &str) -> bool {
    migration.lines().any(|line| line.starts_with(BREAKS))
}

/// The version of a database's schema, counted in migrations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SchemaVersion {
    /// The number of migrations that were applied.
    pub found: u32,
    /// The number of migrations that a program has to know at least. Absent in databases of
    /// programs that did not store it yet.
    pub since: Option<u32>,
}

impl SchemaVersion {
    /// The migrations that have to be applied; none if a newer program has applied all of `known`
    /// and others that this program need not know.
    ///
    /// # Errors
    /// Returns [`NewerSchema`] if a newer program has changed what this one needs.
    pub fn pending<'a>(self, known: &'a [&'a str]) -> Result<&'a [&'a str], NewerSchema> {
        self.check(known)?;
        Ok(known.get(self.found as usize..).unwrap_or_else(|| {
            tracing::warn!(
                "the database has schema version {}, of a newer release; this program knows up to \
                 {}, and can use it",
                self.found,
                known.len()
            );
            &[]
        }))
    }

    /// Whether a program that knows these migrations can use the schema.
    ///
    /// # Errors
    /// Returns [`NewerSchema`] if a newer program has changed what this one needs.
    pub fn check(self, known: &[&str]) -> Result<(), NewerSchema> {
        let count = u32::try_from(known.len()).unwrap_or(u32::MAX);
        if self.found <= count || self.since.is_some_and(|since| since <= count) {
            return Ok(());
        }
        Err(NewerSchema { found: self.found, known: count })
    }
}

/// A newer program has changed the schema in a way that this one cannot work with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewerSchema {
    /// The number of migrations that were applied.
    pub found: u32,
    /// The number of migrations that this program knows.
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
