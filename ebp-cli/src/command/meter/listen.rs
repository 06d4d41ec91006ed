//! Hearing a few telegrams of whatever meter is at a port.
//!
//! Enters: a port. Leaves: [`Heard`]: telegrams, and the bytes they came in. Absent: their meaning.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use ebp_meter::{
    decoder::Noise,
    interface::{self, Environment, Site},
    port::{LineSettings, PortName},
    readout::{Protocol, Readout},
    session::{ReadOptions, SessionEvent},
};

use crate::{
    command::{
        silence::{lost, nothing_in_file, nothing_read},
        waiting::{Waiting, tell_wrapping},
    },
    exit::Failure,
    output::phrase::counted,
};

/// The rest of a row of telegrams is waited for so long.
const FURTHER: Duration = Duration::from_secs(5);

/// What came.
pub struct Heard {
    /// The telegrams; none where nothing could be understood.
    pub readouts: Vec<Readout>,
    /// Every byte.
    pub bytes: Vec<u8>,
    /// The protocol, once it is known.
    pub protocol: Option<Protocol>,
    /// The line's settings, on ports that have some.
    pub line: Option<LineSettings>,
    /// Whether the port goes on for ever.
    pub is_live: bool,
    /// What was passed over, in words, at most a few.
    pub noise: Vec<String>,
    /// Why there is no telegram, if there is none.
    pub nothing: Option<Failure>,
}

/// Listens for so many telegrams: for the first at most `timeout`, for each further one some seconds.
///
/// # Errors
/// Returns [`PortError`](ebp_meter::port::PortError) if the port fails.
pub fn listen(
    port: &PortName,
    options: ReadOptions,
    timeout: Duration,
    count: usize,
) -> Result<Heard, Failure> {
    let site = Site::new(port.clone(), options);
    let mut meter = interface::open(None, &site, &Environment::for_reading())?;
    let bytes = Arc::new(Mutex::new(Vec::new()));
    let tap = Arc::clone(&bytes);
    meter.set_raw_tap(Box::new(move |bytes| {
        tap.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
    }));
    let (mut readouts, mut noise, mut seven_bits) = (Vec::new(), Vec::new(), false);
    let mut waiting = Waiting::new(timeout);
    while readouts.len() < count {
        match meter.next(waiting.left()).map_err(|error| lost(error, &*meter))? {
            SessionEvent::Readout(readout) => {
                if readouts.is_empty() {
                    tell_wrapping(&*meter);
                }
                readouts.push(*readout);
                waiting.renew(FURTHER);
            }
            SessionEvent::Noise(passed) => {
                seven_bits |= passed == Noise::SevenBitLine;
                if noise.len() < 20 {
                    noise.push(words(&passed));
                }
            }
            SessionEvent::TimedOut if waiting.goes_on(&*meter) => {}
            SessionEvent::TimedOut | SessionEvent::End => break,
        }
    }
    let nothing = readouts.is_empty().then(|| {
        let passed = (!noise.is_empty()).then(|| noise.join(", "));
        match meter.is_live() {
            true => nothing_read(&*meter, timeout, seven_bits, passed.as_deref()),
            false => nothing_in_file(&*meter, seven_bits, passed.as_deref()),
        }
    });
    let (protocol, line, is_live) = (meter.protocol(), meter.line(), meter.is_live());
    drop(meter);
    let bytes = std::mem::take(&mut *bytes.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(Heard { readouts, bytes, protocol, line, is_live, noise, nothing })
}

fn words(noise: &Noise) -> String {
    match noise {
        Noise::WrongChecksum { bytes } => {
            format!("a telegram of {} with a wrong checksum", counted(*bytes, "byte"))
        }
        Noise::Unreadable { bytes, reason } => {
            format!("{} unreadable: {reason}", counted(*bytes, "byte"))
        }
        Noise::Garbage { bytes } => format!("{} outside of telegrams", counted(*bytes, "byte")),
        Noise::SevenBitLine => "the line delivers only 7 of 8 bits".to_owned(),
    }
}
