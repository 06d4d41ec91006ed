//! Finding out at which line settings a meter speaks, and whether it wants to be asked.
//!
//! Enters: what was heard, and the time as a value. Leaves: the [`Step`] to take next. Absent:
//! ports, decoders and real waiting.
//!
//! Nearly all meters push SML at 9600 8N1, so that comes first; then registers pushed at 9600 7E1,
//! then the request at 300 7E1; then round again. What is heard can cut a step short: registers
//! read at 8 data bits show their parity, SML read at 7 its escape sequence. So can silence: where
//! no byte came, no meter pushes at that speed, whatever its framing.

use std::time::Duration;

use super::ReadOptions;
use crate::{
    port::{Framing, LineSettings},
    readout::Protocol,
};

/// How long a meter that pushes may be silent: it sends every 1 to 4 s.
const SILENCE: Duration = Duration::from_millis(4500);
/// How long to go on after the first byte when nothing becomes a telegram: the first may have been
/// cut at its beginning, the second must be whole.
const UNDECODED: Duration = Duration::from_secs(6);
/// How long a meter may take to answer a request (IEC 62056-21 grants it 1.5 s) or to go on.
const ANSWER: Duration = Duration::from_secs(3);
/// How long an answer may last: 4 kB at 300 baud.
const LONGEST_ANSWER: Duration = Duration::from_secs(140);
/// The pause between a meter's answer and the next request (IEC 62056-21 asks for 1.5 s).
const PAUSE: Duration = Duration::from_secs(2);
/// How many bytes are evidence enough of a parity bit.
const EVIDENCE: u32 = 48;

/// One way of listening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    /// At these settings.
    pub line: LineSettings,
    /// After asking for the registers.
    pub request: bool,
}

/// What was heard within the present step.
#[derive(Debug, Default)]
struct Heard {
    /// When the first and the last byte came.
    times: Option<(Duration, Duration)>,
    bytes: u32,
    /// Bytes whose seven lower bits are text and whose eighth makes the parity even.
    text_with_parity: u32,
    eighth_bits: u32,
    /// How many escape bytes of SML stand at the end.
    escapes: u8,
    /// Whether four of them stood in a row.
    sml: bool,
    /// Whether a meter gave its name in answer to a request.
    identified: bool,
}

/// The state machine.
#[derive(Debug)]
pub(super) struct Detection {
    steps: Vec<Step>,
    at: usize,
    began: Duration,
    heard: Heard,
    settled: bool,
    fixed: bool,
    /// When to ask again, once settled.
    ask_at: Option<Duration>,
}

impl Detection {
    /// Plans the steps that the options leave open.
    pub fn new(options: ReadOptions) -> Self {
        let at = |baud: u32, framing, request| {
            let line = LineSettings { baud: options.baud.unwrap_or(baud), framing };
            Step { line, request }
        };
        let sml = at(9600, Framing::EightNone, false);
        let push = at(9600, Framing::SevenEven, false);
        let request = at(300, Framing::SevenEven, true);
        let steps = match options.protocol {
            Some(Protocol::Sml) => vec![sml],
            // Nobody pushes at 300 baud.
            Some(Protocol::D0) if options.baud == Some(300) => vec![request],
            Some(Protocol::D0) => vec![push, request],
            None => vec![sml, push, request],
        };
        Self {
            steps,
            at: 0,
            began: Duration::ZERO,
            heard: Heard::default(),
            settled: false,
            fixed: false,
            ask_at: None,
        }
    }

    /// The present step.
    pub fn step(&self) -> Step {
        self.steps[self.at]
    }

    /// How many steps there are.
    pub fn steps(&self) -> usize {
        self.steps.len()
    }

    /// The port has no line settings: what is left is to listen, and to ask only where the user
    /// said that the meter wants to be asked.
    pub fn fix_line(&mut self, options: ReadOptions) {
        if std::mem::replace(&mut self.fixed, true) {
            return;
        }
        let (step, asks) = (self.step(), options.protocol == Some(Protocol::D0));
        self.steps.retain(|other| *other == step || (asks && other.request));
        self.at = 0;
    }

    /// The port can be read only: nobody can be asked.
    pub fn cannot_ask(&mut self) {
        let line = self.step().line;
        self.steps.retain(|step| !step.request);
        if self.steps.is_empty() {
            self.steps.push(Step { line, request: false });
        }
        self.at = 0;
    }

    /// The present step begins (anew).
    pub fn begin(&mut self, now: Duration) {
        self.began = now;
        self.heard = Heard::default();
        self.ask_at = None;
    }

    /// The present step is impossible on this port.
    pub fn skip(&mut self) {
        self.at = (self.at + 1) % self.steps.len();
    }

    /// Nobody speaks at this speed: the next step is one at another speed, or one that asks.
    fn skip_speed(&mut self) {
        let (silent, baud) = (self.at, self.step().line.baud);
        self.skip();
        while self.at != silent && !self.step().request && self.step().line.baud == baud {
            self.skip();
        }
    }

    /// Bytes came.
    pub fn hear(&mut self, bytes: &[u8], now: Duration) {
        if bytes.is_empty() {
            return;
        }
        let heard = &mut self.heard;
        heard.times = Some((heard.times.map_or(now, |(first, _)| first), now));
        for &byte in bytes {
            let text = matches!(byte & 0x7f, b' '..=b'~' | b'\r' | b'\n' | 0x02 | 0x03);
            heard.bytes = heard.bytes.saturating_add(1);
            heard.text_with_parity += u32::from(text && byte.count_ones() % 2 == 0);
            heard.eighth_bits += u32::from(byte & 0x80 != 0);
            heard.escapes = if byte == 0x1b { heard.escapes.saturating_add(1) } else { 0 };
            heard.sml |= heard.escapes >= 4;
            if heard.bytes >= 4 * EVIDENCE {
                // The beginning may be noise of a line just switched: let it fade.
                heard.bytes /= 2;
                heard.text_with_parity /= 2;
                heard.eighth_bits /= 2;
            }
        }
    }

    /// A meter gave its name in answer to the request.
    pub fn identified(&mut self) {
        self.heard.identified = true;
    }

    /// A telegram was decoded: here the meter speaks.
    pub fn settle(&mut self, now: Duration) {
        self.settled = true;
        if self.step().request {
            self.ask_at = Some(now.saturating_add(PAUSE));
        }
    }

    /// When [`Self::due`] may have something to say, if no byte comes.
    pub fn deadline(&self) -> Option<Duration> {
        let step = self.step();
        if !step.request && (self.settled || self.steps.len() == 1) {
            return None;
        }
        if self.ask_at.is_some() {
            return self.ask_at;
        }
        let Some((first, last)) = self.heard.times else {
            let silence = if step.request { ANSWER } else { SILENCE };
            return Some(self.began.saturating_add(silence));
        };
        Some(if !step.request {
            first.saturating_add(UNDECODED)
        } else if self.heard.identified {
            last.saturating_add(ANSWER).min(self.began.saturating_add(LONGEST_ANSWER))
        } else {
            // Noise must not keep the request waiting for ever.
            last.saturating_add(ANSWER).min(self.began.saturating_add(2 * ANSWER))
        })
    }

    /// The step to begin now, if it is time to move on or to ask again.
    pub fn due(&mut self, now: Duration) -> Option<Step> {
        let late = self.deadline().is_some_and(|deadline| now >= deadline);
        if self.settled {
            return late.then(|| self.step());
        }
        if let Some(at) = self.evident() {
            self.at = at;
            return Some(self.step());
        }
        if late && self.heard.times.is_none() && !self.step().request {
            self.skip_speed();
            return Some(self.step());
        }
        if late {
            self.skip();
            return Some(self.step());
        }
        None
    }

    /// How long ago the last byte came of an answer that is under way; none where no meter is
    /// answering. An answer is given up when it pauses for long, or is longer than any.
    pub fn answering(&self, now: Duration) -> Option<Duration> {
        let (_, last) =
            self.heard.times.filter(|_| self.step().request && self.ask_at.is_none())?;
        Some(now.saturating_sub(last))
    }

    /// The step that the bytes themselves point to.
    fn evident(&self) -> Option<usize> {
        let (step, heard) = (self.step(), &self.heard);
        if step.request {
            return None;
        }
        let framing = match step.line.framing {
            Framing::EightNone
                if heard.bytes >= EVIDENCE
                    && heard.eighth_bits >= EVIDENCE / 4
                    && heard.text_with_parity * 20 >= heard.bytes * 19 =>
            {
                Framing::SevenEven
            }
            Framing::SevenEven if heard.sml => Framing::EightNone,
            _ => return None,
        };
        self.steps.iter().position(|other| other.line.framing == framing && !other.request)
    }
}

#[cfg(test)]
mod tests;
