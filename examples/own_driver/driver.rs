//! A driver for the imaginary meter: what is known of its model, and how one is read and unlocked.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use ebp_core::{obis::ObisCode, quantity::Unit};
use ebp_meter::{
    decoder::Noise,
    interface::{Driver, Environment, MeterInterface, Model, PinEntry, Site},
    lock::Lock,
    pace::Pace,
    port::{Framing, LineSettings, Port, PortError, PortName, Received},
    profile::{FlagId, RelockBehaviour},
    readout::{Entry, Integrity, Protocol, Readout, ServerId, Value},
    session::{RawTap, SessionEvent},
    unlock::{
        Lasting, MeterKey, Pin, PlanError, Progress, Refused, UnlockError, UnlockOptions, Unlocked,
    },
};

use super::dialogue::{Line, Lines, OK, PIN, READ, line};

/// The model's name.
pub const MODEL: &str = "Polaris P1";
/// Its line.
const LINE: LineSettings = LineSettings { baud: 19_200, framing: Framing::EightNone };
/// How many digits its PIN has.
const DIGITS: usize = 6;
/// The meter blocks itself after so many wrong PINs.
const LIMIT: u8 = 3;
/// How long an answer is waited for before the meter is asked again.
const ANSWER: Duration = Duration::from_secs(1);
/// From an answer to the next question.
const BETWEEN: Duration = Duration::from_millis(200);
/// The longest wait before the stop flag is looked at.
const SLICE: Duration = Duration::from_millis(250);

/// The driver.
#[derive(Debug)]
pub struct Polaris(Arc<Model>);

impl Polaris {
    /// The driver of that model.
    pub fn new() -> Self {
        Self(Arc::new(Model {
            flag: FlagId::new(*b"NLT"),
            is_asked: true,
            is_locked_at_times: true,
            pin: Some(PinEntry {
                takes: Duration::from_secs(10),
                stays_open: Duration::from_secs(60),
            }),
            relock: Some(RelockBehaviour::Permanent),
            ..Model::new(MODEL, "Nordlicht")
        }))
    }
}

impl Driver for Polaris {
    fn model(&self) -> &Model {
        &self.0
    }

    fn open(
        &self,
        site: &Site,
        environment: &Environment,
    ) -> Result<Box<dyn MeterInterface>, PortError> {
        Ok(Box::new(PolarisMeter {
            model: Arc::clone(&self.0),
            port: (environment.open)(&site.port, LINE)?,
            pace: environment.pace(),
            environment: environment.clone(),
            lines: Lines::default(),
            asked: None,
            ask_again: Duration::ZERO,
            received: 0,
            tap: None,
        }))
    }

    fn fit(&self, readouts: &[Readout]) -> Option<u8> {
        let is_own = |readout: &Readout| {
            readout.protocol == Protocol::Own && readout.manufacturer == self.0.flag
        };
        readouts.iter().all(is_own).then_some(100)
    }
}

/// A meter of that model.
struct PolarisMeter {
    model: Arc<Model>,
    port: Box<dyn Port>,
    pace: Arc<dyn Pace + Send + Sync>,
    environment: Environment,
    lines: Lines,
    /// When a question was put that has no answer yet.
    asked: Option<Duration>,
    ask_again: Duration,
    received: u64,
    tap: Option<RawTap>,
}

impl PolarisMeter {
    /// The next line that comes until then.
    fn hear(&mut self, until: Duration) -> Result<Option<Line>, PortError> {
        let mut buffer = [0; 256];
        loop {
            let left = until.saturating_sub(self.pace.now());
            match self.port.read(&mut buffer, left)? {
                Received::Bytes(count) => {
                    self.received += count as u64;
                    if let Some(tap) = &mut self.tap {
                        tap(&buffer[..count]);
                    }
                    // The meter says one line for each question.
                    if let Some(line) = self.lines.push(&buffer[..count]).pop() {
                        return Ok(Some(line));
                    }
                }
                Received::Nothing => {}
                Received::End => {
                    return Err(PortError::Vanished { port: self.port.name().clone() });
                }
            }
            if self.pace.now() >= until {
                return Ok(None);
            }
        }
    }

    fn is_stopped(&self) -> bool {
        self.environment.stop.load(Ordering::Relaxed)
    }

    /// A telegram within that time, unless it is stopped.
    fn telegram(&mut self, wait: Duration) -> Result<Readout, UnlockError> {
        let until = self.pace.now() + wait;
        loop {
            if self.is_stopped() {
                return Err(UnlockError::Interrupted { rest: Duration::ZERO });
            }
            if let SessionEvent::Readout(readout) = self.next(SLICE.min(wait))? {
                return Ok(*readout);
            }
            if self.pace.now() >= until {
                return Err(UnlockError::NoTelegram { waited: wait });
            }
        }
    }

    /// Sends the PIN; whether the meter took it.
    fn enter(&mut self, pin: &Pin) -> Result<bool, PortError> {
        let digits: String = pin.digits().iter().map(|digit| char::from(b'0' + digit)).collect();
        self.port.write(&line(&format!("{PIN}{digits}")))?;
        let until = self.pace.now() + ANSWER;
        Ok(matches!(self.hear(until)?, Some(Line::Good(answer)) if answer == OK))
    }
}

impl MeterInterface for PolarisMeter {
    fn model(&self) -> Option<&Model> {
        Some(&self.model)
    }

    fn port_name(&self) -> &PortName {
        self.port.name()
    }

    fn next(&mut self, wait: Duration) -> Result<SessionEvent, PortError> {
        let until = self.pace.now() + wait;
        if self.asked.is_none_or(|at| self.pace.now() >= at + ANSWER) {
            if self.ask_again > self.pace.now() {
                self.pace.sleep_until(self.ask_again.min(until));
            }
            if self.ask_again > self.pace.now() {
                return Ok(SessionEvent::TimedOut);
            }
            self.port.write(&line(READ))?;
            self.asked = Some(self.pace.now());
        }
        let Some(heard) = self.hear(until)? else { return Ok(SessionEvent::TimedOut) };
        self.asked = None;
        self.ask_again = self.pace.now() + BETWEEN;
        Ok(match heard {
            Line::Damaged(bytes) => SessionEvent::Noise(Noise::WrongChecksum { bytes }),
            Line::Good(body) => match readout(&body, self.model.flag) {
                Some(readout) => SessionEvent::Readout(Box::new(readout)),
                None => {
                    let reason = "it is no answer with registers".to_owned();
                    SessionEvent::Noise(Noise::Unreadable { bytes: body.len(), reason })
                }
            },
        })
    }

    fn received(&self) -> u64 {
        self.received
    }

    fn reopen(&mut self) -> Result<(), PortError> {
        self.port = (self.environment.open)(&self.port.name().clone(), LINE)?;
        (self.lines, self.asked) = (Lines::default(), None);
        Ok(())
    }

    fn set_raw_tap(&mut self, tap: RawTap) {
        self.tap = Some(tap);
    }

    fn enable_detailed_readout(
        &mut self,
        pin: &Pin,
        options: &UnlockOptions,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Unlocked, UnlockError> {
        if pin.len() != DIGITS {
            let (model, expected, given) = (self.model.name.clone(), DIGITS, pin.len());
            return Err(PlanError::WrongLength { model, expected, given }.into());
        }
        progress(Progress::Waiting);
        let readout = self.telegram(options.first_telegram)?;
        if self.is_detailed(&readout) {
            return Ok(Unlocked::already(readout));
        }
        let Environment { tries, clock, .. } = self.environment.clone();
        let meter = MeterKey::new(readout.server_id.as_ref(), self.port.name());
        if options.pardon {
            tries.pardon(&meter)?;
        }
        // On the disk before the meter could hear of it.
        let Some(begun) = tries.begin(&meter, LIMIT, clock.now())? else {
            let (wrong, limit, file) = (LIMIT, LIMIT, tries.path());
            return Err(Refused::TriesExhausted { wrong, limit, file }.into());
        };
        progress(Progress::Try { number: begun.wrong, of: LIMIT });
        if self.is_stopped() {
            tries.withdraw(&meter)?;
            return Err(UnlockError::Interrupted { rest: Duration::ZERO });
        }
        if !self.enter(pin)? {
            let left = LIMIT.saturating_sub(begun.wrong);
            return Err(UnlockError::NotUnlocked { tries: 1, left, lock: Lock::Locked });
        }
        tries.forget(&meter)?;
        progress(Progress::Verifying);
        let readout = self.telegram(options.first_telegram)?;
        Ok(Unlocked { lasting: Lasting::Permanent, ..Unlocked::now(readout) })
    }
}

/// What an answer says.
fn readout(body: &str, manufacturer: Option<FlagId>) -> Option<Readout> {
    let mut words = body.strip_prefix("DATA ")?.split(' ');
    let number = words.next()?;
    let mut entries = Vec::new();
    while let Some(name) = words.next() {
        let value: i128 = words.next()?.parse().ok()?;
        entries.push(match name {
            "e" => entry(ObisCode::POSITIVE_ENERGY, value, Unit::WATT_HOUR, -1),
            "k" => entry(ObisCode::POSITIVE_ENERGY, value, Unit::WATT_HOUR, 3),
            "p" => entry(ObisCode::SUM_POWER, value, Unit::WATT, 0),
            _ => return None,
        });
    }
    Some(Readout {
        protocol: Protocol::Own,
        server_id: Some(ServerId(number.as_bytes().into())),
        manufacturer,
        meter_time: None,
        entries,
        unaddressed: Vec::new(),
        integrity: Integrity::Ok,
        bytes: body.len(),
    })
}

const fn entry(obis: ObisCode, value: i128, unit: Unit, scaler: i8) -> Entry {
    let value = Value::Integer(value);
    Entry { obis, value, unit: Some(unit), scaler, status: None, time: None, corrected: None }
}
