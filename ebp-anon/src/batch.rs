//! Masking a table of households, row by row.
//!
//! Enters: CSV with columns `id`, `latitude`, `longitude` and any others. Leaves: the same columns
//! with the masked coordinates and `nuts3`, the region of the *released* point; for an audit also
//! data that only the custodian may see; a table of the rows that were rejected, and why. Absent:
//! files, progress; more than a few thousand rows in memory.
//!
//! One thread reads and writes; the others mask the rows that it has read.
//!
//! A row is masked or rejected as a whole. Reasons never quote the row's values.
//!
//! A missing quotation mark swallows rows into a cell that would be copied, true locations with it:
//! a table with unsound marks is not masked, and a row with a line break in a cell is rejected, since
//! nobody can tell a text of two lines from two cells whose marks are missing.

mod cells;
mod lanes;
mod telling;
mod texts;

use std::{
    borrow::Cow,
    io::{self, Write},
    thread,
};

use csv::{ByteRecord, ReaderBuilder, Writer};

use texts::Texts;

use crate::{
    InvalidPosition, MaskError, Position, RegionCode, Release, Risk,
    quotes::{LINE_BREAK, SoundQuotes, UnsoundQuotes, has_line_break},
    release::Masker,
    risk::{self, RiskSummary},
};

/// The number of rows in a block.
const BLOCK: usize = 512;

/// The columns added to each row: those computed from the released point, and those that narrow
/// down the true location.
const REGION: &str = "nuts3";
const STATISTICS: &str = "persons_possible";
const AUDIT: [&str; 4] = ["true_nuts3", "density", "d_min", "d_max"];
const AUDIT_STATISTICS: [&str; 3] = ["k_homogeneous", "persons_in_ring", "persons_in_region"];

/// Optional columns of a table of masked rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TableOptions {
    /// The estimated [`Risk`] of each row.
    pub statistics: bool,
    /// The true region, its density and the bounds, and the figures that follow from them: for
    /// whoever has the true positions, since they narrow down a household's location.
    pub audit: bool,
    /// Cells that a spreadsheet would run as formulas are prefixed with an apostrophe.
    pub spreadsheet_safe: bool,
}

impl TableOptions {
    /// The columns that are added.
    fn added(self) -> impl Iterator<Item = &'static str> {
        let of = |wanted: bool, names: &'static [&'static str]| if wanted { names } else { &[] };
        [REGION]
            .into_iter()
            .chain(self.statistics.then_some(STATISTICS))
            .chain(of(self.audit, &AUDIT).iter().copied())
            .chain(of(self.audit && self.statistics, &AUDIT_STATISTICS).iter().copied())
    }

    /// A cell that is copied to the output.
    fn cell(self, cell: &[u8]) -> Cow<'_, [u8]> {
        if self.spreadsheet_safe { cells::harmless(cell) } else { Cow::Borrowed(cell) }
    }
}

/// The result of masking a table.
#[derive(Debug, Clone, Default)]
pub struct BatchReport {
    /// Rows with a masked position.
    pub masked: u64,
    /// Rows left out.
    pub rejected: u64,
    /// The risk of all masked rows, if it was asked for.
    pub risk: Option<RiskSummary>,
    /// Columns that were copied and likely name a person or a place, for a warning.
    pub telling: Vec<String>,
}

/// Why a table cannot be masked.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// The input cannot be read.
    #[error("the input cannot be read")]
    Read(#[source] csv::Error),
    /// Nobody can tell where a cell ends.
    #[error(transparent)]
    Quotes(UnsoundQuotes),
    /// A column's name has a line break.
    #[error("the name of a column has a line break: a quotation mark may be missing")]
    Header,
    /// A column that would be copied has a row's true latitude or longitude.
    #[error("the column {0:?} has true locations")]
    Copied(String),
    /// The output cannot be written.
    #[error("the output cannot be written")]
    Write(#[source] csv::Error),
    /// A column is missing or occurs more than once.
    #[error("the input needs one column {0:?} and has {1}")]
    Column(&'static str, usize),
    /// A column that is to be added exists already.
    #[error("the input has a column {0:?} already, which is one of the output's")]
    Taken(&'static str),
    /// The operating system provides no random numbers.
    #[error(transparent)]
    NoRandomness(#[from] crate::NoRandomness),
}

/// Why one row is rejected.
#[derive(Debug, thiserror::Error)]
enum Reason {
    #[error("{0} columns where the header has {1}")]
    Columns(usize, usize),
    #[error("{LINE_BREAK}")]
    LineBreak,
    #[error("a copied column has the true location")]
    Copied(usize),
    #[error(transparent)]
    Position(#[from] InvalidPosition),
    #[error(transparent)]
    Mask(#[from] MaskError),
}

/// Masks every row of `input`. `each` is called with each masked position and its true position,
/// for a map.
///
/// # Errors
/// Returns [`BatchError`] if a row cannot be read, masked or written. The caller must then delete
/// what was written.
pub fn mask_table(
    masker: &Masker<'_>,
    options: TableOptions,
    input: impl io::Read,
    output: impl Write,
    rejected: impl Write,
    mut each: impl FnMut(Position, &Release) -> io::Result<()>,
) -> Result<BatchReport, BatchError> {
    let mut reader = ReaderBuilder::new()
        .flexible(true)
        .buffer_capacity(1 << 16)
        .from_reader(SoundQuotes::new(input, b','));
    let mut output = csv::WriterBuilder::new().buffer_capacity(1 << 16).from_writer(output);
    let mut rejected = Writer::from_writer(rejected);
    let header = without_mark(reader.byte_headers().map_err(unreadable)?);
    if header.iter().any(has_line_break) {
        return Err(BatchError::Header);
    }
    let columns = Columns::find(&header, options)?;
    write_header(&header, options, &mut output).map_err(BatchError::Write)?;
    rejected.write_record(["id", "reason"]).map_err(BatchError::Write)?;
    let summary = if options.audit { RiskSummary::of_custodian() } else { RiskSummary::default() };
    let mut report = BatchReport {
        risk: options.statistics.then_some(summary),
        telling: telling::telling_columns(&header, &[columns.latitude, columns.longitude]),
        ..Default::default()
    };
    let mut texts = Texts::default();
    let fill = |block: &mut Block| block.read(&mut reader).map_err(unreadable);
    let work = |block: &mut Block| {
        let rows = block.rows[..block.filled].iter();
        let mask = |row| {
            let (origin, release) = columns.mask(masker, row, header.len())?;
            let landed = masker.regions.at(release.position().position());
            let landed = landed.map(|region| region.code());
            let risk = options.statistics.then(|| risk::assess(masker.regions, &release));
            Ok(Masked { origin, release, landed, risk })
        };
        block.masked.extend(rows.map(mask));
    };
    let empty = |block: &mut Block| {
        for (row, masked) in block.rows.iter().zip(block.masked.drain(..)) {
            let masked = match masked {
                Ok(masked) => masked,
                // Not a fault of the row: the next one would fail in the same way.
                Err(Reason::Mask(MaskError::NoRandomness(error))) => return Err(error.into()),
                // Every row that was written would have told its location.
                Err(Reason::Copied(column)) => {
                    let name = String::from_utf8_lossy(&header[column]).trim().to_owned();
                    return Err(BatchError::Copied(name));
                }
                Err(reason) => {
                    report.rejected += 1;
                    let (id, reason) = match columns.tellable_id(row, &reason) {
                        Some(id) => (id, reason.to_string()),
                        // Rows are counted without the header.
                        None => {
                            let number = report.masked + report.rejected;
                            (&[][..], format!("row {number}: {reason}"))
                        }
                    };
                    rejected
                        .write_record([&*options.cell(id), reason.as_bytes()])
                        .map_err(BatchError::Write)?;
                    continue;
                }
            };
            if let (Some(summary), Some(risk)) = (&mut report.risk, &masked.risk) {
                summary.add(masker.regions, masked.origin, &masked.release, risk);
            }
            columns
                .write_row(row, &masked, options, &mut texts, &mut output)
                .and_then(|()| Ok(each(masked.origin, &masked.release)?))
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

/// The true position, the released one, the region of the released one, and its risk.
struct Masked {
    origin: Position,
    release: Release,
    landed: Option<RegionCode>,
    risk: Option<Risk>,
}

/// Rows, and the result of each.
#[derive(Default)]
struct Block {
    rows: Vec<ByteRecord>,
    filled: usize,
    masked: Vec<Result<Masked, Reason>>,
}

impl Block {
    /// Replaces the rows by the next ones; false if there are none.
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
    fn find(header: &ByteRecord, options: TableOptions) -> Result<Self, BatchError> {
        let is = |name: &'static str| move |heading: &[u8]| heading.trim_ascii() == name.as_bytes();
        let one = |name: &'static str| {
            let places: Vec<usize> =
                (0..header.len()).filter(|&at| is(name)(&header[at])).collect();
            match places[..] {
                [place] => Ok(place),
                _ => Err(BatchError::Column(name, places.len())),
            }
        };
        for name in options.added() {
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
        if row.iter().any(has_line_break) {
            return Err(Reason::LineBreak);
        }
        if row.len() != columns {
            return Err(Reason::Columns(row.len(), columns));
        }
        let text = |column: usize| std::str::from_utf8(&row[column]).unwrap_or_default();
        let true_texts = [text(self.latitude), text(self.longitude)];
        let origin = Position::parse(true_texts[0], true_texts[1])?;
        let copied = |place: &usize| {
            ![self.latitude, self.longitude].contains(place)
                && true_texts.iter().any(|coordinate| cells::tells(&row[*place], coordinate))
        };
        if let Some(place) = (0..row.len()).find(copied) {
            return Err(Reason::Copied(place));
        }
        Ok((origin, masker.release(origin)?))
    }

    /// What may be told of a rejected row: a row that is cut wrongly has its location, or more, where
    /// its identifier should be.
    fn tellable_id<'a>(&self, row: &'a ByteRecord, reason: &Reason) -> Option<&'a [u8]> {
        let id = row.get(self.id).unwrap_or_default();
        let is_cut_wrongly = matches!(reason, Reason::LineBreak | Reason::Columns(..));
        let may_tell = !is_cut_wrongly
            || !id.iter().any(|byte| matches!(byte, b',' | b';' | b'.' | b'\t' | b'\r' | b'\n'));
        may_tell.then_some(id)
    }

    fn write_row<W: Write>(
        &self,
        row: &ByteRecord,
        masked: &Masked,
        options: TableOptions,
        texts: &mut Texts,
        output: &mut Writer<W>,
    ) -> Result<(), csv::Error> {
        let Masked { release, landed, risk, .. } = masked;
        let [latitude, longitude] = release.position().decimals();
        for (column, value) in row.iter().enumerate() {
            if column == self.latitude {
                output.write_field(texts.coordinate(latitude))?;
            } else if column == self.longitude {
                output.write_field(texts.coordinate(longitude))?;
            } else {
                output.write_field(options.cell(value))?;
            }
        }
        output.write_field(landed.as_ref().map_or("", RegionCode::as_str))?;
        if let Some(risk) = risk {
            output.write_field(format!("{:.0}", risk.persons_possible))?;
        }
        if options.audit {
            output.write_field(release.region().as_str())?;
            for text in texts.of_region(release) {
                output.write_field(text)?;
            }
            for persons in risk
                .iter()
                .flat_map(|risk| [risk.k_homogeneous, risk.persons_in_ring, risk.persons_in_region])
            {
                output.write_field(format!("{persons:.0}"))?;
            }
        }
        output.write_record(None::<&[u8]>)
    }
}

fn write_header<W: Write>(
    header: &ByteRecord,
    options: TableOptions,
    output: &mut Writer<W>,
) -> Result<(), csv::Error> {
    for heading in header {
        output.write_field(options.cell(heading))?;
    }
    for name in options.added() {
        output.write_field(name)?;
    }
    output.write_record(None::<&[u8]>)
}

fn unreadable(error: csv::Error) -> BatchError {
    let quotes = match error.kind() {
        csv::ErrorKind::Io(error) => error.get_ref().and_then(|error| error.downcast_ref()),
        _ => None,
    };
    match quotes {
        Some(fault) => BatchError::Quotes(*fault),
        None => BatchError::Read(error),
    }
}

/// The header without the byte order mark that spreadsheets write.
fn without_mark(header: &ByteRecord) -> ByteRecord {
    header.iter().map(|name| name.strip_prefix(b"\xef\xbb\xbf").unwrap_or(name)).collect()
}

#[cfg(test)]
mod tests;
