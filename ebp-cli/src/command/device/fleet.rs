//! `ebp device fleet`, `coverage`, `history` and `silence`: the state of the fleet, as administrators
//! see it.

use ebp_client::{ClientError, FleetRequest, Manager};
use ebp_core::{
    contract::{
        Coverage, DeviceDay, FleetDevice, FleetSort, FleetState, IncidentEpisode, NewSilence,
    },
    scope::Group,
};
use jiff::{Timestamp, civil::Date};
use uuid::Uuid;

use super::list::refused;
use crate::{
    command::{group_api::GroupApi, heading::OUTPUT},
    exit::{CommandResult, Failure},
    output::{Format, TableFormat, list, new_table},
    stdout::{print, print_json},
    tell::tell,
};

/// Which devices are listed, and in which order.
#[derive(Debug, clap::Args)]
pub struct Fleet {
    /// Only devices in this state: never-spoke, silent, late, incident, damaged, clock, spool,
    /// certificate, version-behind, healthy, not-granted or revoked.
    #[arg(long)]
    state: Option<FleetState>,

    /// Only devices that run this version.
    #[arg(long, value_name = "VERSION")]
    running: Option<String>,

    /// Only devices whose participant's name contains this, whose identifier or household's identifier
    /// begins so, or whose identifier ends so (the name in the home network, ebp-7a3f, too).
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,

    /// The order: state, last-report, last-measurement, participant, version, damaged, incidents or
    /// certificate.
    #[arg(long, value_name = "ORDER", default_value_t)]
    sort: FleetSort,

    /// Reverse the order.
    #[arg(long)]
    reverse: bool,

    /// Print how many devices are in each state instead.
    #[arg(long)]
    counts: bool,

    /// How they are printed; JSON is one object a line.
    #[arg(long, value_enum, default_value_t = Format::Table, help_heading = OUTPUT)]
    format: Format,

    #[command(flatten)]
    api: GroupApi,
}

const HEADER: [&str; 10] = [
    "device",
    "state",
    "reasons",
    "participant",
    "last_report",
    "last_measurement",
    "version",
    "incidents",
    "damaged",
    "certificate_end",
];

impl Fleet {
    /// Prints them, a page after another.
    pub fn run(&self) -> CommandResult {
        let manager = self.api.connect(Group::Administrators)?;
        let mut request = FleetRequest {
            state: self.state,
            version: self.running.clone(),
            search: self.search.clone(),
            sort: self.sort,
            descending: self.reverse,
            cursor: None,
            limit: Some(if self.counts { 1 } else { 1_000 }),
        };
        let mut devices = Vec::new();
        loop {
            let page = manager.fleet(&request).map_err(refused)?;
            if self.counts {
                let row = |one: &ebp_core::contract::FleetCount| {
                    [one.state.to_string(), one.devices.to_string()]
                };
                let header = ["state", "devices"];
                return print(list::list(self.format, header, true, &page.counts, row)?);
            }
            devices.extend(page.items);
            request.cursor = page.next;
            if request.cursor.is_none() {
                break;
            }
        }
        print(list::list(self.format, HEADER, true, &devices, row)?)
    }
}

fn row(device: &FleetDevice) -> [String; 10] {
    let instant = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
    let measured = device.meters.iter().map(|meter| meter.last_measurement);
    let oldest = measured.min().flatten();
    let reasons = device.reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    [
        device.uuid.to_string(),
        device.state.to_string(),
        reasons,
        device.participant.clone().unwrap_or_default(),
        device.last_report.map_or_else(|| "never".to_owned(), |at| at.to_string()),
        instant(oldest),
        device.version.clone().unwrap_or_default(),
        device.incidents.to_string(),
        device.damaged_share.map(|share| share.to_string()).unwrap_or_default(),
        instant(device.certificate_end),
    ]
}

/// Of which days.
#[derive(Debug, clap::Args)]
pub struct OfDays {
    /// The device.
    device: Uuid,

    /// The first day (UTC), such as 2026-01-31; 30 days before the last without this.
    #[arg(long, value_name = "DAY")]
    from: Option<Date>,

    /// The day after the last one; tomorrow without this. At most 100 days are shown.
    #[arg(long, value_name = "DAY")]
    to: Option<Date>,

    /// How it is printed.
    #[arg(long, value_enum, default_value_t = TableFormat::Table, help_heading = OUTPUT)]
    format: TableFormat,

    #[command(flatten)]
    api: GroupApi,
}

impl OfDays {
    /// Prints a line for each meter and day.
    pub fn run(&self) -> CommandResult {
        let manager = self.api.connect(Group::Administrators)?;
        let coverage = manager.coverage(self.device, self.from, self.to).map_err(refused)?;
        match self.format {
            TableFormat::Json => print_json(&coverage),
            TableFormat::Table => print(drawn(&coverage)),
        }
    }
}

/// The days of each meter, and what the letters mean.
fn drawn(coverage: &Coverage) -> String {
    let mut text = String::new();
    for meter in &coverage.meters {
        text += &format!("meter {}\n", meter.uuid);
        let mut day = coverage.from;
        for slots in &meter.days {
            text += format!("{day}  {slots}").trim_end();
            text.push('\n');
            day = day.tomorrow().unwrap_or(day);
        }
    }
    text + "m measured, l received late, f flagged, - missing\n"
}

/// Of which device.
#[derive(Debug, clap::Args)]
pub struct History {
    /// The device.
    device: Uuid,

    /// How it is printed.
    #[arg(long, value_enum, default_value_t = TableFormat::Table, help_heading = OUTPUT)]
    format: TableFormat,

    #[command(flatten)]
    api: GroupApi,
}

impl History {
    /// Prints its incidents and its days.
    pub fn run(&self) -> CommandResult {
        let manager = self.api.connect(Group::Administrators)?;
        let history = manager.device_history(self.device).map_err(refused)?;
        if self.format == TableFormat::Json {
            return print_json(&history);
        }
        let mut incidents = new_table();
        incidents.set_header(["meter", "incident", "from", "to"]);
        incidents.add_rows(history.incidents.iter().map(|one: &IncidentEpisode| {
            let to = one.resolved_at.map_or_else(|| "open".to_owned(), |at| at.to_string());
            [one.meter.to_string(), one.kind.to_string(), one.reported_at.to_string(), to]
        }));
        let mut days = new_table();
        days.set_header(["day", "version", "pending", "spool, bytes", "damaged"]);
        let count = |count: Option<u64>| count.map(|count| count.to_string()).unwrap_or_default();
        days.add_rows(history.days.iter().map(|one: &DeviceDay| {
            let damaged = one.damaged_share.map(|share| share.to_string()).unwrap_or_default();
            let version = one.version.clone().unwrap_or_default();
            [one.day.to_string(), version, count(one.pending), count(one.bytes), damaged]
        }));
        print(format!("{incidents}\n{days}\n"))
    }
}

/// Which device, and why.
#[derive(Debug, clap::Args)]
pub struct Silence {
    /// The device.
    device: Uuid,

    /// Silence it for this reason. Without this and --end its silence is shown.
    #[arg(long, value_name = "TEXT", conflicts_with = "end")]
    reason: Option<String>,

    /// When the silence ends at the latest, such as 2026-02-01T12:00:00Z; without this it ends with
    /// the device's recovery.
    #[arg(long, value_name = "INSTANT", requires = "reason")]
    until: Option<Timestamp>,

    /// End it as soon as nothing is wrong with the device any more.
    #[arg(long, requires = "reason")]
    until_recovery: bool,

    /// End its silence now.
    #[arg(long)]
    end: bool,

    #[command(flatten)]
    api: GroupApi,
}

impl Silence {
    /// Shows, begins or ends it.
    pub fn run(&self) -> CommandResult {
        let manager = self.api.connect(Group::Administrators)?;
        match (&self.reason, self.end) {
            (Some(reason), _) => self.begin(&manager, reason),
            (None, true) => {
                manager.end_silence(self.device).map_err(|error| self.explain(error))?;
                tell!("ebp: alerts are sent again because of device {}", self.device);
                Ok(())
            }
            (None, false) => {
                print_json(&manager.silence(self.device).map_err(|error| self.explain(error))?)
            }
        }
    }

    fn begin(&self, manager: &Manager, reason: &str) -> CommandResult {
        let silence = NewSilence {
            reason: reason.to_owned(),
            ends_at: self.until,
            until_recovery: self.until_recovery,
        };
        print_json(&manager.silence_device(self.device, &silence).map_err(refused)?)
    }

    fn explain(&self, error: ClientError) -> Failure {
        match &error {
            ClientError::Problem { status: 404, .. } => {
                Failure::failed(format!("device {} is not silenced, or there is none", self.device))
                    .remedy("`ebp device silence DEVICE --reason TEXT` silences one")
            }
            _ => refused(error),
        }
    }
}
