//! The tables of the data set.
//!
//! Enters: nothing. Leaves: declarations. Absent: rows, and how files hold them.

mod flags;
mod household;
mod series;

pub use flags::{FLAG_LIST, QUALITY, flag_rows};
pub use household::{CONSENTS, HOUSEHOLDS, INCIDENTS, METERS, PV_SYSTEMS};
pub use series::{BALANCE, DAILY, ENERGY, READINGS, SPANS};

use super::column::Table;

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

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;
    use crate::files::column::{Kind, Tier};

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
