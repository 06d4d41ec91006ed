//! A virtual meter: registers that integrate a household's power, and what it sends of them.
//!
//! Enters: a profile, options, the passing of time, light. Leaves: telegrams, its state. Absent:
//! ports and waiting; encoding telegrams, which [`super::telegram`] does.

use std::{fmt, time::Duration};

use ebp_core::model::MeterType;
use jiff::Timestamp;

use super::{
    button::Button,
    content,
    energies::Energies,
    household::{Household, HouseholdOptions},
    memory::{Memory, MemoryError},
    moment::Moment,
    request::Ear,
    state::MeterState,
    telegram,
};
use crate::{profile::Profile, readout::ServerId, sml::encode::EncodeError};

/// The greatest number that the eight digits on a meter's face can show.
pub(super) const LAST_NUMBER: u32 = 99_999_999;

/// What a virtual meter is to be.
#[derive(Clone, PartialEq, Eq)]
pub struct MeterOptions {
    /// Whether it counts what the household draws and feeds in, or what its roof yields.
    pub kind: MeterType,
    /// The number on its face, up to eight digits.
    pub number: u32,
    /// The household whose power it measures. Two meters of one household have the same.
    pub household: HouseholdOptions,
    /// Whether the PIN has not been entered.
    pub locked: bool,
    /// The simulated instant at which it starts.
    pub start: Timestamp,
    /// What its registers show then.
    pub energies: Energies,
}

/// Shows no number: it identifies the meter.
impl fmt::Debug for MeterOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, number: _, household, locked, start, energies } = self;
        f.debug_struct("MeterOptions")
            .field("kind", kind)
            .field("household", household)
            .field("locked", locked)
            .field("start", start)
            .field("energies", energies)
            .finish_non_exhaustive()
    }
}

/// Why a virtual meter cannot be created or send.
#[derive(Debug, thiserror::Error)]
pub enum VirtualMeterError {
    /// Its memory cannot be read or written.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// The number has more than eight digits.
    #[error("a meter's number has at most eight digits")]
    Number,
    /// The model has no lock.
    #[error("the model {model} knows no lock")]
    NeverLocked {
        /// Which.
        model: String,
    },
    /// A value is beyond what the model's register can carry.
    #[error("the model {model} cannot send this: {source}")]
    Register {
        /// Which.
        model: String,
        /// Why.
        source: EncodeError,
    },
}

/// A virtual meter.
#[derive(Clone)]
pub struct VirtualMeter {
    profile: Profile,
    options: MeterOptions,
    household: Household,
    state: MeterState,
    locked: bool,
    button: Option<Button>,
    memory: Option<Memory>,
    ear: Ear,
}

impl VirtualMeter {
    /// A meter of that model.
    ///
    /// # Errors
    /// Returns [`VirtualMeterError::Number`] if the meter's number is invalid, and
    /// [`VirtualMeterError::NeverLocked`] if a lock is asked for and the model has none.
    pub fn new(profile: &Profile, options: MeterOptions) -> Result<Self, VirtualMeterError> {
        if options.number > LAST_NUMBER {
            return Err(VirtualMeterError::Number);
        }
        if options.locked && profile.locked.is_none() {
            return Err(VirtualMeterError::NeverLocked { model: profile.name.clone() });
        }
        let state = MeterState {
            time_ms: options.start.as_millisecond(),
            rest_ns: 0,
            // Some meters have run for years; what matters is that it is not zero.
            operating_ms: 1_000 * (1_000_000 + u64::from(options.number) % 50_000_000),
            energies: options.energies,
            telegrams: 0,
            lock: None,
        };
        Ok(Self {
            profile: profile.clone(),
            household: Household::new(options.household),
            locked: options.locked,
            options,
            state,
            button: None,
            memory: None,
            ear: Ear::default(),
        })
    }

    /// Its model.
    #[must_use]
    pub const fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The identity by which it names itself, built from maker and number (DIN 43863-5).
    #[must_use]
    pub fn server_id(&self) -> ServerId {
        ServerId(content::server_id(&self.profile, self.options.number).into())
    }

    /// Gives it a lock that opens to light. From then on the lock alone decides what is sent.
    #[must_use]
    pub fn with_button(mut self, button: Button) -> Self {
        self.locked = !button.is_detailed();
        if button.is_operator_off() {
            self.profile.unlocked.registers.retain(|register| !register.is_power());
        }
        self.button = Some(button);
        self
    }

    /// Gives it a memory that outlasts power failures: it goes on from what is in there, and what a
    /// telegram shows is in there before the telegram is sent, so that registers never run backwards.
    ///
    /// # Errors
    /// Returns [`VirtualMeterError::Memory`] when there is something in it that is no meter's
    /// state.
    pub fn with_memory(mut self, memory: Memory) -> Result<Self, VirtualMeterError> {
        if let Some(state) = memory.recall()? {
            self.restore(state);
        }
        self.memory = Some(memory);
        Ok(self)
    }

    /// Its lock, where it has one that opens.
    pub const fn button_mut(&mut self) -> Option<&mut Button> {
        self.button.as_mut()
    }

    /// Whether it sends only what a locked meter sends.
    #[must_use]
    pub const fn is_locked(&self) -> bool {
        self.locked
    }

    /// What it must remember.
    #[must_use]
    pub fn state(&self) -> MeterState {
        let lock = self.button.as_ref().map(|button| button.lock().memory());
        MeterState { lock, ..self.state }
    }

    /// Goes on from where another of the same options was.
    pub fn restore(&mut self, state: MeterState) {
        self.state = MeterState { rest_ns: state.rest_ns % 1_000_000, ..state };
        if let (Some(button), Some(memory)) = (&mut self.button, state.lock) {
            button.restore(memory);
            self.locked = !button.is_detailed();
        }
    }

    /// The registers.
    #[must_use]
    pub const fn energies(&self) -> Energies {
        self.state.energies
    }

    /// The power it measures at its present instant, milliwatts, draw positive.
    pub fn power(&mut self) -> i64 {
        let power = self.household.power(self.state.time_ms.div_euclid(1_000));
        match self.options.kind {
            MeterType::Electricity => power.from_grid(),
            MeterType::PvGeneration => -power.pv,
        }
    }

    /// Lets simulated time pass. However it is cut in pieces, the registers are the same.
    pub fn advance(&mut self, by: Duration) {
        let nanoseconds = by.as_nanos() + u128::from(self.state.rest_ns);
        self.state.rest_ns = u32::try_from(nanoseconds % 1_000_000).unwrap_or_default();
        let mut left = u64::try_from(nanoseconds / 1_000_000).unwrap_or(u64::MAX);
        while left > 0 {
            // Power changes at whole seconds only.
            let into = self.state.time_ms.rem_euclid(1_000).unsigned_abs();
            let step = left.min(1_000 - into);
            let power = self.power();
            self.state.energies.count(power, step);
            self.state.time_ms = self.state.time_ms.saturating_add_unsigned(step);
            self.state.operating_ms = self.state.operating_ms.saturating_add(step);
            left -= step;
        }
    }

    /// The telegram it sends at its present instant.
    ///
    /// # Errors
    /// Returns [`VirtualMeterError::Register`] when a value outgrew its register,
    /// [`VirtualMeterError::Memory`] when it cannot be kept.
    pub fn telegram(&mut self) -> Result<Vec<u8>, VirtualMeterError> {
        let moment = Moment {
            energies: self.state.energies,
            milliwatts: self.power(),
            second: self.state.time_ms.div_euclid(1_000),
            operating_seconds: u32::try_from(self.state.operating_ms / 1_000).unwrap_or(u32::MAX),
            seed: self.options.household.seed,
            number: self.options.number,
            telegrams: self.state.telegrams,
            one_phase: self.profile.phases == Some(1),
        };
        self.state.telegrams = self.state.telegrams.wrapping_add(1);
        if let Some(memory) = &self.memory {
            memory.keep(&self.state())?;
        }
        telegram::bytes(&self.profile, self.locked, &moment).map_err(|source| {
            VirtualMeterError::Register { model: self.profile.name.clone(), source }
        })
    }

    /// Light from a reading head, at this time after the meter was switched on.
    ///
    /// A meter that waits for requests takes `/?!` and what acknowledges its offer of a speed, one
    /// with a button its presses. Called without bytes too, as time passes.
    pub fn light(&mut self, at: Duration, bytes: &[u8]) {
        if let Some(button) = &mut self.button {
            button.light(at, bytes);
            self.locked = !button.is_detailed();
        }
        if self.profile.line.is_asked() {
            self.ear.hear(bytes);
        }
    }

    /// The echo of the head's light.
    pub fn take_echo(&mut self) -> Vec<u8> {
        self.button.as_mut().map(Button::take_echo).unwrap_or_default()
    }

    /// Whether it was asked for its data since it was last asked so.
    pub fn take_request(&mut self) -> bool {
        self.ear.take_request()
    }

    /// The speed that a reader acknowledged since the last request, bits per second.
    pub fn take_acknowledgement(&mut self) -> Option<u32> {
        self.ear.take_acknowledgement()
    }
}

#[cfg(test)]
mod tests;
