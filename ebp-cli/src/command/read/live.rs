//! `ebp read --watch` on a terminal: one table that is drawn over again, with the time and the age
//! of what it shows.

use std::{
    io::{self, IsTerminal, Write},
    time::Instant,
};

use ebp_meter::readout::Readout;
use jiff::{Timestamp, tz::TimeZone};
use rustix::termios::tcgetwinsize;

use crate::output::{self, Figures, ReadingValue, phrase::counted, table};

/// The smallest size of a terminal; a smaller report means that the size is unknown.
const LEAST: Size = Size { columns: 40, rows: 6 };
/// Where the terminal does not know its size.
const USUAL: Size = Size { columns: table::WIDTH, rows: 24 };

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Size {
    columns: u16,
    rows: u16,
}

/// The lines on the terminal.
pub struct Live<W: Write> {
    out: W,
    all: bool,
    figures: Figures,
    size: Size,
    /// The lines that are drawn now, down to the one above the cursor's.
    standing: Vec<String>,
    shown: Option<Shown>,
    telegrams: usize,
}

/// The telegram that is shown.
struct Shown {
    heading: String,
    values: Vec<ReadingValue>,
    /// When it was complete, local time of day.
    at: String,
    since: Instant,
}

impl<W: Write> Live<W> {
    /// Nothing is drawn yet. With `all` every value will be drawn, otherwise the survey's values.
    pub fn new(out: W, all: bool, figures: Figures) -> Self {
        let size = size();
        Self { out, all, figures, size, standing: Vec::new(), shown: None, telegrams: 0 }
    }

    /// Whether standard output is a terminal whose lines can be drawn over.
    pub fn is_possible() -> bool {
        io::stdout().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
    }

    /// A telegram was complete at that instant: it is what [`Self::draw`] shows from now on.
    pub fn show(&mut self, readout: &Readout, read_at: Timestamp) {
        let at = read_at.to_zoned_datetime(TimeZone::system()).strftime("%H:%M:%S").to_string();
        let values = match self.all {
            true => output::entries(readout),
            false => self.figures.values(readout),
        };
        let heading = table::heading(readout);
        self.shown = Some(Shown { heading, values, at, since: Instant::now() });
        self.telegrams += 1;
    }

    /// Redraws it with its present age and what was skipped.
    ///
    /// # Errors
    /// Returns an error if the terminal cannot be read or configured.
    pub fn draw(&mut self, passed: Option<&str>) -> io::Result<()> {
        let before = std::mem::replace(&mut self.size, size());
        let lines = self.lines(passed);
        if lines == self.standing && before == self.size {
            return Ok(());
        }
        let mut frame = String::new();
        if !self.standing.is_empty() {
            frame.push_str(&match before == self.size {
                true => up(self.standing.len()),
                // Lines were wrapped again: the cursor's position is unknown.
                false => "\x1b[H\x1b[J".to_owned(),
            });
        }
        for line in &lines {
            let cut: String = line.chars().take(self.size.columns.into()).collect();
            frame.push_str(&cut);
            frame.push_str("\x1b[K\n");
        }
        frame.push_str("\x1b[J");
        self.standing = lines;
        self.out.write_all(frame.as_bytes())?;
        self.out.flush()
    }

    /// Takes it away, so that a message can be printed in its place; the next [`Self::draw`] puts it
    /// below that.
    ///
    /// # Errors
    /// Returns an error if the terminal cannot be read or configured.
    pub fn clear(&mut self) -> io::Result<()> {
        if !self.standing.is_empty() {
            write!(self.out, "{}\x1b[J", up(self.standing.len()))?;
            self.standing.clear();
        }
        self.out.flush()
    }

    /// The lines, as many as the terminal has room for above the cursor's.
    fn lines(&self, passed: Option<&str>) -> Vec<String> {
        let passed = passed.map(|text| format!("passed over: {text}"));
        let Some(Shown { heading, values, at, since }) = &self.shown else {
            let waiting = "waiting for a telegram (Ctrl-C ends)".to_owned();
            return passed.into_iter().chain([waiting]).collect();
        };
        let table = table::values(values, self.size.columns.min(wide(self.all)));
        let mut lines = vec![heading.clone()];
        lines.extend(table.lines());
        // Below the table there are one or two lines, and then the cursor.
        let room = usize::from(self.size.rows).saturating_sub(2 + usize::from(passed.is_some()));
        if lines.len() > room {
            let more = lines.len() - (room - 1);
            lines.truncate(room - 1);
            lines.push(format!("… and {} more in a higher window", counted(more, "line")));
        }
        lines.extend(passed);
        lines.push(format!(
            "read at {at}, {} s ago; {} (Ctrl-C ends)",
            since.elapsed().as_secs(),
            counted(self.telegrams, "telegram")
        ));
        lines
    }
}

/// To the beginning of the line that is so many above.
fn up(lines: usize) -> String {
    format!("\x1b[{lines}A\r")
}

/// How wide the table may be: keys and the like have room on a wide terminal.
const fn wide(all: bool) -> u16 {
    if all { u16::MAX } else { table::WIDTH }
}

fn size() -> Size {
    let Ok(size) = tcgetwinsize(io::stdout()) else { return USUAL };
    if size.ws_col == 0 || size.ws_row == 0 {
        return USUAL;
    }
    Size { columns: size.ws_col.max(LEAST.columns), rows: size.ws_row.max(LEAST.rows) }
}

#[cfg(test)]
mod tests {
    use ebp_core::{obis::ObisCode, quantity::Unit};
    use ebp_meter::{
        profile::FlagId,
        readout::{Entry, Integrity, Protocol, Value},
    };

    use super::*;

    fn readout(watts: i128) -> Readout {
        let entry = |obis, integer, unit, scaler| Entry {
            obis,
            value: Value::Integer(integer),
            unit: Some(unit),
            scaler,
            status: None,
            time: None,
            corrected: None,
        };
        Readout {
            protocol: Protocol::Sml,
            server_id: None,
            manufacturer: FlagId::new(*b"ISK"),
            meter_time: None,
            entries: vec![
                entry(ObisCode::POSITIVE_ENERGY, 12_345_600, Unit::WATT_HOUR, -1),
                entry(ObisCode::SUM_POWER, watts, Unit::WATT, 0),
            ],
            unaddressed: Vec::new(),
            integrity: Integrity::Ok,
            bytes: 316,
        }
    }

    fn at() -> Timestamp {
        "2026-01-31T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_telegram_is_drawn_over_the_one_before() {
        let mut live = Live::new(Vec::new(), false, Figures::default());
        live.size = USUAL;
        live.draw(None).unwrap();
        assert_eq!(live.standing.len(), 1);
        live.show(&readout(1_500), at());
        let first = live.lines(None);
        live.draw(None).unwrap();
        let standing = live.standing.len();
        live.show(&readout(-20), at());
        let second = live.lines(None);
        assert_eq!(first.len(), second.len());
        assert_eq!(first[2], second[2], "columns stand still");
        live.out.clear();
        live.draw(Some("1 damaged (checksum wrong)")).unwrap();
        let text = String::from_utf8(std::mem::take(&mut live.out)).unwrap();
        assert!(text.starts_with(&format!("\x1b[{standing}A\r")), "{text:?}");
        assert!(text.contains("fed into the grid") && text.contains("-0.020"), "{text}");
        assert!(text.contains("1234.5600"), "the meter's decimals: {text}");
        assert!(text.contains("passed over: 1 damaged"), "{text}");
        live.clear().unwrap();
        assert!(live.standing.is_empty());
    }

    #[test]
    fn a_low_window_shows_what_fits() {
        let mut live = Live::new(Vec::new(), false, Figures::default());
        live.size = LEAST;
        live.show(&readout(1), at());
        let lines = live.lines(None);
        assert_eq!(lines.len(), usize::from(LEAST.rows) - 1);
        assert!(lines[lines.len() - 2].contains("lines more"), "{lines:?}");
        assert!(lines.last().is_some_and(|line| line.starts_with("read at")), "{lines:?}");
    }
}
