//! The tables of the data set.
//!
//! Enters: nothing. Leaves: declarations. Absent: rows, and how files hold them.

mod flags;
mod household;
mod release;
mod series;

pub use flags::{FLAG_LIST, QUALITY, flag_rows};
pub use household::{CONSENTS, HOUSEHOLDS, INCIDENTS, METERS, PV_SYSTEMS};
pub use release::{PROFILES, RELEASED_BALANCE, RELEASED_HOUSEHOLDS};
pub use series::{BALANCE, DAILY, ENERGY, READINGS, SPANS};

use super::column::{Table, Tier};

/// All of them, in the order of the metadata.
pub const TABLES: [&Table; 10] = [
    &READINGS,
    &ENERGY,
    &BALANCE,
    &DAILY,
    &SPANS,
    &HOUSEHOLDS,
    &METERS,
    &PV_SYSTEMS,
    &INCIDENTS,
    &CONSENTS,
];

/// Those of a tier.
#[must_use]
pub const fn tables_of(tier: Tier) -> &'static [&'static Table] {
    match tier {
        Tier::Internal => &TABLES,
        Tier::Research => &[&RELEASED_HOUSEHOLDS, &RELEASED_BALANCE],
        Tier::Public => &[&PROFILES],
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;
    use crate::files::column::Kind;

    #[test]
    fn keys_and_references_name_columns() {
        for table in TABLES {
            let names: BTreeSet<_> = table.columns.iter().map(|column| column.name).collect();
            assert_eq!(names.len(), table.columns.len(), "{} names a column twice", table.name);
            for name in table.key.iter().chain(table.order) {
                assert!(names.contains(name), "{}.{name}", table.name);
            }
            for (column, other, key) in table.references {
                assert!(names.contains(column), "{}.{column}", table.name);
                let other = TABLES.iter().find(|table| table.name == *other).unwrap();
                assert_eq!(other.key, [*key], "{}.{column}", table.name);
            }
            for column in table.columns {
                assert!(column.description.ends_with('.'), "{}.{}", table.name, column.name);
                assert!(column.tier <= table.tier, "{}.{}", table.name, column.name);
                let is_number = matches!(column.kind, Kind::Double | Kind::Float);
                assert!(!is_number || column.unit.is_some(), "{}.{}", table.name, column.name);
            }
        }
    }

    /// What rule R3 keeps out of every release never has another tier than internal.
    #[test]
    fn what_never_leaves_is_internal() {
        for table in TABLES {
            for column in table.columns {
                let never = ["_at", "_offset_s", "register_kwh", "latitude", "longitude", "model"];
                if never.iter().any(|part| column.name.contains(part)) {
                    assert_eq!(column.tier, Tier::Internal, "{}.{}", table.name, column.name);
                }
            }
        }
    }

    /// Rule R3 by declaration: a release's tables have columns of its tier alone, and keys that are theirs.
    #[test]
    fn tables_of_releases_have_columns_that_may_leave() {
        for tier in [Tier::Research, Tier::Public] {
            for table in tables_of(tier) {
                assert!(table.tier >= tier, "{}", table.name);
                for column in table.columns {
                    assert!(column.tier >= tier, "{}.{}", table.name, column.name);
                    assert!(column.description.ends_with('.'), "{}", column.name);
                    let never = ["_at", "_offset_s", "register", "tude", "model", "meter", "flags"];
                    assert!(!never.iter().any(|it| column.name.contains(it)), "{}", column.name);
                }
                for name in table.key.iter().chain(table.order) {
                    assert!(table.place(name).is_some(), "{}.{name}", table.name);
                }
            }
        }
    }

    #[test]
    fn the_book_describes_every_column_of_releases() {
        let book = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src/release.md");
        let book = fs::read_to_string(book).unwrap();
        for table in [Tier::Research, Tier::Public].into_iter().flat_map(tables_of) {
            let (_, chapter) = book.split_once(&format!("### `{}`", table.name)).unwrap();
            let chapter = chapter.split("\n### ").next().unwrap();
            for column in table.columns {
                let name = format!("`{}`", column.name);
                assert!(chapter.contains(&name), "{}.{name} is not in the book", table.name);
            }
        }
    }

    #[test]
    fn the_book_describes_every_column() {
        let book = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src/dataset.md");
        let book = fs::read_to_string(book).unwrap();
        for table in TABLES {
            let (_, chapter) = book.split_once(&format!("### `{}`", table.name)).unwrap();
            let chapter = chapter.split("\n### ").next().unwrap();
            for column in table.columns {
                let name = format!("`{}`", column.name);
                assert!(
                    chapter.contains(&name),
                    "{}.{} is not in the book",
                    table.name,
                    column.name
                );
            }
        }
    }
}
