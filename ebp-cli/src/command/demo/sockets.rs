//! The sockets of the demo's devices, at which their pages ask.
//!
//! Enters: a device's configuration, requests. Leaves: its status, and each meter's next telegram.
//! Absent: reading heads: the demo's cycles, which follow each other in seconds, have them.

use std::{
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use ebp_core::model::ConsentState;
use ebp_device::{
    device::Device,
    socket::{Answer, Asked, Reason, Request, Socket, Telegram, meters, status},
    spool::SpoolError,
};
use uuid::Uuid;

use super::timing::LOOK;
use crate::exit::CommandResult;

/// How long somebody waits for a meter's next telegram.
const LONGEST: Duration = Duration::from_secs(15);

/// Somebody who wants a meter's next telegram.
struct Waiting {
    asked: Asked,
    meter: Uuid,
    /// Since when, from the machine's start.
    since: Duration,
}

/// Answers at a device's socket until `stop` is raised.
///
/// # Errors
/// Returns an error if the device's files cannot be used. Without a socket the page says so.
pub fn answer(config: &Path, stop: &AtomicBool) -> CommandResult {
    let device = Device::open(config)?;
    let Some(path) = &device.config.socket else { return Ok(()) };
    let socket = match Socket::listen(path) {
        Ok(socket) => socket,
        Err(error) => {
            tracing::warn!("requests cannot be answered: {error}");
            return Ok(());
        }
    };
    let mut waiting = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        while let Some(asked) = socket.next() {
            match &asked.request {
                Request::Status {} => {
                    let known = status(&device).map(|status| Answer::Status(Box::new(status)));
                    asked.answer(known.unwrap_or_else(unreadable));
                }
                // The demo's devices have no server that is told of errors.
                Request::Error { .. } => asked.answer(Answer::Taken {}),
                &Request::Now { meter } => {
                    waiting.push(Waiting { asked, meter, since: device.clock.since_boot() });
                }
            }
        }
        waiting = waiting.into_iter().filter_map(|one| go_on(&device, one)).collect();
        thread::park_timeout(LOOK);
    }
    Ok(())
}

fn unreadable(error: SpoolError) -> Answer {
    Answer::refuse(Reason::Spool, error.to_string())
}

/// Answers somebody who waits, if that is possible now.
fn go_on(device: &Device, waiting: Waiting) -> Option<Waiting> {
    match next(device, &waiting) {
        Ok(Some(answer)) => waiting.asked.answer(answer),
        Ok(None) => return Some(waiting),
        Err(error) => waiting.asked.answer(unreadable(error)),
    }
    None
}

/// The telegram that was read since somebody asked, or why there is none; nothing while it may come.
fn next(device: &Device, waiting: &Waiting) -> Result<Option<Answer>, SpoolError> {
    let refuse = |reason, detail: &str| Ok(Some(Answer::refuse(reason, detail)));
    let consent = device.spool.consent()?;
    if consent.is_none_or(|known| known.state != ConsentState::Granted) {
        return refuse(Reason::NoConsent, "consent is not granted");
    }
    let all = meters(&device.config, &device.spool)?;
    let Some(meter) = all.into_iter().find(|meter| meter.meter == waiting.meter) else {
        return refuse(Reason::UnknownMeter, "this device reads no such meter");
    };
    let waited = device.clock.since_boot().saturating_sub(waiting.since);
    let now = device.clock.now();
    let is_new = |at| jiff::SignedDuration::try_from(waited).is_ok_and(|waited| at > now - waited);
    match meter.measured_at {
        Some(at) if is_new(at) => {
            Ok(Some(Answer::Telegram(Telegram { meter: meter.meter, at, data: meter.data })))
        }
        _ if waited > LONGEST => refuse(Reason::Silent, "the meter sent nothing"),
        _ => Ok(None),
    }
}
