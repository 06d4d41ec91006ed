//! `ebp measurements`: what was measured in a participant's own household, and what went wrong.

use ebp_core::model::Incident;
use serde::Serialize;
use uuid::Uuid;

use super::{
    participant::{Own, refused},
    stored::Wanted,
};
use crate::{
    exit::{CommandResult, Failure},
    output::{Format, list},
    stdout::print,
};

/// Print your own household's measurements, or its meters' incidents, as a participant.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    own: Own,

    /// The meters' incidents, instead of measurements.
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
pub fn run(arguments: &Arguments) -> CommandResult {
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
    let lines: Vec<Line> =
        incidents.iter().map(|(meter, incident)| Line { meter: *meter, incident }).collect();
    list::list(format, HEADER, true, &lines, |Line { meter, incident }| {
        [
            meter.to_string(),
            incident.kind.name().to_owned(),
            incident.reported_at.to_string(),
            incident.resolved_at.map(|at| at.to_string()).unwrap_or_default(),
        ]
    })
}
