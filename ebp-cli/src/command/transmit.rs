//! `ebp transmit`: what the spool holds goes to the Data API.

use std::{
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};

use ebp_core::model::Measurement;
use ebp_device::{
    config::DeviceConfig,
    daemon::{self, Reporting},
    device::Device,
    metrics_file,
    spool::SpoolError,
    transmitter::{Report, ReportOutcome as Sent, Reported, TRANSMITTER},
};
use serde_json::json;

use crate::{
    command::cycle::event_log,
    error_report,
    exit::{Code, CommandResult, Failure, device},
    failure_log::FailureLog,
    output::phrase::{counted, instant_to_come, values},
    stdout::print,
    tell::tell,
};

/// Up to this many measurements are printed one by one before they are sent.
const MOST_TOLD: usize = 100;

/// Send the spooled measurements to the Data API.
///
/// A measurement is deleted from the spool when the server has confirmed it: whatever fails,
/// nothing is lost, and nothing is stored twice. Meters' incidents and the device's status are sent
/// as well.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The device's configuration.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,

    /// Keep running and send in every report cycle, each device at a different minute.
    #[arg(long)]
    every: bool,

    /// Send only if --every would send now: for a timer that starts this command every minute.
    #[arg(long, conflicts_with = "every")]
    due: bool,

    /// Print the result as one JSON object.
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<ReportFormat>,
}

impl Arguments {
    /// The device's configuration.
    pub fn config(&self) -> Option<&Path> {
        Some(&self.config)
    }
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum ReportFormat {
    /// One JSON object on standard output.
    Json,
}

/// Sends once, or in every report cycle.
pub fn run(arguments: &Arguments) -> CommandResult {
    let mut device = Device::open(&arguments.config)?;
    let mut reporting = reporting(&device, &arguments.config)?;
    if arguments.due && !reporting.due_in(&device).is_zero() {
        return Ok(());
    }
    if !arguments.every {
        return once(&device, &mut reporting, arguments.format);
    }
    tell_plan(&device, &reporting);
    let (mut failures, mut metrics) = (FailureLog::default(), FailureLog::default());
    let stop = AtomicBool::new(false);
    daemon::report(&mut device, &mut reporting, &stop, tell_values, |device, step| {
        match step.certificate {
            Some(Ok(certificate)) => event_log::hear_certificate(&certificate),
            Some(Err(error)) => event_log::hear_not_renewed(error),
            None => {}
        }
        match step.frontend {
            Some(Ok(Some(until))) => event_log::hear_frontend(until),
            Some(Err(error)) => event_log::hear_frontend_not_renewed(error),
            Some(Ok(None)) | None => {}
        }
        match write_metrics(device) {
            Ok(()) => metrics.worked(),
            Err(failure) => metrics.failed(&failure),
        }
        let Some(outcome) = step.outcome else { return };
        match explained(outcome).and_then(|sent| tell(device, sent, arguments.format)) {
            Ok(()) => failures.worked(),
            // The exit reports it.
            Err(_) if step.is_over => {}
            Err(failure) => failures.failed(&failure),
        }
    });
    Err(device::revoked())
}

/// Tells where a daemon sends to, and when next.
fn tell_plan(device: &Device, reporting: &Reporting) {
    let (clock, wait) = (device.clock.as_ref(), reporting.due_in(device));
    let when = if wait.is_zero() { "now".to_owned() } else { instant_to_come(clock.now(), wait) };
    let DeviceConfig { api, cycle, .. } = &device.config;
    tell!("ebp: sending to {} every {}: next {when}", api.url, cycle.report);
}

/// With -v, what is about to be sent.
fn tell_values(device: &Device) {
    if !tracing::enabled!(tracing::Level::INFO) {
        return;
    }
    // An error of the spool is reported by the report itself.
    let Ok(pending) = device.spool.pending(MOST_TOLD) else { return };
    for Measurement { meter, measured_at, data, .. } in &pending {
        tracing::info!("sending: meter {meter}: {}, measured at {measured_at}", values(data));
    }
    let rest = device.spool.len().unwrap_or_default().saturating_sub(pending.len() as u64);
    if rest > 0 {
        tracing::info!("sending: {} more", counted(rest, "measurement"));
    }
}

/// The reporting daemon of this device, which tells of the errors of its programs, too.
fn reporting(device: &Device, config: &Path) -> Result<Reporting, Failure> {
    let reporting = plain_reporting(device)?;
    Ok(match error_report::source(config) {
        Some(errors) => reporting.with_errors(errors),
        None => reporting,
    })
}

fn plain_reporting(device: &Device) -> Result<Reporting, Failure> {
    // A full disk must not prevent sending.
    let _ = device.spool.note_component(TRANSMITTER, env!("CARGO_PKG_VERSION"));
    Reporting::new(device).map_err(device::spool)
}

/// One report.
fn once(device: &Device, reporting: &mut Reporting, format: Option<ReportFormat>) -> CommandResult {
    tell_values(device);
    let reported = report_now(device, reporting);
    // What was sent is sent, whether or not it can be told.
    if let Err(failure) = write_metrics(device) {
        tell!("ebp: {failure}");
    }
    tell(device, reported?, format)
}

/// Tells node_exporter how the device is, if it is configured.
fn write_metrics(device: &Device) -> CommandResult {
    metrics_file::write(device, env!("CARGO_PKG_VERSION")).map_err(|error| {
        Failure::caused_by(Code::Failed, &error).remedy(
            "let this user write there: the unit's ReadWritePaths= and the folder's permissions",
        )
    })
}

/// Tells what a report came to.
fn tell(device: &Device, reported: Reported, format: Option<ReportFormat>) -> CommandResult {
    let Reported { measurements, incidents, status } = reported;
    let Report { accepted, duplicate, refused, remaining } = measurements;
    if format.is_some() {
        let unplaced = device.spool.unplaced_len().map_err(device::spool)?;
        let object = json!({
            "accepted": accepted, "duplicate": duplicate, "refused": refused, "remaining": remaining,
            "unplaced": unplaced, "incidents": incidents, "status": status
        });
        print(format!("{object}\n"))?;
    } else {
        let sent = counted(accepted + duplicate, "measurement");
        let there = match duplicate {
            0 => String::new(),
            1 => " (1 of them was there already)".to_owned(),
            n => format!(" ({n} of them were there already)"),
        };
        let remain = if remaining == 1 { "remains" } else { "remain" };
        let told = match incidents {
            0 => String::new(),
            n => format!("; reported {}", counted(n, "incident")),
        };
        tell!("ebp: sent {sent}{there}, {remaining} {remain}{told}");
    }
    if refused > 0 {
        let refused = counted(refused, "measurement");
        return Err(Failure::failed(format!("the server refused {refused}")).remedy(format!(
            "what it refused is kept in {}; `ebp device status --config` shows the reasons",
            device.spool.path().display()
        )));
    }
    Ok(())
}

/// Asks for the consent and sends everything.
#[cfg(feature = "server")]
pub fn report(device: &Device) -> Result<Report, Failure> {
    Ok(report_now(device, &mut plain_reporting(device)?)?.measurements)
}

fn report_now(device: &Device, reporting: &mut Reporting) -> Result<Reported, Failure> {
    if let Some(wait) = reporting.asked_to_wait(device) {
        let minutes = wait.as_secs().div_ceil(60);
        return Err(Failure::failed(format!(
            "the server asked not to be called for another {}",
            counted(minutes, "minute")
        ))
        .remedy("nothing is lost; try again then"));
    }
    explained(reporting.report(device, daemon::random()))
}

fn explained(outcome: Result<Sent, SpoolError>) -> Result<Reported, Failure> {
    match outcome.map_err(device::spool)? {
        Sent::Reported(reported) => Ok(reported),
        Sent::NotDue => Ok(Reported::default()),
        Sent::NotGranted => Err(device::not_granted()),
        Sent::Over => Err(device::revoked()),
        Sent::Failed { source, .. } => Err(device::client(*source)),
        Sent::Unanswered { sent, .. } => Err(Failure::failed(format!(
            "the server's answer says nothing of what was sent: {}",
            counted(sent, "measurement")
        ))
        .remedy("nothing is lost; tell the administrator if it persists")),
    }
}
