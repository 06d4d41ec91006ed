//! `ebp device errors`: errors of all devices in groups, and those of the server.

use ebp_core::{
    contract::{ErrorGroups, FleetErrorGroup, ReportedErrorGroup},
    scope::Group,
};
use jiff::Timestamp;
use serde::Serialize;

use super::list::refused;
use crate::{
    command::{group_api::GroupApi, heading::OUTPUT},
    exit::CommandResult,
    output::{Format, list},
    stdout::print,
};

/// How they are printed.
#[derive(Debug, clap::Args)]
pub struct Errors {
    /// How they are printed; JSON is one object a line.
    #[arg(long, value_enum, default_value_t = Format::Table, help_heading = OUTPUT)]
    format: Format,

    #[command(flatten)]
    api: GroupApi,
}

const HEADER: [&str; 11] = [
    "group",
    "of",
    "component",
    "types",
    "place",
    "devices",
    "versions",
    "count",
    "first_seen",
    "last_seen",
    "known_at",
];

/// A group as it is printed.
#[derive(Serialize)]
struct Row<'a> {
    group: &'a str,
    /// `devices` or `server`.
    of: &'static str,
    component: &'a str,
    types: &'a [String],
    place: &'a str,
    devices: Option<u64>,
    versions: Vec<String>,
    count: u64,
    first_seen: Timestamp,
    last_seen: Timestamp,
    known_at: Option<Timestamp>,
}

impl<'a> From<&'a FleetErrorGroup> for Row<'a> {
    fn from(group: &'a FleetErrorGroup) -> Self {
        Self {
            group: &group.fingerprint,
            of: "devices",
            component: &group.component,
            types: &group.types,
            place: &group.place,
            devices: Some(group.devices),
            versions: group
                .versions
                .iter()
                .map(|it| format!("{} ({})", it.version, it.devices))
                .collect(),
            count: group.count,
            first_seen: group.first_seen,
            last_seen: group.last_seen,
            known_at: Some(group.known_at),
        }
    }
}

impl<'a> From<&'a ReportedErrorGroup> for Row<'a> {
    fn from(group: &'a ReportedErrorGroup) -> Self {
        Self {
            group: &group.fingerprint,
            of: "server",
            component: &group.component,
            types: &group.types,
            place: &group.place,
            devices: None,
            versions: Vec::new(),
            count: group.count,
            first_seen: group.first_seen,
            last_seen: group.last_seen,
            known_at: None,
        }
    }
}

fn cells(row: &Row<'_>) -> [String; 11] {
    [
        row.group.to_owned(),
        row.of.to_owned(),
        row.component.to_owned(),
        row.types.join(" < "),
        row.place.to_owned(),
        row.devices.map(|devices| devices.to_string()).unwrap_or_default(),
        row.versions.join(", "),
        row.count.to_string(),
        row.first_seen.to_string(),
        row.last_seen.to_string(),
        row.known_at.map(|at| at.to_string()).unwrap_or_default(),
    ]
}

impl Errors {
    /// Prints the groups of devices, then those of the server; of each those that occurred last first.
    pub fn run(&self) -> CommandResult {
        let manager = self.api.connect(Group::Administrators)?;
        let ErrorGroups { devices, server } = manager.error_groups().map_err(refused)?;
        let rows: Vec<Row<'_>> =
            devices.iter().map(Row::from).chain(server.iter().map(Row::from)).collect();
        print(list::list(self.format, HEADER, true, &rows, cells)?)
    }
}
