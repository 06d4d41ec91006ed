//! `ebp device list` and `show`: all devices, as administrators see them.

use ebp_client::ClientError;
use ebp_core::{
    contract::{ClockState, DeviceHealth, ManagedDevice},
    scope::Group,
};
use uuid::Uuid;

use crate::{
    command::group_api::{self, GroupApi},
    exit::{CommandResult, Failure},
    output::{Format, list},
    stdout::print,
};

/// How they are listed.
#[derive(Debug, clap::Args)]
pub struct List {
    /// How they are printed; JSON is one object a line.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,

    #[command(flatten)]
    api: GroupApi,
}

/// Which one is shown.
#[derive(Debug, clap::Args)]
pub struct Show {
    /// The device.
    device: Uuid,

    #[command(flatten)]
    api: GroupApi,
}

const HEADER: [&str; 8] =
    ["device", "household", "participant", "meters", "last_report", "clock", "pending", "refused"];

/// The client's errors, for an administrator.
pub fn refused(error: ClientError) -> Failure {
    group_api::refused(Group::Administrators, error)
}

impl List {
    /// Prints them in the order of registration.
    pub fn run(&self) -> CommandResult {
        let manager = self.api.connect(Group::Administrators)?;
        let mut devices = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let page = manager.devices(cursor.as_deref()).map_err(refused)?;
            devices.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        print(list::list(self.format, HEADER, true, &devices, row)?)
    }
}

fn row(device: &ManagedDevice) -> [String; 8] {
    let health = device.health.as_ref();
    let clock = health.and_then(|health| health.clock).map(ClockState::name).unwrap_or_default();
    let figure = |of: fn(&DeviceHealth) -> Option<u64>| {
        health.and_then(of).map(|figure| figure.to_string()).unwrap_or_default()
    };
    [
        device.uuid.to_string(),
        device.household.to_string(),
        device.participant.clone().unwrap_or_default(),
        device.meters.len().to_string(),
        device.last_report.map_or_else(|| "never".to_owned(), |at| at.to_string()),
        clock.to_owned(),
        figure(|health| health.spool.map(|spool| spool.pending)),
        figure(|health| health.spool.map(|spool| spool.refused)),
    ]
}

impl Show {
    /// Prints it.
    pub fn run(&self) -> CommandResult {
        let device = self.api.connect(Group::Administrators)?.device(self.device);
        let device = device.map_err(refused)?;
        print(serde_json::to_string(&device).map_err(Failure::failed)? + "\n")
    }
}
