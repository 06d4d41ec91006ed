//! `croissant.json` (Croissant 1.0), as machine learning tools load it.

use serde_json::{Value, json};

use super::described::{Described, FileEntry, pretty};
use crate::files::column::Kind;

/// The content of `croissant.json`. Each file is a set of records.
#[must_use]
pub fn croissant(set: &Described) -> String {
    let (_, licence) = set.licence();
    let files: Vec<_> = set.files.iter().map(|file| object(set, file)).collect();
    let records: Vec<_> = set.files.iter().map(record_set).collect();
    pretty(&json!({
        "@context": context(),
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": set.name,
        "description": "Registers, energy per quarter hour with bounds, and balances of households.",
        "version": set.version,
        "datePublished": set.day(),
        "license": licence,
        "citeAs": format!("{}: {}, version {}", set.publisher, set.title(), set.version),
        "creator": { "@type": "sc:Organization", "name": set.publisher },
        "distribution": files,
        "recordSet": records,
    }))
}

fn object(set: &Described, file: &FileEntry) -> Value {
    json!({
        "@type": "cr:FileObject",
        "@id": file.path,
        "name": file.path,
        "contentUrl": file.path,
        "encodingFormat": set.format.media_type(),
        "sha256": file.sha256,
    })
}

fn record_set(file: &FileEntry) -> Value {
    let name = file.name();
    let fields: Vec<_> = file
        .table
        .columns
        .iter()
        .map(|column| {
            let kind = match column.kind {
                Kind::Text => "sc:Text",
                Kind::Double | Kind::Float => "sc:Float",
                Kind::Int8 | Kind::UInt16 | Kind::Int32 => "sc:Integer",
                Kind::Instant => "sc:DateTime",
                Kind::Date => "sc:Date",
                Kind::Bool => "sc:Boolean",
            };
            let unit = column.unit.map(|unit| format!(" ({unit})")).unwrap_or_default();
            json!({
                "@type": "cr:Field",
                "@id": format!("{name}/{}", column.name),
                "name": column.name,
                "description": format!("{}{unit}", column.description),
                "dataType": kind,
                "source": {
                    "fileObject": { "@id": file.path },
                    "extract": { "column": column.name },
                },
            })
        })
        .collect();
    json!({
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": file.table.description,
        "field": fields,
    })
}

/// The context that Croissant 1.0 prescribes.
fn context() -> Value {
    json!({
        "@language": "en",
        "@vocab": "https://schema.org/",
        "citeAs": "cr:citeAs",
        "column": "cr:column",
        "conformsTo": "dct:conformsTo",
        "cr": "http://mlcommons.org/croissant/",
        "rai": "http://mlcommons.org/croissant/RAI/",
        "data": { "@id": "cr:data", "@type": "@json" },
        "dataType": { "@id": "cr:dataType", "@type": "@vocab" },
        "dct": "http://purl.org/dc/terms/",
        "examples": { "@id": "cr:examples", "@type": "@json" },
        "extract": "cr:extract",
        "field": "cr:field",
        "fileObject": "cr:fileObject",
        "fileProperty": "cr:fileProperty",
        "fileSet": "cr:fileSet",
        "format": "cr:format",
        "includes": "cr:includes",
        "isLiveDataset": "cr:isLiveDataset",
        "jsonPath": "cr:jsonPath",
        "key": "cr:key",
        "md5": "cr:md5",
        "parentField": "cr:parentField",
        "path": "cr:path",
        "recordSet": "cr:recordSet",
        "references": "cr:references",
        "regex": "cr:regex",
        "repeated": "cr:repeated",
        "replace": "cr:replace",
        "sc": "https://schema.org/",
        "separator": "cr:separator",
        "source": "cr:source",
        "subField": "cr:subField",
        "transform": "cr:transform",
    })
}
