//! What a meter holds back, by what it sends.
//!
//! Enters: telegrams, what is known of the meter that sent them. Leaves: [`Lock`]. Absent: what to
//! do about it.
//!
//! Two facts decide: whether energy has decimals of a kWh, and whether there is power under any
//! code. A locked meter has neither.

use ebp_core::{obis::ObisCode, quantity::Unit};
use serde::Serialize;

use crate::{
    canonical::is_power,
    interface::Model,
    readout::{Integrity, Protocol, Readout, Value},
};

/// What a meter holds back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lock {
    /// Nothing: it sends power.
    Open,
    /// Whole kWh and no power: it needs its PIN.
    Locked,
    /// Decimals, but no power: its extended data set (`InF`) is switched off.
    ExtendedDataOff,
    /// Nothing: meters of this kind send no power.
    NoPowerByDesign,
    /// Its operator has switched the extended data off: decimals came with the PIN, and no power.
    OperatorOff,
    /// No power, and too little is known of the meter to say why.
    Unknown,
}

impl Lock {
    /// The name in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Locked => "locked",
            Self::ExtendedDataOff => "extended-data-off",
            Self::NoPowerByDesign => "no-power-by-design",
            Self::OperatorOff => "operator-off",
            Self::Unknown => "unknown",
        }
    }

    /// Whether all is there that the meter can send.
    #[must_use]
    pub const fn holds_nothing_back(self) -> bool {
        matches!(self, Self::Open | Self::NoPowerByDesign)
    }

    /// Judges by the facts and by what is known of the meter.
    #[must_use]
    pub fn from_facts(facts: Facts, meter: KnownMeter<'_>) -> Self {
        if facts.power {
            return Self::Open;
        }
        if !facts.energy {
            return Self::Unknown;
        }
        let is_asked = |model: &Model| model.is_asked && model.pin.is_none();
        // A meter that pushes may put a block check character behind its registers, too (Logarex,
        // eBZ): what is known of a model's lock says more.
        let has_lock = |model: &Model| model.is_locked_at_times && !model.is_asked;
        let was_asked = facts.was_asked && !meter.model.is_some_and(has_lock);
        if was_asked || meter.model.is_some_and(is_asked) {
            return Self::NoPowerByDesign;
        }
        match meter.model {
            Some(model) if !model.sends_power => Self::NoPowerByDesign,
            Some(model) if !model.is_locked_at_times => match facts.decimals {
                true => Self::ExtendedDataOff,
                false => Self::Unknown,
            },
            None if !meter.maker_is_known => Self::Unknown,
            _ if facts.decimals => Self::ExtendedDataOff,
            _ => Self::Locked,
        }
    }

    /// Judges after the PIN was entered: what it sent before, and what it sends now.
    #[must_use]
    pub const fn after_pin(before: Facts, now: Facts) -> Self {
        match (before.decimals, now) {
            (_, Facts { power: true, .. }) => Self::Open,
            (false, Facts { decimals: true, .. }) => Self::OperatorOff,
            (_, Facts { decimals: true, .. }) => Self::ExtendedDataOff,
            (_, Facts { energy: true, .. }) => Self::Locked,
            _ => Self::Unknown,
        }
    }
}

/// What is known of the meter beside its telegrams.
#[derive(Debug, Clone, Copy, Default)]
pub struct KnownMeter<'a> {
    /// Its maker is one whose meters are known.
    pub maker_is_known: bool,
    /// The model that it is, or that its registers fit well.
    pub model: Option<&'a Model>,
}

/// What some telegrams of a meter show.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Facts {
    /// Active energy, whatever its channel and tariff.
    pub energy: bool,
    /// It has decimals of a kWh, which are not zero in each of several registers or telegrams.
    pub decimals: bool,
    /// Active power in watts, under any code of it.
    pub power: bool,
    /// They have a block check character, so that they were most likely asked for (IEC 62056-21
    /// modes A to C).
    pub was_asked: bool,
    /// By which decimals are judged.
    energies: Energies,
}

impl Facts {
    /// Those of the telegrams.
    #[must_use]
    pub fn from_readouts(readouts: &[Readout]) -> Self {
        let mut facts = Self::default();
        for readout in readouts {
            facts.add(readout);
        }
        facts
    }

    /// One telegram more.
    pub fn add(&mut self, readout: &Readout) {
        let is_ascii = readout.protocol == Protocol::D0;
        self.was_asked |=
            is_ascii && readout.integrity == Integrity::Ok && !is_customer_interface(readout);
        for entry in &readout.entries {
            let Value::Integer(value) = entry.value else { continue };
            let whole = match (entry.obis.0, entry.unit) {
                ([1, _, 1 | 2, 8, ..], Some(Unit::WATT_HOUR)) => 3,
                // In kWh, since ASCII telegrams may leave that out.
                ([1, _, 1 | 2, 8, ..], None) if is_ascii => 0,
                (code, Some(Unit::WATT)) => {
                    self.power |= is_power(ObisCode(code));
                    continue;
                }
                _ => continue,
            };
            self.energy = true;
            self.energies.add(value, whole - i32::from(entry.scaler));
        }
        self.decimals = self.energies.have_decimals();
    }
}

/// Whether energies have decimals of a kWh. Some meters write those, and yet count whole kWh until they
/// have their PIN.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Energies {
    /// Some are written with decimals.
    written: bool,
    /// Some are no multiples of a kWh.
    used: bool,
    /// How many are multiples, written with decimals, and not zero.
    whole: u32,
    /// How many digits those of different values have behind the point.
    digits: u32,
    /// The first of these values.
    first: Option<i128>,
}

impl Energies {
    /// So many digits are zero by chance in one of a hundred telegrams.
    const LEAST_DIGITS: u32 = 2;
    /// So many registers or telegrams must agree.
    const LEAST: u32 = 2;

    fn add(&mut self, value: i128, digits: i32) {
        let Ok(digits @ 1..) = u32::try_from(digits) else { return };
        self.written = true;
        if value == 0 {
            return;
        }
        let kwh = 10_i128.checked_pow(digits);
        if kwh.is_none_or(|kwh| value % kwh != 0) {
            self.used = true;
            return;
        }
        self.whole = self.whole.saturating_add(1);
        if self.first != Some(value) {
            self.digits = self.digits.saturating_add(digits);
            self.first = self.first.or(Some(value));
        }
    }

    const fn have_decimals(&self) -> bool {
        let are_whole = self.whole >= Self::LEAST && self.digits >= Self::LEAST_DIGITS;
        self.used || (self.written && !are_whole)
    }
}

/// Whether a customer interface sent it unasked (DSMR P1), whose checksum is no block check
/// character: each says of which version it is.
fn is_customer_interface(readout: &Readout) -> bool {
    let is_version = |code: ObisCode| matches!(code.0, [1, 3, 0, 2, 8, _] | [0, 0, 96, 1, 4, _]);
    readout.entries.iter().any(|entry| is_version(entry.obis))
}

impl Readout {
    /// Whether the meter shows power, under whatever code. A locked meter sends none.
    #[must_use]
    pub fn is_detailed(&self) -> bool {
        Facts::from_readouts(std::slice::from_ref(self)).power
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profiles;

    const NONE: Energies =
        Energies { written: false, used: false, whole: 0, digits: 0, first: None };
    const LOCKED: Facts =
        Facts { energy: true, decimals: false, power: false, was_asked: false, energies: NONE };
    const DECIMALS: Facts = Facts { decimals: true, ..LOCKED };
    const OPEN: Facts = Facts { power: true, ..DECIMALS };
    const ASKED: Facts = Facts { was_asked: true, ..DECIMALS };

    fn judged(facts: Facts, model: &str) -> Lock {
        let profiles = Profiles::embedded();
        let model = Model::from_profile(profiles.get(model).unwrap());
        Lock::from_facts(facts, KnownMeter { maker_is_known: true, model: Some(&model) })
    }

    #[test]
    fn two_facts_decide() {
        assert_eq!(judged(OPEN, "MT175"), Lock::Open);
        assert_eq!(judged(LOCKED, "MT175"), Lock::Locked);
        assert_eq!(judged(DECIMALS, "MT175"), Lock::ExtendedDataOff);
        assert_eq!(judged(Facts { decimals: false, ..OPEN }, "MT175"), Lock::Open);
        assert_eq!(judged(Facts::default(), "MT175"), Lock::Unknown);
    }

    #[test]
    fn who_must_be_asked_has_no_lock() {
        for facts in [ASKED, Facts { decimals: false, ..ASKED }] {
            assert_eq!(Lock::from_facts(facts, KnownMeter::default()), Lock::NoPowerByDesign);
        }
        assert_eq!(judged(LOCKED, "MT174"), Lock::NoPowerByDesign);
    }

    /// Logarex LK13BE and eBZ DD3 push telegrams with a block check character.
    #[test]
    fn a_block_check_is_no_proof_against_a_models_lock() {
        for model in ["LK13BE", "DD3-OD"] {
            assert_eq!(judged(ASKED, model), Lock::ExtendedDataOff, "{model}");
        }
        assert_eq!(judged(Facts { decimals: false, ..ASKED }, "DD3-OD"), Lock::Locked);
        assert_eq!(judged(ASKED, "MT174"), Lock::NoPowerByDesign);
        // Nor is a model that is asked.
        assert_eq!(judged(ASKED, "12EC3"), Lock::NoPowerByDesign);
    }

    #[test]
    fn a_customer_interface_was_not_asked() {
        use crate::decoder::{Decode, Event};
        let was_asked = |telegram: &str| {
            let mut decoder = crate::d0::Decoder::new();
            decoder.push(telegram.as_bytes());
            let Some(Event::Readout(readout)) = decoder.next_event() else { panic!("{telegram}") };
            assert_eq!(readout.integrity, Integrity::Ok);
            Facts::from_readouts(&[readout]).was_asked
        };
        assert!(!was_asked("/ISk5MT382\r\n1-3:0.2.8(50)\r\n1-0:1.8.1(7*kWh)\r\n!FC5E\r\n"));
        assert!(was_asked("/ISk5MT174\r\n\u{2}1.8.0(7*kWh)\r\n!\r\n\u{3}S"));
    }

    /// Decimals are written, and are all zero (Iskra with scaler -1, ASCII with `.0`).
    #[test]
    fn decimals_that_are_always_zero_are_none() {
        use crate::decoder::{Decode, Event};
        let readout = |registers: &str| {
            let mut decoder = crate::d0::Decoder::new();
            decoder.push(format!("/ISk5MT175\r\n\r\n{registers}!\r\n").as_bytes());
            let Some(Event::Readout(readout)) = decoder.next_event() else { panic!("{registers}") };
            readout
        };
        let import = |value: &str| format!("1-0:1.8.0*255({value}*kWh)\r\n");
        let export = |value: &str| format!("1-0:2.8.0*255({value}*kWh)\r\n");
        let both = |a: &str, b: &str| import(a) + &export(b);
        for (telegrams, decimals) in [
            (vec![both("001234.0", "000056.0")], false),
            (vec![both("001234.0", "000056.3")], true),
            (vec![both("001234.0000", "000000.0000"), both("001234.0000", "0.0000")], false),
            (vec![import("001234.0"), import("001235.0")], false),
            // One value may be whole by chance, and zeros show nothing.
            (vec![import("001234.0"), import("001234.0")], true),
            (vec![import("001234.0000")], true),
            (vec![both("0.0", "0.0")], true),
            (vec![both("001234", "000056")], false),
        ] {
            let readouts: Vec<Readout> = telegrams.iter().map(|text| readout(text)).collect();
            assert_eq!(Facts::from_readouts(&readouts).decimals, decimals, "{telegrams:?}");
        }
        let locked = Facts::from_readouts(&[readout(&both("001234.0", "000056.0"))]);
        assert_eq!(judged(locked, "MT175"), Lock::Locked);
    }

    #[test]
    fn of_unknown_meters_nothing_is_said() {
        for facts in [LOCKED, DECIMALS] {
            assert_eq!(Lock::from_facts(facts, KnownMeter::default()), Lock::Unknown);
        }
        let of_known_maker = KnownMeter { maker_is_known: true, model: None };
        assert_eq!(Lock::from_facts(LOCKED, of_known_maker), Lock::Locked);
        assert_eq!(Lock::from_facts(DECIMALS, of_known_maker), Lock::ExtendedDataOff);
        assert_eq!(Lock::from_facts(OPEN, KnownMeter::default()), Lock::Open);
    }

    #[test]
    fn the_pin_tells_who_switched_it_off() {
        assert_eq!(Lock::after_pin(LOCKED, OPEN), Lock::Open);
        assert_eq!(Lock::after_pin(LOCKED, DECIMALS), Lock::OperatorOff);
        assert_eq!(Lock::after_pin(DECIMALS, DECIMALS), Lock::ExtendedDataOff);
        assert_eq!(Lock::after_pin(LOCKED, LOCKED), Lock::Locked);
    }
}
