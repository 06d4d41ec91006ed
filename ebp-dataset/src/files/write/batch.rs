//! The rows of a row group, column by column.

use std::collections::HashMap;

use crate::files::{
    cell::Cell,
    column::{Column, Kind, Table},
    error::FileError,
};

/// The values of a column that are there; which are missing says [`Buffer::present`].
#[derive(Debug)]
pub(super) enum Values {
    Text { words: Vec<String>, places: HashMap<String, u32>, last: Option<u32>, of: Vec<u32> },
    Double(Vec<f64>),
    Float(Vec<f32>),
    Int(Vec<i32>),
    Long(Vec<i64>),
    Bool(Vec<bool>),
}

/// A column's values.
#[derive(Debug)]
pub(super) struct Buffer {
    pub values: Values,
    /// 1 for a value, 0 where it is missing; empty for a column without missing values.
    pub present: Vec<i16>,
}

impl Buffer {
    pub fn new(column: &Column) -> Self {
        let values = match column.kind {
            Kind::Text => Values::Text {
                words: Vec::new(),
                places: HashMap::new(),
                last: None,
                of: Vec::new(),
            },
            Kind::Double => Values::Double(Vec::new()),
            Kind::Float => Values::Float(Vec::new()),
            Kind::Int8 | Kind::UInt16 | Kind::Int32 | Kind::Date => Values::Int(Vec::new()),
            Kind::Instant => Values::Long(Vec::new()),
            Kind::Bool => Values::Bool(Vec::new()),
        };
        Self { values, present: Vec::new() }
    }

    pub fn clear(&mut self) {
        self.present.clear();
        match &mut self.values {
            Values::Text { words, places, last, of } => {
                words.clear();
                places.clear();
                *last = None;
                of.clear();
            }
            Values::Double(values) => values.clear(),
            Values::Float(values) => values.clear(),
            Values::Int(values) => values.clear(),
            Values::Long(values) => values.clear(),
            Values::Bool(values) => values.clear(),
        }
    }

    /// Adds a value; false where it is not one of the column's.
    #[expect(clippy::cast_possible_truncation, reason = "seconds of an offset need no more digits")]
    fn push(&mut self, column: &Column, cell: &Cell<'_>) -> bool {
        if *cell == Cell::Null {
            self.present.push(0);
            return column.nullable;
        }
        if column.nullable {
            self.present.push(1);
        }
        match (&mut self.values, *cell) {
            (Values::Text { words, places, last, of }, Cell::Text(text)) => {
                let same = last.filter(|at| words.get(*at as usize).is_some_and(|it| it == text));
                let place = same.or_else(|| places.get(text).copied()).unwrap_or_else(|| {
                    let place = u32::try_from(words.len()).unwrap_or(u32::MAX);
                    words.push(text.to_owned());
                    places.insert(text.to_owned(), place);
                    place
                });
                *last = Some(place);
                of.push(place);
            }
            (Values::Double(values), Cell::Double(value)) if value.is_finite() => {
                // Negative zero is none.
                values.push(value + 0.0);
            }
            (Values::Float(values), Cell::Double(value)) if value.is_finite() => {
                values.push(value as f32 + 0.0);
            }
            (Values::Int(values), Cell::Int(value)) => {
                let Ok(value) = i32::try_from(value) else { return false };
                values.push(value);
            }
            (Values::Int(values), Cell::Date(value)) => values.push(value),
            (Values::Long(values), Cell::Instant(value)) => values.push(value),
            (Values::Bool(values), Cell::Bool(value)) => values.push(value),
            _ => return false,
        }
        true
    }
}

/// Some rows of a table.
#[derive(Debug)]
pub(super) struct Batch {
    pub table: &'static Table,
    pub columns: Vec<Buffer>,
    pub rows: usize,
}

impl Batch {
    pub fn new(table: &'static Table) -> Self {
        let columns = table.columns.iter().map(Buffer::new).collect();
        Self { table, columns, rows: 0 }
    }

    pub fn push(&mut self, row: &[Cell<'_>]) -> Result<(), FileError> {
        let table = self.table.name;
        if row.len() != self.columns.len() {
            let message = format!("a row has {} values, not {}", row.len(), self.columns.len());
            return Err(FileError::Row { table, message });
        }
        for ((buffer, column), cell) in self.columns.iter_mut().zip(self.table.columns).zip(row) {
            if !buffer.push(column, cell) {
                let message = format!("{} cannot hold {cell:?}", column.name);
                return Err(FileError::Row { table, message });
            }
        }
        self.rows += 1;
        Ok(())
    }

    pub fn clear(&mut self) {
        self.columns.iter_mut().for_each(Buffer::clear);
        self.rows = 0;
    }
}
