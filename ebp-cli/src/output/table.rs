//! A readout for people: the meter's identity, and a table of its values that fits 80 columns.

use std::io;

use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table, Width};
use ebp_core::obis::ObisCode;
use ebp_meter::readout::{Integrity, Readout};
use rust_decimal::Decimal;
use rustix::termios::tcgetwinsize;

use super::{
    style::new_table,
    values::{ReadingValue, Shown},
};

/// How wide a readout's table is at most, columns.
pub const WIDTH: u16 = 80;
/// How wide a value may be before it is broken into lines: keys and the like, never a number.
const LONGEST_VALUE: usize = 24;

/// How wide it may be: on a terminal that is wider, keys and the like have more room, which only a
/// table of all values has.
pub fn width(all: bool) -> u16 {
    match tcgetwinsize(io::stdout()) {
        Ok(size) if all => size.ws_col.max(WIDTH),
        _ => WIDTH,
    }
}

/// Which meter sent the telegram, and how: one line.
pub fn heading(readout: &Readout) -> String {
    let maker = readout.manufacturer.as_deref().unwrap_or("unknown maker");
    let id = readout.server_id.as_ref().map_or_else(|| "no server id".to_owned(), |id| id.hex());
    let protocol = readout.protocol.name().to_uppercase();
    let integrity = match readout.integrity {
        Integrity::Ok => String::new(),
        other => format!(", checksum: {}", other.name()),
    };
    format!("{maker} {id} ({protocol}, {} bytes{integrity})", readout.bytes)
}

/// The values.
pub fn values(values: &[ReadingValue], width: u16) -> Table {
    let mut table = new_table();
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    table.set_header(["code", "value", "unit", "name"]);
    let mut longest = 0;
    for value in values {
        let text = number(value).unwrap_or_else(|| value.text());
        longest = longest.max(text.chars().count());
        table.add_row([
            Cell::new(&value.code),
            Cell::new(text).set_alignment(CellAlignment::Right),
            Cell::new(value.unit.as_deref().unwrap_or_default()),
            Cell::new(name(value)),
        ]);
    }
    let value = if longest > LONGEST_VALUE {
        // With a space to its left and its right.
        let wide = u16::try_from(LONGEST_VALUE + 2).unwrap_or(u16::MAX);
        ColumnConstraint::Absolute(Width::Fixed(wide))
    } else {
        ColumnConstraint::ContentWidth
    };
    for (index, constraint) in
        [ColumnConstraint::ContentWidth, value, ColumnConstraint::ContentWidth]
            .into_iter()
            .enumerate()
    {
        if let Some(column) = table.column_mut(index) {
            column.set_constraint(constraint);
        }
    }
    table
}

/// A number with as many decimals as the meter sends, so that columns keep their width.
fn number(value: &ReadingValue) -> Option<String> {
    let Shown::Number(mut number) = value.value else { return None };
    if let Some(places) = value.places {
        number.rescale(places);
    }
    Some(number.to_string())
}

/// The standard's name, below it what that means at a household's grid connection, and what was put
/// right.
fn name(value: &ReadingValue) -> String {
    let corrected = value.corrected.map(|correction| format!("corrected: {correction}"));
    let from = value.from.as_ref().map(|code| format!("from {code}"));
    let lines: Vec<&str> = [
        value.name,
        meaning(value),
        from.as_deref(),
        value.derived.as_deref(),
        corrected.as_deref(),
    ]
    .into_iter()
    .flatten()
    .collect();
    lines.join("\n")
}

/// Which way the energy or the power of that code flows.
fn meaning(value: &ReadingValue) -> Option<&'static str> {
    const DRAWN: &str = "drawn from the grid";
    const FED: &str = "fed into the grid";
    let ObisCode([1, _, quantity, kind, _, _]) = value.obis? else { return None };
    let Shown::Number(number) = value.value else { return None };
    match (quantity, kind) {
        (1, 8) => Some(DRAWN),
        (1 | 21 | 41 | 61, 7) if number < Decimal::ZERO => Some(FED),
        (1 | 21 | 41 | 61, 7) => Some(DRAWN),
        (2, 7 | 8) | (22 | 42 | 62, 7) => Some(FED),
        (16 | 36 | 56 | 76, 7) if number > Decimal::ZERO => Some(DRAWN),
        (16 | 36 | 56 | 76, 7) if number < Decimal::ZERO => Some(FED),
        (16 | 36 | 56 | 76, 7) => Some("neither drawn nor fed in"),
        _ => None,
    }
}
