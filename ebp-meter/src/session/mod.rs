//! From a port to readouts: opening, finding out how the meter speaks, reading on.
//!
//! Enters: a port's name and what is known of the meter. Leaves: readouts and what was passed
//! over, one by one. Absent: which ports there are ([`crate::scan`]), measurements, storing.

mod arrivals;
mod detection;
mod listeners;
#[cfg(test)]
mod simulated;

use std::{
    collections::VecDeque,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use arrivals::Arrivals;
use detection::Detection;
use listeners::Listeners;

use crate::{
    d0::{Dialogue, OPENING, Turn},
    decoder::{Event, Noise},
    port::{self, Framing, LineSettings, Port, PortError, PortName, Received},
    readout::{Integrity, Protocol, Readout},
    unlock,
};

/// What is known of the meter; what is not is found out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// Its protocol.
    pub protocol: Option<Protocol>,
    /// Its baud rate. For a meter that wants to be asked, the one of the request.
    pub baud: Option<u32>,
}

/// Between two looks at a telegram that is still coming: some 60 bytes at 9600 baud, of the 4096
/// that a serial driver holds.
const BREATH: Duration = Duration::from_millis(60);

/// What [`Session::next`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A telegram.
    Readout(Box<Readout>),
    /// Something passed over. While no telegram was ever understood, of the protocol that came
    /// nearest.
    Noise(Noise),
    /// Nothing within the time.
    TimedOut,
    /// The file or pipe has ended: nothing will ever come.
    End,
}

/// Receives every byte as it came from the port.
pub type RawTap = Box<dyn FnMut(&[u8]) + Send>;

/// A port with the decoders that understand what comes from it.
pub struct Session {
    port: Box<dyn Port>,
    options: ReadOptions,
    detection: Detection,
    listeners: Listeners,
    /// The request that is under way.
    dialogue: Option<Dialogue>,
    /// The present line settings; none before the first step, nor on ports that have none.
    line: Option<LineSettings>,
    began: bool,
    ended: bool,
    arrivals: Arrivals,
    events: VecDeque<Event>,
    tap: Option<RawTap>,
    pace: Box<dyn Pace>,
}

impl Session {
    /// Opens a port.
    ///
    /// # Errors
    /// Those of [`port::open`].
    pub fn open(name: &PortName, options: ReadOptions) -> Result<Self, PortError> {
        Ok(Self::from_port(port::open(name, Self::first_line(options))?, options))
    }

    /// The line settings that a port is opened with.
    #[must_use]
    pub fn first_line(options: ReadOptions) -> LineSettings {
        Detection::new(options).step().line
    }

    /// Reads from a port that is open.
    #[must_use]
    pub fn from_port(port: Box<dyn Port>, options: ReadOptions) -> Self {
        let listeners = Listeners::new(options.protocol);
        Self::with(port, options, listeners, Box::new(RealTime(Instant::now())))
    }

    /// Reads from a port that is open, in a time that a simulation lets pass.
    #[must_use]
    pub fn in_time(
        port: Box<dyn Port>,
        options: ReadOptions,
        pace: Arc<dyn unlock::Pace + Send + Sync>,
    ) -> Self {
        Self::with(port, options, Listeners::new(options.protocol), Box::new(SimulatedTime(pace)))
    }

    fn with(
        port: Box<dyn Port>,
        options: ReadOptions,
        listeners: Listeners,
        pace: Box<dyn Pace>,
    ) -> Self {
        Self {
            port,
            options,
            detection: Detection::new(options),
            listeners,
            dialogue: None,
            line: None,
            began: false,
            ended: false,
            arrivals: Arrivals::new(pace.now()),
            events: VecDeque::new(),
            tap: None,
            pace,
        }
    }

    /// The next telegram or what was passed over, waiting at most `wait` (and the half second that
    /// answering a meter's identification takes).
    ///
    /// # Errors
    /// `Vanished` when the device is gone: [`Self::reopen`] then goes on where it was. `Line` when
    /// the port takes none of the line settings.
    pub fn next(&mut self, wait: Duration) -> Result<Outcome, PortError> {
        let deadline = self.pace.now().saturating_add(wait);
        let mut buffer = [0; 4096];
        loop {
            if let Some(outcome) = self.pending() {
                return Ok(outcome);
            }
            if self.ended {
                return Ok(Outcome::End);
            }
            if !self.began {
                self.begin_step()?;
                self.began = true;
            }
            let now = self.pace.now();
            if self.detection.due(now).is_some() {
                self.listeners.give_noise(&mut self.events);
                self.begin_step()?;
                continue;
            }
            let until = self.detection.deadline().map_or(deadline, |due| due.min(deadline));
            match self.port.read(&mut buffer, until.saturating_sub(now))? {
                Received::Bytes(count) => {
                    self.take(&buffer[..count])?;
                    self.breathe(deadline);
                }
                Received::Nothing => {}
                Received::End => {
                    self.ended = true;
                    self.listeners.finish(&mut self.events);
                }
            }
            if self.events.is_empty() && !self.ended && self.pace.now() >= deadline {
                self.listeners.give_noise(&mut self.events);
                return Ok(self.pending().unwrap_or(Outcome::TimedOut));
            }
        }
    }

    /// The port's name.
    #[must_use]
    pub fn name(&self) -> &PortName {
        self.port.name()
    }

    /// Takes bytes that were read through [`Self::port_mut`] as if the session had read them.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub fn hear(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        self.take(bytes)
    }

    /// The port itself, for light into the meter. What it reads is lost to the session, unless it
    /// is told by [`Self::hear`].
    pub fn port_mut(&mut self) -> &mut dyn Port {
        &mut *self.port
    }

    /// The present line settings; none on ports that have none, and before the first read.
    #[must_use]
    pub fn line(&self) -> Option<LineSettings> {
        self.line
    }

    /// The protocol, once it is known.
    #[must_use]
    pub fn protocol(&self) -> Option<Protocol> {
        self.listeners.settled()
    }

    /// How many bytes have come in all.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.arrivals.received()
    }

    /// How long ago, at most, the telegram may have been over that [`Self::next`] gave last. A whole
    /// one is over with its last byte; one whose end is damaged is recognised only when others follow.
    #[must_use]
    pub fn over_within(&self, readout: &Readout) -> Duration {
        match readout.integrity {
            Integrity::Salvaged => self.arrivals.began_within(readout.bytes),
            Integrity::Ok | Integrity::Unchecked => Duration::ZERO,
        }
    }

    /// How long ago the last byte came of a meter's answer that is under way; none where none is. An
    /// answer at 300 baud takes long: whoever waits for it should count its silence, not its length.
    #[must_use]
    pub fn answering(&self) -> Option<Duration> {
        self.detection.answering(self.pace.now())
    }

    /// Whether the port goes on for ever (see [`Port::is_live`]).
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.port.is_live()
    }

    /// Lets `tap` have every byte that comes, for saving raw telegrams.
    pub fn set_raw_tap(&mut self, tap: RawTap) {
        self.tap = Some(tap);
    }

    /// Opens the port anew after it vanished, and goes on at the line settings where it was. What
    /// had been found out stays; the telegram that was cut off is given up.
    ///
    /// # Errors
    /// Those of [`port::open`]; the session can be asked to reopen again.
    pub fn reopen(&mut self) -> Result<(), PortError> {
        let line = self.detection.step().line;
        self.port = port::open(self.port.name(), line)?;
        self.listeners = Listeners::new(self.listeners.settled());
        (self.dialogue, self.line, self.began, self.ended) = (None, None, false, false);
        Ok(())
    }

    /// Lets more of a telegram gather before it is looked at again: a processor that is woken for
    /// every few bytes has four times as much to do. Answers to a meter's identification must not
    /// wait.
    fn breathe(&self, deadline: Duration) {
        if self.events.is_empty() && self.dialogue.is_none() && self.port.is_live() {
            self.pace.pause(BREATH.min(deadline.saturating_sub(self.pace.now())));
        }
    }

    fn pending(&mut self) -> Option<Outcome> {
        loop {
            return Some(match self.events.pop_front()? {
                Event::Readout(readout) => Outcome::Readout(Box::new(readout)),
                // Where the line can be changed, it is about to be.
                Event::Noise(Noise::SevenBitLine) if self.corrects_itself() => continue,
                Event::Noise(noise) => Outcome::Noise(noise),
            });
        }
    }

    fn corrects_itself(&self) -> bool {
        self.line.is_some() && self.detection.steps() > 1
    }

    /// Sets the line and asks, as the present step wants. A step whose line settings the device
    /// refuses is passed over, unless they all are.
    fn begin_step(&mut self) -> Result<(), PortError> {
        let mut left = self.detection.steps();
        loop {
            let step = self.detection.step();
            match self.port.set_line(step.line) {
                Ok(true) => self.line = Some(step.line),
                Ok(false) if self.line.is_none() => self.detection.fix_line(self.options),
                Ok(false) => {}
                Err(PortError::Line { source, .. }) if left > 1 => {
                    tracing::debug!(port = %self.port.name(), line = %step.line, %source, "refused");
                    left -= 1;
                    self.detection.skip();
                    continue;
                }
                Err(error) => return Err(error),
            }
            break;
        }
        let step = self.detection.step();
        tracing::debug!(port = %self.port.name(), line = %step.line, request = step.request, "listening");
        self.dialogue = None;
        self.detection.begin(self.pace.now());
        if step.request {
            match self.port.write(OPENING) {
                Ok(()) => self.dialogue = Some(Dialogue::new(self.line.is_none())),
                Err(PortError::ReadOnly { .. }) => self.detection.cannot_ask(),
                Err(error) => return Err(error),
            }
            self.detection.begin(self.pace.now());
        }
        Ok(())
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        self.arrivals.note(bytes.len(), self.pace.now());
        if let Some(tap) = &mut self.tap {
            tap(bytes);
        }
        let before = self.events.len();
        self.listeners.push(bytes, &mut self.events);
        let now = self.pace.now();
        self.detection.hear(bytes, now);
        if let Some(turn) = self.dialogue.as_mut().and_then(|dialogue| dialogue.push(bytes)) {
            self.answer(turn)?;
        }
        if self.events.range(before..).any(|event| matches!(event, Event::Readout(_))) {
            self.detection.settle(now);
        }
        Ok(())
    }

    /// Takes the reader's turn after the meter's identification.
    fn answer(&mut self, turn: Turn) -> Result<(), PortError> {
        self.detection.identified();
        self.pace.pause(turn.pause);
        if let Some(acknowledge) = turn.acknowledge {
            let begun = self.pace.now();
            self.port.write(&acknowledge)?;
            // Some USB adapters say that all was sent while the last characters are still on their
            // way, and a change of the baud rate would garble those: count the time of ten bits
            // for each character.
            if let Some(line) = self.line {
                let millis = acknowledge.len() as u64 * 10 * 1000 / u64::from(line.baud.max(1));
                let sent = begun + Duration::from_millis(millis + 10);
                self.pace.pause(sent.saturating_sub(self.pace.now()));
            }
        }
        if let Some(baud) = turn.baud {
            let line = LineSettings { baud, framing: Framing::SevenEven };
            if self.port.set_line(line)? {
                self.line = Some(line);
            }
        }
        Ok(())
    }
}

/// Time that passes: the machine's, or a test's.
trait Pace: Send {
    /// Since any beginning.
    fn now(&self) -> Duration;

    /// Lets time pass.
    fn pause(&self, time: Duration);
}

struct SimulatedTime(Arc<dyn unlock::Pace + Send + Sync>);

impl Pace for SimulatedTime {
    fn now(&self) -> Duration {
        self.0.now()
    }

    fn pause(&self, time: Duration) {
        self.0.sleep_until(self.0.now().saturating_add(time));
    }
}

struct RealTime(Instant);

impl Pace for RealTime {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    fn pause(&self, time: Duration) {
        thread::sleep(time);
    }
}
