//! Masking a table of households, row by row.
//!
//! Enters: CSV with columns `id`, `latitude`, `longitude` and any others. Leaves: the same columns
//! with the masked coordinates and `nuts3`, `density`, `d_min`, `d_max`; a table of the rows that
//! were rejected, and why. Absent: files, progress; more than a few thousand rows in memory.
//!
//! One thread reads and writes, the machine's others mask what it has read.
//!
//! A row is masked or rejected as a whole. Reasons never repeat what stands in the row.

mod lanes;

use std::{
    collections::HashMap,
    io::{self, Write},
    thread,
};

use csv::{ByteRecord, ReaderBuilder, Writer};

use crate::{
    Decimals, DistanceBounds, InvalidPosition, MaskError, Position, RegionCode, Release, Risk,
    release::Masker,
    risk::{self, RiskSummary},
};

/// Rows that go from thread to thread at once.
const BLOCK: usize = 512;

/// Columns that are added, and those with the statistics.
const ADDED: [&str; 4] = ["nuts3", "density", "d_min", "d_max"];
const STATISTICS: [&str; 3] = ["k_homogeneous", "persons_in_ring", "persons_in_region"];

/// How a table went.
#[derive(Debug, Clone, Default)]
pub struct BatchReport {
    /// Rows with a masked position.
    pub masked: u64,
    /// Rows left out.
    pub rejected: u64,
    /// The risk of all masked rows, if it was asked for.
    pub risk: Option<RiskSummary>,
}

/// Why a table cannot be masked.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// The input cannot be read.
    #[error("the input cannot be read")]
    Read(#[source] csv::Error),
    /// The output cannot be written.
    #[error("the output cannot be written")]
    Write(#[source] csv::Error),
    /// A column is missing or there more than once.
    #[error("the input needs one column {0:?} and has {1}")]
    Column(&'static str, usize),
    /// A column that is to be added is there already.
    #[error("the input has a column {0:?} already, which is one of the output's")]
    Taken(&'static str),
    /// There is no randomness.
    #[error(transparent)]
    NoRandomness(#[from] crate::NoRandomness),
}

/// Why one row is rejected.
#[derive(Debug, thiserror::Error)]
enum Reason {
    #[error("{0} columns where the header has {1}")]
    Columns(usize, usize),
    #[error(transparent)]
    Position(#[from] InvalidPosition),
    #[error(transparent)]
    Mask(#[from] MaskError),
}

/// The names of a table's columns that likely name a person or a place, so that they can be warned
/// of: they pass through as they are.
///
/// # Errors
/// [`BatchError::Read`] if there is no header.
pub fn telling_columns(input: impl io::Read) -> Result<Vec<String>, BatchError> {
    const TELLING: [&str; 16] = [
        "name",
        "mail",
        "phone",
        "telefon",
        "street",
        "strasse",
        "straße",
        "address",
        "adresse",
        "plz",
        "postal",
        "zip",
        "city",
        "ort",
        "place",
        "meter_number",
    ];
    let mut reader = ReaderBuilder::new().from_reader(input);
    let header = reader.byte_headers().map_err(BatchError::Read)?;
    let names = header.iter().map(|name| String::from_utf8_lossy(name).trim().to_lowercase());
    Ok(names.filter(|name| TELLING.iter().any(|telling| name.contains(telling))).collect())
}

/// Masks every row of `input`. With `statistics` three more columns say what
/// [`Risk`] is estimated. `each` is called with what was masked and its true position,
/// for a custodian's map.
///
/// # Errors
/// [`BatchError`]; what was written until then is to be thrown away.
pub fn mask_table(
    masker: &Masker<'_>,
    statistics: bool,
    input: impl io::Read,
    output: impl Write,
    rejected: impl Write,
    mut each: impl FnMut(Position, &Release) -> io::Result<()>,
) -> Result<BatchReport, BatchError> {
    let mut reader =
        ReaderBuilder::new().flexible(true).buffer_capacity(1 << 16).from_reader(input);
    let mut output = csv::WriterBuilder::new().buffer_capacity(1 << 16).from_writer(output);
    let mut rejected = Writer::from_writer(rejected);
    let header = without_mark(reader.byte_headers().map_err(BatchError::Read)?);
    let columns = Columns::find(&header, statistics)?;
    columns.write_header(&header, statistics, &mut output).map_err(BatchError::Write)?;
    rejected.write_record(["id", "reason"]).map_err(BatchError::Write)?;
    let mut report =
        BatchReport { risk: statistics.then(RiskSummary::default), ..BatchReport::default() };
    let mut texts = Texts::default();
    let fill = |block: &mut Block| block.read(&mut reader).map_err(BatchError::Read);
    let work = |block: &mut Block| {
        let rows = block.rows[..block.filled].iter();
        let mask = |row| {
            let (origin, release) = columns.mask(masker, row, header.len())?;
            let risk = statistics.then(|| risk::assess(masker.regions, &release));
            Ok((origin, release, risk))
        };
        block.masked.extend(rows.map(mask));
    };
    let empty = |block: &mut Block| {
        for (row, masked) in block.rows.iter().zip(block.masked.drain(..)) {
            let (origin, release, risk) = match masked {
                Ok(masked) => masked,
                // Not the row's fault, and the next one's too.
                Err(Reason::Mask(MaskError::NoRandomness(error))) => return Err(error.into()),
                Err(reason) => {
                    report.rejected += 1;
                    let id = row.get(columns.id).unwrap_or_default();
                    rejected
                        .write_record([id, reason.to_string().as_bytes()])
                        .map_err(BatchError::Write)?;
                    continue;
                }
            };
            if let (Some(summary), Some(risk)) = (&mut report.risk, &risk) {
                summary.add(masker.regions, origin, &release, risk);
            }
            columns
                .write_row(row, &release, risk.as_ref(), &mut texts, &mut output)
                .and_then(|()| Ok(each(origin, &release)?))
                .map_err(BatchError::Write)?;
            report.masked += 1;
        }
        Ok(())
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    lanes::in_order(threads, fill, work, empty)?;
    let flushed = output.flush().and_then(|()| rejected.flush());
    flushed.map_err(|error| BatchError::Write(error.into()))?;
    Ok(report)
}

/// The true position, what is told instead, and what that risks.
type Masked = (Position, Release, Option<Risk>);

/// Rows, and what became of each.
#[derive(Default)]
struct Block {
    rows: Vec<ByteRecord>,
    filled: usize,
    masked: Vec<Result<Masked, Reason>>,
}

impl Block {
    /// Reads the next rows in the place of those before; false if there are none.
    fn read(&mut self, reader: &mut csv::Reader<impl io::Read>) -> Result<bool, csv::Error> {
        self.rows.resize_with(BLOCK, ByteRecord::new);
        self.filled = 0;
        while let Some(row) = self.rows.get_mut(self.filled) {
            if !reader.read_byte_record(row)? {
                break;
            }
            self.filled += 1;
        }
        Ok(self.filled > 0)
    }
}

/// Where the columns are.
struct Columns {
    id: usize,
    latitude: usize,
    longitude: usize,
}

impl Columns {
    fn find(header: &ByteRecord, statistics: bool) -> Result<Self, BatchError> {
        let is = |name: &'static str| move |heading: &[u8]| heading.trim_ascii() == name.as_bytes();
        let one = |name: &'static str| {
            let places: Vec<usize> =
                (0..header.len()).filter(|&at| is(name)(&header[at])).collect();
            match places[..] {
                [place] => Ok(place),
                _ => Err(BatchError::Column(name, places.len())),
            }
        };
        let added = ADDED.into_iter().chain(STATISTICS.into_iter().filter(|_| statistics));
        for name in added {
            if header.iter().any(is(name)) {
                return Err(BatchError::Taken(name));
            }
        }
        Ok(Self { id: one("id")?, latitude: one("latitude")?, longitude: one("longitude")? })
    }

    fn mask(
        &self,
        masker: &Masker<'_>,
        row: &ByteRecord,
        columns: usize,
    ) -> Result<(Position, Release), Reason> {
        if row.len() != columns {
            return Err(Reason::Columns(row.len(), columns));
        }
        let text = |column: usize| std::str::from_utf8(&row[column]).unwrap_or_default();
        let origin = Position::parse(text(self.latitude), text(self.longitude))?;
        Ok((origin, masker.release(origin)?))
    }

    fn write_header<W: Write>(
        &self,
        header: &ByteRecord,
        statistics: bool,
        output: &mut Writer<W>,
    ) -> Result<(), csv::Error> {
        for heading in header {
            output.write_field(heading)?;
        }
        for name in ADDED.into_iter().chain(STATISTICS.into_iter().filter(|_| statistics)) {
            output.write_field(name)?;
        }
        output.write_record(None::<&[u8]>)
    }

    fn write_row<W: Write>(
        &self,
        row: &ByteRecord,
        release: &Release,
        risk: Option<&Risk>,
        texts: &mut Texts,
        output: &mut Writer<W>,
    ) -> Result<(), csv::Error> {
        let [latitude, longitude] = release.position().decimals();
        for (column, value) in row.iter().enumerate() {
            if column == self.latitude {
                output.write_field(texts.coordinate(latitude))?;
            } else if column == self.longitude {
                output.write_field(texts.coordinate(longitude))?;
            } else {
                output.write_field(value)?;
            }
        }
        output.write_field(release.region().as_str())?;
        for text in texts.of_region(release) {
            output.write_field(text)?;
        }
        if let Some(risk) = risk {
            for persons in [risk.k_homogeneous, risk.persons_in_ring, risk.persons_in_region] {
                output.write_field(format!("{persons:.0}"))?;
            }
        }
        output.write_record(None::<&[u8]>)
    }
}

/// Texts of numbers. Writing them out is most of the work of a row, and regions' are always alike.
#[derive(Default)]
struct Texts {
    coordinate: Vec<u8>,
    regions: HashMap<RegionCode, (DistanceBounds, [String; 3])>,
}

impl Texts {
    fn coordinate(&mut self, decimals: Decimals) -> &[u8] {
        self.coordinate.clear();
        decimals.append_to(&mut self.coordinate);
        &self.coordinate
    }

    /// Density, least and greatest distance.
    fn of_region(&mut self, release: &Release) -> &[String; 3] {
        let bounds = release.bounds();
        let texts = || {
            let metres = [bounds.min_m(), bounds.max_m()].map(|metres| format!("{metres:.1}"));
            let [min, max] = metres;
            (bounds, [release.density().to_string(), min, max])
        };
        let known = self.regions.entry(release.region()).or_insert_with(texts);
        if known.0 != bounds {
            *known = texts();
        }
        &known.1
    }
}

/// The header without the byte order mark that spreadsheets put before it.
fn without_mark(header: &ByteRecord) -> ByteRecord {
    header.iter().map(|name| name.strip_prefix(b"\xef\xbb\xbf").unwrap_or(name)).collect()
}

#[cfg(test)]
mod tests;
