//! Readings and quarter hours that are kept aside by months, until a month's files are made.
//!
//! Rows have a form of their own that this program alone reads; the folder goes when the export is
//! complete.

use ebp_dataset::{Boundary, Energy, Flags, QUARTER, Quarter, RegisterQuarter};

use super::reading::ReadingRow;

/// Which parts of a quarter hour follow.
mod part {
    pub const IMPORT_START: u8 = 1;
    pub const IMPORT_END: u8 = 2;
    pub const EXPORT_START: u8 = 4;
    pub const EXPORT_END: u8 = 8;
    /// The start is the end of the row before.
    pub const IMPORT_GOES_ON: u8 = 16;
    pub const EXPORT_GOES_ON: u8 = 32;
    pub const POWER: u8 = 64;
}

/// The name of the file in which a kind of rows of a month is kept.
pub(super) fn scratch_name(kind: &str, month: i64) -> String {
    format!("{kind}-{month}")
}

/// Writes a quarter hour behind the one `before` it, of the same meter and month.
pub(super) fn put_quarter(out: &mut Vec<u8>, before: Option<&Quarter>, quarter: &Quarter) {
    let goes_on = |of: fn(&Quarter) -> &RegisterQuarter| {
        let end = before.filter(|it| it.end() == quarter.slot).and_then(|it| of(it).end);
        let start = of(quarter).start;
        start.is_some() && start == end
    };
    let import_goes_on = goes_on(|quarter| &quarter.import);
    let export_goes_on = goes_on(|quarter| &quarter.export);
    let bit = |is_set: bool, bit: u8| if is_set { bit } else { 0 };
    let parts = bit(quarter.import.start.is_some() && !import_goes_on, part::IMPORT_START)
        | bit(import_goes_on, part::IMPORT_GOES_ON)
        | bit(quarter.import.end.is_some(), part::IMPORT_END)
        | bit(quarter.export.start.is_some() && !export_goes_on, part::EXPORT_START)
        | bit(export_goes_on, part::EXPORT_GOES_ON)
        | bit(quarter.export.end.is_some(), part::EXPORT_END)
        | bit(quarter.power.is_some(), part::POWER);
    out.push(parts);
    out.extend(quarter.slot.to_le_bytes());
    for flags in [quarter.flags, quarter.import.flags, quarter.export.flags] {
        out.extend(flags.0.to_le_bytes());
    }
    if let Some(power) = quarter.power {
        out.extend(power.to_le_bytes());
    }
    for (register, goes_on) in
        [(&quarter.import, import_goes_on), (&quarter.export, export_goes_on)]
    {
        if let Some(start) = register.start.filter(|_| !goes_on) {
            put_boundary(out, &start);
        }
        if let Some(end) = register.end {
            put_boundary(out, &end);
        }
    }
}

fn put_boundary(out: &mut Vec<u8>, boundary: &Boundary) {
    out.extend(boundary.segment.to_le_bytes());
    for value in [boundary.value.0, boundary.lo.0, boundary.hi.0, boundary.offset] {
        out.extend(value.to_le_bytes());
    }
    let bits = [boundary.near, boundary.coarse, boundary.corrected];
    out.push(bits.iter().rev().fold(0, |all, bit| all << 1 | u8::from(*bit)));
}

/// Takes values off the front of bytes.
struct Taker<'a>(&'a [u8]);

impl Taker<'_> {
    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*first)
    }

    fn long(&mut self) -> Option<i64> {
        self.bytes().map(i64::from_le_bytes)
    }

    fn flags(&mut self) -> Option<Flags> {
        self.bytes().map(|bytes| Flags(u16::from_le_bytes(bytes)))
    }

    fn double(&mut self) -> Option<Option<f64>> {
        let value = f64::from_le_bytes(self.bytes()?);
        Some((!value.is_nan()).then_some(value))
    }

    fn boundary(&mut self, at: i64) -> Option<Boundary> {
        let segment = u32::from_le_bytes(self.bytes()?);
        let (value, lo, hi) = (Energy(self.long()?), Energy(self.long()?), Energy(self.long()?));
        let offset = self.long()?;
        let [bits] = self.bytes()?;
        let has = |bit: u8| bits >> bit & 1 != 0;
        let (near, coarse, corrected) = (has(0), has(1), has(2));
        Some(Boundary { at, segment, value, lo, hi, offset, near, coarse, corrected })
    }
}

/// Reads what [`put_quarter`] wrote; nothing where it is damaged.
pub(super) fn quarters(bytes: &[u8]) -> Option<Vec<Quarter>> {
    let mut taker = Taker(bytes);
    let mut all: Vec<Quarter> = Vec::new();
    while !taker.0.is_empty() {
        let [parts] = taker.bytes()?;
        let slot = taker.long()?;
        let (flags, of_import, of_export) = (taker.flags()?, taker.flags()?, taker.flags()?);
        let power = if parts & part::POWER == 0 { None } else { Some(taker.long()?) };
        let before = all.last().map(|it| (it.import.end, it.export.end)).unwrap_or_default();
        let mut register = |starts: u8, goes_on: u8, ends: u8, before: Option<Boundary>, flags| {
            let start = match (parts & starts != 0, parts & goes_on != 0) {
                (true, _) => Some(taker.boundary(slot)?),
                (_, true) => Some(before?),
                _ => None,
            };
            let end = if parts & ends == 0 { None } else { Some(taker.boundary(slot + QUARTER)?) };
            Some(RegisterQuarter { start, end, flags })
        };
        let import = register(
            part::IMPORT_START,
            part::IMPORT_GOES_ON,
            part::IMPORT_END,
            before.0,
            of_import,
        )?;
        let export = register(
            part::EXPORT_START,
            part::EXPORT_GOES_ON,
            part::EXPORT_END,
            before.1,
            of_export,
        )?;
        all.push(Quarter { slot, import, export, flags, power });
    }
    Some(all)
}

/// Writes a reading.
pub(super) fn put_reading(out: &mut Vec<u8>, row: &ReadingRow) {
    out.extend(row.measured_at.to_le_bytes());
    out.extend(row.received_at.to_le_bytes());
    for value in [row.import, row.export, row.power, row.drawn, row.fed_in] {
        out.extend(value.unwrap_or(f64::NAN).to_le_bytes());
    }
    out.extend(row.decimals.unwrap_or(-1).to_le_bytes());
    out.extend(row.flags.to_le_bytes());
}

/// Reads what [`put_reading`] wrote; nothing where it is damaged.
pub(super) fn readings(bytes: &[u8]) -> Option<Vec<ReadingRow>> {
    let mut taker = Taker(bytes);
    let mut all = Vec::new();
    while !taker.0.is_empty() {
        let (measured_at, received_at) = (taker.long()?, taker.long()?);
        let (import, export, power) = (taker.double()?, taker.double()?, taker.double()?);
        let (drawn, fed_in) = (taker.double()?, taker.double()?);
        let decimals = Some(i8::from_le_bytes(taker.bytes()?)).filter(|decimals| *decimals >= 0);
        let flags = taker.flags()?.0;
        all.push(ReadingRow {
            measured_at,
            received_at,
            import,
            export,
            decimals,
            power,
            drawn,
            fed_in,
            flags,
        });
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use ebp_dataset::{MeterSeries, Reading, Register, Rules};

    use super::*;

    #[test]
    fn quarter_hours_come_back() {
        let mut series = MeterSeries::new(Rules::default());
        let mut all = Vec::new();
        // With a gap, a reset and a reading without export.
        for (slot, import, export) in [
            (1, "100.1000", "7"),
            (2, "100.2", "7"),
            (6, "100.4000", ""),
            (7, "0.1", "8"),
            (9, "0.3", "9"),
        ] {
            let register = |text: &str| text.parse().ok().and_then(Register::from_decimal);
            let (import, export) = (register(import), register(export));
            let power = export.map(|_| -5);
            let reading =
                Reading { import, export, power, ..Reading::at(slot * QUARTER + 1_000_000) };
            series.push(&reading, &mut |quarter| all.push(quarter)).unwrap();
        }
        series.finish(&mut |quarter| all.push(quarter));
        assert_eq!(all.len(), 9);
        let mut bytes = Vec::new();
        for (place, quarter) in all.iter().enumerate() {
            put_quarter(&mut bytes, place.checked_sub(1).map(|before| &all[before]), quarter);
        }
        assert_eq!(quarters(&bytes), Some(all));
        assert_eq!(quarters(&bytes[..bytes.len() - 1]), None);
    }

    #[test]
    fn readings_come_back() {
        let row = ReadingRow {
            measured_at: 1,
            received_at: 2,
            import: Some(12345.6),
            export: None,
            decimals: Some(4),
            power: Some(-0.5),
            drawn: None,
            fed_in: None,
            flags: 3,
        };
        let mut bytes = Vec::new();
        put_reading(&mut bytes, &row);
        let none = ReadingRow { decimals: None, ..row };
        put_reading(&mut bytes, &none);
        assert_eq!(readings(&bytes), Some(vec![row, none]));
        assert_eq!(readings(&bytes[1..]), None);
    }
}
