//! The profile of a model, with its known faults.

use ebp_core::obis::ObisCode;
use serde::Deserialize;

use super::{
    FlagId, Limits, Line, LockKind, LockNote, Pin, Quantity, Register, Registers, Relock,
    RelockBehaviour, TelegramForm, Transport, register,
};
use crate::canonical::Pinned;

/// Seconds between two presses that keep a list open which closes after 120 s: it works on a Q3A
/// (github.com/m9aertner/ATtiny-PinKeepAlive).
const KEEP_ALIVE_S: u32 = 100;

/// What is known of one model of meter.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The name by which people choose it, such as `MT175`.
    pub name: String,
    /// Further names for the same.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Who makes it.
    pub maker: String,
    /// The maker's FLAG id.
    pub flag: FlagId,
    /// A sentence that helps to recognise the meter in the list.
    #[serde(default)]
    pub about: String,
    /// How many phases it has, where that is one: its power may then stand in 36.7.0 alone.
    pub phases: Option<u8>,
    /// Its line settings and protocol.
    pub line: Line,
    /// The properties of its telegrams, except the registers.
    pub telegram: TelegramForm,
    /// What it sends while locked; absent for models without a lock.
    pub locked: Option<Registers>,
    /// What it sends unlocked.
    pub unlocked: Registers,
    /// How its PIN is entered; absent for models without a lock.
    pub pin: Option<Pin>,
    /// What counts for a code of the survey, where the rules of [`canonical`](crate::canonical)
    /// would choose otherwise: the register, or those whose sum it is.
    #[serde(default, deserialize_with = "register::counts")]
    pub counts: Pinned,
    /// How it is kept unlocked; absent for models without a lock.
    pub relock: Option<Relock>,
    /// Its lock, if no source says how its PIN is entered.
    pub lock: Option<LockNote>,
    /// What it carries at most, where its maker says so.
    pub limits: Option<Limits>,
    /// Its known faults.
    #[serde(default)]
    pub quirks: Vec<QuirkNote>,
    /// All that its file says, as it says it, sources included: for showing it to people.
    #[serde(skip)]
    pub document: toml::Table,
}

impl Profile {
    /// What it sends, locked or unlocked; a model without a lock always sends the same.
    #[must_use]
    pub fn registers(&self, locked: bool) -> &[Register] {
        match &self.locked {
            Some(locked_set) if locked => &locked_set.registers,
            _ => &self.unlocked.registers,
        }
    }

    /// What an entry of its telegrams measures, where it is a measured number. Where `[counts]` says that
    /// 1.7.0 is the sum of all phases, that and the phases' power have a sign.
    #[must_use]
    pub fn measures(&self, register: &Register) -> Option<Quantity> {
        let has_sign = register.signed || self.line.protocol != Transport::Sml;
        register.quantity().map(|quantity| match quantity {
            Quantity::ImportPower { phase } if has_sign && self.counts_import_as_sum() => {
                Quantity::Power { phase }
            }
            quantity => quantity,
        })
    }

    fn counts_import_as_sum(&self) -> bool {
        self.counts
            .get(&ObisCode::SUM_POWER)
            .is_some_and(|codes| *codes == [ObisCode::POSITIVE_POWER])
    }

    /// Whether something holds its details back.
    #[must_use]
    pub fn has_lock(&self) -> bool {
        self.pin.is_some() || self.lock.as_ref().is_some_and(|lock| lock.kind != LockKind::None)
    }

    /// How it is kept unlocked according to its profile: `permanent` only if a source names the way
    /// to `InF`. Which it is, the meter at hand shows.
    #[must_use]
    pub fn keeps_unlocked(&self) -> Option<RelockBehaviour> {
        let sourced = self.pin.as_ref().and_then(Pin::sourced_inf_presses).is_some();
        self.relock.as_ref().map(|relock| match relock.behaviour {
            RelockBehaviour::Permanent if !sourced => RelockBehaviour::KeepAlive,
            behaviour => behaviour,
        })
    }

    /// Seconds from one press to the next, where presses keep it unlocked.
    #[must_use]
    pub fn keep_alive_s(&self) -> u32 {
        self.relock.as_ref().and_then(|relock| relock.keep_alive_s).unwrap_or(KEEP_ALIVE_S)
    }

    /// Whether the model has that fault.
    #[must_use]
    pub fn has(&self, quirk: Quirk) -> bool {
        self.quirks.iter().any(|note| note.name == quirk)
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
}

/// A known fault of a model, by name. The decoder corrects it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quirk {
    /// Positive power is sent in a signed integer too short for it (DZG DVS74 and related models).
    DzgSign,
    /// The direction of 15.7.0 is only in the status word of 1.8.0 (EMH ED300L and related models).
    Ed300lDirection,
    /// The time is a bare number without its choice of kind (Holley DTZ541).
    BareTime,
    /// Some units use CRC-16/KERMIT in place of X-25 (Holley DTZ541).
    Kermit,
    /// A message's checksum is sent in one byte when its high byte is zero (Iskra MT691).
    ShortInnerCrc,
    /// A message's own checksum is wrong; the frame's is right (eBZ DD3).
    WrongInnerCrc,
    /// An entry's value may be absent (EMH eHZ-IW8E2A5L0).
    AbsentValue,
    /// The time is a local timestamp, and may stand as a value (EMH EDL40 with E-MOC).
    LocalTime,
    /// Padding counts up to 4 are sent (DZG DVS74).
    LongPadding,
}

/// A fault with its source.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuirkNote {
    /// Which.
    pub name: Quirk,
    /// Where it was seen.
    pub source: String,
}
