//! Tables as files for spreadsheets.

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};

use crate::kit::language::Language;

/// A table as CSV: with semicolons in German, with commas in English (RFC 4180).
pub struct Table {
    text: String,
    separator: char,
}

impl Table {
    /// With its header.
    #[must_use]
    pub fn new(language: Language, header: &[&str]) -> Self {
        let separator = match language {
            Language::De => ';',
            Language::En => ',',
        };
        // Spreadsheets know by the mark that it is UTF-8.
        let mut table = Self { text: "\u{feff}".to_owned(), separator };
        table.push(header);
        table
    }

    /// Appends a row.
    pub fn push(&mut self, cells: &[&str]) {
        for (place, cell) in cells.iter().enumerate() {
            if place > 0 {
                self.text.push(self.separator);
            }
            self.text.push_str(&quoted(cell));
        }
        self.text.push_str("\r\n");
    }

    /// As an answer that browsers store by that name.
    #[must_use]
    pub fn answer(self, name: &'static str) -> Response {
        let disposition = format!("attachment; filename=\"{name}\"");
        let disposition = HeaderValue::from_str(&disposition)
            .unwrap_or_else(|_| HeaderValue::from_static("attachment"));
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8")),
            (header::CONTENT_DISPOSITION, disposition),
        ];
        (headers, self.text).into_response()
    }
}

/// A cell. What spreadsheets take for a formula begins with an apostrophe.
fn quoted(cell: &str) -> String {
    let is_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let apostrophe = if is_formula { "'" } else { "" };
    if !is_formula && !cell.contains([';', ',', '"', '\n', '\r']) {
        return cell.to_owned();
    }
    format!("\"{apostrophe}{}\"", cell.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        let mut table = Table::new(Language::De, &["a", "b"]);
        table.push(&["=cmd|' /C calc'!A0", "Köln"]);
        table.push(&["a;b", "say \"x\""]);
        table.push(&["+49 1", "@x"]);
        assert_eq!(
            table.text,
            "\u{feff}a;b\r\n\"'=cmd|' /C calc'!A0\";Köln\r\n\"a;b\";\"say \"\"x\"\"\"\r\n\
             \"'+49 1\";\"'@x\"\r\n"
        );
    }
}
