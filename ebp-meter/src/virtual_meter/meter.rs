//! A virtual meter: registers that integrate a household's power, and what it sends of them.
//!
//! Enters: a profile, options, the passing of time, light. Leaves: telegrams, its state.
//! Absent: ports and waiting; how telegrams are written, which [`super::telegram`] knows.

use std::{fmt, time::Duration};

use ebp_core::model::MeterType;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    button::Button,
    household::{Household, HouseholdOptions},
    lock::LockMemory,
    telegram::{self, Moment},
};
use crate::{
    profile::{Profile, Transport},
    readout::ServerId,
    sml::encode::EncodeError,
};

/// Microjoules of a watt-hour.
const MICROJOULES_PER_WATT_HOUR: u64 = 3_600_000_000;

/// The greatest number that the eight digits on a meter's face can show.
pub(super) const LAST_NUMBER: u32 = 99_999_999;

/// What the registers have counted, exactly: power in milliwatts times milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Energies {
    /// Energy drawn (1.8.0), microjoules.
    pub import_microjoules: u64,
    /// Energy fed in (2.8.0), microjoules.
    pub export_microjoules: u64,
}

impl Energies {
    /// Registers that stand at so many watt-hours; `None` beyond some five gigawatt-hours.
    #[must_use]
    pub fn from_watt_hours(import: u64, export: u64) -> Option<Self> {
        Some(Self {
            import_microjoules: import.checked_mul(MICROJOULES_PER_WATT_HOUR)?,
            export_microjoules: export.checked_mul(MICROJOULES_PER_WATT_HOUR)?,
        })
    }

    /// Counts a power of so many milliwatts, draw positive, for so many milliseconds.
    fn count(&mut self, milliwatts: i64, milliseconds: u64) {
        let register = if milliwatts < 0 {
            &mut self.export_microjoules
        } else {
            &mut self.import_microjoules
        };
        // A register at its end stands still rather than running backwards.
        *register = register.saturating_add(milliwatts.unsigned_abs().saturating_mul(milliseconds));
    }
}

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

/// What a virtual meter must remember to go on where it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeterState {
    /// The simulated instant, milliseconds since 1970-01-01 UTC.
    pub time_ms: i64,
    /// Nanoseconds beyond that millisecond.
    pub rest_ns: u32,
    /// Milliseconds of operation.
    pub operating_ms: u64,
    /// The registers.
    pub energies: Energies,
    /// The telegrams sent so far.
    pub telegrams: u32,
    /// Its lock, where it has one that opens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<LockMemory>,
}

/// Why a virtual meter cannot be or speak.
#[derive(Debug, thiserror::Error)]
pub enum VirtualMeterError {
    /// The number has more than eight digits.
    #[error("a meter's number has at most eight digits")]
    Number,
    /// The model knows no lock.
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
    heard: Vec<u8>,
    asked: bool,
}

impl VirtualMeter {
    /// A meter of that model.
    ///
    /// # Errors
    /// [`VirtualMeterError::Number`] and [`VirtualMeterError::NeverLocked`].
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
            heard: Vec::new(),
            asked: false,
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
        ServerId(telegram::server_id(&self.profile, self.options.number))
    }

    /// Gives it a lock that opens to light. From then on the lock alone decides what is sent.
    #[must_use]
    pub fn with_button(mut self, button: Button) -> Self {
        self.locked = !button.is_detailed();
        self.button = Some(button);
        self
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
            MeterType::Electricity => power.load - power.pv,
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
    /// [`VirtualMeterError::Register`] when a value outgrew its register.
    pub fn telegram(&mut self) -> Result<Vec<u8>, VirtualMeterError> {
        let moment = Moment {
            energies: self.state.energies,
            milliwatts: self.power(),
            second: self.state.time_ms.div_euclid(1_000),
            operating_seconds: u32::try_from(self.state.operating_ms / 1_000).unwrap_or(u32::MAX),
            seed: self.options.household.seed,
            number: self.options.number,
            telegrams: self.state.telegrams,
        };
        self.state.telegrams = self.state.telegrams.wrapping_add(1);
        telegram::bytes(&self.profile, self.locked, &moment).map_err(|source| {
            VirtualMeterError::Register { model: self.profile.name.clone(), source }
        })
    }

    /// Light from a reading head that reached the meter so long after it was switched on.
    ///
    /// A meter that waits for requests takes `/?!`, one with a button its presses. Called without
    /// bytes too, as time passes.
    pub fn light(&mut self, at: Duration, bytes: &[u8]) {
        if let Some(button) = &mut self.button {
            button.light(at, bytes);
            self.locked = !button.is_detailed();
        }
        if self.profile.line.protocol != Transport::D0Request {
            return;
        }
        // A request is `/?` address `!` CR LF (IEC 62056-21, 6.3.1), the address up to 32 characters.
        for &byte in bytes {
            match byte {
                b'/' => self.heard = vec![b'/'],
                b'\n' if self.heard.ends_with(b"!\r") && self.heard.starts_with(b"/?") => {
                    self.asked = true;
                    self.heard.clear();
                }
                _ if !self.heard.is_empty() && self.heard.len() < 40 => self.heard.push(byte),
                _ => self.heard.clear(),
            }
        }
    }

    /// What the head hears of its own light.
    pub fn take_echo(&mut self) -> Vec<u8> {
        self.button.as_mut().map(Button::take_echo).unwrap_or_default()
    }

    /// Whether it was asked for its data since it was last asked so.
    pub fn take_request(&mut self) -> bool {
        std::mem::take(&mut self.asked)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::profile::Profiles;

    fn options(kind: MeterType) -> MeterOptions {
        MeterOptions {
            kind,
            number: 12_345_678,
            household: HouseholdOptions { seed: 7, pv_peak_watts: 9_000 },
            locked: false,
            start: "2026-06-21T09:00:00Z".parse().unwrap(),
            energies: Energies::from_watt_hours(1_000_000, 2_000_000).unwrap(),
        }
    }

    fn meter(kind: MeterType) -> VirtualMeter {
        VirtualMeter::new(Profiles::embedded().get("MT175").unwrap(), options(kind)).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn registers_are_the_sum_of_power_times_time(
            pieces in proptest::collection::vec(0_u64..2_000_000_000, 1..12),
        ) {
            let mut cut = meter(MeterType::Electricity);
            let mut whole = cut.clone();
            let mut last = cut.energies();
            for piece in &pieces {
                cut.advance(Duration::from_nanos(*piece));
                let now = cut.energies();
                prop_assert!(now.import_microjoules >= last.import_microjoules);
                prop_assert!(now.export_microjoules >= last.export_microjoules);
                last = now;
            }
            let total: u64 = pieces.iter().sum();
            whole.advance(Duration::from_nanos(total));
            prop_assert_eq!(cut.state(), whole.state());

            // The sum, taken another way: millisecond by millisecond.
            let mut clock = meter(MeterType::Electricity);
            let mut sum = clock.energies();
            for ms in 0..total / 1_000_000 {
                clock.state.time_ms = options(MeterType::Electricity).start.as_millisecond()
                    + i64::try_from(ms).unwrap();
                let power = clock.power();
                if power < 0 {
                    sum.export_microjoules += power.unsigned_abs();
                } else {
                    sum.import_microjoules += power.unsigned_abs();
                }
            }
            prop_assert_eq!(sum, cut.energies());
        }
    }

    #[test]
    fn a_generation_meter_only_feeds_in() {
        let mut generation = meter(MeterType::PvGeneration);
        let before = generation.energies();
        generation.advance(Duration::from_secs(3_600));
        let after = generation.energies();
        assert_eq!(after.import_microjoules, before.import_microjoules);
        assert!(after.export_microjoules > before.export_microjoules);
    }

    #[test]
    fn a_restored_meter_goes_on() {
        let mut one = meter(MeterType::Electricity);
        one.advance(Duration::from_millis(123_456));
        one.telegram().unwrap();
        let text = serde_json::to_string(&one.state()).unwrap();
        let mut other = meter(MeterType::Electricity);
        other.restore(serde_json::from_str(&text).unwrap());
        one.advance(Duration::from_millis(10));
        other.advance(Duration::from_millis(10));
        assert_eq!(one.telegram().unwrap(), other.telegram().unwrap());
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let profiles = Profiles::embedded();
        let new = |model: &str, change: &dyn Fn(&mut MeterOptions)| {
            let mut options = options(MeterType::Electricity);
            change(&mut options);
            VirtualMeter::new(profiles.get(model).unwrap(), options).err()
        };
        assert!(matches!(
            new("MT175", &|options| options.number = 100_000_000),
            Some(VirtualMeterError::Number)
        ));
        let error = new("Q3D", &|options| options.locked = true).unwrap();
        assert_eq!(error.to_string(), "the model Q3D knows no lock");
        assert!(new("MT175", &|options| options.locked = true).is_none());
        assert_eq!(Energies::from_watt_hours(u64::MAX, 0), None);
    }

    #[test]
    fn only_a_meter_that_waits_takes_requests() {
        let profiles = Profiles::embedded();
        let mut mt174 =
            VirtualMeter::new(profiles.get("MT174").unwrap(), options(MeterType::Electricity))
                .unwrap();
        for (piece, asked) in [
            (&b"/?!\r\n"[..], true),
            (b"", false),
            (b"\0\0/?", false),
            (b"12345678!\r\n", true),
            (b"/?!\n/!\r\n?!\r\n", false),
            (&[b'x'; 5_000], false),
        ] {
            mt174.light(Duration::ZERO, piece);
            assert_eq!(mt174.take_request(), asked, "{piece:?}");
        }
        let mut mt175 = meter(MeterType::Electricity);
        mt175.light(Duration::ZERO, b"/?!\r\n");
        assert!(!mt175.take_request());
    }
}
