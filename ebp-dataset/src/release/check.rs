//! A rule's check, as `RELEASE-CHECK.json` has it.

use serde::{Deserialize, Serialize};

use super::round::round_down;

/// A rule of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Rule {
    /// The tier is said in every description.
    R1,
    /// Consent is granted and covers the tier.
    R2,
    /// Nothing internal is in any file.
    R3,
    /// Numbers of households come from a random permutation.
    R4,
    /// Attributes are classes.
    R5,
    /// Every combination of attributes is shared by enough households.
    R6,
    /// No answer is shared by a whole class.
    R7,
    /// Enough systems of the population stand behind every combination.
    R8,
    /// Series begin and end together.
    R9,
    /// Energies are rounded, and days are withheld.
    R10,
    /// Aggregates are of enough households, none of which dominates.
    R11,
    /// The survey is large enough.
    R12,
    /// No household is shown finer than before.
    R13,
    /// Two persons.
    R14,
}

impl Rule {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::R1,
        Self::R2,
        Self::R3,
        Self::R4,
        Self::R5,
        Self::R6,
        Self::R7,
        Self::R8,
        Self::R9,
        Self::R10,
        Self::R11,
        Self::R12,
        Self::R13,
        Self::R14,
    ];

    /// What it asks for, in a sentence.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::R1 => "The tier stands in every description, and README begins with it.",
            Self::R2 => "Only households whose consent is granted and covers the tier are in it.",
            Self::R3 => {
                "No identifier, address, coordinate or register of the survey is in any file."
            }
            Self::R4 => {
                "Households have numbers of a random permutation, other ones in each release."
            }
            Self::R5 => "Attributes are shown in classes only.",
            Self::R6 => "Every combination of attributes is shared by at least k households.",
            Self::R7 => {
                "In no class have all households the same answer to charger, heat pump or battery, \
                 unless they are 20."
            }
            Self::R8 => "At least 100 systems of the population stand behind every combination.",
            Self::R9 => {
                "Series are whole months without the first and last 14 days, and at least k \
                 households share each beginning and end."
            }
            Self::R10 => {
                "Energies are rounded to 0.01 kWh; two days of each household's month are withheld; \
                 no total of a day or longer is given."
            }
            Self::R11 => {
                "Aggregates are of at least 10 households, none more than half of a sum; no two groups \
                 differ by fewer than 10; counts are rounded down to 10."
            }
            Self::R12 => {
                "A research file has at least 30 households; public aggregates have regions from 50 \
                 on."
            }
            Self::R13 => "No household is shown finer than in an earlier release.",
            Self::R14 => "One person makes the release, another one confirms it.",
        }
    }

    /// What whoever exports can do where it fails.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::R1 => "export again; if it fails again, report it as a fault of the program",
            Self::R2 => {
                "export again without the households whose consent does not cover the tier: name \
                 those whose consent does with --households, or publish a text that covers it"
            }
            Self::R3 => "do not pass the files on; report it as a fault of the program",
            Self::R4 => "export again: the numbers are drawn anew",
            Self::R5 | Self::R6 | Self::R7 | Self::R9 | Self::R10 => {
                "export again; if it fails again, report it as a fault of the program"
            }
            Self::R8 => "give a count of systems with --register, or leave --region at nuts1",
            Self::R11 => "export again with a coarser --region",
            Self::R12 => {
                "wait until more households take part; a release of so few protects nobody"
            }
            Self::R13 => "give --region as coarse as in the release before",
            Self::R14 => "let another administrator run `ebp export confirm`",
        }
    }
}

/// How counts of households are told where a rule says what was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counts {
    /// As they are.
    Exact,
    /// Rounded down to ten: of an aggregate nobody may count to one.
    Rounded,
}

impl Counts {
    /// Tells one.
    #[must_use]
    pub fn tell(self, count: usize) -> String {
        match (self, round_down(count)) {
            (Self::Exact, _) => count.to_string(),
            (Self::Rounded, 0) => "fewer than 10".to_owned(),
            (Self::Rounded, tens) => format!("{tens} or more"),
        }
    }
}

/// The result of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Which.
    pub rule: Rule,
    /// What it asks for.
    pub asks: String,
    /// Whether the result keeps it.
    pub passed: bool,
    /// What was counted.
    pub found: String,
    /// What can be done about it, where that is not what the rule says; no file has it.
    #[serde(skip)]
    pub way_out: Option<&'static str>,
}

impl Check {
    /// That a rule is kept, and what was counted.
    pub fn passed(rule: Rule, found: impl Into<String>) -> Self {
        let (asks, found) = (rule.text().into(), found.into());
        Self { rule, asks, passed: true, found, way_out: None }
    }

    /// That a rule is broken, and by what.
    pub fn failed(rule: Rule, found: impl Into<String>) -> Self {
        Self { passed: false, ..Self::passed(rule, found) }
    }

    /// The same with what can be done about it, where that is not what the rule says.
    #[must_use]
    pub fn with_way_out(self, way_out: &'static str) -> Self {
        Self { way_out: Some(way_out), ..self }
    }

    /// What whoever exports can do about it.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        self.way_out.unwrap_or_else(|| self.rule.remedy())
    }

    /// Kept or broken, as is said.
    pub fn judge(rule: Rule, passed: bool, found: impl Into<String>) -> Self {
        Self { passed, ..Self::passed(rule, found) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_counts_to_one_in_rounded_counts() {
        let told = |count| Counts::Rounded.tell(count);
        assert_eq!([told(0), told(1), told(9)], ["fewer than 10"; 3]);
        assert_eq!([told(60), told(61), told(69)], ["60 or more"; 3]);
        assert_eq!(Counts::Exact.tell(61), "61");
    }
}
