//! What is to be known of an interval besides its energy.

use std::ops::{BitOr, BitOrAssign};

use serde::{Deserialize, Serialize};

/// One remark; its place in [`Flags`] is its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// No usable reading lies in the slot.
    NoReading,
    /// The slot's first usable reading came later than a minute after its start.
    Late,
    /// No reading lies near the boundary at its end.
    EndOpen,
    /// A boundary rests on a reading whose time was set right afterwards.
    ClockCorrected,
    /// The register ran backwards, jumped or belongs to another meter, in the slot or at its ends.
    RegisterReset,
    /// A reading in the slot contradicts its neighbours and is not used.
    Outlier,
    /// A boundary rests on a reading of too few decimals (whole kWh of a locked meter).
    Coarse,
    /// The device found a value of a reading in the slot beyond what the meter can carry.
    PowerOutOfRange,
    /// It lies at the beginning or the end of the series.
    NoBracket,
    /// Filled on request.
    Interpolated,
    /// Two values of one instant differ.
    Conflict,
    /// A reading in the slot waits for the next one to confirm it.
    Unconfirmed,
    /// Removed for privacy.
    Withheld,
}

impl Flag {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 13] = [
        Self::NoReading,
        Self::Late,
        Self::EndOpen,
        Self::ClockCorrected,
        Self::RegisterReset,
        Self::Outlier,
        Self::Coarse,
        Self::PowerOutOfRange,
        Self::NoBracket,
        Self::Interpolated,
        Self::Conflict,
        Self::Unconfirmed,
        Self::Withheld,
    ];

    /// The name in files and answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoReading => "no_reading",
            Self::Late => "late",
            Self::EndOpen => "end_open",
            Self::ClockCorrected => "clock_corrected",
            Self::RegisterReset => "register_reset",
            Self::Outlier => "outlier",
            Self::Coarse => "coarse",
            Self::PowerOutOfRange => "power_out_of_range",
            Self::NoBracket => "no_bracket",
            Self::Interpolated => "interpolated",
            Self::Conflict => "conflict",
            Self::Unconfirmed => "unconfirmed",
            Self::Withheld => "withheld",
        }
    }
}

/// What the flag of a violated balance is called; its bit follows those of the quarter hours.
pub const BALANCE_VIOLATED: &str = "balance_violated";

/// A set of [`Flag`]s, a bit each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Flags(pub u16);

impl Flags {
    /// None.
    pub const NONE: Self = Self(0);

    /// With that flag if `is_set`.
    #[must_use]
    pub const fn with(self, flag: Flag, is_set: bool) -> Self {
        if is_set { Self(self.0 | 1 << flag as u16) } else { self }
    }

    /// Whether the flag is in the set.
    #[must_use]
    pub const fn has(self, flag: Flag) -> bool {
        self.0 & (1 << flag as u16) != 0
    }

    /// Those in the set, in the order of their numbers.
    pub fn iter(self) -> impl Iterator<Item = Flag> {
        Flag::ALL.into_iter().filter(move |flag| self.has(*flag))
    }
}

impl From<Flag> for Flags {
    fn from(flag: Flag) -> Self {
        Self::NONE.with(flag, true)
    }
}

impl BitOr for Flags {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Flags {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// Whether an interval has an energy, in one word. The order is from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    /// Readings lie near both boundaries.
    Measured,
    /// Filled on request between boundaries that are farther from readings.
    Interpolated,
    /// No energy is known; bounds may be.
    Missing,
    /// Removed for privacy.
    Withheld,
}

impl Quality {
    /// The name in files and answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Interpolated => "interpolated",
            Self::Missing => "missing",
            Self::Withheld => "withheld",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_table() {
        for (number, flag) in Flag::ALL.into_iter().enumerate() {
            assert_eq!(Flags::from(flag).0, 1 << number);
        }
        let both = Flags::from(Flag::Late) | Flag::Conflict.into();
        assert_eq!(both.iter().map(Flag::name).collect::<Vec<_>>(), ["late", "conflict"]);
    }
}
