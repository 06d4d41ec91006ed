//! What is exported of a survey, for `ebp export` and `ebp job export`.

use clap::ValueEnum;
use ebp_core::contract::{ExportFormat, ExportRequest, ExportResolution, TimeBound};
use jiff::Timestamp;

use super::{heading::OUTPUT, report::instant};
use crate::exit::Failure;

/// The heading of the options for what is exported.
const EXPORTED: &str = "What is exported";

/// What is exported, and how it is written.
#[derive(Debug, clap::Args)]
pub struct ExportOptions {
    /// Leave out intervals that begin before that day of the survey's time zone, or that instant.
    #[arg(long, value_name = "TIME", help_heading = EXPORTED)]
    from: Option<TimeBound>,

    /// Leave out intervals that begin on that day or at that instant, or later.
    #[arg(long, value_name = "TIME", help_heading = EXPORTED)]
    to: Option<TimeBound>,

    /// Leave out measurements that were received later; at least 10 minutes ago, which is the default.
    #[arg(long, value_name = "TIME", value_parser = instant, help_heading = EXPORTED)]
    as_of: Option<Timestamp>,

    /// How long rows of energy and balance last. Hours and days come as one file each.
    #[arg(long, value_enum, default_value_t = Rows::Quarter, help_heading = EXPORTED)]
    resolution: Rows,

    /// Fill energies that are not measured by a constant power, and mark them `interpolated`.
    #[arg(long, help_heading = EXPORTED)]
    fill: bool,

    /// What the files are.
    #[arg(long, value_enum, default_value_t = Files::Parquet, help_heading = OUTPUT)]
    format: Files,

    /// How CSV writes decimals; with a comma, columns are separated by semicolons.
    #[arg(long, value_enum, default_value_t = Mark::Point, help_heading = OUTPUT)]
    decimal: Mark,

    /// The name of the set; by default `ebp-` and the day of --as-of.
    #[arg(long, value_parser = set_name, help_heading = OUTPUT)]
    name: Option<String>,

    /// Who publishes it, for citations.
    #[arg(long, default_value = "the research group of the survey", help_heading = OUTPUT)]
    publisher: String,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Rows {
    #[value(name = "15m")]
    Quarter,
    #[value(name = "1h")]
    Hour,
    #[value(name = "1d")]
    Day,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Files {
    Parquet,
    Csv,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Mark {
    Point,
    Comma,
}

/// A name that every description may hold.
fn set_name(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
    let begins = text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    if begins && text.chars().all(fits) && text.len() <= 60 {
        Ok(text.to_owned())
    } else {
        Err("write at most 60 small letters, digits and `-`, such as ebp-2026-11".into())
    }
}

impl ExportOptions {
    /// The request that these are.
    ///
    /// # Errors
    /// Where Parquet files are to have a decimal comma.
    pub fn request(&self) -> Result<ExportRequest, Failure> {
        Ok(ExportRequest {
            as_of: self.as_of,
            from: self.from,
            to: self.to,
            format: match (self.format, self.decimal) {
                (Files::Parquet, Mark::Point) => ExportFormat::Parquet,
                (Files::Parquet, Mark::Comma) => {
                    return Err(Failure::usage("Parquet files have no decimal comma")
                        .remedy("add --format csv, or leave --decimal out"));
                }
                (Files::Csv, Mark::Point) => ExportFormat::Csv,
                (Files::Csv, Mark::Comma) => ExportFormat::CsvComma,
            },
            resolution: match self.resolution {
                Rows::Quarter => ExportResolution::Quarter,
                Rows::Hour => ExportResolution::Hour,
                Rows::Day => ExportResolution::Day,
            },
            fill: self.fill,
            name: self.name.clone(),
            publisher: Some(self.publisher.clone()),
        })
    }
}
