//! Permission scopes and groups of the Data API (thesis tables 4.3 and 4.4).
//!
//! Enters: scope names from certificates and the command line. Leaves: [`Scopes`]. Absent: which
//! endpoint requires which scope; that is in the server's router.

use std::{collections::BTreeSet, fmt, str::FromStr};

/// One permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// The participant's contact details (endpoint 1).
    Account,
    /// The household's registration details, meters, devices, PV systems (endpoints 2, 5, 6, 9).
    Household,
    /// Reading, granting and revoking consent (endpoints 3, 4).
    Consent,
    /// Reading measurements (endpoint 7).
    MeasurementRead,
    /// Writing measurements (endpoint 8) and tracking meters' incidents (endpoints 11 to 13).
    MeasurementWrite,
}

impl Scope {
    /// Every scope, in the order of the endpoints.
    pub const ALL: [Self; 5] = [
        Self::Account,
        Self::Household,
        Self::Consent,
        Self::MeasurementRead,
        Self::MeasurementWrite,
    ];

    /// The name in certificates.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Household => "household",
            Self::Consent => "consent",
            Self::MeasurementRead => "measurement-read",
            Self::MeasurementWrite => "measurement-write",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A scope's name that is none of the five.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "unknown scope `{0}`: the scopes are account, household, consent, measurement-read and measurement-write"
)]
pub struct UnknownScope(pub String);

impl FromStr for Scope {
    type Err = UnknownScope;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|scope| scope.name() == s)
            .ok_or_else(|| UnknownScope(s.to_owned()))
    }
}

/// Groups that share a secret. They are not participants, and their members are not distinguished
/// (thesis 4.3.1).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// They register households and see registrations and consents.
    Researchers,
    /// They maintain devices and see their health.
    Administrators,
}

impl Group {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Researchers, Self::Administrators];

    /// The name, which is also the user's in HTTP Basic authentication.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Researchers => "researchers",
            Self::Administrators => "administrators",
        }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A group's name that is none of the two.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("unknown group `{0}`: the groups are researchers and administrators")]
pub struct UnknownGroup(pub String);

impl FromStr for Group {
    type Err = UnknownGroup;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|group| group.name() == s)
            .ok_or_else(|| UnknownGroup(s.to_owned()))
    }
}

/// A set of permissions, written as names separated by spaces.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scopes(BTreeSet<Scope>);

impl Scopes {
    /// All five.
    #[must_use]
    pub fn all() -> Self {
        Self(Scope::ALL.into_iter().collect())
    }

    /// What a device needs and nothing more (thesis 4.3.1: the transmitter writes measurements and
    /// asks for the consent).
    #[must_use]
    pub fn of_a_device() -> Self {
        Self::from_iter([Scope::Consent, Scope::MeasurementWrite])
    }

    /// What the page of a device needs: everything of the household, but writing measurements.
    #[must_use]
    pub fn of_a_frontend() -> Self {
        Self::from_iter([Scope::Account, Scope::Household, Scope::Consent, Scope::MeasurementRead])
    }

    /// Whether `scope` is among them.
    #[must_use]
    pub fn contains(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(iter: I) -> Self {
        Self(iter.into_iter().collect())
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, scope) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope.name())?;
        }
        Ok(())
    }
}

impl serde::Serialize for Scopes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromStr for Scopes {
    type Err = UnknownScope;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        s.split_whitespace().map(str::parse).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        assert_eq!(Scopes::all().to_string().parse::<Scopes>(), Ok(Scopes::all()));
        assert_eq!("root".parse::<Scope>(), Err(UnknownScope("root".into())));
    }
}
