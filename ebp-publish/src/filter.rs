//! Keeps registers from falling.
//!
//! Enters: a meter's readings as they arrive. Leaves: those that may be published, or why not. Absent:
//! clocks, outputs.
//!
//! Home Assistant takes any fall of a register as a new meter that began at zero, and counts the
//! whole register once more. So a reading passes only if each of its registers continues what was
//! published: not zero, not missing, not lower, not more than the meter can carry since, and not with
//! fewer decimals (a meter that has locked itself cuts its registers off to whole kilowatt hours). A
//! reading with one doubtful value is withheld as a whole.
//!
//! Another meter in the same place does not continue the old one's registers. Its first reading is
//! withheld; it passes from the second reading on that continues the first. The same holds at the
//! start, when nothing was published yet.
//!
//! A damaged telegram can have a value that is slightly too high and therefore passes. The true ones
//! after it are lower, but continue what was confirmed before it: they are the same meter's, and are
//! withheld until they have caught up.
//!
//! Guarantee: a published register falls only if two successive readings agree on a lower value that
//! does not continue what was confirmed. Single damaged telegrams never do that.

use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::reading::Reading;

/// The most that a household's meter carries: three phases of 100 A at 253 V, as `ebp-meter` has it.
const MOST_KILOWATTS: Decimal = Decimal::from_parts(759, 0, 0, false, 1);

/// Why a reading is not published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Withheld {
    /// A register that was published is missing or zero.
    Missing,
    /// A register is cut off: the meter has locked itself.
    Coarse,
    /// A register is lower than what was published last, but continues what was confirmed before that.
    Lower,
    /// A register continues nothing that is known, or there was none before: the next reading shows
    /// whether it is true.
    Unconfirmed,
    /// The power is more than any household's meter carries.
    PowerOutOfRange,
}

/// A register's value at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    value: Decimal,
    at: Timestamp,
}

/// What is known of a register.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Register {
    /// What was published last.
    last: Option<Mark>,
    /// The latest that the reading after it continued.
    confirmed: Option<Mark>,
    /// Whether a reading since then was lower than what was published last.
    is_contradicted: bool,
    /// The latest value that does not continue it.
    candidate: Option<Mark>,
}

/// The judgement of one register.
enum Judgement {
    /// There is none, and never was.
    Absent,
    /// It continues what was published.
    Continues(Mark),
    /// It is confirmed that another register begins here, or the first one: this value, after that one.
    Begins(Mark, Mark),
    /// It is of no use now.
    Withheld(Withheld),
}

/// Decides for the readings of one meter, in the order of their arrival, which are published.
#[derive(Debug, Clone)]
pub struct RegisterFilter {
    import: Register,
    export: Register,
}

impl RegisterFilter {
    /// Nothing was published yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { import: Register::NONE, export: Register::NONE }
    }

    /// Takes a reading of an earlier run as published: the next one must continue it, or be
    /// confirmed.
    pub fn remember(&mut self, reading: &Reading) {
        let mark = |value: Option<Decimal>| {
            let value = value.filter(|value| *value > Decimal::ZERO)?;
            Some(Mark { value, at: reading.read_at })
        };
        for (register, value) in
            [(&mut self.import, reading.import_kwh), (&mut self.export, reading.export_kwh)]
        {
            let last = mark(value);
            *register = Register { last, confirmed: last, ..Register::NONE };
        }
    }

    /// The reading as it may be published.
    ///
    /// # Errors
    /// Returns [`Withheld`] when publishing it could make a register fall.
    pub fn judge(&mut self, reading: &Reading) -> Result<Reading, Withheld> {
        if reading.power_kw.is_some_and(|power| power.abs() > MOST_KILOWATTS) {
            return Err(Withheld::PowerOutOfRange);
        }
        let import = self.import.judge(reading.import_kwh, reading.read_at);
        let export = self.export.judge(reading.export_kwh, reading.read_at);
        // Another meter: a register that it does not have, or that is zero, is no register of the old one.
        let is_other = [(&self.import, &import), (&self.export, &export)]
            .iter()
            .any(|(known, judged)| known.last.is_some() && matches!(judged, Judgement::Begins(..)));
        let settle = |known: &Register, judged: Judgement| match judged {
            Judgement::Absent => Ok(Register::NONE),
            Judgement::Continues(mark) => Ok(known.continued_by(mark)),
            Judgement::Begins(mark, after) => {
                Ok(Register { last: Some(mark), confirmed: Some(after), ..Register::NONE })
            }
            Judgement::Withheld(Withheld::Missing) if is_other => Ok(Register::NONE),
            Judgement::Withheld(why) => Err(why),
        };
        let settled = (settle(&self.import, import)?, settle(&self.export, export)?);
        (self.import, self.export) = settled;
        let value = |register: Register| register.last.map(|mark| mark.value);
        Ok(Reading {
            import_kwh: value(self.import),
            export_kwh: value(self.export),
            ..reading.clone()
        })
    }
}

impl Default for RegisterFilter {
    fn default() -> Self {
        Self::new()
    }
}

impl Register {
    /// Nothing is known.
    const NONE: Self =
        Self { last: None, confirmed: None, is_contradicted: false, candidate: None };

    /// After that was published.
    fn continued_by(&self, mark: Mark) -> Self {
        let confirmed = if self.is_contradicted { self.confirmed } else { self.last };
        Self { last: Some(mark), confirmed, ..Self::NONE }
    }

    fn judge(&mut self, value: Option<Decimal>, at: Timestamp) -> Judgement {
        let Some(value) = value.filter(|value| *value > Decimal::ZERO) else {
            self.candidate = None;
            return match self.last {
                Some(_) => Judgement::Withheld(Withheld::Missing),
                None => Judgement::Absent,
            };
        };
        let mark = Mark { value, at };
        if self.last.is_some_and(|last| last.is_continued_by(mark)) {
            return Judgement::Continues(mark);
        }
        let known = || [self.last, self.confirmed].into_iter().flatten();
        if known().any(|known| known.is_cut_off_as(mark)) {
            self.candidate = None;
            return Judgement::Withheld(Withheld::Coarse);
        }
        let is_lower = self.last.is_some_and(|last| value < last.value);
        if is_lower && self.confirmed.is_some_and(|confirmed| confirmed.is_continued_by(mark)) {
            (self.candidate, self.is_contradicted) = (None, true);
            return Judgement::Withheld(Withheld::Lower);
        }
        match self.candidate.replace(mark) {
            Some(candidate) if candidate.at < at && candidate.is_continued_by(mark) => {
                Judgement::Begins(mark, candidate)
            }
            _ => Judgement::Withheld(Withheld::Unconfirmed),
        }
    }
}

impl Mark {
    fn is_continued_by(self, next: Self) -> bool {
        let milliseconds = next.at.duration_since(self.at).as_millis().max(0);
        let hours = i64::try_from(milliseconds)
            .ok()
            .and_then(|ms| Decimal::from(ms).checked_div(Decimal::from(3_600_000)));
        // After ages anything is possible.
        let most = hours.and_then(|hours| hours.checked_mul(MOST_KILOWATTS));
        // One step of the register on top.
        let step = Decimal::new(1, self.value.scale());
        next.value >= self.value
            && !self.is_finer_than_whole(next)
            && most.is_none_or(|most| {
                next.value.checked_sub(self.value).is_some_and(|grown| grown <= most + step)
            })
    }

    /// Whether the next value is this one, or a later one, with decimals cut off.
    fn is_cut_off_as(self, next: Self) -> bool {
        let scale = next.value.scale();
        scale < self.value.scale()
            && (next.value < self.value || scale == 0)
            && self.cut_off_to(scale).is_continued_by(next)
    }

    /// Whether only the next value has no decimals. Zeros at the end are not there, so that fewer decimals
    /// alone say nothing.
    fn is_finer_than_whole(self, next: Self) -> bool {
        next.value.scale() == 0 && self.value.scale() > 0
    }

    /// This mark with so many decimals.
    fn cut_off_to(self, scale: u32) -> Self {
        Self { value: self.value.trunc_with_scale(scale), at: self.at }
    }
}

#[cfg(test)]
mod tests;
