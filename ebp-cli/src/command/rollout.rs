//! `ebp rollout`: a version that devices go over to in steps, over the Data API.
//!
//! Enters: a version, who goes first, what is to be done. Leaves: where the roll-out stands. Absent: when
//! a step is over and when it halts, which the server decides.

use std::time::Duration;

use clap::Subcommand;
use ebp_client::{ClientError, Manager};
use ebp_core::{
    contract::{
        NewRollout, Rollout, RolloutAction, RolloutDevice, RolloutDeviceState, RolloutReport,
        RolloutState, is_program_version, problem_type,
    },
    scope::Group,
};
use uuid::Uuid;

use super::{
    group_api::{self, GroupApi},
    heading::OUTPUT,
};
use crate::{
    exit::{CommandResult, Failure, chain},
    output::{Format, TableFormat, list, new_table},
    stdout::{print, print_json},
};

/// Let devices go over to a version in steps, and see how far they are.
///
/// The first devices go over before all others, and then a share of them after the other. A step is
/// looked at for a day after its last device has gone over. When too many devices fail, or one of the
/// first step says nothing any more, it halts and never goes on by itself. The version has to be
/// published before: a device takes only what people have signed.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    api: GroupApi,

    /// Your initials, for the history of the roll-out.
    #[arg(long, global = true, value_name = "INITIALS")]
    label: Option<String>,

    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Begin a roll-out.
    Start {
        /// The version.
        #[arg(value_name = "VERSION", value_parser = parse_version)]
        release: String,

        /// A device that goes first; may be given several times.
        #[arg(long, value_name = "DEVICE")]
        first: Vec<Uuid>,

        /// Up to which share of all devices each step goes.
        #[arg(long, value_name = "SHARES", value_delimiter = ',', value_parser = parse_share,
              default_value = "5%,25%,100%")]
        steps: Vec<u8>,

        /// How long a step is looked at after its last device has gone over.
        #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration,
              default_value = "24h")]
        soak: Duration,
    },
    /// List roll-outs, in the order in which they began.
    List {
        /// How they are printed; JSON is one object a line.
        #[arg(long, value_enum, default_value_t = Format::Table, help_heading = OUTPUT)]
        format: Format,
    },
    /// Show a roll-out with its devices, those that failed first.
    Show {
        /// Which; the latest without it.
        rollout: Option<Uuid>,

        /// How it is printed.
        #[arg(long, value_enum, default_value = "table", help_heading = OUTPUT)]
        format: TableFormat,
    },
    /// Go on with the next step at once; devices that failed are excused.
    Advance(Steered),
    /// Offer the version to no further device; those under way finish.
    Halt(Steered),
    /// Go on after a halt; devices that failed are excused.
    Resume(Steered),
    /// End a roll-out for good.
    ///
    /// Devices that have gone over stay so, others stay on what they run. To go back, people who sign
    /// have to recall the version (`ebp release recall`).
    End(Steered),
}

#[derive(Debug, clap::Args)]
struct Steered {
    /// Which; the latest without it.
    rollout: Option<Uuid>,

    /// Only if it is still of that revision, as `ebp rollout show` shows it.
    #[arg(long, value_name = "REVISION")]
    revision: Option<u64>,
}

fn parse_version(text: &str) -> Result<String, String> {
    match is_program_version(text) {
        true => Ok(text.to_owned()),
        false => Err("is no version: write one such as 1.4.2".to_owned()),
    }
}

fn parse_share(text: &str) -> Result<u8, String> {
    let number = text.trim().trim_end_matches('%').parse().ok();
    number
        .filter(|share| (1..=100).contains(share))
        .ok_or_else(|| "is no share: write one such as 25%".to_owned())
}

/// Does as the arguments say.
pub fn run(arguments: &Arguments) -> CommandResult {
    let manager = arguments.api.connect(Group::Administrators)?;
    let manager = manager.with_label(arguments.label.clone());
    match &arguments.action {
        Action::Start { release, first, steps, soak } => {
            let new = NewRollout {
                version: release.clone(),
                first: first.clone(),
                steps: Some(steps.clone()),
                soak: Some(soak.as_secs()),
            };
            let rollout = explain(manager.begin_rollout(&new))?;
            show(&explain(manager.rollout(rollout.uuid))?, TableFormat::Table)
        }
        Action::List { format } => print(list::list(*format, HEADER, true, &all(&manager)?, row)?),
        Action::Show { rollout, format } => {
            let rollout = chosen(&manager, *rollout)?;
            show(&explain(manager.rollout(rollout))?, *format)
        }
        Action::Advance(steered) => steered.steer(manager, RolloutAction::Advance),
        Action::Halt(steered) => steered.steer(manager, RolloutAction::Halt),
        Action::Resume(steered) => steered.steer(manager, RolloutAction::Resume),
        Action::End(steered) => steered.steer(manager, RolloutAction::End),
    }
}

impl Steered {
    fn steer(&self, manager: Manager, action: RolloutAction) -> CommandResult {
        let rollout = chosen(&manager, self.rollout)?;
        let manager = manager.with_version(self.revision.map(|it| format!("\"{it}\"")));
        show(&explain(manager.steer_rollout(rollout, action))?, TableFormat::Table)
    }
}

/// The answer, or the refusal with its remedy.
fn explain<T>(answer: Result<T, ClientError>) -> Result<T, Failure> {
    answer.map_err(|error| match &error {
        ClientError::Problem { kind, .. } if kind == problem_type::ROLLOUT_STATE => {
            Failure::failed(chain(&error)).remedy(
                "`ebp rollout show` shows how it stands; `ebp rollout end` ends one so that another \
                 can begin",
            )
        }
        ClientError::Problem { kind, .. } if kind == problem_type::CHANGED => {
            Failure::failed(chain(&error)).remedy(
                "somebody changed it: `ebp rollout show` shows it as it is now, with its revision",
            )
        }
        ClientError::Problem { status: 404, .. } => Failure::failed(chain(&error)).remedy(
            "`ebp rollout list` shows the roll-outs there are, and `ebp device list` the devices",
        ),
        ClientError::Problem { status: 400 | 422, .. } => Failure::failed(chain(&error)).remedy(
            "shares rise up to 100, the soak is 30 days at most, and no device is named twice",
        ),
        _ => group_api::refused(Group::Administrators, error),
    })
}

fn all(manager: &Manager) -> Result<Vec<Rollout>, Failure> {
    let mut rollouts = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let page = explain(manager.rollouts(cursor.as_deref()))?;
        rollouts.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return Ok(rollouts);
        }
    }
}

fn chosen(manager: &Manager, named: Option<Uuid>) -> Result<Uuid, Failure> {
    let latest = match named {
        Some(named) => Some(named),
        None => all(manager)?.last().map(|rollout| rollout.uuid),
    };
    latest.ok_or_else(|| {
        Failure::failed("there never was a roll-out")
            .remedy("`ebp rollout start VERSION --first DEVICE` begins one")
    })
}

const HEADER: [&str; 6] = ["rollout", "version", "state", "step", "begun_at", "revision"];

fn row(rollout: &Rollout) -> [String; 6] {
    [
        rollout.uuid.to_string(),
        rollout.version.clone(),
        describe_state(rollout),
        describe_step(rollout),
        rollout.created_at.to_string(),
        rollout.revision.to_string(),
    ]
}

fn describe_state(rollout: &Rollout) -> String {
    match rollout.halt {
        Some(halt) => format!("{} ({halt})", rollout.state),
        None => rollout.state.to_string(),
    }
}

fn describe_step(rollout: &Rollout) -> String {
    let (step, steps) = (u32::from(rollout.step) + 1, rollout.steps.len());
    let share = match rollout.share() {
        0 => "the first devices".to_owned(),
        share => format!("{share} %"),
    };
    format!("{step} of {steps}: {share}")
}

fn show(report: &RolloutReport, format: TableFormat) -> CommandResult {
    match format {
        TableFormat::Json => print_json(report),
        TableFormat::Table => print(describe(report)),
    }
}

fn describe(report: &RolloutReport) -> String {
    let RolloutReport { rollout, devices, events, .. } = report;
    let mut table = new_table();
    table.set_header(["roll-out", &rollout.uuid.to_string()]);
    table.add_row(["version", &rollout.version]);
    table.add_row(["state", &describe_state(rollout)]);
    table.add_row(["step", &describe_step(rollout)]);
    table.add_row(["in it since", &rollout.step_since.to_string()]);
    table.add_row(["revision", &rollout.revision.to_string()]);
    for state in RolloutDeviceState::ALL {
        let count = report.count(*state);
        if count > 0 {
            table.add_row([format!("devices {state}"), count.to_string()]);
        }
    }
    for event in events.iter().take(5) {
        let by = event.by.as_deref().unwrap_or("the server");
        let step = u32::from(event.step) + 1;
        table.add_row([event.at.to_string(), format!("{}, step {step}, by {by}", event.state)]);
    }
    let mut text = format!("{table}\n");
    let listed: Vec<_> = devices.iter().filter(|device| is_listed(device)).collect();
    if !listed.is_empty() {
        let mut table = new_table();
        table.set_header(["device", "state", "version", "last report", "reason"]);
        for device in listed {
            let last_report = device.last_report.map(|at| at.to_string());
            table.add_row([
                device.device.to_string(),
                device.state.to_string(),
                device.version.clone().unwrap_or_default(),
                last_report.unwrap_or_default(),
                device.reason.clone().unwrap_or_default(),
            ]);
        }
        text.push_str(&format!("{table}\n"));
    }
    if rollout.state == RolloutState::Running && report.count(RolloutDeviceState::Failed) > 0 {
        text.push_str("A device has failed: the step is not passed until `ebp rollout advance`.\n");
    }
    text
}

/// Devices with which something is; the others are counted.
fn is_listed(device: &RolloutDevice) -> bool {
    device.state <= RolloutDeviceState::Excused
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_versions_are_read_as_they_are_written() {
        assert_eq!(parse_share("5%"), Ok(5));
        assert_eq!(parse_share(" 100 "), Ok(100));
        for wrong in ["0", "101%", "5.5%", "%", "-1", ""] {
            assert!(parse_share(wrong).is_err(), "{wrong}");
        }
        assert!(parse_version("1.4.2").is_ok() && parse_version("latest").is_err());
    }

    #[test]
    fn a_failure_that_holds_up_a_step_is_said() {
        let at: jiff::Timestamp = "2026-12-01T00:00:00Z".parse().unwrap();
        let rollout = Rollout {
            uuid: Uuid::nil(),
            version: "1.4.2".to_owned(),
            steps: vec![0, 5, 100],
            soak: 60,
            state: RolloutState::Running,
            halt: None,
            step: 0,
            step_since: at,
            revision: 3,
            created_at: at,
        };
        let failed = RolloutDevice {
            device: Uuid::from_u128(1),
            state: RolloutDeviceState::Failed,
            step: Some(0),
            version: Some("1.4.1".to_owned()),
            last_report: Some(at),
            reason: Some("read.service was restarted 3 times".to_owned()),
        };
        let waiting = RolloutDevice {
            device: Uuid::from_u128(2),
            state: RolloutDeviceState::Waiting,
            reason: None,
            ..failed.clone()
        };
        let counts = [("failed".to_owned(), 1), ("waiting".to_owned(), 1)].into();
        let devices = vec![failed, waiting];
        let report = RolloutReport { rollout, counts, devices, events: Vec::new() };
        let text = describe(&report);
        for said in [
            "1 of 3: the first devices",
            "read.service was restarted 3 times",
            "the step is not passed until `ebp rollout advance`",
        ] {
            assert!(text.contains(said), "{said}: {text}");
        }
        let waiting = Uuid::from_u128(2).to_string();
        assert!(!text.contains(&waiting), "devices with which nothing is are counted: {text}");
    }
}
