//! Reads a table from a CSV file.

use std::path::Path;

use jiff::{Timestamp, civil::Date};

use super::value::{Value, name_of};
use crate::{
    calendar::day_number,
    files::{
        column::{Column, Kind, Table},
        error::FileError,
        text,
        write::Decimal,
    },
};

pub(super) fn read(
    path: &Path,
    table: &Table,
    decimal: Decimal,
    row: &mut dyn FnMut(u64, &[Value]),
) -> Result<(), FileError> {
    let delimiter = if decimal == Decimal::Comma { b';' } else { b',' };
    let reader = csv::ReaderBuilder::new().delimiter(delimiter).from_path(path);
    let wrong = |error: csv::Error| {
        let row = error.position().map_or(0, csv::Position::record);
        FileError::Csv { path: path.to_owned(), row, message: error.to_string() }
    };
    let mut reader = reader.map_err(wrong)?;
    let names: Vec<_> = table.columns.iter().map(|column| column.name).collect();
    if reader.headers().map_err(wrong)?.iter().ne(names.iter().copied()) {
        let message = format!("the columns are not {}", names.join(", "));
        return Err(FileError::Csv { path: path.to_owned(), row: 0, message });
    }
    let mut record = csv::StringRecord::new();
    let mut values = Vec::with_capacity(names.len());
    let mut number = 0;
    while reader.read_record(&mut record).map_err(wrong)? {
        number += 1;
        values.clear();
        for (column, field) in table.columns.iter().zip(&record) {
            let value = parse(column, field, decimal).ok_or_else(|| FileError::Csv {
                path: path.to_owned(),
                row: number,
                message: format!("{} is no {}: {field:?}", column.name, name_of(column)),
            })?;
            values.push(value);
        }
        row(number, &values);
    }
    Ok(())
}

fn parse(column: &Column, field: &str, decimal: Decimal) -> Option<Value> {
    if field.is_empty() {
        return Some(Value::Null);
    }
    Some(match column.kind {
        Kind::Text => Value::Text(field.to_owned()),
        Kind::Double | Kind::Float => {
            let mark = if decimal == Decimal::Comma { b',' } else { b'.' };
            // Spreadsheets take `1e3` or the other mark for something else.
            if !field.bytes().all(|it| it.is_ascii_digit() || it == b'-' || it == mark) {
                return None;
            }
            let number = field.replace(',', ".").parse::<f64>();
            Value::Double(number.ok().filter(|number| number.is_finite())?)
        }
        Kind::Int8 => Value::Int(whole(field)?.parse::<i8>().ok()?.into()),
        Kind::UInt16 => Value::Int(whole(field)?.parse::<u16>().ok()?.into()),
        Kind::Int32 => Value::Int(whole(field)?.parse::<i32>().ok()?.into()),
        Kind::Instant => {
            let at = field.parse::<Timestamp>().ok()?.as_microsecond();
            Value::Instant(Some(at).filter(|at| text::instant(*at) == field)?)
        }
        Kind::Date => {
            let day: Date = field.parse().ok()?;
            let days = day_number(day);
            Value::Date(Some(days).filter(|days| text::day(*days) == field)?)
        }
        Kind::Bool => Value::Bool(field.parse().ok()?),
    })
}

/// Without a plus sign.
fn whole(field: &str) -> Option<&str> {
    Some(field).filter(|field| !field.starts_with('+'))
}
