//! How a household's meters are wired: what its balance is drawn by.

use serde::{Deserialize, Serialize};

/// How the photovoltaic systems feed in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum MeteringConcept {
    /// The household uses what is generated first; the rest is fed in.
    SurplusFeedIn,
    /// All of it is fed in, by a meter of its own.
    FullFeedIn,
    /// Several systems in a cascade of meters.
    Cascade,
    /// There is no system.
    NoSystem,
    /// It was not said.
    #[default]
    Unknown,
}

impl MeteringConcept {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::SurplusFeedIn, Self::FullFeedIn, Self::Cascade, Self::NoSystem, Self::Unknown];

    /// Its name, as in JSON and databases.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SurplusFeedIn => "surplus-feed-in",
            Self::FullFeedIn => "full-feed-in",
            Self::Cascade => "cascade",
            Self::NoSystem => "no-system",
            Self::Unknown => "unknown",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|concept| concept.name() == name)
    }
}

/// Where a home battery is connected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Battery {
    /// There is none.
    None,
    /// To the household's alternating current.
    Ac,
    /// To the inverter's direct current, behind the generation meter.
    Dc,
    /// There is one, or may be; where is not said.
    #[default]
    Unknown,
}

impl Battery {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::None, Self::Ac, Self::Dc, Self::Unknown];

    /// Its name, as in JSON and databases.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Ac => "ac",
            Self::Dc => "dc",
            Self::Unknown => "unknown",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|battery| battery.name() == name)
    }
}

/// The register of a generation meter that counts what is generated: a meter may be wired either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum GenerationRegister {
    /// 1.8.0.
    #[serde(rename = "1.8.0")]
    Import,
    /// 2.8.0.
    #[serde(rename = "2.8.0")]
    Export,
}

impl GenerationRegister {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Import, Self::Export];

    /// Its code, as in JSON and databases.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Import => "1.8.0",
            Self::Export => "2.8.0",
        }
    }

    /// The one of that code.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|register| register.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_ones_on_the_wire() {
        for concept in MeteringConcept::ALL {
            assert_eq!(serde_json::to_value(concept).unwrap(), concept.name());
            assert_eq!(MeteringConcept::named(concept.name()), Some(concept));
        }
        for battery in Battery::ALL {
            assert_eq!(serde_json::to_value(battery).unwrap(), battery.name());
            assert_eq!(Battery::named(battery.name()), Some(battery));
        }
        for register in GenerationRegister::ALL {
            assert_eq!(serde_json::to_value(register).unwrap(), register.name());
            assert_eq!(GenerationRegister::named(register.name()), Some(register));
        }
        assert_eq!(Battery::named("AC"), None);
    }
}
