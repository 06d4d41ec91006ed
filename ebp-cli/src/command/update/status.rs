//! `ebp update status`: what is known of a device's updates.

use std::{collections::BTreeMap, path::Path};

use ebp_update::{CommittedOn, Ended, MachineDisk, Phase, State};
use serde::Serialize;

use super::report::describe_reverted;
use crate::{
    exit::{CommandResult, Failure, update as explain},
    output::{TableFormat, new_table},
    stdout::print,
};

/// What is printed.
#[derive(Debug, Serialize)]
struct Status {
    /// `idle`, `fetching`, `staged`, `trying` or `returning`.
    phase: &'static str,
    /// The version that it is about.
    version: Option<String>,
    /// The version that services run while nothing is tried out; the package's without it.
    committed: Option<String>,
    /// The package's version, when it was looked at last.
    floor: Option<String>,
    /// What has to work yet.
    missing: Vec<String>,
    /// For how long the machine ran since the switch, seconds.
    ran_s: Option<u64>,
    /// The end of the last version that was tried.
    last: Option<String>,
    /// Versions that are refused, each with the reason.
    refused: BTreeMap<String, String>,
}

/// Prints it.
pub fn print_status(folder: &Path, format: TableFormat) -> CommandResult {
    let state = State::look(&MachineDisk::at(folder)).map_err(|e| explain::explain(e.into()))?;
    let status = describe(&state);
    match format {
        TableFormat::Json => {
            let text = serde_json::to_string(&status).map_err(Failure::failed)?;
            print(format!("{text}\n"))
        }
        TableFormat::Table => print(table(&status)),
    }
}

fn describe(state: &State) -> Status {
    let watch = match &state.phase {
        Phase::Trying(trial) | Phase::Returning { trial, .. } => Some(&trial.watch),
        _ => None,
    };
    let missing = watch.map(ebp_update::Watch::missing).unwrap_or_default();
    Status {
        phase: state.phase.name(),
        version: state.phase.release().map(|release| release.version.to_string()),
        committed: state.committed.as_ref().map(|release| release.version.to_string()),
        floor: state.floor.as_ref().map(ToString::to_string),
        missing: missing.iter().map(ToString::to_string).collect(),
        ran_s: watch.map(|watch| watch.ran.as_secs()),
        last: state.last.as_ref().map(end),
        refused: state
            .refused
            .iter()
            .map(|(version, reason)| (version.to_string(), reason.to_string()))
            .collect(),
    }
}

fn end(ended: &Ended) -> String {
    match ended {
        Ended::Committed { version, at, on: CommittedOn::Everything } => {
            format!("version {version} is kept since {at}")
        }
        Ended::Committed { version, at, on: CommittedOn::MetersAlone } => {
            format!("version {version} is kept since {at}, without a report to the server")
        }
        Ended::Reverted(reverted) => describe_reverted(reverted),
    }
}

fn table(status: &Status) -> String {
    let mut table = new_table();
    table.set_header(["what", "state"]);
    let phase = match &status.version {
        Some(version) => format!("{} version {version}", status.phase),
        None => status.phase.to_owned(),
    };
    let floor = status.floor.as_deref().unwrap_or("not looked at yet");
    table.add_row(["updates", &phase]);
    table.add_row(["kept version", status.committed.as_deref().unwrap_or("the package's")]);
    table.add_row(["the package's version", floor]);
    if !status.missing.is_empty() {
        table.add_row(["still missing", &status.missing.join(", ")]);
    }
    if let Some(ran) = status.ran_s {
        table.add_row(["since the switch", &format!("{} min", ran / 60)]);
    }
    if let Some(last) = &status.last {
        table.add_row(["last", last]);
    }
    for (version, reason) in &status.refused {
        table.add_row(["refused", &format!("version {version}: {reason}")]);
    }
    format!("{table}\n")
}
