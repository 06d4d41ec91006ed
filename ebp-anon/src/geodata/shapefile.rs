//! Regions' borders from an official shapefile of NUTS-3 regions.
//!
//! Enters: the path of a .shp with its .dbf, .prj and (if it has one) .cpg. Leaves: [`Borders`] in
//! degrees. Absent: densities.
//!
//! Known are BKG's NUTS5000, NUTS250, NUTS1000 (field `NUTS_CODE`), VG250 and VG1000 (`NUTS`), and
//! Eurostat's GISCO (`NUTS_ID`, with `LEVL_CODE` as it has all levels in one file). Several records
//! for one code, such as VG250's water (GF=2) and land (GF=4), become several shapes of one region.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, BufReader, Read, Seek},
    path::{Path, PathBuf},
};

use ::shapefile::{
    Shape as FileShape, ShapeReader,
    dbase::{self, FieldValue, encoding::DynEncoding},
};

use super::{
    Polygon, Ring, Vertex,
    projection::{Projection, ProjectionError},
};
use crate::RegionCode;

/// Regions and their areas.
#[derive(Debug, Clone)]
pub struct Borders {
    /// By code: name and shapes.
    pub regions: BTreeMap<RegionCode, (String, Vec<Polygon>)>,
    /// The projection's name in the .prj.
    pub projection: String,
    /// The publisher, as far as the table's fields show it.
    pub publisher: Publisher,
}

/// The publisher of shapefiles with such fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Publisher {
    /// Bundesamt für Kartographie und Geodäsie.
    Bkg,
    /// Eurostat's GISCO.
    Gisco,
    /// Unknown.
    Unknown,
}

/// Why a shapefile cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ShapefileError {
    /// A file is missing or cannot be read.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The .shp is none.
    #[error("{path}: {source}", path = path.display())]
    Shapes {
        /// Which.
        path: PathBuf,
        /// Why.
        source: Box<::shapefile::Error>,
    },
    /// The .dbf is none.
    #[error("{path}: {source}", path = path.display())]
    Table {
        /// Which.
        path: PathBuf,
        /// Why.
        source: Box<dbase::Error>,
    },
    /// The .cpg names no character set that is known.
    #[error("{path}: the character set {name:?} is not known", path = path.display())]
    Encoding {
        /// Which.
        path: PathBuf,
        /// What it says.
        name: String,
    },
    /// The projection is not known.
    #[error("{path}: {source}", path = path.display())]
    Projection {
        /// Which.
        path: PathBuf,
        /// Why.
        source: ProjectionError,
    },
    /// No field with NUTS codes.
    #[error("{path}: no field {wanted}; there are {found}", path = path.display(), wanted = CODE_FIELDS.join(", "))]
    NoCodes {
        /// Which.
        path: PathBuf,
        /// The fields that there are.
        found: String,
    },
    /// More or fewer records than shapes.
    #[error("{path} needs one record for each shape; records: {records}, shapes: {shapes}", path = path.display())]
    Unequal {
        /// The .dbf.
        path: PathBuf,
        /// Its records.
        records: usize,
        /// The .shp's shapes.
        shapes: usize,
    },
    /// A record that is no area, or lies nowhere.
    #[error("{path}: record {record} ({what})", path = path.display())]
    Record {
        /// Which file.
        path: PathBuf,
        /// From 1.
        record: usize,
        /// What is wrong with it.
        what: String,
    },
    /// It has no region of level 3.
    #[error("{path}: no region of NUTS level 3", path = path.display())]
    Empty {
        /// Which.
        path: PathBuf,
    },
}

/// Where the code may be, in this order.
const CODE_FIELDS: [&str; 3] = ["NUTS_CODE", "NUTS_ID", "NUTS"];
/// Where the level may be.
const LEVEL_FIELDS: [&str; 2] = ["LEVL_CODE", "NUTS_LEVEL"];
/// Where the name may be.
const NAME_FIELDS: [&str; 4] = ["NUTS_NAME", "NAME_LATN", "GEN", "NAME"];

/// Reads a shapefile.
///
/// # Errors
/// Returns [`ShapefileError`], which names the file, and the record where one is at fault.
pub fn read(path: &Path) -> Result<Borders, ShapefileError> {
    let prj = path.with_extension("prj");
    let text = fs::read_to_string(&prj)
        .map_err(|source| ShapefileError::File { path: prj.clone(), source })?;
    let projection = Projection::parse(&text)
        .map_err(|source| ShapefileError::Projection { path: prj, source })?;
    let dbf = path.with_extension("dbf");
    let table = Table::read(&dbf)?;
    let failed =
        |source| ShapefileError::Shapes { path: path.to_owned(), source: Box::new(source) };
    // The index file is not used: shapes are read one after the other anyway, and .shx files may be
    // wrong.
    let file = File::open(path)
        .map_err(|source| ShapefileError::File { path: path.to_owned(), source })?;
    let shapes =
        ShapeReader::new(BufReader::new(file)).and_then(ShapeReader::read).map_err(failed)?;
    if shapes.len() != table.rows.len() {
        let (records, shapes) = (table.rows.len(), shapes.len());
        return Err(ShapefileError::Unequal { path: dbf, records, shapes });
    }
    let mut regions: BTreeMap<RegionCode, (String, Vec<Polygon>)> = BTreeMap::new();
    for (index, (row, shape)) in table.rows.into_iter().zip(shapes).enumerate() {
        let Some(row) = row else { continue };
        let wrong = |what: String| ShapefileError::Record {
            path: path.to_owned(),
            record: index + 1,
            what,
        };
        let code = RegionCode::new(&row.code).map_err(|error| wrong(error.to_string()))?;
        let shape = rings(&shape, &projection).map_err(|what| wrong(format!("{code}: {what}")))?;
        let region = regions.entry(code).or_insert_with(|| (row.name, Vec::new()));
        region.1.push(shape);
    }
    if regions.is_empty() {
        return Err(ShapefileError::Empty { path: path.to_owned() });
    }
    Ok(Borders { regions, projection: projection.name, publisher: table.publisher })
}

/// The values of a record that are needed.
struct Row {
    code: String,
    name: String,
}

/// A record's values in the order of the fields. Values that cannot be read are left out: columns
/// that are not needed may contain anything, such as invalid dates.
struct Values(Vec<Result<FieldValue, String>>);

impl dbase::ReadableRecord for Values {
    fn read_using<S: Read + Seek, M: Read + Seek>(
        fields: &mut dbase::FieldIterator<'_, S, M>,
    ) -> Result<Self, dbase::FieldError> {
        let value = |field: Result<dbase::NamedValue<'_, FieldValue>, dbase::FieldError>| {
            field.map(|field| field.value).map_err(|error| error.to_string())
        };
        Ok(Self(fields.map(value).collect()))
    }
}

/// The attribute table; rows of other levels, or without a code, yield `None`.
struct Table {
    rows: Vec<Option<Row>>,
    publisher: Publisher,
}

impl Table {
    fn read(path: &Path) -> Result<Self, ShapefileError> {
        let failed =
            |source| ShapefileError::Table { path: path.to_owned(), source: Box::new(source) };
        let file = File::open(path)
            .map_err(|source| ShapefileError::File { path: path.to_owned(), source })?;
        let mut reader = dbase::ReaderBuilder::new()
            .with_encoding(encoding(path)?)
            .build(BufReader::new(file))
            .map_err(failed)?;
        let fields: Vec<String> =
            reader.fields().iter().map(|field| field.name().to_owned()).collect();
        let find = |names: &[&str]| {
            names
                .iter()
                .find_map(|name| fields.iter().position(|field| field.eq_ignore_ascii_case(name)))
        };
        let Some(code_field) = find(&CODE_FIELDS) else {
            return Err(ShapefileError::NoCodes {
                path: path.to_owned(),
                found: fields.join(", "),
            });
        };
        let (level_field, name_field) = (find(&LEVEL_FIELDS), find(&NAME_FIELDS));
        let mut rows = Vec::new();
        for (index, record) in reader.iter_records_as::<Values>().enumerate() {
            let Values(values) = record.map_err(failed)?;
            let value = |field: usize| match values.get(field) {
                Some(Err(error)) => Err(ShapefileError::Record {
                    path: path.to_owned(),
                    record: index + 1,
                    what: format!("{}: {error}", fields[field]),
                }),
                Some(Ok(value)) => Ok(Some(value)),
                None => Ok(None),
            };
            let text = |field: usize| {
                Ok(match value(field)? {
                    Some(FieldValue::Character(Some(text))) => text.trim().to_owned(),
                    _ => String::new(),
                })
            };
            let code = text(code_field)?;
            let level = level_field.map(&value).transpose()?.flatten();
            let level = level.and_then(|level| number(Some(level)));
            // A code of level 3 has five characters; with the level in the table that is asked.
            let wanted = level.map_or(code.len() == 5, |level| level == 3.0) && !code.is_empty();
            let name = name_field.map(text).transpose()?.unwrap_or_default();
            rows.push(wanted.then_some(Row { code, name }));
        }
        let has = |name: &str| fields.iter().any(|field| field == name);
        let publisher = if has("CNTR_CODE") || has("LEVL_CODE") {
            Publisher::Gisco
        } else if has("GF") || has("OBJID") {
            Publisher::Bkg
        } else {
            Publisher::Unknown
        };
        Ok(Self { rows, publisher })
    }
}

fn number(value: Option<&FieldValue>) -> Option<f64> {
    match value {
        Some(FieldValue::Numeric(number)) => *number,
        Some(FieldValue::Float(number)) => number.map(f64::from),
        Some(FieldValue::Integer(number)) => Some(f64::from(*number)),
        Some(FieldValue::Character(Some(text))) => text.trim().parse().ok(),
        _ => None,
    }
}

/// The table's character set: the .cpg's, otherwise UTF-8 where the bytes are, otherwise Windows'.
fn encoding(dbf: &Path) -> Result<DynEncoding, ShapefileError> {
    let cpg = dbf.with_extension("cpg");
    let name = match fs::read_to_string(&cpg) {
        Ok(name) => {
            let name = name.trim_start_matches('\u{feff}').trim();
            let plain = name.to_ascii_lowercase().replace(['-', '_', ' '], "");
            // Writers use different spellings. ISO 8859-1 is a part of Windows' character set.
            match plain.as_str() {
                "utf8" | "65001" => "UTF-8".to_owned(),
                "iso88591" | "88591" | "28591" | "latin1" | "ansi1252" | "windows1252" => {
                    "1252".to_owned()
                }
                _ => name.to_owned(),
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let bytes = fs::read(dbf)
                .map_err(|source| ShapefileError::File { path: dbf.to_owned(), source })?;
            let header = bytes
                .get(8..10)
                .map_or(0, |size| usize::from(u16::from_le_bytes([size[0], size[1]])));
            let utf8 = std::str::from_utf8(bytes.get(header..).unwrap_or_default()).is_ok();
            if utf8 { "UTF-8" } else { "1252" }.to_owned()
        }
        Err(source) => return Err(ShapefileError::File { path: cpg, source }),
    };
    DynEncoding::from_name(&name).ok_or(ShapefileError::Encoding { path: cpg, name })
}

/// A record's rings in steps of 1e-7°.
fn rings(shape: &FileShape, projection: &Projection) -> Result<Polygon, String> {
    let rings: Vec<Vec<(f64, f64)>> = match shape {
        FileShape::Polygon(polygon) => polygon
            .rings()
            .iter()
            .map(|ring| ring.points().iter().map(|p| (p.x, p.y)).collect())
            .collect(),
        FileShape::PolygonZ(polygon) => polygon
            .rings()
            .iter()
            .map(|ring| ring.points().iter().map(|p| (p.x, p.y)).collect())
            .collect(),
        FileShape::PolygonM(polygon) => polygon
            .rings()
            .iter()
            .map(|ring| ring.points().iter().map(|p| (p.x, p.y)).collect())
            .collect(),
        other => return Err(format!("{} is no area", other.shapetype())),
    };
    rings.iter().map(|ring| unproject(ring, projection)).collect()
}

/// How far a side may lie off the line that the file means, degrees: 0.3 m.
const SAG: f64 = 3e-6;

/// A ring in degrees. A straight line of a projection is bent in degrees (2 m in the middle of
/// 10 km), so long sides get further corners; both neighbours of a border get the same ones.
fn unproject(ring: &[(f64, f64)], projection: &Projection) -> Result<Ring, String> {
    let place = |(x, y): (f64, f64)| {
        let (latitude, longitude) = projection.to_degrees(x, y);
        if !(-90.0..=90.0).contains(&latitude) || !(-180.0..=180.0).contains(&longitude) {
            return Err("a corner lies nowhere on Earth: is the .prj another file's?".to_owned());
        }
        Ok((latitude, longitude))
    };
    let mut corners = Ring::with_capacity(ring.len());
    let mut push = |(latitude, longitude): (f64, f64)| {
        let step = |degrees: f64| (degrees * 1e7).round() as i32;
        let vertex = Vertex { x: step(longitude), y: step(latitude) };
        if corners.last() != Some(&vertex) {
            corners.push(vertex);
        }
    };
    for (index, &from) in ring.iter().enumerate() {
        let start = place(from)?;
        push(start);
        let Some(&to) = ring.get(index + 1) else { continue };
        if projection.is_degrees() {
            continue;
        }
        // Sides still to be looked at, the next one last.
        let mut sides = vec![(from, start, to, place(to)?, 0)];
        while let Some((from, start, to, end, depth)) = sides.pop() {
            let middle = ((from.0 + to.0) / 2.0, (from.1 + to.1) / 2.0);
            let bent = place(middle)?;
            let sag = ((start.0 + end.0) / 2.0 - bent.0)
                .abs()
                .max(((start.1 + end.1) / 2.0 - bent.1).abs());
            if sag > SAG && depth < 10 {
                sides.push((middle, bent, to, end, depth + 1));
                sides.push((from, start, middle, bent, depth + 1));
            } else if depth > 0 {
                push(end);
            }
        }
    }
    if corners.len() > 1 && corners.first() == corners.last() {
        corners.pop();
    }
    if corners.len() < 3 {
        return Err("a ring has fewer than three corners".to_owned());
    }
    Ok(corners)
}
