//! Runs the daemons on this machine, with its reading heads, clock and threads.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use ebp_meter::{
    aggregator::{ConfiguredMeter, Threads},
    interface::{Environment, Registry},
    unlock::Tries,
};
use uuid::Uuid;

use super::{ConsentThread, Measuring, MeasuringEvent, Reporting, ReportingStep};
use crate::{device::Device, meters, socket::Socket, spool::SpoolError};

/// The longest wait before the clock is read again, because it may be set meanwhile.
const LOOK: Duration = Duration::from_secs(1);

/// Why a daemon ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It was stopped.
    Stopped,
    /// Consent is revoked for good.
    Revoked,
}

/// The configured meters with their drivers out of that registry, and this machine's reading heads at
/// them. Each of their reports unparks this thread.
#[must_use]
pub fn heads(
    device: &Device,
    registry: &Registry,
    tries: Tries,
    stop: &Arc<AtomicBool>,
) -> (Vec<ConfiguredMeter>, Threads) {
    let meters = meters::configured(&device.config, registry);
    let waiting = thread::current();
    let environment = Environment {
        clock: device.clock.clone(),
        ..Environment::for_machine(tries, Arc::clone(stop))
    };
    let notify = Arc::new(move || waiting.unpark());
    let heads = Threads::new(&meters, environment, Arc::clone(&device.clock), notify);
    (meters, heads)
}

/// Measures every configured meter in each slot until consent is revoked or `stop` is raised; then
/// lights of reading heads are switched off. `registry` holds the models that it can drive. Attempts to
/// unlock are stored in `tries`.
///
/// # Errors
/// Returns [`SpoolError`] if the spool cannot be read at the start. Later failures are events.
pub fn measure(
    device: &mut Device,
    registry: Registry,
    tries: Tries,
    stop: &Arc<AtomicBool>,
    mut hear: impl FnMut(MeasuringEvent),
) -> Result<End, SpoolError> {
    let (meters, heads) = heads(device, &registry, tries, stop);
    // The meters have their drivers; the other models need not stay in memory for as long as it runs.
    drop(registry);
    let mut daemon = Measuring::new(device, meters, heads, ConsentThread::default())?;
    if let Some(path) = &device.config.socket {
        match Socket::listen(path) {
            Ok(socket) => daemon.answer_at(socket),
            // Measuring continues without it.
            Err(error) => hear(MeasuringEvent::NoSocket(error)),
        }
    }
    if let Some(interval) = device.config.publish().interval() {
        daemon.listen_every(interval, device.config.cycle.measurement.duration());
    }
    let end = loop {
        if stop.load(Ordering::Relaxed) {
            break End::Stopped;
        }
        let step = daemon.step(device);
        step.events.into_iter().for_each(&mut hear);
        if step.is_over {
            break End::Revoked;
        }
        thread::park_timeout(step.next.min(LOOK));
    };
    stop.store(true, Ordering::Relaxed);
    daemon.heads_mut().darken();
    Ok(end)
}

/// Sends the spool's measurements in each report cycle until consent is revoked or `stop` is
/// raised. `before` is called before each report, `hear` with its outcome.
pub fn report(
    device: &mut Device,
    daemon: &mut Reporting,
    stop: &AtomicBool,
    mut before: impl FnMut(&Device),
    mut hear: impl FnMut(&Device, ReportingStep),
) -> End {
    loop {
        let wait = daemon.due_in(device);
        if stop.load(Ordering::Relaxed) {
            return End::Stopped;
        }
        if !wait.is_zero() {
            thread::sleep(wait.min(LOOK));
            continue;
        }
        before(device);
        let step = daemon.step(device, random());
        let is_over = step.is_over;
        hear(device, step);
        if is_over {
            return End::Revoked;
        }
    }
}

/// A fresh random number.
#[must_use]
pub fn random() -> u32 {
    Uuid::new_v4().as_fields().0
}
