//! A table as a CSV file.

use std::{
    fs::File,
    io::BufWriter,
    path::{Path, PathBuf},
};

use super::format::{Decimal, create_private};
use crate::files::{
    cell::Cell,
    column::{Kind, Table},
    error::FileError,
    text,
};

/// A CSV file that is being written.
pub(super) struct CsvFile {
    path: PathBuf,
    table: &'static Table,
    decimal: Decimal,
    writer: csv::Writer<BufWriter<File>>,
    rows: u64,
}

impl std::fmt::Debug for CsvFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CsvFile").field("path", &self.path).finish_non_exhaustive()
    }
}

impl CsvFile {
    pub fn create(path: &Path, table: &'static Table, decimal: Decimal) -> Result<Self, FileError> {
        let file = create_private(path)?;
        let delimiter = match decimal {
            Decimal::Point => b',',
            Decimal::Comma => b';',
        };
        let writer = csv::WriterBuilder::new()
            .delimiter(delimiter)
            .terminator(csv::Terminator::CRLF)
            .from_writer(BufWriter::new(file));
        let mut file = Self { path: path.to_owned(), table, decimal, writer, rows: 0 };
        file.write(|writer| writer.write_record(table.columns.iter().map(|column| column.name)))?;
        Ok(file)
    }

    fn write(
        &mut self,
        what: impl FnOnce(&mut csv::Writer<BufWriter<File>>) -> csv::Result<()>,
    ) -> Result<(), FileError> {
        what(&mut self.writer).map_err(|error| FileError::system(&self.path, error.into()))
    }

    pub fn push(&mut self, row: &[Cell<'_>]) -> Result<(), FileError> {
        let table = self.table.name;
        if row.len() != self.table.columns.len() {
            let message = format!("a row has {} values", row.len());
            return Err(FileError::Row { table, message });
        }
        for (column, cell) in self.table.columns.iter().zip(row) {
            let fits = match (column.kind, cell) {
                (_, Cell::Null) => column.nullable,
                (Kind::Double | Kind::Float, Cell::Double(value)) => value.is_finite(),
                (Kind::Text, Cell::Text(_))
                | (Kind::Int8 | Kind::UInt16 | Kind::Int32, Cell::Int(_))
                | (Kind::Instant, Cell::Instant(_))
                | (Kind::Date, Cell::Date(_))
                | (Kind::Bool, Cell::Bool(_)) => true,
                _ => false,
            };
            if !fits {
                let message = format!("{} cannot hold {cell:?}", column.name);
                return Err(FileError::Row { table, message });
            }
        }
        let decimal = self.decimal;
        let columns = self.table.columns;
        self.rows += 1;
        self.write(|writer| {
            for (column, cell) in columns.iter().zip(row) {
                match *cell {
                    Cell::Null => writer.write_field(""),
                    Cell::Text(text) => writer.write_field(text::harmless(text).as_ref()),
                    Cell::Double(value) => {
                        writer.write_field(number(value, column.kind == Kind::Float, decimal))
                    }
                    Cell::Int(value) => writer.write_field(value.to_string()),
                    Cell::Instant(value) => writer.write_field(text::instant(value)),
                    Cell::Date(value) => writer.write_field(text::day(value)),
                    Cell::Bool(value) => writer.write_field(if value { "true" } else { "false" }),
                }?;
            }
            writer.write_record(None::<&[u8]>)
        })
    }

    pub fn finish(self) -> Result<(), FileError> {
        let failed = |error| FileError::system(&self.path, error);
        let inner = self.writer.into_inner().map_err(|error| failed(error.into_error()))?;
        let file = inner.into_inner().map_err(|error| failed(error.into_error()))?;
        file.sync_all().map_err(failed)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "as Parquet holds it")]
fn number(value: f64, is_float: bool, decimal: Decimal) -> String {
    let number = if is_float { (value as f32 + 0.0).to_string() } else { text::number(value) };
    match decimal {
        Decimal::Point => number,
        Decimal::Comma => number.replace('.', ","),
    }
}
