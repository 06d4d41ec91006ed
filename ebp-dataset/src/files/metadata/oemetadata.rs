//! `oemetadata.json` (OEMetadata 2.0), as the Open Energy Platform reads it.

use serde_json::{Value, json};

use super::described::{Described, FileEntry, pretty};
use crate::files::column::{Column, Kind};

const CONTEXT: &str = "https://raw.githubusercontent.com/OpenEnergyPlatform/oemetadata/production/oemetadata/latest/context.json";

/// The content of `oemetadata.json`.
#[must_use]
pub fn oemetadata(set: &Described) -> String {
    let resources: Vec<_> = set.files.iter().map(|file| resource(set, file)).collect();
    pretty(&json!({
        "@context": CONTEXT,
        "name": set.name,
        "title": set.title(),
        "id": set.name,
        "description": "Registers, energy per quarter hour with bounds, and balances of households.",
        "resources": resources,
        "metaMetadata": {
            "metadataVersion": "OEMetadata-2.0.4",
            "metadataLicense": {
                "name": "CC0-1.0",
                "title": "Creative Commons Zero v1.0 Universal",
                "path": "https://creativecommons.org/publicdomain/zero/1.0",
            },
        },
    }))
}

fn resource(set: &Described, file: &FileEntry) -> Value {
    let table = file.table;
    let (from, to) = set.ends();
    let (licence, title) = set.licence();
    let series = table.step.map(|step| {
        let step = if step == "PT15M" { set.step } else { step };
        let (value, unit) = resolution(step);
        json!([{
            "start": from,
            "end": to,
            "resolutionValue": value,
            "resolutionUnit": unit,
            "alignment": "left",
            "aggregationType": "sum",
        }])
    });
    json!({
        "name": file.name().replace('-', "_"),
        "path": file.path,
        "title": file.name(),
        "description": table.description,
        "languages": ["en-GB"],
        "keywords": ["household", "electricity", "smart meter", "photovoltaics"],
        "publicationDate": set.day(),
        "temporal": { "referenceDate": set.day(), "timeseries": series },
        "licenses": [{
            "name": licence,
            "title": title,
            "path": "LICENSE.md",
            "instruction": title,
            "attribution": set.publisher,
            "copyrightStatement": set.notices.join("; "),
        }],
        "contributors": [{ "title": set.publisher, "organization": set.publisher }],
        "type": "table",
        "format": set.format.extension(),
        "encoding": "UTF-8",
        "schema": {
            "fields": table.columns.iter().map(field).collect::<Vec<_>>(),
            "primaryKey": table.key,
            "foreignKeys": [],
        },
    })
}

fn resolution(step: &str) -> (u32, &'static str) {
    match step {
        "PT1H" => (1, "h"),
        "P1D" => (1, "d"),
        _ => (15, "min"),
    }
}

fn field(column: &Column) -> Value {
    let kind = match column.kind {
        Kind::Text => "text",
        Kind::Double => "double precision",
        Kind::Float => "real",
        Kind::Int8 | Kind::UInt16 | Kind::Int32 => "integer",
        Kind::Instant => "timestamp with time zone",
        Kind::Date => "date",
        Kind::Bool => "boolean",
    };
    json!({
        "name": column.name,
        "description": column.description,
        "type": kind,
        "nullable": column.nullable,
        "unit": column.unit,
    })
}
