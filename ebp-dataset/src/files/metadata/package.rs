//! `datapackage.json` (Data Package 2.0): the one description that the others follow.

use serde_json::{Map, Value, json};

use super::described::{Described, FileEntry, pretty};
use crate::files::{
    column::{Column, Kind},
    write::{Decimal, Format},
};

/// The content of `datapackage.json`. Parquet files have no `bytes`: readers compare them with
/// something else than the file's size.
#[must_use]
pub fn data_package(set: &Described) -> String {
    let (licence, title) = set.licence();
    let resources: Vec<_> = set.files.iter().map(|file| resource(set.format, file)).collect();
    pretty(&json!({
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": set.name,
        "title": set.title(),
        "description": "Registers, energy per quarter hour with bounds, and balances of households.",
        "version": set.version,
        "created": crate::files::text::instant(set.as_of),
        "licenses": [{ "name": licence, "title": title, "path": "LICENSE.md" }],
        "contributors": [{ "title": set.publisher, "roles": ["publisher"] }],
        "tier": set.tier.name(),
        "notices": set.notices,
        "resources": resources,
    }))
}

/// What is said of a file.
pub(in crate::files) fn resource(format: Format, file: &FileEntry) -> Value {
    let table = file.table;
    let mut object = json!({
        "name": file.name(),
        "path": file.path,
        "type": "table",
        "description": table.description,
        "format": format.extension(),
        "mediatype": format.media_type(),
        "hash": format!("sha256:{}", file.sha256),
        "schema": {
            "fields": table.columns.iter().map(|column| field(format, column)).collect::<Vec<_>>(),
            "primaryKey": table.key,
            "missingValues": [""],
        },
    });
    let keys: Vec<_> = table
        .references
        .iter()
        .map(|(column, other, key)| {
            json!({
                "fields": [column],
                "reference": { "resource": other.replace('_', "-"), "fields": [key] },
            })
        })
        .collect();
    if !keys.is_empty() {
        object["schema"]["foreignKeys"] = keys.into();
    }
    if let Format::Csv(decimal) = format {
        object["encoding"] = "utf-8".into();
        let delimiter = if decimal == Decimal::Comma { ";" } else { "," };
        object["dialect"] = json!({ "delimiter": delimiter, "lineTerminator": "\r\n" });
    }
    object
}

fn field(format: Format, column: &Column) -> Value {
    let kind = match column.kind {
        Kind::Text => "string",
        Kind::Double | Kind::Float => "number",
        // Readers of Parquet by way of pandas have no whole numbers beside missing ones.
        Kind::Int8 | Kind::UInt16 | Kind::Int32 if column.nullable && format == Format::Parquet => {
            "number"
        }
        Kind::Int8 | Kind::UInt16 | Kind::Int32 => "integer",
        Kind::Instant => "datetime",
        Kind::Date => "date",
        Kind::Bool => "boolean",
    };
    let mut field = Map::new();
    field.insert("name".into(), column.name.into());
    field.insert("type".into(), kind.into());
    field.insert("description".into(), column.description.into());
    if let Some(unit) = column.unit {
        field.insert("unit".into(), unit.into());
    }
    if matches!(format, Format::Csv(_)) && column.kind == Kind::Instant {
        field.insert("format".into(), "any".into());
    }
    if format == Format::Csv(Decimal::Comma) && kind == "number" {
        field.insert("decimalChar".into(), ",".into());
    }
    let mut constraints = Map::new();
    if !column.nullable {
        constraints.insert("required".into(), true.into());
    }
    if !column.words.is_empty() {
        constraints.insert("enum".into(), column.words.into());
    }
    if !constraints.is_empty() {
        field.insert("constraints".into(), constraints.into());
    }
    field.into()
}
