//! `ebp transmit`: what the spool holds goes to the Data API.

use std::{path::PathBuf, thread, time::Duration};

use ebp_client::identity;
use ebp_core::model::Measurement;
use ebp_device::transmitter::{Outcome as Step, Report, ReportEngine, Reported, Schedule};
use serde_json::json;
use uuid::Uuid;

use crate::{
    config::DeviceConfig,
    device::{self, Complaints, Device},
    exit::{Failure, Outcome},
    output::phrase::{counted, instant_to_come, values},
    stdout::print,
    tell::tell,
};

/// How often a waiting daemon looks at the clock, which may be set meanwhile.
const LOOK: Duration = Duration::from_secs(1);

/// How long a daemon waits when its spool has failed, so that not even that could be kept: at first,
/// and at most. Each try asks the server.
const FIRST_SPOOL_WAIT: Duration = Duration::from_secs(5);
const LONGEST_SPOOL_WAIT: Duration = Duration::from_secs(600);

/// So many measurements are told one by one before they are sent.
const MOST_TOLD: usize = 100;

/// The name of this part of the device, whose version the status tells.
const COMPONENT: &str = "transmitter";

/// Send the spooled measurements to the Data API.
///
/// A measurement leaves the spool when the server has confirmed it; whatever fails, nothing is lost
/// and sending again doubles nothing. Trouble with meters and how the device is are told with it.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The device's configuration.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,

    /// Stay and send in every report cycle, each device at a time of its own.
    #[arg(long)]
    every: bool,

    /// Send only what that would send now: for a timer that starts this command every minute.
    #[arg(long, conflicts_with = "every")]
    due: bool,

    /// Print what became of the measurements as one JSON object.
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<ReportFormat>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum ReportFormat {
    /// One JSON object on standard output.
    Json,
}

/// Sends once, or in every report cycle.
pub fn run(arguments: &Arguments) -> Outcome {
    let mut device = Device::open(&arguments.config)?;
    let mut engine = engine(&device)?;
    let clock = device.clock.clone();
    let clock = clock.as_ref();
    if arguments.due && !engine.due_in(clock).is_zero() {
        return Ok(());
    }
    if !arguments.every {
        return once(&device, &mut engine, arguments.format);
    }
    tell_plan(&device, &engine);
    let mut complaints = Complaints::default();
    let mut spool_wait = FIRST_SPOOL_WAIT;
    loop {
        let wait = engine.due_in(clock);
        if !wait.is_zero() {
            thread::sleep(wait.min(LOOK));
            continue;
        }
        device.keep_identity();
        match once(&device, &mut engine, arguments.format) {
            Ok(()) => {
                complaints.worked();
                spool_wait = FIRST_SPOOL_WAIT;
            }
            Err(failure) if device.is_over(&failure) => return Err(failure),
            Err(failure) => {
                complaints.failed(&failure);
                if engine.due_in(clock).is_zero() {
                    // The spool failed, so that not even the failure could be kept.
                    thread::sleep(spool_wait);
                    spool_wait = LONGEST_SPOOL_WAIT.min(spool_wait * 2);
                    device.reopen_spool();
                }
            }
        }
    }
}

/// Tells where a daemon sends to, and when next.
fn tell_plan(device: &Device, engine: &ReportEngine) {
    let (clock, wait) = (device.clock.as_ref(), engine.due_in(device.clock.as_ref()));
    let when = if wait.is_zero() { "now".to_owned() } else { instant_to_come(clock.now(), wait) };
    let DeviceConfig { api, cycle, .. } = &device.config;
    tell!("ebp: sending to {} every {}: next {when}", api.url, cycle.report);
}

/// With -v, what is about to be sent.
fn tell_values(device: &Device) {
    if !tracing::enabled!(tracing::Level::INFO) {
        return;
    }
    // What is wrong with the spool is told by the report itself.
    let Ok(pending) = device.spool.pending(MOST_TOLD) else { return };
    for Measurement { meter, measured_at, data, .. } in &pending {
        tracing::info!("sending: meter {meter}: {}, measured at {measured_at}", values(data));
    }
    let rest = device.spool.len().unwrap_or_default().saturating_sub(pending.len() as u64);
    if rest > 0 {
        tracing::info!("sending: {} more", counted(rest, "measurement"));
    }
}

/// The report cycle of this device.
fn engine(device: &Device) -> Result<ReportEngine, Failure> {
    let meters: Vec<Uuid> = device.config.meters.iter().map(|meter| meter.uuid).collect();
    // Whoever has no device's certificate is known by its meters.
    let own = identity::device_of(&device.config.api.certificate).or(meters.first().copied());
    let schedule = Schedule::of(own.unwrap_or_default(), device.config.cycle.report);
    // A full disk must not keep what is there from being sent.
    let _ = device.spool.note_component(COMPONENT, env!("CARGO_PKG_VERSION"));
    ReportEngine::new(schedule, meters, &device.spool).map_err(device::spool)
}

/// One report.
fn once(device: &Device, engine: &mut ReportEngine, format: Option<ReportFormat>) -> Outcome {
    tell_values(device);
    let reported = report_now(device, engine)?;
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
            n => format!("; told {}", counted(n, "incident")),
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
    Ok(report_now(device, &mut engine(device)?)?.measurements)
}

fn report_now(device: &Device, engine: &mut ReportEngine) -> Result<Reported, Failure> {
    let clock = device.clock.as_ref();
    if let Some(wait) = engine.asked_to_wait(clock) {
        let minutes = wait.as_secs().div_ceil(60);
        return Err(Failure::failed(format!(
            "the server asked not to be called for another {}",
            counted(minutes, "minute")
        ))
        .remedy("nothing is lost; try again then"));
    }
    match engine.report(&device.spool, &device.client, clock, random()).map_err(device::spool)? {
        Step::Reported(reported) => Ok(reported),
        Step::NotDue => Ok(Reported::default()),
        Step::NotGranted => Err(device::not_granted()),
        Step::Over => Err(device::revoked()),
        Step::Failed { source, .. } => Err(device::client(*source)),
        Step::Unanswered { sent, .. } => Err(Failure::failed(format!(
            "the server's answer says nothing of what was sent: {}",
            counted(sent, "measurement")
        ))
        .remedy("nothing is lost; tell the administrator if it goes on")),
    }
}

/// A fresh random number.
fn random() -> u32 {
    Uuid::new_v4().as_fields().0
}
