//! The steps of a session: setting the line, asking, hearing, and answering a meter's name.

use std::time::Duration;

use super::Session;
use crate::{
    d0::Turn,
    decoder::Event,
    port::{Framing, LineSettings, PortError},
};

impl Session {
    /// Whether it is time to begin the step that then is the present one.
    pub(super) fn is_next_step_due(&mut self, now: Duration) -> bool {
        let step = self.detection.step();
        let named = self.detection.heard().identified;
        let in_vain = self.dialogue.is_some() && !self.detection.is_answered();
        let is_due = self.detection.due(now).is_some();
        if is_due && in_vain && self.asking.failed(named) {
            self.detection.repeat(step);
        }
        is_due
    }

    /// What came at other line settings shows nothing of these, but may have shown something.
    fn change_line(&mut self, line: LineSettings) {
        if self.line.is_some_and(|before| before != line) {
            self.cause = self.cause();
            self.recording.clear();
        }
        self.line = Some(line);
    }

    /// Sets the line and sends a request, as the present step requires. A step whose line settings
    /// the device refuses is passed over, unless they all are.
    pub(super) fn begin_step(&mut self) -> Result<(), PortError> {
        let mut left = self.detection.steps();
        loop {
            let step = self.detection.step();
            match self.port.set_line(step.line) {
                Ok(true) => self.change_line(step.line),
                Ok(false) if self.line.is_none() => {
                    self.detection.fix_line();
                    self.asking.fix_line();
                }
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
            match self.port.write(&self.asking.request()) {
                Ok(()) => self.dialogue = Some(self.asking.dialogue()),
                Err(PortError::ReadOnly { .. }) => self.detection.cannot_ask(),
                Err(error) => return Err(error),
            }
            self.detection.begin(self.pace.now());
        }
        Ok(())
    }

    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        self.arrivals.note(bytes.len(), self.pace.now());
        if let Some(tap) = &mut self.tap {
            tap(bytes);
        }
        self.recording.note(bytes);
        let before = self.events.len();
        self.listeners.push(bytes, &mut self.events);
        let now = self.pace.now();
        self.detection.hear(bytes, now);
        if let Some(turn) = self.dialogue.as_mut().and_then(|dialogue| dialogue.push(bytes)) {
            self.answer(turn)?;
        }
        if self.events.range(before..).any(|event| matches!(event, Event::Readout(_))) {
            self.detection.settle(now);
            self.asking.succeeded();
            if self.port.is_live() {
                self.recording.end();
            }
        }
        Ok(())
    }

    /// Takes the reader's turn after the meter's identification.
    fn answer(&mut self, turn: Turn) -> Result<(), PortError> {
        self.detection.identified();
        self.pace.pause(turn.pause);
        if let Some(acknowledge) = turn.acknowledge {
            let begun = self.pace.now();
            self.port.write(&self.asking.on_line(&acknowledge))?;
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
            match self.port.set_line(line) {
                Ok(true) => self.line = Some(line),
                Ok(false) => {}
                // The answer is lost; the next request asks the meter to stay at its speed.
                Err(PortError::Line { source, .. }) => {
                    tracing::debug!(port = %self.port.name(), %line, %source, "refused");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
