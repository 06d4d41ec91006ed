//! A meter as this device is configured to read it.
//!
//! Enters: what the configuration says. Leaves: [`ConfiguredMeter`]. Absent: its PIN, which is read
//! from its file when it is needed.

use std::{path::PathBuf, sync::Arc, time::Duration};

use rust_decimal::Decimal;
use uuid::Uuid;

use super::plausible::DEFAULT_MAX_KILOWATTS;
use crate::{
    port::PortName,
    profile::{Profile, RelockBehaviour},
    readout::Readout,
    session::ReadOptions,
    unlock::{self, Method, Pin, Plan, Variant},
};

/// What looking for detail after the PIN and the way to `InF` may take.
const BESIDE_THE_PIN: Duration = Duration::from_secs(40);

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
    /// How light is made.
    pub method: Method,
    /// Whether the head shines while the line is idle.
    pub inverted: bool,
    /// Whether the head's USB device may be reset.
    pub reset_usb: bool,
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
            method: Method::Auto,
            inverted: false,
            reset_usb: false,
        }
    }

    /// Whether a telegram has what the survey wants in detail.
    #[must_use]
    pub fn is_detailed(&self, readout: &Readout) -> bool {
        match &self.profile {
            Some(profile) => unlock::is_detailed(profile, readout),
            None => readout.is_detailed(),
        }
    }

    /// The most that it carries, kW.
    #[must_use]
    pub fn max_kilowatts(&self) -> Decimal {
        let limits = self.profile.as_ref().and_then(|profile| profile.limits.as_ref());
        limits.map_or(DEFAULT_MAX_KILOWATTS, |limits| limits.max_kilowatts())
    }

    /// Whether it has a lock and its PIN is known.
    #[must_use]
    pub fn can_unlock(&self) -> bool {
        self.pin_file.is_some() && self.timing().is_some()
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

    /// What keeps its detail.
    pub(super) fn relock(&self) -> Option<RelockBehaviour> {
        Some(self.profile.as_ref()?.relock.as_ref()?.behaviour)
    }

    fn timing(&self) -> Option<&crate::profile::Pin> {
        self.profile.as_ref()?.pin.as_ref()
    }
}
