//! Reads a table from a Parquet file.

use std::{fs::File, path::Path};

use parquet::{
    basic::{LogicalType, TimeUnit, Type as Physical},
    column::reader::{ColumnReader, ColumnReaderImpl},
    data_type::DataType,
    errors::ParquetError,
    file::reader::{FileReader, SerializedFileReader},
    schema::types::ColumnDescriptor,
};

use super::value::{Value, name_of};
use crate::files::{
    column::{Column, Kind, Table},
    error::FileError,
};

/// Rows of a group that are taken from a column's reader at a time.
const PIECE: usize = 1024;

pub(super) fn read(
    path: &Path,
    table: &Table,
    row: &mut dyn FnMut(u64, &[Value]),
) -> Result<(), FileError> {
    let failed = |error: ParquetError| FileError::parquet(path, error);
    let file = File::open(path).map_err(|error| FileError::system(path, error))?;
    let reader = SerializedFileReader::new(file).map_err(failed)?;
    let schema = reader.metadata().file_metadata().schema_descr();
    let names: Vec<_> = table.columns.iter().map(|column| column.name).collect();
    if schema.columns().iter().map(|column| column.name()).ne(names.iter().copied()) {
        let message = format!("the columns are not {}", names.join(", "));
        return Err(FileError::parquet(path, message));
    }
    for (column, found) in table.columns.iter().zip(schema.columns()) {
        if !has_kind(column, found) {
            let message = format!("{} is no {}", column.name, name_of(column));
            return Err(FileError::parquet(path, message));
        }
    }
    let mut number = 0;
    let mut values = vec![Value::Null; names.len()];
    for group in 0..reader.num_row_groups() {
        let group = reader.get_row_group(group).map_err(failed)?;
        let mut columns = Vec::with_capacity(names.len());
        for (place, column) in table.columns.iter().enumerate() {
            let reader = group.get_column_reader(place).map_err(failed)?;
            columns.push(Pieces { column, reader, values: Vec::new().into_iter() });
        }
        let rows = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
        for _ in 0..rows {
            for (value, pieces) in values.iter_mut().zip(&mut columns) {
                *value = pieces.next().map_err(failed)?;
            }
            number += 1;
            row(number, &values);
        }
    }
    Ok(())
}

/// A column's values, some at a time.
struct Pieces<'a> {
    column: &'a Column,
    reader: ColumnReader,
    values: std::vec::IntoIter<Value>,
}

impl Pieces<'_> {
    fn next(&mut self) -> Result<Value, ParquetError> {
        if let Some(value) = self.values.next() {
            return Ok(value);
        }
        self.values = self.load()?.into_iter();
        let ended = || ParquetError::General(format!("{} has too few values", self.column.name));
        self.values.next().ok_or_else(ended)
    }

    fn load(&mut self) -> Result<Vec<Value>, ParquetError> {
        let kind = self.column.kind;
        match &mut self.reader {
            ColumnReader::BoolColumnReader(reader) => load(reader, |value| Ok(Value::Bool(value))),
            ColumnReader::Int32ColumnReader(reader) => load(reader, |value| {
                Ok(if kind == Kind::Date { Value::Date(value) } else { Value::Int(value.into()) })
            }),
            ColumnReader::Int64ColumnReader(reader) => {
                load(reader, |value| Ok(Value::Instant(value)))
            }
            ColumnReader::FloatColumnReader(reader) => {
                load(reader, |value| Ok(Value::Double(value.into())))
            }
            ColumnReader::DoubleColumnReader(reader) => {
                load(reader, |value| Ok(Value::Double(value)))
            }
            ColumnReader::ByteArrayColumnReader(reader) => {
                load(reader, |value| Ok(Value::Text(value.as_utf8()?.to_owned())))
            }
            _ => Err(ParquetError::General(format!("{} has no such type", self.column.name))),
        }
    }
}

fn load<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    value: impl Fn(T::T) -> Result<Value, ParquetError>,
) -> Result<Vec<Value>, ParquetError> {
    let (mut levels, mut found) = (Vec::new(), Vec::new());
    let (records, _, _) = reader.read_records(PIECE, Some(&mut levels), None, &mut found)?;
    let mut found = found.into_iter();
    if levels.is_empty() {
        return found.take(records).map(value).collect();
    }
    let mut values = Vec::with_capacity(levels.len());
    for level in levels {
        let present = if level > 0 { found.next() } else { None };
        values.push(present.map_or(Ok(Value::Null), &value)?);
    }
    Ok(values)
}

fn has_kind(column: &Column, found: &ColumnDescriptor) -> bool {
    let logical = found.logical_type_ref();
    match column.kind {
        Kind::Text => matches!(logical, Some(LogicalType::String)),
        Kind::Double => found.physical_type() == Physical::DOUBLE,
        Kind::Float => found.physical_type() == Physical::FLOAT,
        Kind::Bool => found.physical_type() == Physical::BOOLEAN,
        Kind::Date => matches!(logical, Some(LogicalType::Date)),
        Kind::Instant => logical == Some(&LogicalType::timestamp(true, TimeUnit::MICROS)),
        Kind::Int8 => logical == Some(&LogicalType::integer(8, true)),
        Kind::UInt16 => logical == Some(&LogicalType::integer(16, false)),
        Kind::Int32 => logical == Some(&LogicalType::integer(32, true)),
    }
}
