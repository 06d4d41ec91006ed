//! Eurostat's `demo_r_d3dens`, as TSV or SDMX-CSV, and plain CSV.
//!
//! Enters: the table's bytes. Leaves: densities. Absent: workbooks.
//!
//! - TSV: the first column's heading is `freq,unit,geo\TIME_PERIOD`, the others' are years; a value
//!   may be followed by a flag (`107.3 e`), and `:` is none.
//! - SDMX-CSV: columns `geo`, `TIME_PERIOD`, `OBS_VALUE` among others, one row for each year.
//! - Plain CSV, with commas, semicolons or tabs: a column with the code and one `density`.

use std::collections::BTreeMap;

use csv::{ByteRecord, ReaderBuilder, StringRecord};

use super::densities::{Densities, TableError, insert, level_3};

/// Names that a plain table's column of codes may have.
const CODES: [&str; 7] = ["nuts3_code", "nuts3", "nuts_code", "nuts_id", "nuts", "code", "geo"];
/// Names that its column of densities may have.
const DENSITIES: [&str; 4] = ["density", "density_per_km2", "persons_per_km2", "je_km2"];

pub fn read(bytes: &[u8], year: Option<i16>) -> Result<Densities, TableError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let first = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    // The separator that yields the most columns.
    let separator = [b'\t', b';', b',']
        .into_iter()
        .max_by_key(|separator| {
            (first.iter().filter(|byte| *byte == separator).count(), *separator == b'\t')
        })
        .unwrap_or(b',');
    let is_tsv = String::from_utf8_lossy(first).split('\t').next().is_some_and(is_key);
    let separator = if is_tsv { b'\t' } else { separator };
    let mut reader = ReaderBuilder::new()
        .delimiter(separator)
        .flexible(true)
        .quoting(!is_tsv)
        .from_reader(bytes);
    let header = text(reader.byte_headers()?);
    let rows = reader.byte_records().map(|record| {
        let record = record?;
        let line = record.position().map_or(0, csv::Position::line);
        Ok::<_, csv::Error>((line, text(&record)))
    });
    let rows = rows.collect::<Result<Vec<_>, _>>()?;
    if is_tsv {
        return years_in_columns(&header, &rows, year);
    }
    let column = |names: &[&str]| {
        names.iter().find_map(|name| {
            header.iter().position(|heading| heading.trim().eq_ignore_ascii_case(name))
        })
    };
    match (column(&["geo"]), column(&["TIME_PERIOD"]), column(&["OBS_VALUE"])) {
        (Some(code), Some(time), Some(value)) => years_in_rows(&rows, code, time, value, year),
        _ => {
            let code = column(&CODES).ok_or(TableError::NoColumn("nuts3_code"))?;
            let density = column(&DENSITIES).ok_or(TableError::NoColumn("density"))?;
            plain(&rows, code, density, column(&["reference_year"]))
        }
    }
}

/// Eurostat's first heading.
fn is_key(heading: &str) -> bool {
    heading.trim().trim_matches('"').to_ascii_lowercase().contains("geo\\time")
}

/// The codes and numbers are ASCII; names may be in any character set, and do not matter.
fn text(record: &ByteRecord) -> StringRecord {
    record.iter().map(String::from_utf8_lossy).collect()
}

fn years_in_columns(
    header: &StringRecord,
    rows: &[(u64, StringRecord)],
    year: Option<i16>,
) -> Result<Densities, TableError> {
    let years = header.iter().enumerate().skip(1).filter_map(|(column, heading)| {
        heading.trim().parse::<i16>().ok().map(|year| (year, column))
    });
    let years: BTreeMap<i16, usize> = years.collect();
    let is_chosen = year.is_none();
    let (year, column) = match year {
        Some(year) => (year, *years.get(&year).ok_or(TableError::NoYear(year))?),
        None => {
            let has_values = |column: usize| {
                rows.iter().any(|(_, row)| {
                    row.get(0).is_some_and(|key| key.rsplit(',').next().and_then(level_3).is_some())
                        && !is_missing(row.get(column).unwrap_or_default().trim())
                })
            };
            let newest = years.last_key_value().map(|(&year, &column)| (year, column));
            let filled =
                years.iter().rev().map(|(&y, &c)| (y, c)).find(|(_, column)| has_values(*column));
            filled.or(newest).ok_or(TableError::NoColumn("TIME_PERIOD"))?
        }
    };
    let newest = years.last_key_value().map(|(year, _)| *year).filter(|_| is_chosen);
    let mut by_region = BTreeMap::new();
    for (line, row) in rows {
        let code = row.get(0).and_then(|key| level_3(key.rsplit(',').next()?));
        let value = row.get(column).unwrap_or_default().trim();
        if let Some(code) = code
            && !is_missing(value)
        {
            insert(&mut by_region, *line, code, value, without_flag(value))?;
        }
    }
    Ok(eurostat(by_region, year, newest))
}

fn years_in_rows(
    rows: &[(u64, StringRecord)],
    code: usize,
    time: usize,
    value: usize,
    year: Option<i16>,
) -> Result<Densities, TableError> {
    let year_of = |row: &StringRecord| row.get(time)?.trim().parse::<i16>().ok();
    let newest = rows.iter().filter_map(|(_, row)| year_of(row)).max();
    let has_value = |row: &StringRecord| {
        row.get(code).and_then(level_3).is_some()
            && !is_missing(row.get(value).unwrap_or_default().trim())
    };
    let filled =
        || rows.iter().filter(|(_, row)| has_value(row)).filter_map(|(_, row)| year_of(row)).max();
    let wanted = year.or_else(filled).or(newest).ok_or(TableError::NoColumn("TIME_PERIOD"))?;
    let mut by_region = BTreeMap::new();
    let mut found = false;
    for (line, row) in rows.iter().filter(|(_, row)| year_of(row) == Some(wanted)) {
        found = true;
        let value = row.get(value).unwrap_or_default().trim();
        if let Some(code) = row.get(code).and_then(level_3)
            && !is_missing(value)
        {
            insert(&mut by_region, *line, code, value, without_flag(value))?;
        }
    }
    if found {
        Ok(eurostat(by_region, wanted, newest.filter(|_| year.is_none())))
    } else {
        Err(TableError::NoYear(wanted))
    }
}

fn plain(
    rows: &[(u64, StringRecord)],
    code: usize,
    density: usize,
    year: Option<usize>,
) -> Result<Densities, TableError> {
    let mut by_region = BTreeMap::new();
    let mut years = std::collections::BTreeSet::new();
    for (line, row) in rows {
        let Some(code) = row.get(code).and_then(level_3) else { continue };
        let value = row.get(density).unwrap_or_default().trim();
        insert(&mut by_region, *line, code, value, value.parse().ok())?;
        years.extend(year.and_then(|year| row.get(year)).map(|year| year.trim().to_owned()));
    }
    let years = years.into_iter().collect::<Vec<_>>().join(", ");
    Ok(Densities {
        by_region,
        description: match years.as_str() {
            "" => "a table without a year".to_owned(),
            years => format!("a table of {years}"),
        },
        notice: None,
    })
}

/// `newest` is the newest year of the table, if no other was requested.
fn eurostat(
    by_region: BTreeMap<crate::RegionCode, f64>,
    year: i16,
    newest: Option<i16>,
) -> Densities {
    let empty = match newest {
        Some(newest) if newest != year => format!(" ({newest} has no densities yet)"),
        _ => String::new(),
    };
    Densities {
        by_region,
        description: format!("Eurostat, demo_r_d3dens, {year}, per land area{empty}"),
        notice: Some(format!("Source: Eurostat, demo_r_d3dens, {year}")),
    }
}

/// No value: nothing, or a colon with or without a flag.
fn is_missing(value: &str) -> bool {
    value.is_empty() || value.starts_with(':')
}

/// A value such as `107.3 ep`.
fn without_flag(value: &str) -> Option<f64> {
    value.split_whitespace().next()?.parse().ok()
}
