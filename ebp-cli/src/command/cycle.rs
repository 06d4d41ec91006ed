//! `ebp read --config`: one measurement of every configured meter in each slot, into the spool.
//!
//! Enters: a device's configuration. Leaves: measurements in the spool, and what is to be said.
//! Absent: what is to be done when, which [`ebp_device::daemon`] decides; the transmission.

pub mod event_log;
pub mod known;
mod meters;

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use ebp_device::{
    config::{DeviceConfig, MeterEntry},
    consent::Decision,
    daemon::{self, End, MeasuringEvent, OneCycle},
    device::Device,
    spool::SpoolError,
};

use ebp_meter::interface::Registry;

use crate::{
    command::{device_clock, publish::DeviceOutputs},
    exit::{CommandResult, Context, Failure, device},
    output::phrase::{counted, instant_to_come},
    tell::tell,
};
use event_log::{EventLog, Measured};

/// The longest wait before the clock is looked at, should it have been set.
const LOOK: Duration = Duration::from_secs(1);

/// Measures once, or in every cycle.
pub fn measure(config: &Path, every: bool) -> CommandResult {
    let mut device = Device::open_for_measuring(config)?;
    // A full disk is reported by the measuring itself.
    let _ = device.spool.note_component("reader", env!("CARGO_PKG_VERSION"));
    meters::warn_of_names_and_pins(&device.config);
    device_clock::warn_of_what_is_hidden(&device.config);
    known::tell_of_others(&device);
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stop)).or_failed("signals")?;
    }
    if every {
        return for_good(&mut device, &stop);
    }
    let measured = once_until(&device, &stop)?;
    let before = match measured.before {
        0 => String::new(),
        1 => " (1 was measured in this slot before)".to_owned(),
        before => format!(" ({before} were measured in this slot before)"),
    };
    tell!("ebp: measured {}{before}", counted(measured.now, "meter"));
    Ok(())
}

/// Tells what a daemon measures, and when next.
fn tell_plan(device: &Device) -> CommandResult {
    let DeviceConfig { cycle, meters, .. } = &device.config;
    let place = |meter: &MeterEntry| format!("{} at {}", meter.model, meter.port);
    let places = meters.iter().map(place).collect::<Vec<_>>().join(", ");
    let when = if device.spool.knows_the_time(&*device.clock).map_err(device::spool)? {
        let (now, cycle) = (device.clock.now(), cycle.measurement);
        let slot = cycle.slot(now);
        let is_measured = |meter: &MeterEntry| device.spool.has_slot(meter.uuid, slot);
        let measured: Result<Vec<bool>, SpoolError> = meters.iter().map(is_measured).collect();
        let is_due = measured.map_err(device::spool)?.contains(&false);
        let next = instant_to_come(now, cycle.until_next(now));
        format!("{}next {next}", if is_due { "now, " } else { "" })
    } else {
        "each minute until the clock is right".to_owned()
    };
    let (count, cycle) = (counted(meters.len(), "meter"), cycle.measurement);
    tell!("ebp: measuring {count} every {cycle} ({places}): {when}");
    Ok(())
}

/// One measurement cycle: consent first, then every meter that is not measured in this slot yet.
#[cfg(feature = "server")]
pub fn once(device: &Device) -> Result<Measured, Failure> {
    once_until(device, &Arc::default())
}

fn once_until(device: &Device, stop: &Arc<AtomicBool>) -> Result<Measured, Failure> {
    ask_permission(device)?;
    let (meters, heads) =
        daemon::heads(device, &Registry::embedded(), meters::tries(&device.config), stop);
    let mut cycle = OneCycle::new(device, meters, heads);
    let mut log = EventLog::for_once(&device.config.meters);
    loop {
        let step = cycle.step(device);
        for (meter, event) in step.events {
            log.hear(meter, event);
        }
        if step.is_over || stop.load(Ordering::Relaxed) {
            break;
        }
        thread::park_timeout(step.next.min(LOOK));
    }
    stop.store(true, Ordering::Relaxed);
    cycle.heads_mut().darken();
    log.conclusion()
}

/// Until consent is revoked, or a signal comes.
fn for_good(device: &mut Device, stop: &Arc<AtomicBool>) -> CommandResult {
    tell_plan(device)?;
    let mut log = EventLog::for_good(&device.config.meters);
    let tries = meters::tries(&device.config);
    let mut outputs = DeviceOutputs::start(device)?;
    let hear = |event| match (event, &mut outputs) {
        (MeasuringEvent::Heard(meter, telegram), Some(outputs)) => outputs.hear(meter, &telegram),
        (event, _) => log.hear_daemon(event),
    };
    match daemon::measure(device, Registry::embedded(), tries, stop, hear).map_err(device::spool)? {
        End::Stopped => Ok(()),
        End::Revoked => Err(device::revoked()),
    }
}

/// Fails unless the device may measure now.
fn ask_permission(device: &Device) -> CommandResult {
    match device.may_measure().map_err(device::spool)? {
        Decision::Granted { unasked, .. } => {
            if let Some(error) = unasked {
                tracing::warn!(%error, "consent could not be asked for; it was granted");
            }
            Ok(())
        }
        Decision::NotGranted => Err(device::not_granted()),
        Decision::Revoked => Err(device::revoked()),
        Decision::Unknown(error) => Err(device::client(error)),
    }
}
