//! Cells of the output: unchanged, or escaped so that no spreadsheet runs one as a formula.
//!
//! Spreadsheets run cells that begin with `=`, `+`, `-` or `@`, also in their full-width forms, and
//! after blanks and quotation marks that an import removes. A spreadsheet that splits at another
//! separator than the comma (a German Excel at the semicolon) may find such a beginning within a
//! cell.

use std::borrow::Cow;

/// Where a spreadsheet may begin another cell.
const SEPARATORS: [u8; 6] = *b",;\t\n\r|";

/// The cell with an apostrophe before each part that a spreadsheet would run. Numbers stay numbers.
pub fn harmless(cell: &[u8]) -> Cow<'_, [u8]> {
    let begins_apart = matches!(cell.first(), Some(b'\t' | b'\r' | b'\n'));
    let parts = || cell.split_inclusive(|byte| SEPARATORS.contains(byte));
    if !begins_apart && !parts().any(is_run) {
        return Cow::Borrowed(cell);
    }
    let mut harmless = Vec::with_capacity(cell.len() + 4);
    if begins_apart {
        harmless.push(b'\'');
    }
    for part in parts() {
        if is_run(part) {
            harmless.push(b'\'');
        }
        harmless.extend_from_slice(part);
    }
    Cow::Owned(harmless)
}

/// Whether the cell is the number that this coordinate is. One of fewer than three decimals (some
/// hundred metres) may be another number by chance, such as a power of 9.92 kWp.
pub fn tells(cell: &[u8], coordinate: &str) -> bool {
    let decimals = coordinate.trim().split_once('.').map_or("", |(_, decimals)| decimals);
    if decimals.trim_end_matches('0').len() < 3 {
        return false;
    }
    let text = String::from_utf8_lossy(cell).trim().replace(',', ".");
    let number = text.parse::<f64>();
    number.is_ok_and(|number| coordinate.trim().parse() == Ok(number))
}

fn is_run(part: &[u8]) -> bool {
    let part = match part.split_last() {
        Some((last, rest)) if SEPARATORS.contains(last) => rest,
        _ => part,
    };
    let text = String::from_utf8_lossy(part);
    let removed = |letter: char| {
        letter.is_whitespace()
            || letter.is_control()
            || matches!(letter, '"' | '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{2060}')
    };
    let text = text.trim_start_matches(removed);
    let begins = text.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    begins && !text.trim_end().parse::<f64>().is_ok_and(f64::is_finite)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(cell: &str) -> String {
        String::from_utf8(harmless(cell.as_bytes()).into_owned()).unwrap()
    }

    #[test]
    fn what_a_spreadsheet_would_run_is_text() {
        for cell in [
            "=1+1",
            "+cmd|' /C calc'!A0",
            "-2+3",
            "@SUM(1)",
            " =1",
            "\u{a0}=1",
            "\u{feff}=1",
            "\u{200b}=1",
            "\"=1",
            "＝1+1",
            "＋1+1",
            "－1-1",
            "＠SUM(1)",
            "-",
            "+49 611 1234",
        ] {
            assert_eq!(text(cell), format!("'{cell}"));
        }
        assert_eq!(text("\t=1"), "'\t'=1");
        assert_eq!(text("\rabc"), "'\rabc");
        assert_eq!(text("a;=1;b"), "a;'=1;b");
        assert_eq!(text("a,\"@x\"\n-y"), "a,'\"@x\"\n'-y");
        assert_eq!(text("x|=1"), "x|'=1");
    }

    #[test]
    fn a_coordinate_is_told_in_other_forms_too() {
        for cell in ["50.0826", " 50,0826", "+50.08260", "5.00826e1"] {
            assert!(tells(cell.as_bytes(), "50.0826"), "{cell}");
        }
        assert!(!tells(b"50.0827", "50.0826") && !tells(b"8.24", "8.240") && !tells(b"", "x.abc"));
    }

    #[test]
    fn numbers_and_other_texts_stay() {
        for cell in
            ["", "-5.25", "+3", "-1e3", "a=b", "a-b; c", "x@example.org", "Am Hang 3, 2", "'=1"]
        {
            assert!(matches!(harmless(cell.as_bytes()), Cow::Borrowed(_)), "{cell}");
        }
        // Bytes that are not UTF-8 are kept.
        assert_eq!(&*harmless(b"=\xe4"), b"'=\xe4");
        assert_eq!(&*harmless(b"\xe4=1"), b"\xe4=1");
    }
}
