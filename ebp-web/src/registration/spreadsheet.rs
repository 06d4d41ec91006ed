//! A table that somebody made with a spreadsheet: which of its columns is which, and the same table
//! with the columns' names as imports have them.
//!
//! Enters: the text of a file. Leaves: its rows with their lines, and an import's file in which
//! each row stands in the same line, so that a report names the line of the table. Absent: mending
//! rows. One with too many or too few cells is handed on as wrong, as the import's own reader has
//! it.

use std::collections::BTreeMap;

use ebp_core::contract::LineFault;

use super::import_column::{named, value};

/// A table as it was uploaded.
#[derive(Debug, PartialEq, Eq)]
pub struct Spreadsheet {
    /// The names of its columns.
    pub header: Vec<String>,
    /// Its rows, but for those that are empty.
    pub rows: Vec<Row>,
    /// The line of the names.
    header_line: u64,
    /// Whether commas separate its cells: a comma within a cell may separate thousands then.
    is_comma_separated: bool,
}

/// A row of a table.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    /// The line of the file in which it begins, from 1.
    pub line: u64,
    /// Its cells, as many as it has.
    pub cells: Vec<String>,
}

impl Spreadsheet {
    /// Reads a table; none if it has no columns. Excel's line `sep=;` may stand above it.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        // No text, but a workbook or a picture.
        if text.contains('\0') {
            return None;
        }
        let (said, rest) = said_delimiter(text);
        let delimiter = said.unwrap_or_else(|| likely_delimiter(rest));
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .has_headers(false)
            .from_reader(rest.as_bytes());
        let before = text.len() - rest.len();
        let mut place = Place { text: text.as_bytes(), byte: 0, line: 1 };
        let mut rows = reader.records().map_while(Result::ok).filter_map(|record| {
            let byte = record.position().map_or(0, csv::Position::byte);
            let line = place.line_at(before + usize::try_from(byte).unwrap_or(usize::MAX - before));
            let cells: Vec<_> = record.iter().map(|cell| cell.trim().to_owned()).collect();
            cells.iter().any(|cell| !cell.is_empty()).then_some(Row { line, cells })
        });
        let Row { line: header_line, cells: header } = rows.next()?;
        let rows = rows.collect();
        let is_comma_separated = delimiter == b',';
        (header.len() > 1).then_some(Self { header, rows, header_line, is_comma_separated })
    }

    /// Which column of an import each of its own is, by its name.
    #[must_use]
    pub fn guess(&self) -> Vec<Option<&'static str>> {
        let mut taken = Vec::new();
        let guess = |name: &String| {
            let found = named(name).filter(|column| !taken.contains(column))?;
            taken.push(found);
            Some(found)
        };
        self.header.iter().map(guess).collect()
    }

    /// What is wrong with the lengths of rows, by their lines, as the import's reader says it.
    #[must_use]
    pub fn ragged(&self) -> BTreeMap<u64, LineFault> {
        let header = self.header.len();
        let ragged = self.rows.iter().filter(|row| self.is_ragged(row));
        let count = |count| u64::try_from(count).unwrap_or(u64::MAX);
        let fault = |row: &Row| LineFault::WrongLength {
            cells: count(row.cells.len()),
            header: count(header),
        };
        ragged.map(|row| (row.line, fault(row))).collect()
    }

    fn is_ragged(&self, row: &Row) -> bool {
        row.cells.len() != self.header.len()
    }

    /// As an import's file: with the columns that were chosen, by the imports' names. Each row
    /// stands in the same line as in the table. A row that has nothing in these columns is left
    /// out; one of another length than the header has another one here, too, so that no import
    /// takes it.
    #[must_use]
    pub fn file(&self, chosen: &BTreeMap<usize, &str>) -> String {
        let mut file = LinedFile { text: String::new(), ends: 0 };
        file.add(self.header_line, chosen.values());
        for row in &self.rows {
            let cell = |place: &usize| row.cells.get(*place).map_or("", String::as_str);
            let is_ragged = self.is_ragged(row);
            if !is_ragged && chosen.keys().all(|place| cell(place).is_empty()) {
                continue;
            }
            let mut cells: Vec<_> = chosen
                .iter()
                .map(|(place, name)| value(name, cell(place), self.is_comma_separated))
                .collect();
            if is_ragged {
                cells.push("?".to_owned());
            }
            file.add(row.line, cells);
        }
        file.text
    }
}

/// What separates cells, if the first line says so, and the text below that line.
fn said_delimiter(text: &str) -> (Option<u8>, &str) {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let said = first.trim_end_matches('\r').trim_matches('"');
    match said.as_bytes() {
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', delimiter] => (Some(*delimiter), rest),
        _ => (None, text),
    }
}

/// What is likely to separate cells: what stands most often between the names of the columns.
fn likely_delimiter(text: &str) -> u8 {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let unquoted: Vec<&str> = first.split('"').step_by(2).collect();
    let count = |delimiter: &u8| {
        unquoted.iter().map(|part| part.matches(char::from(*delimiter)).count()).sum::<usize>()
    };
    // Of two that stand equally often it is the last one.
    b"\t;,".iter().copied().max_by_key(count).unwrap_or(b',')
}

/// A place in a text whose line is known.
struct Place<'a> {
    text: &'a [u8],
    byte: usize,
    line: u64,
}

impl Place<'_> {
    /// The line of what follows that byte and the empty lines behind it; bytes only grow.
    fn line_at(&mut self, byte: usize) -> u64 {
        let is_end = |octet: &u8| matches!(octet, b'\r' | b'\n');
        let rest = self.text.get(byte..).unwrap_or_default();
        let begin = byte + rest.iter().take_while(|octet| is_end(octet)).count();
        for place in self.byte..begin {
            let next = self.text.get(place + 1);
            // Carriage return and line feed are one end.
            let is_half = self.text.get(place) == Some(&b'\r') && next == Some(&b'\n');
            self.line += u64::from(self.text.get(place).is_some_and(is_end) && !is_half);
        }
        self.byte = begin.max(self.byte);
        self.line
    }
}

/// A file whose records begin in given lines.
struct LinedFile {
    text: String,
    /// Ends of lines in it.
    ends: u64,
}

impl LinedFile {
    fn add(&mut self, line: u64, cells: impl IntoIterator<Item = impl AsRef<[u8]>>) {
        while self.ends + 1 < line {
            self.text.push('\n');
            self.ends += 1;
        }
        let mut writer = csv::Writer::from_writer(Vec::new());
        // Writing to memory cannot fail.
        let _ = writer.write_record(cells);
        let record = String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default();
        self.ends += record.bytes().filter(|octet| *octet == b'\n').map(|_| 1).sum::<u64>();
        self.text.push_str(&record);
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::import_column::{REQUIRED, missing, template},
        *,
    };

    fn chosen(table: &Spreadsheet) -> BTreeMap<usize, &'static str> {
        let guess = table.guess().into_iter().enumerate();
        guess.filter_map(|(place, name)| Some((place, name?))).collect()
    }

    /// The line of each row of the import's file, and the value of its first cell.
    fn numbered(text: &str) -> Vec<(u64, String)> {
        let table = Spreadsheet::read(text).unwrap();
        let file = table.file(&chosen(&table));
        let lines = ebp_survey::import::lines(&file).unwrap();
        let lines: Vec<u64> = lines.into_iter().map(|(line, _)| line).collect();
        let rows = table.rows.iter().filter(|row| lines.contains(&row.line));
        let rows: Vec<_> = rows.map(|row| (row.line, row.cells[0].clone())).collect();
        assert_eq!(rows.len(), lines.len(), "{lines:?} of {file:?}");
        rows
    }

    #[test]
    fn rows_keep_their_lines() {
        let of = |pairs: &[(u64, &str)]| {
            pairs.iter().map(|(line, name)| (*line, (*name).to_owned())).collect::<Vec<_>>()
        };
        let told = "Name;Wallbox\nA;x\n\n\nB;ja\n";
        assert_eq!(numbered(told), of(&[(2, "A"), (5, "B")]));
        assert_eq!(numbered(&told.replace('\n', "\r\n")), of(&[(2, "A"), (5, "B")]));
        assert_eq!(numbered(&told.replace('\n', "\r")), of(&[(2, "A"), (5, "B")]));
        assert_eq!(numbered(&format!("sep=;\r\n{told}")), of(&[(3, "A"), (6, "B")]));
        assert_eq!(numbered(&format!("\n;\n{told}")), of(&[(4, "A"), (7, "B")]));
        // Of cells with several lines, whether they are left out or not.
        let many = "Name;Notiz;Wallbox\n\"A\nA\";a;x\nB;\"b\r\nb\r\nb\";x\nC;c;x\n";
        assert_eq!(numbered(many), of(&[(2, "A\nA"), (4, "B"), (7, "C")]));
    }

    #[test]
    fn empty_rows_are_no_rows() {
        let text = "Name;Notiz;Wallbox\n;;\nA;;ja\n ; ;\n;;;;;\n;Summe: 1;\n;;\n";
        assert_eq!(numbered(text), [(3, "A".to_owned())]);
        assert_eq!(Spreadsheet::read(text).unwrap().rows.len(), 2, "the sum is a row of the table");
        assert_eq!(Spreadsheet::read("Name;Wallbox\n;\n").unwrap().rows, []);
    }

    #[test]
    fn a_row_of_another_length_is_not_mended() {
        let text = "Name;Notiz;Wallbox\nA;a;ja;MT681\nB;b\nC;c;ja\n;;;d\n";
        let table = Spreadsheet::read(text).unwrap();
        let has = |cells| LineFault::WrongLength { cells, header: 3 };
        assert_eq!(table.ragged(), [(2, has(4)), (3, has(2)), (5, has(4))].into());
        let file = table.file(&chosen(&table));
        let read = ebp_survey::import::lines(&file).unwrap();
        let is_ragged = |faults: &Vec<LineFault>| {
            faults.iter().any(|fault| matches!(fault, LineFault::WrongLength { .. }))
        };
        let refused: Vec<_> = read
            .iter()
            .map(|(line, row)| (*line, row.as_ref().err().is_some_and(is_ragged)))
            .collect();
        assert_eq!(refused, [(2, true), (3, true), (4, false), (5, true)]);
    }

    #[test]
    fn the_delimiter_is_said_or_likely() {
        let columns = |text: &str| Spreadsheet::read(text).map(|table| table.header.len());
        assert_eq!(columns("sep=;\na;b,c;d\n"), Some(3));
        assert_eq!(columns("\"SEP=|\"\r\na|b\n"), Some(2));
        assert_eq!(columns("sep=\t\na\tb\n"), Some(2));
        assert_eq!(columns("\"Name, Vorname, Titel\";E-Mail\n"), Some(2));
        assert_eq!(columns("a\tb, c\td\n"), Some(3));
        assert_eq!(columns("a,b\n"), Some(2));
        assert_eq!(columns("sep=;"), None);
        assert_eq!(columns("PK\u{3}\u{4}\0,;"), None);
    }

    #[test]
    fn commas_of_decimals_are_read_cell_by_cell() {
        let text = "lat,kwp,street,plz\n\"50,85\",\"7,48\",\"7,5\",1\n\
                    50.85,\"7,480\",b,2\n\"50,850\",\"0,480\",b,3\n";
        let table = Spreadsheet::read(text).unwrap();
        assert_eq!(
            table.file(&chosen(&table)),
            "location.latitude,pv_systems.0.nominal_power,address.street,address.postal_code\n\
             50.85,7.48,\"7,5\",1\n50.85,\"7,480\",b,2\n50.850,0.480,b,3\n"
        );
        let table = Spreadsheet::read("kwp;plz\n7,480;1\n").unwrap();
        assert!(table.file(&chosen(&table)).contains("\n7.480,1\n"));
    }

    #[test]
    fn what_is_required_is_enough_and_needed() {
        let table = Spreadsheet::read(template().trim_start_matches('\u{feff}')).unwrap();
        let mut needed = chosen(&table);
        let absent = |chosen: &BTreeMap<usize, &str>| missing(&chosen.values().copied().collect());
        needed.retain(|_, name| REQUIRED.contains(name));
        assert_eq!((needed.len(), absent(&needed)), (REQUIRED.len(), vec![]));
        let is_right = |chosen: &BTreeMap<usize, &str>| {
            ebp_survey::import::lines(&table.file(chosen)).unwrap()[0].1.is_ok()
        };
        assert!(is_right(&needed));
        for (place, name) in &needed {
            let mut fewer = needed.clone();
            fewer.remove(place);
            assert!(!is_right(&fewer), "{name}");
            assert_eq!(absent(&fewer), [*name]);
        }
    }

    #[test]
    fn a_table_of_a_german_spreadsheet_becomes_an_import() {
        let text = "Name;E-Mail;Notiz;PLZ;kWp;Wallbox;In Betrieb seit\n\
                    Erika;erika@example.org;\"a;b\";01067;7,48;ja;3.5.2019\n";
        let table = Spreadsheet::read(text).unwrap();
        let guess = table.guess();
        assert_eq!(guess[2], None);
        assert_eq!(
            table.file(&chosen(&table)),
            "participant.name,participant.email,address.postal_code,pv_systems.0.nominal_power,\
             metadata.electric_vehicle_charger,pv_systems.0.installed_on\n\
             Erika,erika@example.org,01067,7.48,yes,2019-05-03\n"
        );
        assert_eq!(Spreadsheet::read(""), None);
        assert_eq!(Spreadsheet::read("only one column\na\n"), None);
    }
}
