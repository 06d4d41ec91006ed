//! The languages of pages, and their texts in Fluent's format.

use std::{fmt, str::FromStr, sync::LazyLock};

use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};
use unic_langid::LanguageIdentifier;

/// A language of pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// German.
    De,
    /// English.
    En,
}

/// A code of no language that pages have.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("unknown language: there are de and en")]
pub struct UnknownLanguage;

impl Language {
    /// Both, in the order in which the switch shows them.
    pub const ALL: [Self; 2] = [Self::De, Self::En];

    /// Its code (ISO 639-1), as in `<html lang>`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::De => "de",
            Self::En => "en",
        }
    }

    /// Its own name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::De => "Deutsch",
            Self::En => "English",
        }
    }

    /// The best of a browser's `Accept-Language` (RFC 9110, section 12.5.4); German if it accepts
    /// none.
    #[must_use]
    pub fn negotiate(accepted: &str) -> Self {
        let mut best = (Self::De, 0);
        for entry in accepted.split(',').take(32) {
            let mut parts = entry.split(';');
            let range = parts.next().unwrap_or_default().trim();
            let primary = range.split('-').next().unwrap_or_default().to_ascii_lowercase();
            let weight = parts
                .find_map(|part| part.trim().strip_prefix("q="))
                .map_or(1000, |weight| thousandths(weight.trim()));
            if let Ok(language) = primary.parse()
                && weight > best.1
            {
                best = (language, weight);
            }
        }
        best.0
    }

    /// The text with that identifier; the identifier itself if there is none.
    #[must_use]
    pub fn say(self, id: &str) -> String {
        self.format(id, None)
    }

    /// The text with that identifier and those arguments. Numbers choose the plural.
    #[must_use]
    pub fn say_with<const N: usize>(self, id: &str, arguments: [(&str, Argument); N]) -> String {
        let mut values = FluentArgs::with_capacity(N);
        for (name, argument) in arguments {
            values.set(name.to_owned(), FluentValue::from(argument));
        }
        self.format(id, Some(&values))
    }

    /// Whether there is a text with that identifier.
    #[must_use]
    pub fn has(self, id: &str) -> bool {
        bundle(self).get_message(id).is_some_and(|message| message.value().is_some())
    }

    fn format(self, id: &str, arguments: Option<&FluentArgs<'_>>) -> String {
        let bundle = bundle(self);
        let pattern = bundle.get_message(id).and_then(|message| message.value());
        let Some(pattern) = pattern else { return id.to_owned() };
        // A missing argument shows its name; the tests of the texts prevent it.
        bundle.format_pattern(pattern, arguments, &mut Vec::new()).into_owned()
    }
}

/// A weight `0.8` as thousandths; 0 if it is none.
fn thousandths(weight: &str) -> u32 {
    let (whole, part) = weight.split_once('.').unwrap_or((weight, ""));
    let part: String = part.chars().chain("000".chars()).take(3).collect();
    match (whole, part.parse::<u32>()) {
        ("1", _) => 1000,
        ("0", Ok(part)) => part,
        _ => 0,
    }
}

impl FromStr for Language {
    type Err = UnknownLanguage;
    fn from_str(code: &str) -> Result<Self, UnknownLanguage> {
        Self::ALL.into_iter().find(|language| language.code() == code).ok_or(UnknownLanguage)
    }
}

/// An argument of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Argument {
    /// A text that is inserted as it is: a formatted number, a time.
    Text(String),
    /// A count, which chooses the plural.
    Count(u64),
}

impl From<String> for Argument {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Argument {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<u64> for Argument {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<Argument> for FluentValue<'_> {
    fn from(argument: Argument) -> Self {
        match argument {
            Argument::Text(text) => FluentValue::String(text.into()),
            Argument::Count(count) => FluentValue::from(count),
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// The texts, as translators edit them: the kit's, and those of the frontends that are built.
pub const TEXTS: [(Language, &[&str]); 2] = [
    (
        Language::De,
        &[
            include_str!("../../locales/de/kit.ftl"),
            #[cfg(feature = "device")]
            include_str!("../../locales/de/device.ftl"),
            #[cfg(feature = "cloud")]
            include_str!("../../locales/de/cloud.ftl"),
            #[cfg(feature = "registration")]
            include_str!("../../locales/de/registration.ftl"),
            #[cfg(feature = "report")]
            include_str!("../../locales/de/report.ftl"),
            #[cfg(feature = "status")]
            include_str!("../../locales/de/status.ftl"),
        ],
    ),
    (
        Language::En,
        &[
            include_str!("../../locales/en/kit.ftl"),
            #[cfg(feature = "device")]
            include_str!("../../locales/en/device.ftl"),
            #[cfg(feature = "cloud")]
            include_str!("../../locales/en/cloud.ftl"),
            #[cfg(feature = "registration")]
            include_str!("../../locales/en/registration.ftl"),
            #[cfg(feature = "report")]
            include_str!("../../locales/en/report.ftl"),
            #[cfg(feature = "status")]
            include_str!("../../locales/en/status.ftl"),
        ],
    ),
];

fn bundle(language: Language) -> &'static FluentBundle<FluentResource> {
    static GERMAN: LazyLock<FluentBundle<FluentResource>> = LazyLock::new(|| parse(Language::De));
    static ENGLISH: LazyLock<FluentBundle<FluentResource>> = LazyLock::new(|| parse(Language::En));
    match language {
        Language::De => &GERMAN,
        Language::En => &ENGLISH,
    }
}

fn parse(language: Language) -> FluentBundle<FluentResource> {
    // Both codes are valid; without one, plurals would be English.
    let id = language.code().parse::<LanguageIdentifier>().unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![id]);
    // Arguments are numbers and times of our own; what people wrote stands in elements of its own.
    bundle.set_use_isolating(false);
    let of_language = TEXTS.iter().filter(|(of, _)| *of == language);
    for text in of_language.flat_map(|(_, texts)| *texts) {
        // The tests of the texts report what cannot be parsed; the rest stays usable.
        let resource = match FluentResource::try_new((*text).to_owned()) {
            Ok(resource) | Err((resource, _)) => resource,
        };
        bundle.add_resource_overriding(resource);
    }
    bundle
}

#[cfg(test)]
mod tests;
