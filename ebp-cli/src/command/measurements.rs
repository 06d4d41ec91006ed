//! `ebp measurements`: what was measured in a participant's own household, and what went wrong.

use ebp_core::model::Incident;
use serde::Serialize;
use uuid::Uuid;

use super::{
    participant::{Own, refused},
    stored::Wanted,
};
use crate::{
    exit::{Failure, Outcome},
    output::{Format, new_table},
    stdout::print,
};

/// Print your own household's measurements, or its meters' incidents, as a participant.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    own: Own,

    /// What is or was wrong with the meters, instead of measurements.
    #[arg(long)]
    incidents: bool,

    #[command(flatten)]
    wanted: Wanted,
}

/// An incident as JSON shows it.
#[derive(Serialize)]
struct Line<'a> {
    meter: Uuid,
    #[serde(flatten)]
    incident: &'a Incident,
}

const HEADER: [&str; 4] = ["meter", "incident", "reported_at", "resolved_at"];

/// Prints them.
pub fn run(arguments: &Arguments) -> Outcome {
    let client = arguments.own.connect()?;
    let meters = match arguments.wanted.meter {
        Some(meter) => vec![meter],
        None => client.meters().map_err(refused)?.iter().map(|meter| meter.uuid).collect(),
    };
    if !arguments.incidents {
        return arguments.wanted.print(
            &meters,
            |meter, request| client.measurements_page(meter, request),
            refused,
        );
    }
    let mut incidents = Vec::new();
    for meter in meters {
        let of_meter = client.incidents(meter).map_err(refused)?;
        incidents.extend(of_meter.into_iter().map(|incident| (meter, incident)));
    }
    print(text(&incidents, arguments.wanted.format)?)
}

fn text(incidents: &[(Uuid, Incident)], format: Format) -> Result<Vec<u8>, Failure> {
    let rows = incidents.iter().map(|(meter, incident)| {
        [
            meter.to_string(),
            incident.kind.name().to_owned(),
            incident.reported_at.to_string(),
            incident.resolved_at.map(|at| at.to_string()).unwrap_or_default(),
        ]
    });
    match format {
        Format::Json => {
            let mut text = Vec::new();
            for (meter, incident) in incidents {
                let line = Line { meter: *meter, incident };
                serde_json::to_writer(&mut text, &line).map_err(Failure::failed)?;
                text.push(b'\n');
            }
            Ok(text)
        }
        Format::Csv => {
            let mut csv = csv::Writer::from_writer(Vec::new());
            csv.write_record(HEADER).map_err(Failure::failed)?;
            for row in rows {
                csv.write_record(row).map_err(Failure::failed)?;
            }
            csv.into_inner().map_err(Failure::failed)
        }
        Format::Table => {
            let mut table = new_table();
            table.set_header(HEADER.map(|name| name.replace('_', " "))).add_rows(rows);
            Ok(format!("{table}\n").into_bytes())
        }
    }
}
