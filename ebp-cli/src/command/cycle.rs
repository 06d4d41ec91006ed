//! `ebp read --config`: one measurement of every configured meter in each slot, into the spool.

use std::{path::Path, thread, time::Duration};

use ebp_core::{
    clock::{Clock, SystemClock},
    spool::{SpoolError, Stored},
};
use ebp_meter::{
    aggregator::{self, ConfiguredMeter, MeasureError, ReadError},
    session::ReadOptions,
};

use crate::{
    config::MeterEntry,
    device::{self, Complaints, Device, wait_for_next_slot},
    exit::{Code, Failure, Outcome},
    tell::tell,
};

/// How long to wait after a failed reading before trying again within the same slot.
const PAUSE: Duration = Duration::from_secs(5);

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
    if !every {
        let measured = once(&device)?;
        tell!(
            "ebp: measured {} meters ({} were measured in this slot before)",
            measured.now,
            measured.before
        );
        return Ok(());
    }
    let cycle = device.config.cycle.measurement;
    let mut complaints = Complaints::default();
    loop {
        device.keep_identity();
        let slot = cycle.slot(SystemClock.now());
        match once(&device) {
            Ok(_) => complaints.worked(),
            Err(failure) if device.is_over(&failure) => return Err(failure),
            Err(failure) => {
                complaints.failed(&failure);
                // Without consent there is nothing to try again before the next slot.
                if failure.code != Code::NoConsent {
                    thread::sleep(PAUSE.min(cycle.until_next(SystemClock.now())));
                    continue;
                }
            }
        }
        if cycle.slot(SystemClock.now()) == slot {
            wait_for_next_slot(cycle);
        }
    }
}

/// One measurement cycle: consent first, then every meter that is not measured in this slot yet.
pub fn once(device: &Device) -> Result<Measured, Failure> {
    device.may_measure()?;
    let meters: Vec<_> = device.config.meters.iter().map(configured).collect();
    let timeout = device.config.cycle.timeout;
    let results = aggregator::measure_all(
        &meters,
        device.config.cycle.measurement,
        &SystemClock,
        |meter, slot| device.spool.has_slot(meter, slot),
        |meter| aggregator::read_meter(meter, timeout),
        |measurement, slot| Ok(device.spool.store(measurement, slot)? == Stored::Stored),
    );
    let mut measured = Measured::default();
    let mut failures = Vec::new();
    for (meter, (_, result)) in meters.iter().zip(results) {
        match result {
            Ok(aggregator::Outcome::Measured(_)) => measured.now += 1,
            Ok(aggregator::Outcome::AlreadyMeasured) => measured.before += 1,
            Err(error) => failures.push(explain(meter, error)),
        }
    }
    match failures.len() {
        0 => Ok(measured),
        1 => Err(failures.remove(0)),
        count => {
            for failure in &failures[1..] {
                tell!("ebp: {failure}");
            }
            let mut first = failures.remove(0);
            first.message = format!(
                "{count} of {} meters could not be measured; {}",
                meters.len(),
                first.message
            );
            Err(first)
        }
    }
}

fn configured(entry: &MeterEntry) -> ConfiguredMeter {
    ConfiguredMeter {
        uuid: entry.uuid,
        model: Some(entry.model.clone()),
        port: entry.port.clone(),
        options: ReadOptions { protocol: entry.protocol, baud: entry.baud },
    }
}

fn explain(meter: &ConfiguredMeter, error: MeasureError<ReadError, SpoolError>) -> Failure {
    let name = format!("meter {} at {}", meter.uuid, meter.port);
    match error {
        MeasureError::Read(ReadError::Port(error)) => error.into(),
        MeasureError::Read(error) => Failure::new(Code::NothingRead, format!("{name}: {error}"))
            .remedy("check that the reading head sits on the meter's optical port"),
        MeasureError::NoSurveyValues => {
            Failure::failed(format!("{name} sends no values of the survey"))
                .remedy("`ebp read --all` shows what it sends; it may be locked")
        }
        MeasureError::Keep(error) => device::spool(error),
        MeasureError::Crashed => Failure::failed(format!("{name}: {error}")),
    }
}
