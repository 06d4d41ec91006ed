//! Finding out at which line settings a meter speaks, and whether it wants to be asked.
//!
//! Enters: what was heard, and the time as a value. Leaves: the [`Step`] to take next. Absent:
//! ports, decoders and real waiting.
//!
//! Nearly all meters push SML at 9600 8N1, so that comes first; then registers pushed at 9600 7E1,
//! then the request at 300 7E1; then round again. What is heard can cut a step short: registers
//! read at 8 data bits show their parity, SML read at 7 its escape sequence. So can silence: where
//! hardly a byte came, no meter pushes at that speed, whatever its framing. And it can prolong one:
//! as long as registers come, they are listened to, and nothing is sent into them.

use std::time::Duration;

use super::{ReadOptions, heard::Heard};
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
/// How long registers may pause: a bridge may gather them, and a meter that pushes long telegrams
/// rests between two.
const REGISTERS_PAUSE: Duration = Duration::from_secs(6);
/// How long an answer may last: some take 4 minutes at 300 baud.
const LONGEST_ANSWER: Duration = Duration::from_secs(600);
/// How long pushed registers are listened to that do not become a telegram: the longest telegram
/// takes 68 s at 9600 baud, and the first one may have been cut at its beginning.
const LONGEST_PUSH: Duration = Duration::from_secs(140);
/// How long a byte may be the first of a telegram, when the time for silence is over.
const BEGINNING: Duration = Duration::from_millis(500);
/// The pause between a meter's answer and the next request (IEC 62056-21 asks for 1.5 s).
const PAUSE: Duration = Duration::from_secs(2);
/// When so many telegrams of registers have begun, one was whole and could not be read.
const TOO_MANY_NAMES: u32 = 3;

/// One way of listening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    /// At these settings.
    pub line: LineSettings,
    /// After asking for the registers.
    pub request: bool,
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
            _ if options.baud == Some(300) => vec![request],
            Some(Protocol::D0) => vec![push, request],
            None | Some(Protocol::Own) => vec![sml, push, request],
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

    /// The port has no line settings: what is left is to listen, and to ask where nobody speaks.
    pub fn fix_line(&mut self) {
        if std::mem::replace(&mut self.fixed, true) {
            return;
        }
        let step = self.step();
        self.steps.retain(|other| *other == step || other.request);
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
        self.heard.hear(bytes, now);
    }

    /// What was heard within the present step.
    pub const fn heard(&self) -> &Heard {
        &self.heard
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

    /// Whether a telegram came in answer to the request.
    pub const fn is_answered(&self) -> bool {
        self.ask_at.is_some()
    }

    /// Goes back to the step that was just left.
    pub fn repeat(&mut self, step: Step) {
        self.at = self.steps.iter().position(|other| *other == step).unwrap_or(self.at);
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
        let silence = if step.request { ANSWER } else { SILENCE };
        let Some((first, last)) = self.heard.times else {
            return Some(self.began.saturating_add(silence));
        };
        let registers_end = || {
            let last = self.heard.register_at.filter(|_| self.heard.is_registers())?;
            Some(last.saturating_add(REGISTERS_PAUSE))
        };
        Some(if step.request {
            match (registers_end(), self.heard.identified) {
                (Some(end), _) => end,
                (None, true) => last.saturating_add(ANSWER),
                // Noise must not keep the request waiting for ever.
                (None, false) => {
                    last.saturating_add(ANSWER).min(self.began.saturating_add(2 * ANSWER))
                }
            }
            .min(self.began.saturating_add(LONGEST_ANSWER))
        } else if let Some(end) = registers_end() {
            end.min(first.saturating_add(LONGEST_PUSH))
        } else if self.heard.is_quiet() {
            let begun = last.saturating_add(BEGINNING);
            self.began.saturating_add(silence).max(begun).min(first.saturating_add(UNDECODED))
        } else {
            first.saturating_add(UNDECODED)
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
        if !late {
            return None;
        }
        if self.step().request {
            self.skip();
        } else if self.heard.is_quiet() {
            self.skip_speed();
        } else if !self.fixed {
            self.skip();
        }
        // Where the line has no settings and somebody speaks, asking helps as little as changing
        // them: it is listened to anew.
        Some(self.step())
    }

    /// How long ago the last byte came of an answer that is under way, or of a long telegram of
    /// registers; none where neither is. It is given up when it pauses for long, or is longer than
    /// any.
    pub fn answering(&self, now: Duration) -> Option<Duration> {
        let heard = &self.heard;
        let (first, last) = heard.times.filter(|_| self.ask_at.is_none())?;
        let is_answer = if self.step().request {
            heard.identified || heard.names > 0 || heard.is_registers()
        } else {
            !self.settled
                && heard.is_registers()
                && heard.names < TOO_MANY_NAMES
                && now < first.saturating_add(LONGEST_PUSH)
        };
        is_answer.then(|| now.saturating_sub(last))
    }

    /// The step that the bytes themselves point to.
    fn evident(&self) -> Option<usize> {
        let (step, heard) = (self.step(), &self.heard);
        if step.request {
            return None;
        }
        let framing = match step.line.framing {
            Framing::EightNone if heard.is_text_with_parity() => Framing::SevenEven,
            Framing::SevenEven if heard.sml => Framing::EightNone,
            _ => return None,
        };
        self.steps.iter().position(|other| other.line.framing == framing && !other.request)
    }
}

#[cfg(test)]
mod tests;
