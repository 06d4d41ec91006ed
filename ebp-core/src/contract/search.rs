//! Searching and sorting households, and how many there are.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::RegistrationEntry;
use crate::model::ConsentState;

/// How many households there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HouseholdCounts {
    /// All of them.
    pub registered: u64,
    /// Those that take part.
    pub granted: u64,
    /// Those that have revoked their consent.
    pub revoked: u64,
    /// Of these, those that are shown to nobody, since they have no masked location yet.
    pub withheld: u64,
}

/// A page of registrations, for researchers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HouseholdListing {
    /// The registrations.
    pub items: Vec<RegistrationEntry>,
    /// Where the next page starts; absent on the last.
    pub next: Option<String>,
    /// How many households there are, whatever is searched for.
    #[serde(default)]
    pub counts: HouseholdCounts,
}

/// By what registrations are sorted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum HouseholdKey {
    /// The time of registration.
    #[default]
    Registered,
    /// The participant's name.
    Name,
    /// The participant's e-mail address.
    Email,
    /// The postal code.
    PostalCode,
    /// The city.
    City,
}

/// By what registrations are sorted, and in which direction. Households that revoked their consent
/// have neither name nor address, and come last where those are the key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct HouseholdSort {
    /// The key.
    pub key: HouseholdKey,
    /// Whether the greatest comes first.
    pub is_descending: bool,
}

impl HouseholdKey {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Registered, Self::Name, Self::Email, Self::PostalCode, Self::City];

    /// The name in a query.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Name => "name",
            Self::Email => "email",
            Self::PostalCode => "postal-code",
            Self::City => "city",
        }
    }
}

/// A text names no sort order of registrations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be registered, name, email, postal-code or city, with - before it for the reverse")]
pub struct UnknownSort;

impl FromStr for HouseholdSort {
    type Err = UnknownSort;

    fn from_str(text: &str) -> Result<Self, UnknownSort> {
        let (is_descending, name) = match text.strip_prefix('-') {
            Some(name) => (true, name),
            None => (false, text),
        };
        let key = HouseholdKey::ALL.into_iter().find(|key| key.name() == name);
        Ok(Self { key: key.ok_or(UnknownSort)?, is_descending })
    }
}

impl fmt::Display for HouseholdSort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.is_descending { "-" } else { "" }, self.key.name())
    }
}

/// Which registrations are listed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct HouseholdFilter {
    /// Words of which each has to be in the name, the e-mail address, the postal code, the city, or
    /// at the beginning of the identifier.
    pub search: Option<String>,
    /// The state of consent.
    pub consent: Option<ConsentState>,
    /// The order.
    pub sort: HouseholdSort,
}

/// Does not show what is searched for, which may be a name.
impl fmt::Debug for HouseholdFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HouseholdFilter")
            .field("consent", &self.consent)
            .field("sort", &self.sort)
            .finish_non_exhaustive()
    }
}
