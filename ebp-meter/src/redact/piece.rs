//! One telegram with its identity taken out, how much is taken, and by which rule.

use std::ops::Range;

use ebp_core::obis::ObisCode;

/// How much is taken out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extent {
    /// The digits of energy are removed, too, because consumption reveals something about a
    /// household.
    pub blur: bool,
}

/// Why the value of a register is not handed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// It may identify the meter.
    Identifies,
    /// It is a text, or a number without a unit, that is not known to be harmless.
    Unknown,
    /// It is energy, which was asked to be taken out.
    Blurred,
}

impl Rule {
    /// The rule in words, behind "because it …".
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Identifies => "may identify the meter",
            Self::Unknown => {
                "is text, or a number without a unit, that is not known to be harmless"
            }
            Self::Blurred => "is energy, which --blur takes out",
        }
    }
}

/// One telegram with its identity taken out, and what was taken.
pub(super) struct Piece {
    pub original: Vec<u8>,
    pub redacted: Vec<u8>,
    /// Where measured values and the maker's letters stand, which always stay: in an ASCII telegram
    /// its bytes, in an SML frame those of its data.
    pub kept: Vec<Range<usize>>,
    /// An SML frame's data, redacted.
    pub data: Vec<u8>,
    pub removed: Vec<Removed>,
}

/// A value that was taken out.
pub(super) struct Removed {
    pub code: Option<ObisCode>,
    pub bytes: Vec<u8>,
    pub rule: Rule,
}
