//! A table as a Parquet file.

use std::{
    fs::File,
    io::BufWriter,
    path::{Path, PathBuf},
    sync::Arc,
};

use parquet::{
    basic::{
        Compression, ConvertedType, Encoding as Stored, LogicalType, Repetition, TimeUnit,
        Type as Physical, ZstdLevel,
    },
    data_type::{
        BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FloatType, Int32Type, Int64Type,
    },
    errors::ParquetError,
    file::{
        metadata::{KeyValue, SortingColumn},
        properties::{EnabledStatistics, WriterProperties, WriterVersion},
        writer::{SerializedColumnWriter, SerializedFileWriter},
    },
    schema::types::{ColumnPath, Type, TypePtr},
};

use super::{
    batch::{Batch, Buffer, Values},
    format::{GROUP, create_private},
};
use crate::files::{
    cell::Cell,
    column::{Column, Encoding, Kind, Table},
    error::FileError,
};

/// Rows that go to an encoder at a time.
const PIECE: usize = 1024;

/// Of Zstandard: more takes far longer for little.
const LEVEL: i32 = 3;

/// A Parquet file that is being written.
pub(super) struct ParquetFile {
    path: PathBuf,
    writer: SerializedFileWriter<BufWriter<File>>,
    batch: Batch,
}

impl std::fmt::Debug for ParquetFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ParquetFile").field("path", &self.path).finish_non_exhaustive()
    }
}

impl ParquetFile {
    pub fn create(path: &Path, table: &'static Table) -> Result<Self, FileError> {
        let file = create_private(path)?;
        let failed = |error: ParquetError| FileError::parquet(path, error);
        let schema = schema(table).map_err(failed)?;
        let properties = properties(table).map_err(failed)?;
        let writer = SerializedFileWriter::new(BufWriter::new(file), schema, Arc::new(properties));
        let writer = writer.map_err(failed)?;
        Ok(Self { path: path.to_owned(), writer, batch: Batch::new(table) })
    }

    pub fn push(&mut self, row: &[Cell<'_>]) -> Result<(), FileError> {
        self.batch.push(row)?;
        if self.batch.rows == GROUP { self.write_group() } else { Ok(()) }
    }

    fn write_group(&mut self) -> Result<(), FileError> {
        let (writer, batch) = (&mut self.writer, &self.batch);
        write_group(writer, batch).map_err(|error| FileError::parquet(&self.path, error))?;
        self.batch.clear();
        Ok(())
    }

    pub fn finish(mut self) -> Result<(), FileError> {
        if self.batch.rows > 0 {
            self.write_group()?;
        }
        let file = self.writer.into_inner();
        let file = file.map_err(|error| FileError::parquet(&self.path, error))?;
        let file = file.into_inner().map_err(std::io::IntoInnerError::into_error);
        file.and_then(|file| file.sync_all()).map_err(|error| FileError::system(&self.path, error))
    }
}

fn write_group(
    writer: &mut SerializedFileWriter<BufWriter<File>>,
    batch: &Batch,
) -> Result<(), ParquetError> {
    let mut group = writer.next_row_group()?;
    for buffer in &batch.columns {
        let Some(mut column) = group.next_column()? else { break };
        write_column(&mut column, buffer, batch.rows)?;
        column.close()?;
    }
    group.close()?;
    Ok(())
}

fn write_column(
    column: &mut SerializedColumnWriter<'_>,
    buffer: &Buffer,
    rows: usize,
) -> Result<(), ParquetError> {
    match &buffer.values {
        Values::Text { words, of, .. } => {
            let words: Vec<ByteArray> =
                words.iter().map(|word| ByteArray::from(word.as_str())).collect();
            pieces::<ByteArrayType, u32>(column, buffer, rows, of, |part| {
                part.iter().filter_map(|place| words.get(*place as usize).cloned()).collect()
            })
        }
        Values::Double(values) => {
            pieces::<DoubleType, f64>(column, buffer, rows, values, <[f64]>::to_vec)
        }
        Values::Float(values) => {
            pieces::<FloatType, f32>(column, buffer, rows, values, <[f32]>::to_vec)
        }
        Values::Int(values) => {
            pieces::<Int32Type, i32>(column, buffer, rows, values, <[i32]>::to_vec)
        }
        Values::Long(values) => {
            pieces::<Int64Type, i64>(column, buffer, rows, values, <[i64]>::to_vec)
        }
        Values::Bool(values) => {
            pieces::<BoolType, bool>(column, buffer, rows, values, <[bool]>::to_vec)
        }
    }
}

/// Gives a column's values to its encoder.
fn pieces<T: DataType, V>(
    column: &mut SerializedColumnWriter<'_>,
    buffer: &Buffer,
    rows: usize,
    values: &[V],
    piece: impl Fn(&[V]) -> Vec<T::T>,
) -> Result<(), ParquetError> {
    let column = column.typed::<T>();
    let mut values = values;
    for from in (0..rows).step_by(PIECE) {
        let to = (from + PIECE).min(rows);
        let levels = buffer.present.get(from..to);
        let count = levels.map_or(to - from, |levels| levels.iter().filter(|it| **it == 1).count());
        let (now, rest) = values.split_at(count.min(values.len()));
        column.write_batch(&piece(now), levels, None)?;
        values = rest;
    }
    Ok(())
}

fn schema(table: &Table) -> Result<TypePtr, ParquetError> {
    let fields = table.columns.iter().map(field).collect::<Result<_, _>>()?;
    Ok(Arc::new(Type::group_type_builder(table.name).with_fields(fields).build()?))
}

fn field(column: &Column) -> Result<TypePtr, ParquetError> {
    let int = |width, signed| Some(LogicalType::integer(width, signed));
    let instant = LogicalType::timestamp(true, TimeUnit::MICROS);
    let (physical, logical) = match column.kind {
        Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        Kind::Double => (Physical::DOUBLE, None),
        Kind::Float => (Physical::FLOAT, None),
        Kind::Int8 => (Physical::INT32, int(8, true)),
        Kind::UInt16 => (Physical::INT32, int(16, false)),
        Kind::Int32 => (Physical::INT32, int(32, true)),
        Kind::Instant => (Physical::INT64, Some(instant)),
        Kind::Date => (Physical::INT32, Some(LogicalType::Date)),
        Kind::Bool => (Physical::BOOLEAN, None),
    };
    let repetition = if column.nullable { Repetition::OPTIONAL } else { Repetition::REQUIRED };
    let field = Type::primitive_type_builder(column.name, physical)
        .with_repetition(repetition)
        .with_converted_type(ConvertedType::NONE)
        .with_logical_type(logical);
    Ok(Arc::new(field.build()?))
}

fn properties(table: &Table) -> Result<WriterProperties, ParquetError> {
    let compression = Compression::ZSTD(ZstdLevel::try_new(LEVEL)?);
    let sorted = table.order.iter().filter_map(|name| table.place(name));
    let sorted = sorted.filter_map(|place| i32::try_from(place).ok());
    let sorted: Vec<_> = sorted
        .map(|column_idx| SortingColumn { column_idx, descending: false, nulls_first: false })
        .collect();
    let mut builder = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_created_by(concat!("ebp ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(compression)
        .set_max_row_group_row_count(Some(GROUP))
        .set_write_batch_size(PIECE)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_sorting_columns(Some(sorted))
        .set_key_value_metadata(Some(remarks(table)));
    for column in table.columns {
        let path = ColumnPath::from(column.name);
        let stored = match column.encoding {
            Encoding::Dictionary => continue,
            Encoding::Delta => Stored::DELTA_BINARY_PACKED,
            Encoding::Split => Stored::BYTE_STREAM_SPLIT,
        };
        builder = builder
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_encoding(path, stored);
    }
    Ok(builder.build())
}

/// Units and meanings, for whoever has the file alone.
fn remarks(table: &Table) -> Vec<KeyValue> {
    let mut remarks = vec![KeyValue::new("ebp.table".to_owned(), table.description.to_owned())];
    for column in table.columns {
        let unit = column.unit.map(|unit| format!(" ({unit})")).unwrap_or_default();
        let text = format!("{}{unit}", column.description);
        remarks.push(KeyValue::new(format!("ebp.{}", column.name), text));
    }
    remarks
}
