//! What has to be known of a model before one of its meters is read: what the measurement cycle plans
//! with, and what its telegrams are judged by.

use std::time::Duration;

use rust_decimal::Decimal;

use crate::{
    canonical::{Pinned, is_power},
    profile::{FlagId, Limits, Profile, RelockBehaviour},
    session::{AnswerSpeed, ReadOptions},
    unlock::{Pin, Plan, Variant},
};

/// What looking for detail after the PIN and the way to `InF` may take.
const BESIDE_THE_PIN: Duration = Duration::from_secs(40);
/// From one press to the next that keeps a list open, where nobody says otherwise.
const PRESS_EVERY: Duration = Duration::from_secs(100);

/// What has to be known of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// The name by which people choose it.
    pub name: String,
    /// Further names for the same.
    pub aliases: Vec<String>,
    /// Who makes it.
    pub maker: String,
    /// The maker's FLAG id, where its telegrams name it.
    pub flag: Option<FlagId>,
    /// What need not be found out of how it speaks, where it speaks SML or IEC 62056-21.
    pub read: ReadOptions,
    /// Whether it sends a telegram only when it is asked: then it is asked when a slot begins, and not
    /// listened to before.
    pub is_asked: bool,
    /// Whether it sends power when nothing holds it back.
    pub sends_power: bool,
    /// Whether it is known to send less while it is locked.
    pub is_locked_at_times: bool,
    /// What counts for a code of the survey, where the usual rules would choose otherwise.
    pub counts: Pinned,
    /// What it carries at most, where its maker says so.
    pub limits: Option<Limits>,
    /// How its PIN is entered, as far as time goes; nothing for a model that is not unlocked so.
    pub pin: Option<PinEntry>,
    /// What keeps it unlocked.
    pub relock: Option<RelockBehaviour>,
    /// From one press to the next, where presses keep it unlocked.
    pub press_every: Duration,
}

/// How long a PIN takes and what it brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PinEntry {
    /// How long unlocking takes at most, looking for the detail included.
    pub takes: Duration,
    /// How long what the PIN opens stays open without a further press.
    pub stays_open: Duration,
}

impl Model {
    /// One of that name and maker which pushes, has no lock and sends power. What else is known of it
    /// is set in its fields.
    #[must_use]
    pub fn new(name: &str, maker: &str) -> Self {
        Self {
            name: name.to_owned(),
            aliases: Vec::new(),
            maker: maker.to_owned(),
            flag: None,
            read: ReadOptions::default(),
            is_asked: false,
            sends_power: true,
            is_locked_at_times: false,
            counts: Pinned::new(),
            limits: None,
            pin: None,
            relock: None,
            press_every: PRESS_EVERY,
        }
    }

    /// What a profile says.
    #[must_use]
    pub fn from_profile(profile: &Profile) -> Self {
        let registers = &profile.unlocked.registers;
        Self {
            name: profile.name.clone(),
            aliases: profile.aliases.clone(),
            maker: profile.maker.clone(),
            flag: Some(profile.flag),
            read: read_options(profile),
            is_asked: profile.line.is_asked(),
            sends_power: registers
                .iter()
                .any(|register| register.is_number() && is_power(register.obis)),
            is_locked_at_times: profile.pin.is_some() || profile.locked.is_some(),
            counts: profile.counts.clone(),
            limits: profile.limits.clone(),
            // One that must be asked is not unlocked by light.
            pin: pin_entry(profile).filter(|_| !profile.line.is_asked()),
            relock: profile.keeps_unlocked(),
            press_every: Duration::from_secs(profile.keep_alive_s().into()),
        }
    }

    /// Its name and aliases.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.name).chain(&self.aliases).map(String::as_str)
    }

    /// Whether that name or alias is meant, whatever its case.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        self.names().any(|own| own.eq_ignore_ascii_case(name.trim()))
    }

    /// The most that it carries, kW, where its maker says so.
    #[must_use]
    pub fn max_kilowatts(&self) -> Option<Decimal> {
        self.limits.as_ref().map(Limits::max_kilowatts)
    }
}

/// What a session need not find out where the model is known.
const fn read_options(profile: &Profile) -> ReadOptions {
    ReadOptions {
        protocol: Some(profile.line.protocol.protocol()),
        baud: Some(profile.line.baud),
        address: profile.line.address,
        speed: AnswerSpeed::Offered,
    }
}

/// Nothing for models whose PIN is not entered by light.
fn pin_entry(profile: &Profile) -> Option<PinEntry> {
    let timing = profile.pin.as_ref()?;
    let nines: Pin = "9".repeat(timing.digits.into()).parse().ok()?;
    let plan = Plan::enter_pin(profile, &nines, Variant::Normal).ok()?;
    Some(PinEntry {
        takes: plan.duration() + BESIDE_THE_PIN,
        stays_open: Duration::from_secs(timing.return_to_normal_s.into()),
    })
}
