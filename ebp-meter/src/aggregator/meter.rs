//! A meter as this device is configured to read it.
//!
//! Enters: what the configuration says. Leaves: [`ConfiguredMeter`]. Absent: its PIN, which is read
//! from its file when it is needed.

use std::{num::NonZeroU16, path::PathBuf, sync::Arc, time::Duration};

use rust_decimal::Decimal;
use uuid::Uuid;

use super::plausible::DEFAULT_MAX_KILOWATTS;
use crate::{
    canonical::Pinned,
    lock::{Facts, KnownMeter, Lock},
    port::PortName,
    profile::{self, Profile, RelockBehaviour},
    readout::Readout,
    session::ReadOptions,
    unlock::{Method, Pin, Plan, Variant},
};

/// What looking for detail after the PIN and the way to `InF` may take.
const BESIDE_THE_PIN: Duration = Duration::from_secs(40);

/// Phases of a meter of which nobody says how many it has.
const MOST_PHASES: u8 = 3;

/// A meter as this device is configured to read it.
#[derive(Debug, Clone)]
pub struct ConfiguredMeter {
    /// Its identifier in the survey.
    pub uuid: Uuid,
    /// What is known of its model.
    pub profile: Option<Arc<Profile>>,
    /// Where its reading head is.
    pub port: PortName,
    /// Its protocol and speed, where they are known.
    pub options: ReadOptions,
    /// The file with its PIN.
    pub pin_file: Option<PathBuf>,
    /// The presses to `InF` after the PIN that its owner has counted.
    pub inf_presses: Option<u8>,
    /// How light is made.
    pub method: Method,
    /// Whether the head shines while the line is idle.
    pub inverted: bool,
    /// Whether the head's USB device may be reset.
    pub reset_usb: bool,
    /// The maximum current of each phase as its face says, amperes: a model comes in several.
    pub max_current_a: Option<NonZeroU16>,
}

impl ConfiguredMeter {
    /// One of which nothing else is known.
    #[must_use]
    pub fn new(uuid: Uuid, port: PortName) -> Self {
        Self {
            uuid,
            profile: None,
            port,
            options: ReadOptions::default(),
            pin_file: None,
            inf_presses: None,
            method: Method::Auto,
            inverted: false,
            reset_usb: false,
            max_current_a: None,
        }
    }

    /// What it holds back, by a telegram of its own.
    #[must_use]
    pub fn lock(&self, readout: &Readout) -> Lock {
        let model = self.profile.as_deref();
        let facts = Facts::from_readouts(std::slice::from_ref(readout));
        Lock::from_facts(facts, KnownMeter { maker_is_known: model.is_some(), model })
    }

    /// What its model's profile says counts.
    #[must_use]
    pub fn pinned(&self) -> &Pinned {
        static NOTHING: Pinned = Pinned::new();
        self.profile.as_ref().map_or(&NOTHING, |profile| &profile.counts)
    }

    /// The most that it carries, kW.
    #[must_use]
    pub fn max_kilowatts(&self) -> Decimal {
        let limits = self.profile.as_ref().and_then(|profile| profile.limits.as_ref());
        match (self.max_current_a, limits) {
            (Some(current), limits) => {
                profile::max_kilowatts(current.get(), limits.map_or(MOST_PHASES, |l| l.phases))
            }
            (None, Some(limits)) => limits.max_kilowatts(),
            (None, None) => DEFAULT_MAX_KILOWATTS,
        }
    }

    /// Whether it has a lock and its PIN is known. A meter that must be asked has none.
    #[must_use]
    pub fn can_unlock(&self) -> bool {
        self.pin_file.is_some() && self.timing().is_some() && !self.is_asked()
    }

    /// Whether it must be asked for each telegram, as far as that is known.
    pub(super) fn is_asked(&self) -> bool {
        self.profile.as_ref().is_some_and(|profile| profile.line.is_asked())
    }

    /// How long entering the PIN takes at most; nothing for models without a lock.
    #[must_use]
    pub fn unlocking(&self) -> Option<Duration> {
        let profile = self.profile.as_ref()?;
        let nines: Pin = "9".repeat(self.timing()?.digits.into()).parse().ok()?;
        let plan = Plan::enter_pin(profile, &nines, Variant::Normal).ok()?;
        Some(plan.duration() + BESIDE_THE_PIN)
    }

    /// How long the list that the PIN opens stays open.
    #[must_use]
    pub fn stays_open(&self) -> Option<Duration> {
        self.timing().map(|pin| Duration::from_secs(pin.return_to_normal_s.into()))
    }

    /// What keeps its detail, as far as its profile or its owner can promise.
    pub(super) fn relock(&self) -> Option<RelockBehaviour> {
        let sourced = self.profile.as_ref()?.keeps_unlocked()?;
        Some(if self.inf_presses.is_some() { RelockBehaviour::Permanent } else { sourced })
    }

    fn timing(&self) -> Option<&profile::Pin> {
        self.profile.as_ref()?.pin.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profiles;

    #[test]
    fn what_a_meters_face_says_goes_before_its_models_range() {
        let named = |model: &str| {
            let profile = Profiles::embedded().get(model).unwrap().clone();
            let port = "/dev/ttyUSB0".parse().unwrap();
            let mut meter = ConfiguredMeter::new(Uuid::nil(), port);
            meter.profile = Some(Arc::new(profile));
            meter
        };
        let mut meter = named("EASY");
        assert_eq!(meter.max_kilowatts().to_string(), "75.900");
        meter.max_current_a = NonZeroU16::new(60);
        assert_eq!(meter.max_kilowatts().to_string(), "45.540");
        // Of this one's range nobody says anything.
        let mut meter = named("MT175");
        assert_eq!(meter.max_kilowatts(), DEFAULT_MAX_KILOWATTS);
        meter.max_current_a = NonZeroU16::new(63);
        assert_eq!(meter.max_kilowatts().to_string(), "47.817");
    }
}
