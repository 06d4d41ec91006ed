//! Prints stored measurements, page by page.

use clap::Args;
use ebp_client::{ClientError, PageRequest};
use ebp_core::contract::{MeasurementPage, StoredMeasurement};
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::heading::{MEASUREMENTS, OUTPUT};
use crate::{
    exit::{CommandResult, Failure},
    output::{Format, new_table},
    stdout::print,
};

/// Which measurements, and how they are printed.
#[derive(Debug, Args)]
pub struct Wanted {
    /// Only of this meter, instead of all of the household's.
    #[arg(long, value_name = "UUID", help_heading = MEASUREMENTS)]
    pub meter: Option<Uuid>,

    /// Measured at this instant or later, such as 2026-01-31T00:00:00Z.
    #[arg(long, value_name = "TIME", help_heading = MEASUREMENTS)]
    from: Option<Timestamp>,

    /// Measured before this instant.
    #[arg(long, value_name = "TIME", help_heading = MEASUREMENTS)]
    to: Option<Timestamp>,

    /// How they are printed: JSON is one measurement a line, CSV one value a line.
    #[arg(long, value_enum, default_value_t = Format::Table, help_heading = OUTPUT)]
    pub format: Format,
}

/// A measurement as JSON shows it.
#[derive(Serialize)]
struct Line<'a> {
    meter: Uuid,
    #[serde(flatten)]
    measurement: &'a StoredMeasurement,
}

const HEADER: [&str; 6] = ["meter", "measured_at", "received_at", "obis", "value", "flags"];

impl Wanted {
    /// Prints the meters' items, ordered by meter and time; `ask` returns a page.
    pub fn print(
        &self,
        meters: &[Uuid],
        ask: impl Fn(Uuid, &PageRequest) -> Result<MeasurementPage, ClientError>,
        refused: fn(ClientError) -> Failure,
    ) -> CommandResult {
        let mut is_first = true;
        for meter in meters {
            let mut request =
                PageRequest { from: self.from, to: self.to, ..PageRequest::default() };
            let mut has_some = false;
            loop {
                let page = ask(*meter, &request).map_err(refused)?;
                if is_first || !page.items.is_empty() {
                    print(&self.text(*meter, &page.items, is_first)?)?;
                }
                has_some |= !page.items.is_empty();
                is_first = false;
                request.cursor = page.next;
                if request.cursor.is_none() {
                    break;
                }
            }
            if !has_some {
                crate::tell::tell!("ebp: meter {meter} has no measurements then");
            }
        }
        Ok(())
    }

    fn text(
        &self,
        meter: Uuid,
        items: &[StoredMeasurement],
        is_first: bool,
    ) -> Result<Vec<u8>, Failure> {
        match self.format {
            Format::Json => {
                let mut text = Vec::new();
                for measurement in items {
                    serde_json::to_writer(&mut text, &Line { meter, measurement })
                        .map_err(Failure::failed)?;
                    text.push(b'\n');
                }
                Ok(text)
            }
            Format::Csv => {
                let mut csv = csv::Writer::from_writer(Vec::new());
                if is_first {
                    csv.write_record(HEADER).map_err(Failure::failed)?;
                }
                for item in items {
                    for point in &item.data {
                        csv.write_record([
                            meter.to_string(),
                            item.measured_at.to_string(),
                            item.received_at.to_string(),
                            point.obis.to_string(),
                            point.value.to_string(),
                            flags(item),
                        ])
                        .map_err(Failure::failed)?;
                    }
                }
                csv.into_inner().map_err(Failure::failed)
            }
            Format::Table if items.is_empty() => Ok(Vec::new()),
            Format::Table => {
                let mut table = new_table();
                table.set_header(["measured at (UTC)", "value", "OBIS code", "flags"]);
                for item in items {
                    for (place, point) in item.data.iter().enumerate() {
                        let (time, flags) = match place {
                            0 => (item.measured_at.to_string(), flags(item)),
                            _ => (String::new(), String::new()),
                        };
                        table.add_row([
                            time,
                            point.value.to_string(),
                            point.obis.to_string(),
                            flags,
                        ]);
                    }
                }
                Ok(format!("meter {meter}\n{table}\n").into_bytes())
            }
        }
    }
}

fn flags(item: &StoredMeasurement) -> String {
    item.flags.iter().map(|flag| flag.name()).collect::<Vec<_>>().join(" ")
}
