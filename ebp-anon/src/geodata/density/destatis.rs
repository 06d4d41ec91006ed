//! Destatis' table of districts, `04-kreise.xlsx`.
//!
//! Enters: the workbook's bytes. Leaves: densities per total area, as published. Absent: other
//! workbooks.
//!
//! The table is on the sheet that has a column `NUTS3`; headings have two rows (`je km2` below
//! `Bevölkerung`). Rows of states and government regions have keys of 2 and 3 digits and no code,
//! and are left out.

use std::{collections::BTreeMap, io::Cursor};

use calamine::{Data, Range, Reader, Xlsx};

use super::densities::{Densities, TableError, insert, level_3};

pub fn read(bytes: Vec<u8>) -> Result<Densities, TableError> {
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(bytes))?;
    for name in workbook.sheet_names() {
        let sheet = workbook.worksheet_range(&name)?;
        if let Some(densities) = read_sheet(&sheet)? {
            return Ok(densities);
        }
    }
    Err(TableError::NoColumn("NUTS3"))
}

/// `None` for a sheet without the table.
fn read_sheet(sheet: &Range<Data>) -> Result<Option<Densities>, TableError> {
    let rows = || sheet.rows().enumerate();
    let plain = |cell: &Data| text(cell).to_lowercase().replace(char::is_whitespace, "");
    let heading = rows().take(20).find_map(|(row, cells)| {
        cells.iter().position(|cell| plain(cell) == "nuts3").map(|column| (row, column))
    });
    let Some((heading, code_column)) = heading else { return Ok(None) };
    let density_column = rows()
        .skip(heading)
        .take(3)
        .find_map(|(_, cells)| {
            cells.iter().position(|cell| matches!(plain(cell).as_str(), "jekm2" | "jekm²"))
        })
        .ok_or(TableError::NoColumn("je km2"))?;
    let first = sheet.start().map_or(0, |(row, _)| u64::from(row));
    let mut by_region = BTreeMap::new();
    for (row, cells) in rows().skip(heading + 1) {
        let Some(code) = cells.get(code_column).and_then(|cell| level_3(&text(cell))) else {
            continue;
        };
        let cell = cells.get(density_column).unwrap_or(&Data::Empty);
        insert(&mut by_region, first + row as u64 + 1, code, &text(cell), number(cell))?;
    }
    // "Gebietsstand: 31.12.2018"; a year's figures are published, and to be cited, in the next.
    let status = rows().take(heading).flat_map(|(_, cells)| cells).map(text).find_map(|text| {
        text.trim().strip_prefix("Gebietsstand:").map(|status| status.trim().to_owned())
    });
    let year = status.as_deref().and_then(|status| status.rsplit('.').next()?.parse::<i16>().ok());
    Ok(Some(Densities {
        by_region,
        description: format!(
            "Destatis, Kreisfreie Städte und Landkreise, Gebietsstand {}, per total area",
            status.as_deref().unwrap_or("unknown")
        ),
        notice: Some(match year {
            Some(year) => format!("© Statistisches Bundesamt (Destatis), {}", i32::from(year) + 1),
            None => "© Statistisches Bundesamt (Destatis)".to_owned(),
        }),
    }))
}

fn text(cell: &Data) -> String {
    match cell {
        Data::String(text) => text.clone(),
        Data::Float(number) => number.to_string(),
        Data::Int(number) => number.to_string(),
        _ => String::new(),
    }
}

fn number(cell: &Data) -> Option<f64> {
    match cell {
        Data::Float(number) => Some(*number),
        Data::Int(number) => Some(*number as f64),
        Data::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}
