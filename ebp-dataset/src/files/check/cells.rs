//! The values of a row by the names of their columns.
//!
//! Enters: a table, a row of it. Leaves: values, absent where the column has none of that kind. Absent:
//! what they mean.

use crate::files::{column::Table, read::Value};

/// A row's values.
#[derive(Clone, Copy)]
pub(super) struct Cells<'a> {
    pub table: &'a Table,
    pub values: &'a [Value],
}

impl<'a> Cells<'a> {
    pub fn value(self, name: &str) -> Option<&'a Value> {
        self.table.place(name).and_then(|place| self.values.get(place))
    }

    pub fn int(self, name: &str) -> Option<i64> {
        self.value(name).and_then(Value::int)
    }

    pub fn text(self, name: &str) -> Option<&'a str> {
        self.value(name).and_then(Value::text)
    }

    pub fn double(self, name: &str) -> Option<f64> {
        self.value(name).and_then(Value::double)
    }

    /// Whether there is a value that is not null.
    pub fn has(self, name: &str) -> bool {
        self.value(name).is_some_and(|value| *value != Value::Null)
    }
}
