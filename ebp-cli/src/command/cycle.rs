//! `ebp read --config`: one measurement of every configured meter in each slot, into the spool.
//!
//! Enters: a device's configuration. Leaves: measurements in the spool, and what is to be said.
//! Absent: what is to be done when, which [`ebp_meter::aggregator`] decides; the transmission.

mod consent;
pub mod known;
mod meters;
mod words;

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use ebp_device::keeper::SpoolKeeper;
use ebp_device::spool::SpoolError;
use ebp_meter::aggregator::{Aggregator, Options, Permission, Step, Surroundings, Threads};

use crate::{
    config::{DeviceConfig, MeterEntry},
    device::{self, Device},
    exit::{Context, Failure, Outcome},
    output::phrase::{counted, instant_to_come},
    tell::tell,
};
use consent::Asking;
use words::Words;

/// The longest wait before the clock is looked at, should it have been set.
const LOOK: Duration = Duration::from_secs(1);
/// Renewing the certificate may take as long as the network is patient; there is time for it when
/// nothing else is due for so long.
const ROOM_FOR_RENEWAL: Duration = Duration::from_secs(120);

/// What a measurement cycle did.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Measured {
    /// Meters measured now.
    pub now: usize,
    /// Meters that had been measured in this slot before.
    pub before: usize,
}

/// Measures once, or in every cycle.
pub fn measure(config: &Path, every: bool) -> Outcome {
    let mut device = Device::open(config)?;
    // A full disk is told of by the measuring itself.
    let _ = device.spool.note_component("reader", env!("CARGO_PKG_VERSION"));
    meters::warn_of_names_and_pins(&device.config);
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
fn tell_plan(device: &Device) -> Outcome {
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
    device.may_measure()?;
    let mut run = Run::new(device, true, stop)?;
    run.engine.remember_consent(Permission::Granted);
    let mut words = Words::for_once(run.engine.meters());
    loop {
        let step = run.step(device);
        let is_over = step.is_over;
        for (meter, event) in step.events {
            words.hear(meter, event);
        }
        if is_over || run.is_stopped() {
            break;
        }
        thread::park_timeout(step.next.min(LOOK));
    }
    run.end();
    words.conclusion()
}

/// Until consent is revoked, or a signal comes.
fn for_good(device: &mut Device, stop: &Arc<AtomicBool>) -> Outcome {
    tell_plan(device)?;
    let mut run = Run::new(device, false, stop)?;
    let mut words = Words::for_good(run.engine.meters());
    let known = device.spool.consent().map_err(device::spool)?;
    run.engine.remember_consent(consent::permission(known.map(|known| known.state)));
    let mut asking = Asking::new();
    let mut renewal_is_due = true;
    let outcome = loop {
        if run.is_stopped() {
            break Ok(());
        }
        if let Some(answer) = asking.answer(device) {
            words.hear_consent(answer.failure);
            run.engine.hear_consent(answer.permission, &*device.clock);
            if answer.wants_reopening {
                device.reopen_spool();
            }
        }
        let step = run.step(device);
        let revoked = step.events.iter().any(|(_, event)| words::is_revoked(event));
        if step.events.iter().any(|(_, event)| words::is_spool_gone(event)) {
            device.reopen_spool();
        }
        for (meter, event) in step.events {
            words.hear(meter, event);
        }
        if step.placed > 0 {
            let have = if step.placed == 1 { "has" } else { "have" };
            let placed = counted(step.placed, "measurement");
            tell!("ebp: the clock is right now: {placed} {have} got the true time");
        }
        if step.is_over || revoked {
            break Err(device::revoked());
        }
        if step.ask_consent {
            asking.ask(device);
            renewal_is_due = true;
        }
        let cycle = device.config.cycle.measurement.duration();
        if renewal_is_due && step.next > ROOM_FOR_RENEWAL.min(cycle / 2) {
            device.keep_identity();
            renewal_is_due = false;
            continue;
        }
        thread::park_timeout(step.next.min(LOOK));
    };
    run.end();
    outcome
}

/// The cycle on this machine's heads.
struct Run {
    engine: Aggregator,
    heads: Threads,
    stop: Arc<AtomicBool>,
}

impl Run {
    fn new(device: &Device, once: bool, stop: &Arc<AtomicBool>) -> Result<Self, Failure> {
        let cycle = &device.config.cycle;
        let options = Options {
            cycle: cycle.measurement,
            timeout: cycle.timeout,
            unlock_after: cycle.unlock_after,
            incident_after: cycle.incident_after,
            once,
        };
        let meters = meters::configured(&device.config);
        let waiting = thread::current();
        let around = Surroundings {
            clock: Arc::clone(&device.clock),
            tries: meters::tries(&device.config),
            stop: Arc::clone(stop),
            notify: Arc::new(move || waiting.unpark()),
        };
        let heads = Threads::new(&meters, around);
        Ok(Self { engine: Aggregator::new(meters, options), heads, stop: Arc::clone(stop) })
    }

    fn step(&mut self, device: &Device) -> Step<SpoolError> {
        self.engine.step(&*device.clock, &mut SpoolKeeper(&device.spool), &mut self.heads)
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Heads that shine go dark before the process ends.
    fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.heads.darken();
    }
}
