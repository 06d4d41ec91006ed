//! The table `[survey]`: what the survey says of itself to whoever asks.
//!
//! Enters: TOML. Leaves: values without gaps. Absent: the texts, which are files in a folder that it
//! names.

use std::{collections::BTreeSet, path::PathBuf};

use ebp_core::{
    contract::{
        Language, PurposeText, SurveyContact, SurveyInformation, SurveyPrice, SurveyPurpose,
    },
    plain_text::find_hidden_in_lines,
};
use ebp_survey::text::find_gap;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, de};

/// Characters of a text here, at most.
const CHARACTERS: usize = 500;

/// Contacts, at most.
const CONTACTS: usize = 20;

/// Further purposes, at most.
const PURPOSES: usize = 10;

/// Prices, at most.
const PRICES: usize = 200;

/// What the survey says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SurveyConfig {
    /// Its name.
    #[serde(default, deserialize_with = "whole_text")]
    pub name: String,
    /// Who is responsible for it: name and address.
    #[serde(default, deserialize_with = "whole_text")]
    pub controller: String,
    /// Whom participants can ask.
    #[serde(default, deserialize_with = "contacts")]
    pub contacts: Vec<SurveyContact>,
    /// The folder of the texts that participants agree to.
    #[serde(default)]
    pub texts: Option<PathBuf>,
    /// Further purposes that participants may agree to, each by itself.
    #[serde(default, deserialize_with = "purposes")]
    pub purposes: Vec<SurveyPurpose>,
    /// What electricity costs, in the order of time.
    #[serde(default, deserialize_with = "prices")]
    pub prices: Vec<SurveyPrice>,
    /// The file of what it costs in each quarter of an hour.
    #[serde(default)]
    pub quarter_prices: Option<PathBuf>,
}

impl SurveyConfig {
    /// What is told to whoever asks.
    pub(super) fn information(&self) -> SurveyInformation {
        SurveyInformation {
            name: Some(self.name.clone()),
            controller: Some(self.controller.clone()),
            contacts: self.contacts.clone(),
            prices: self.prices.clone(),
            purposes: self.purposes.clone(),
            ..SurveyInformation::default()
        }
    }
}

/// Why a text cannot be told to anybody, if so.
fn flaw(text: &str) -> Option<String> {
    if let Some((_, gap)) = find_gap(text) {
        return Some(format!("`{gap}` is still to be filled in"));
    }
    if text.trim().is_empty() {
        return Some("it must not be empty".to_owned());
    }
    if let Some(letter) = find_hidden_in_lines(text) {
        let code = u32::from(letter);
        return Some(format!("it must have no control or invisible characters (U+{code:04X})"));
    }
    let is_long = text.chars().count() > CHARACTERS;
    is_long.then(|| format!("it must have {CHARACTERS} characters or less"))
}

fn whole_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    flaw(&text).map_or(Ok(text), |flaw| Err(de::Error::custom(flaw)))
}

fn contacts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SurveyContact>, D::Error> {
    let contacts = Vec::<SurveyContact>::deserialize(deserializer)?;
    if contacts.len() > CONTACTS {
        return Err(de::Error::custom(format!("there must be {CONTACTS} contacts or less")));
    }
    for SurveyContact { name, email, phone } in &contacts {
        let texts = [Some(name), email.as_ref(), phone.as_ref()];
        if let Some(flaw) = texts.into_iter().flatten().find_map(|text| flaw(text)) {
            return Err(de::Error::custom(format!("of a contact {flaw}")));
        }
    }
    Ok(contacts)
}

/// A purpose as it is written: its text by language.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Purpose {
    name: String,
    de: Option<String>,
    en: Option<String>,
}

impl Purpose {
    fn read(self) -> Result<SurveyPurpose, String> {
        let is_letter =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let begins = self.name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
        if !begins || self.name.len() > 32 || !self.name.bytes().all(is_letter) {
            return Err("the name of a purpose must be as later-studies: 1 to 32 small letters, \
                        digits and hyphens, a letter first"
                .to_owned());
        }
        let texts = [(Language::De, self.de), (Language::En, self.en)];
        let texts = texts
            .into_iter()
            .filter_map(|(language, text)| Some(PurposeText { language, text: text? }));
        let texts: Vec<_> = texts.collect();
        if texts.is_empty() {
            return Err(format!("the purpose {} must have a text: de, en or both", self.name));
        }
        if let Some(flaw) = texts.iter().find_map(|text| flaw(&text.text)) {
            return Err(format!("of the purpose {} {flaw}", self.name));
        }
        Ok(SurveyPurpose { name: self.name, texts })
    }
}

fn purposes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SurveyPurpose>, D::Error> {
    let purposes = Vec::<Purpose>::deserialize(deserializer)?;
    if purposes.len() > PURPOSES {
        return Err(de::Error::custom(format!("there must be {PURPOSES} purposes or less")));
    }
    let purposes: Vec<_> = purposes
        .into_iter()
        .map(Purpose::read)
        .collect::<Result<_, _>>()
        .map_err(de::Error::custom)?;
    let names: BTreeSet<_> = purposes.iter().map(|purpose| &purpose.name).collect();
    if names.len() < purposes.len() {
        return Err(de::Error::custom("each purpose must have a name of its own"));
    }
    Ok(purposes)
}

/// A price as it is written: decimals are texts, so that they are exact.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Price {
    from: String,
    import: String,
    export: String,
}

impl Price {
    fn read(self) -> Result<SurveyPrice, &'static str> {
        let day: Date = self.from.parse().map_err(|_| "`from` must be a date as \"2026-01-01\"")?;
        let price = |text: &str| {
            let price = Decimal::from_str_exact(text).ok();
            let price = price.filter(|price| (Decimal::ZERO..=Decimal::TEN).contains(price));
            price.ok_or("a price must be EUR/kWh as \"0.3512\", from 0 to 10")
        };
        Ok(SurveyPrice { from: day, import: price(&self.import)?, export: price(&self.export)? })
    }
}

fn prices<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SurveyPrice>, D::Error> {
    let prices = Vec::<Price>::deserialize(deserializer)?;
    if prices.len() > PRICES {
        return Err(de::Error::custom(format!("there must be {PRICES} prices or less")));
    }
    let prices: Vec<_> =
        prices.into_iter().map(Price::read).collect::<Result<_, _>>().map_err(de::Error::custom)?;
    let days: BTreeSet<_> = prices.iter().map(|price| price.from).collect();
    if days.len() < prices.len() || !prices.is_sorted_by_key(|price| price.from) {
        return Err(de::Error::custom("each price must begin after the one before"));
    }
    Ok(prices)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn survey(text: &str) -> Result<SurveyConfig, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    const WHOLE: &str = r#"
        name = "Strom im Haus"
        controller = "Institut, Straße 1, 12345 Ort"
        contacts = [{ name = "Datenschutz", email = "privacy@example.org" }]
        texts = "texts"
        purposes = [{ name = "later-studies", de = "Sie dürfen mich einladen.", en = "Invite me." }]
        prices = [
            { from = "2025-01-01", import = "0.3512", export = "0.0803" },
            { from = "2026-01-01", import = "0.34", export = "0.0794" },
        ]
    "#;

    #[test]
    fn a_whole_one_is_read_exactly() {
        let survey = survey(WHOLE).unwrap();
        let told = survey.information();
        assert_eq!(told.name.as_deref(), Some("Strom im Haus"));
        assert_eq!(told.prices[0].import.to_string(), "0.3512");
        let json = serde_json::to_value(&told).unwrap();
        assert_eq!(
            json["prices"][1].to_string(),
            r#"{"export":0.0794,"from":"2026-01-01","import":0.34}"#
        );
        assert_eq!(json["contacts"][0]["phone"], serde_json::Value::Null);
        assert_eq!(json["purposes"][0]["texts"][1]["text"], "Invite me.");
    }

    #[test]
    fn gaps_and_nonsense_are_refused_with_their_line() {
        for (good, wrong, line, expected) in [
            ("Strom im Haus", "TODO", 2, "`TODO` is still to be filled in"),
            ("Straße 1", "XXX 1", 3, "`XXX` is still"),
            ("\"Strom im Haus\"", "\" \"", 2, "must not be empty"),
            ("privacy@example.org", "TBD", 4, "of a contact `TBD`"),
            ("email", "mail", 4, "unknown field"),
            ("later-studies", "Later", 6, "must be as later-studies"),
            ("Invite me.", "TODO", 6, "of the purpose later-studies `TODO`"),
            ("en = \"Invite", "fr = \"Invite", 6, "unknown field"),
            ("\"2026-01-01\"", "\"2024-01-01\"", 7, "after the one before"),
            ("\"2026-01-01\"", "\"2025-01-01\"", 7, "after the one before"),
            ("\"0.3512\"", "\"0,3512\"", 7, "a price must be EUR/kWh"),
            ("\"0.3512\"", "\"35.12\"", 7, "a price must be EUR/kWh"),
            ("\"2025-01-01\"", "\"2025\"", 7, "must be a date"),
        ] {
            assert!(WHOLE.contains(good));
            let error = survey(&WHOLE.replace(good, wrong)).unwrap_err();
            assert!(error.contains(expected), "{wrong}: {error}");
            assert!(error.contains(&format!("line {line}")), "{wrong}: {error}");
        }
        let long = WHOLE.replace("Strom im Haus", &"a".repeat(501));
        assert!(survey(&long).unwrap_err().contains("500 characters"));
    }
}
