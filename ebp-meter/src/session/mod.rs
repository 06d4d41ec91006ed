//! From a port to readouts: opening, finding out how the meter speaks, reading on.
//!
//! Enters: a port's name and what is known of the meter. Leaves: readouts and what was passed
//! over, one by one; what the bytes show where nothing could be read. Absent: which ports there are
//! ([`crate::scan`]), measurements, storing.

mod arrivals;
mod asking;
mod detection;
mod heard;
mod listeners;
mod options;
#[cfg(test)]
mod simulated;
mod step;
mod wrapping;

use std::{collections::VecDeque, sync::Arc, time::Duration};

use arrivals::Arrivals;
use asking::Asking;
use detection::Detection;
use listeners::Listeners;
pub use options::{AnswerSpeed, ReadOptions};
pub use wrapping::Wrapping;

use crate::{
    d0::Dialogue,
    decoder::{Event, Noise},
    diagnosis::{self, Cause, Recording},
    pace::{Pace, RealPace},
    port::{self, LineSettings, Port, PortError, PortName, Received, telnet},
    readout::{Integrity, Protocol, Readout},
};

/// How far an answer has come that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// How many bytes came.
    pub bytes: u64,
    /// How many registers were in them.
    pub registers: u32,
    /// How long ago the last byte came.
    pub silence: Duration,
}

/// Between two looks at a telegram that is still coming: some 60 bytes at 9600 baud, of the 4096
/// that a serial driver holds.
const BREATH: Duration = Duration::from_millis(60);

/// What [`Session::next`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionEvent {
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
    detection: Detection,
    asking: Asking,
    listeners: Listeners,
    /// The request that is under way.
    dialogue: Option<Dialogue>,
    /// The present line settings; none before the first step, nor on ports that have none.
    line: Option<LineSettings>,
    began: bool,
    ended: bool,
    arrivals: Arrivals,
    /// What came at the present line settings, or what is looked at no more.
    recording: Recording,
    /// What an earlier one showed.
    cause: Option<Cause>,
    events: VecDeque<Event>,
    tap: Option<RawTap>,
    pace: Arc<dyn Pace + Send + Sync>,
}

impl Session {
    /// Opens a port.
    ///
    /// # Errors
    /// Returns the errors of [`port::open`].
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
        Self::in_time(port, options, Arc::new(RealPace::default()))
    }

    /// Reads from a port that is open, in a time that a simulation lets pass.
    #[must_use]
    pub fn in_time(
        port: Box<dyn Port>,
        options: ReadOptions,
        pace: Arc<dyn Pace + Send + Sync>,
    ) -> Self {
        Self {
            detection: Detection::new(options),
            asking: Asking::new(options),
            listeners: Listeners::new(options.protocol, may_be_wrapped(&*port)),
            port,
            dialogue: None,
            line: None,
            began: false,
            ended: false,
            arrivals: Arrivals::new(pace.now()),
            recording: Recording::default(),
            cause: None,
            events: VecDeque::new(),
            tap: None,
            pace,
        }
    }

    /// The next telegram or what was passed over, waiting at most `wait` (and the half second that
    /// answering a meter's identification takes).
    ///
    /// # Errors
    /// Returns `Vanished` if the device is gone: call [`Self::reopen`] to continue. Returns `Line`
    /// if the port accepts none of the line settings.
    pub fn next(&mut self, wait: Duration) -> Result<SessionEvent, PortError> {
        let deadline = self.pace.now().saturating_add(wait);
        let mut buffer = [0; 4096];
        loop {
            if let Some(outcome) = self.pending() {
                return Ok(outcome);
            }
            if self.ended {
                return Ok(SessionEvent::End);
            }
            if !self.began {
                self.begin_step()?;
                self.began = true;
            }
            let now = self.pace.now();
            if self.is_next_step_due(now) {
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
                return Ok(self.pending().unwrap_or(SessionEvent::TimedOut));
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
    /// Returns the same errors as [`Self::next`].
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

    /// How far an answer has come that is under way, or a long telegram of registers; none where
    /// neither is, nor where the meter has given its name again and again and nothing else. An answer
    /// at 300 baud takes long: whoever waits for it should count its silence, not its length.
    #[must_use]
    pub fn answering(&self) -> Option<Progress> {
        let silence = self.detection.answering(self.pace.now())?;
        let heard = self.detection.heard();
        let (bytes, registers) = (heard.received, heard.registers);
        (!self.asking.is_in_vain()).then_some(Progress { bytes, registers, silence })
    }

    /// Why nothing could be read, as far as the bytes show it (of a live port the latest ones).
    #[must_use]
    pub fn cause(&self) -> Option<Cause> {
        Cause::more_telling(self.cause.clone(), diagnosis::diagnose(self.recording.bytes()))
    }

    /// What the bytes are wrapped in, once that is certain.
    #[must_use]
    pub fn wrapping(&self) -> Option<Wrapping> {
        let telnet = || {
            let is_telnet = self.is_wrapping_possible() && telnet::begins(self.recording.bytes());
            is_telnet.then_some(Wrapping::Telnet)
        };
        self.listeners.wrapping().or_else(telnet)
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
    /// Returns the errors of [`port::open`]; `reopen` may then be called again.
    pub fn reopen(&mut self) -> Result<(), PortError> {
        self.go_on_at(port::open(self.port.name(), self.present_line())?);
        Ok(())
    }

    /// The line settings at which it is listened now, or at first.
    #[must_use]
    pub fn present_line(&self) -> LineSettings {
        self.detection.step().line
    }

    /// Goes on at a port that was opened anew. What had been found out stays; the telegram that was cut
    /// off is given up.
    pub fn go_on_at(&mut self, port: Box<dyn Port>) {
        self.port = port;
        self.listeners = Listeners::new(self.listeners.settled(), self.is_wrapping_possible());
        self.recording.clear();
        (self.dialogue, self.line, self.began, self.ended) = (None, None, false, false);
    }

    /// Lets more of a telegram gather before it is looked at again: a processor that is woken for
    /// every few bytes has four times as much to do. Answers to a meter's identification must not
    /// wait.
    fn breathe(&self, deadline: Duration) {
        if self.events.is_empty() && self.dialogue.is_none() && self.port.is_live() {
            self.pace.pause(BREATH.min(deadline.saturating_sub(self.pace.now())));
        }
    }

    fn pending(&mut self) -> Option<SessionEvent> {
        loop {
            return Some(match self.events.pop_front()? {
                Event::Readout(readout) => SessionEvent::Readout(Box::new(readout)),
                // Where the line can be changed, it is about to be.
                Event::Noise(Noise::SevenBitLine) if self.corrects_itself() => continue,
                Event::Noise(noise) => SessionEvent::Noise(noise),
            });
        }
    }

    fn corrects_itself(&self) -> bool {
        self.line.is_some() && self.detection.steps() > 1
    }

    fn is_wrapping_possible(&self) -> bool {
        may_be_wrapped(&*self.port)
    }
}

/// Whether the bytes may be wrapped in something: behind a bridge, or in a recording of whatever kind.
/// A serial device gives what the meter sends.
fn may_be_wrapped(port: &dyn Port) -> bool {
    !port.is_live() || matches!(port.name(), PortName::Tcp(_))
}
