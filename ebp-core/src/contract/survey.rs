//! What a survey says of itself to whoever asks: who runs it, what participants agree to, prices.

use std::{fmt, str::FromStr};

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::series::ExactNumber;

/// A language of texts for households.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// German.
    De,
    /// English.
    En,
}

impl Language {
    /// Both.
    pub const ALL: [Self; 2] = [Self::De, Self::En];

    /// Its code (ISO 639-1).
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::De => "de",
            Self::En => "en",
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A code that is none of the two.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("unknown language: there are de and en")]
pub struct UnknownLanguage;

impl FromStr for Language {
    type Err = UnknownLanguage;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|language| language.code() == text).ok_or(UnknownLanguage)
    }
}

/// `GET /survey`: the survey, for whoever asks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SurveyInformation {
    /// Its name; absent where none is configured.
    pub name: Option<String>,
    /// Who is responsible for it (controller, GDPR Art. 4(7)): name and address.
    pub controller: Option<String>,
    /// Whom participants can ask.
    pub contacts: Vec<SurveyContact>,
    /// The version of the texts; absent where the survey has none.
    pub text_version: Option<u32>,
    /// What participants agree to, in each of its languages.
    pub texts: Vec<SurveyText>,
    /// What electricity costs, in the order of time. A price holds until the next one begins.
    pub prices: Vec<SurveyPrice>,
    /// Further purposes that participants may agree to, each by itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub purposes: Vec<SurveyPurpose>,
    /// What it costs in each quarter of an hour, where the survey has such a series.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarter_prices: Option<QuarterPrices>,
}

/// Whom participants can ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SurveyContact {
    /// A name, or an office such as the data protection officer.
    pub name: String,
    /// The e-mail address.
    #[serde(default)]
    pub email: Option<String>,
    /// The phone number.
    #[serde(default)]
    pub phone: Option<String>,
}

/// What participants agree to, in one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SurveyText {
    /// The language.
    pub language: Language,
    /// What everybody should read (layer 1), as Markdown.
    pub summary: String,
    /// The whole information (layer 2, GDPR Art. 13), as Markdown.
    pub details: String,
    /// How far data may go whose participants agree to it; absent where they stay with the research
    /// group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<ReleaseTier>,
}

/// How far data may go outside the research group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum ReleaseTier {
    /// Single households under numbers, to named recipients under contract.
    Research,
    /// Aggregates of many households, to everybody.
    Public,
}

impl ReleaseTier {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Research => "research",
            Self::Public => "public",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Research, Self::Public].into_iter().find(|tier| tier.name() == name)
    }
}

/// A further purpose that participants may agree to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SurveyPurpose {
    /// Its name, such as `later-studies`.
    pub name: String,
    /// What participants agree to, in each of its languages.
    pub texts: Vec<PurposeText>,
}

/// What participants agree to for a further purpose, in one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PurposeText {
    /// The language.
    pub language: Language,
    /// The text.
    pub text: String,
}

/// What electricity costs from a day on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SurveyPrice {
    /// The first day.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    pub from: Date,
    /// Of electricity from the grid, EUR/kWh.
    #[serde(with = "crate::exact")]
    pub import: Decimal,
    /// For electricity that is fed in, EUR/kWh.
    #[serde(with = "crate::exact")]
    pub export: Decimal,
}

/// What electricity costs in each quarter of an hour, EUR/kWh.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct QuarterPrices {
    /// When the survey's series begins.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub from: Timestamp,
    /// When it ends.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub to: Timestamp,
    /// The prices of electricity from the grid, a quarter hour after the other from `prices_from` to
    /// `prices_to`; empty unless both are asked for. `null` where the series has none.
    pub import: Vec<Option<ExactNumber>>,
    /// The same for electricity that is fed in; `null` also where only `prices` says it.
    pub export: Vec<Option<ExactNumber>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_codes() {
        for language in Language::ALL {
            assert_eq!(language.to_string().parse(), Ok(language));
            assert_eq!(serde_json::to_value(language).unwrap(), language.code());
        }
        assert_eq!("fr".parse::<Language>(), Err(UnknownLanguage));
    }
}
