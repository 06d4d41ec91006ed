//! `ebp transmit`: what the spool holds goes to the Data API.

use std::{
    io::{self, Write},
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use ebp_core::{
    clock::SystemClock,
    transmitter::{self, Report, TransmitError},
};
use serde_json::json;

use super::read::quiet_at_closed_pipe;
use crate::{
    device::{self, Complaints, Device, wait_for_next_slot},
    exit::{Failure, Outcome},
    tell::tell,
};

/// How long to wait after a failure before trying again within the same report cycle.
const PAUSE: Duration = Duration::from_secs(60);

/// Send the spooled measurements to the Data API.
///
/// A measurement leaves the spool when the server has confirmed it; whatever fails, nothing is lost
/// and sending again doubles nothing.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The device's configuration.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,

    /// Stay and send in every report cycle.
    #[arg(long)]
    every: bool,

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
    if !arguments.every {
        return once(&device, arguments.format);
    }
    let cycle = device.config.cycle.report;
    let mut complaints = Complaints::default();
    loop {
        device.keep_identity();
        let begun = Instant::now();
        match once(&device, arguments.format) {
            Ok(()) => complaints.worked(),
            Err(failure) if device.is_over(&failure) => return Err(failure),
            Err(failure) => {
                complaints.failed(&failure);
                if begun.elapsed() + PAUSE < cycle.duration() {
                    thread::sleep(PAUSE);
                    continue;
                }
            }
        }
        wait_for_next_slot(cycle);
    }
}

/// One report cycle.
fn once(device: &Device, format: Option<ReportFormat>) -> Outcome {
    let report = report(device)?;
    let Report { accepted, duplicate, refused, remaining } = report;
    if format.is_some() {
        let object = json!({
            "accepted": accepted, "duplicate": duplicate, "refused": refused, "remaining": remaining
        });
        quiet_at_closed_pipe(writeln!(io::stdout().lock(), "{object}"))?;
    } else {
        tell!(
            "ebp: sent {} measurements ({duplicate} of them were there already), {remaining} remain",
            accepted + duplicate
        );
    }
    if refused > 0 {
        return Err(Failure::failed(format!("the server refused {refused} measurements")).remedy(
            format!(
                "they are kept with its reasons in {}; ask the administrator",
                device.spool.path().display()
            ),
        ));
    }
    Ok(())
}

/// Asks for the consent and sends everything.
pub fn report(device: &Device) -> Result<Report, Failure> {
    device.may_send()?;
    transmitter::transmit(&device.spool, &device.client, &SystemClock).map_err(
        |error| match error {
            TransmitError::NotGranted => device::not_granted(),
            TransmitError::Revoked => device::revoked(),
            TransmitError::Upload { source, .. } => device::client(*source),
            TransmitError::Spool(error) => device::spool(error),
            error @ TransmitError::Unanswered { .. } => Failure::failed(error)
                .remedy("nothing is lost; tell the administrator if it goes on"),
        },
    )
}
