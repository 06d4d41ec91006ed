//! A virtual meter on the wall: it speaks at its own rhythm, whoever listens, and what it said is
//! written down for the account at the end.
//!
//! Enters: a model, a household, its faults. Leaves: bytes on the line at their instants, and every
//! telegram that somebody heard to its end. Absent: the device.
//!
//! What a telegram must say is worked out here from the registers' exact energy, not from its bytes,
//! so that encoding and decoding are both held against it.

use std::time::Duration;

use ebp_core::{model::MeterType, obis::ObisCode};
use ebp_meter::{
    profile::Profile,
    unlock::Pin,
    virtual_meter::{
        Button, Energies, HouseholdOptions, LockOptions, MeterOptions, MeterState, VirtualMeter,
    },
};
use jiff::{SignedDuration, Timestamp};

use crate::{
    chance::{Chance, after, until},
    faults::Head,
    plan::MeterPlan,
    span::{Span, Spans},
    values::{REGISTERS, Values},
};

/// From power to the first telegram.
const START_UP: Duration = Duration::from_secs(5);

/// What a telegram said, and when its last byte was there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Said {
    /// The true time.
    pub at: Timestamp,
    /// The survey's values.
    pub values: Values,
    /// Whether bytes of it were damaged: it may be known to be over only when others follow, and says
    /// so by a flag.
    pub is_hurt: bool,
}

/// A telegram on the line.
struct Speech {
    begins: Timestamp,
    bytes: Vec<u8>,
    said: Said,
}

/// The meter with its head.
pub struct WallMeter {
    meter: VirtualMeter,
    plan: MeterPlan,
    origin: Timestamp,
    /// The true time that the registers have reached.
    reached: Timestamp,
    every: Duration,
    /// When it began to speak, last.
    rhythm: Timestamp,
    byte: Duration,
    speech: Option<Speech>,
    chance: Chance,
    /// What was heard to its end.
    pub heard: Vec<Said>,
}

/// How a meter is to be.
pub struct MeterKind {
    /// What it counts.
    pub kind: MeterType,
    /// Its household's load and photovoltaic system.
    pub household: HouseholdOptions,
    /// Whether it shows its details from the start.
    pub unlocked: bool,
    /// Whether its detail can be made to last.
    pub inf: bool,
}

impl WallMeter {
    /// A meter of that model.
    ///
    /// # Errors
    /// If the model cannot be simulated.
    pub fn new(
        profile: &Profile,
        number: u32,
        kind: &MeterKind,
        pin: Pin,
        start: Timestamp,
        plan: MeterPlan,
        mut chance: Chance,
    ) -> anyhow::Result<Self> {
        let energies = Energies::from_watt_hours(
            chance.between(1_000_000, 60_000_000),
            chance.between(0, 30_000_000),
        )
        .unwrap_or_default();
        let options = MeterOptions {
            kind: kind.kind,
            number,
            household: kind.household,
            locked: false,
            start,
            energies,
        };
        let lock =
            LockOptions { inf_on: kind.unlocked, inf_offered: kind.inf, ..LockOptions::default() };
        let mut meter = VirtualMeter::new(profile, options)?;
        if let Some(button) = Button::new(profile, pin, lock) {
            meter = meter.with_button(button);
        }
        Ok(Self::on_the_wall(meter, start, plan, chance))
    }

    /// That meter, which speaks at its model's rhythm from then on.
    #[must_use]
    pub fn on_the_wall(
        meter: VirtualMeter,
        start: Timestamp,
        plan: MeterPlan,
        mut chance: Chance,
    ) -> Self {
        let line = &meter.profile().line;
        let every = line.push_interval().unwrap_or(Duration::from_secs(2));
        let byte = Duration::from_secs(10) / line.baud.max(1);
        let phase = every.mul_f64(f64::from(chance.number()) / f64::from(u32::MAX));
        Self {
            meter,
            plan,
            origin: start,
            reached: start,
            every,
            rhythm: after(start, phase),
            byte,
            speech: None,
            chance,
            heard: Vec::new(),
        }
    }

    /// What the meter remembers at that instant.
    #[must_use]
    pub fn state_at(&mut self, at: Timestamp) -> MeterState {
        self.pass(at);
        self.meter.state()
    }

    /// How its head fails at that time, and until when.
    #[must_use]
    pub fn head(&self, at: Timestamp) -> Option<(Head, Timestamp)> {
        let failing = |(span, head): &(Span, Head)| {
            (span.from <= at && at < span.to).then_some((*head, span.to))
        };
        let all = self.plan.head.iter().filter_map(failing);
        all.max_by_key(|(head, to)| (*head != Head::Slipped, *to))
    }

    /// When it could not be read: without power, or by a head that fails wholly.
    #[must_use]
    pub fn unreadable(&self) -> Spans {
        let mut spans = Spans::default();
        for dark in self.plan.dark.iter() {
            spans.add(dark.from, after(dark.to, START_UP));
        }
        for (span, _) in self.plan.head.iter().filter(|(_, head)| *head != Head::Slipped) {
            spans.add(span.from, span.to);
        }
        spans
    }

    /// When its head first fails within that time, how, and until when; being merely slipped is none.
    #[must_use]
    pub fn failing(&self, from: Timestamp, to: Timestamp) -> Option<(Timestamp, Head, Timestamp)> {
        let all = self.plan.head.iter().filter(|(span, head)| {
            !matches!(head, Head::Slipped | Head::Damaged) && span.from <= to && from < span.to
        });
        all.map(|(span, head)| (span.from, *head, span.to)).min_by_key(|(at, _, to)| (*at, *to))
    }

    /// Light falls on it from then on, as bytes on the line.
    pub fn light(&mut self, at: Timestamp, bytes: &[u8]) {
        self.pass(at);
        if self.plan.dark.at(at).is_none() {
            let at = until(self.origin, at);
            self.meter.light(at, bytes);
        }
    }

    /// Its power goes and comes back until then, and its registers count.
    fn pass(&mut self, to: Timestamp) {
        while self.reached < to {
            let here = self.reached;
            if let Some(dark) = self.plan.dark.at(here) {
                // Nothing flows while it has no power: time passes, and that is all.
                let until_then = dark.to.min(to);
                let mut state = self.meter.state();
                let nanos = here.duration_until(until_then).as_nanos() + i128::from(state.rest_ns);
                state.time_ms += i64::try_from(nanos / 1_000_000).unwrap_or(0);
                state.rest_ns = u32::try_from(nanos % 1_000_000).unwrap_or(0);
                state.lock = None;
                self.meter.restore(state);
                self.reached = until_then;
                if until_then == dark.to {
                    self.rhythm = after(dark.to, START_UP);
                }
                continue;
            }
            let dark = self.plan.dark.next(here);
            let until_then = dark.map_or(to, |dark| dark.from.min(to));
            self.meter.advance(until(here, until_then));
            self.reached = until_then;
            if dark.is_some_and(|dark| dark.from == until_then) {
                let at = until(self.origin, until_then);
                if let Some(button) = self.meter.button_mut() {
                    button.power_failure(at);
                }
                self.meter.light(at, &[]);
                self.speech = None;
            }
        }
    }

    /// When the telegram begins whose bytes are on the line at `at`, or the next one. None is made up
    /// before it begins: light may still fall on the meter.
    fn next_speech(&mut self, at: Timestamp) -> Timestamp {
        if let Some(Speech { begins, bytes, .. }) = &self.speech
            && at < after(*begins, self.byte * u32::try_from(bytes.len()).unwrap_or(0))
        {
            return *begins;
        }
        // One that has begun already is gone.
        let begins = self.begins_after(at.max(self.reached));
        let ends = after(begins, Duration::from_millis(800));
        match self.plan.dark.iter().find(|dark| dark.from < ends && begins < dark.to) {
            Some(dark) => {
                self.rhythm = after(dark.to, START_UP);
                self.rhythm
            }
            None => begins,
        }
    }

    /// The telegram that begins then.
    fn speak(&mut self, begins: Timestamp) -> anyhow::Result<&Speech> {
        if self.speech.as_ref().is_none_or(|speech| speech.begins != begins) {
            self.pass(begins);
            self.meter.light(until(self.origin, begins), &[]);
            let values = self.values()?;
            let mut bytes = self.meter.telegram()?;
            let ends = after(begins, self.byte * u32::try_from(bytes.len()).unwrap_or(0));
            let is_hurt = match self.head(begins) {
                Some((Head::Damaged, _)) => true,
                Some((Head::Slipped, _)) => self.chance.percent(33),
                _ => false,
            };
            if is_hurt {
                let last = bytes.len().saturating_sub(1) as u64;
                for _ in 0..3 {
                    let place = usize::try_from(self.chance.between(0, last)).unwrap_or(0);
                    bytes[place] ^= 1 << self.chance.between(0, 7);
                }
            }
            let said = Said { at: ends, values, is_hurt };
            self.speech = Some(Speech { begins, bytes, said });
        }
        self.speech.as_ref().ok_or_else(|| anyhow::anyhow!("no telegram"))
    }

    fn begins_after(&self, at: Timestamp) -> Timestamp {
        if at <= self.rhythm {
            return self.rhythm;
        }
        let since = until(self.rhythm, at).as_nanos().div_ceil(self.every.as_nanos().max(1));
        let nanos = since * self.every.as_nanos();
        let since = SignedDuration::from_nanos_i128(i128::try_from(nanos).unwrap_or(0));
        self.rhythm.saturating_add(since).unwrap_or(at)
    }

    /// When the next byte after `from` is there, and all bytes up to `to`.
    ///
    /// # Errors
    /// If a value outgrew its register.
    pub fn bytes(
        &mut self,
        from: Timestamp,
        to: Timestamp,
    ) -> anyhow::Result<(Timestamp, Vec<u8>)> {
        let byte = self.byte;
        let begins = self.next_speech(from);
        if begins >= to {
            return Ok((after(begins, byte), Vec::new()));
        }
        let speech = self.speak(begins)?;
        let count = |at: Timestamp| {
            let so_far = until(begins, at).as_nanos() / byte.as_nanos().max(1);
            usize::try_from(so_far).unwrap_or(usize::MAX).min(speech.bytes.len())
        };
        let (first, last) = (count(from), count(to));
        let next = after(begins, byte * u32::try_from(first + 1).unwrap_or(u32::MAX));
        let bytes = speech.bytes[first..last.max(first)].to_vec();
        let is_over = last == speech.bytes.len() && first < last;
        let said = is_over.then_some(speech.said);
        if said.is_some() && self.heard.last() != said.as_ref() {
            self.heard.extend(said);
        }
        Ok((next, bytes))
    }

    /// What a telegram says now, from the registers.
    fn values(&mut self) -> anyhow::Result<Values> {
        let Energies { import_microjoules, export_microjoules } = self.meter.energies();
        let milliwatts = self.meter.power();
        let locked = self.meter.is_locked();
        let registers = self.meter.profile().registers(locked);
        let scaler = |obis: ObisCode| {
            registers.iter().find(|r| r.obis == obis).map(|r| r.scaler.unwrap_or(0))
        };
        let energy = |obis, microjoules: u64| {
            // Whole units of the register, its further digits cut off; then kWh.
            let scaler = i32::from(scaler(obis)?);
            let unit = 3_600_000_000_i128 * 10_i128.pow(scaler.max(0).unsigned_abs());
            let fine = 10_i128.pow((-scaler).max(0).unsigned_abs());
            let count = i128::from(microjoules) * fine / unit;
            Some((count, scaler - 3))
        };
        let power = |obis| {
            let scaler = i32::from(scaler(obis)?);
            let fine = 10_i128.pow((-scaler).max(0).unsigned_abs());
            Some((i128::from(milliwatts) * fine / 1000, scaler - 3))
        };
        let [import, export, sum] = REGISTERS;
        let all =
            [energy(import, import_microjoules), energy(export, export_microjoules), power(sum)];
        Values::new(all).ok_or_else(|| anyhow::anyhow!("a register's count does not fit"))
    }
}
