//! What the survey says of itself, as HTML.

use ebp_core::contract::{self, SurveyInformation};

use crate::kit::{chart::escape, language::Language, markdown};

/// A page's language as the Data API names it.
#[must_use]
pub const fn contract_language(language: Language) -> contract::Language {
    match language {
        Language::De => contract::Language::De,
        Language::En => contract::Language::En,
    }
}

/// The survey's texts as a page shows them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SurveyTexts {
    /// The heading that the summary begins with; empty if it begins otherwise.
    pub heading: String,
    /// The rest of the summary, as HTML.
    pub summary: String,
    /// The details, as HTML.
    pub details: String,
}

/// The survey's texts in the visitor's language; those of the program where the survey has none.
#[must_use]
pub fn survey_texts(language: Language, survey: &SurveyInformation) -> SurveyTexts {
    let own = contract_language(language);
    let found = survey.texts.iter().find(|text| text.language == own).or(survey.texts.first());
    match found {
        Some(text) => {
            let (heading, rest) = split_heading(&text.summary);
            SurveyTexts {
                heading: heading.to_owned(),
                summary: markdown::html(rest, 3),
                details: markdown::html(&text.details, 3),
            }
        }
        None => SurveyTexts {
            summary: markdown::html(&language.say("consent-text"), 3),
            ..SurveyTexts::default()
        },
    }
}

/// The heading of the first level that a text begins with, and what follows it.
fn split_heading(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    match text.strip_prefix("# ") {
        Some(rest) => rest.split_once('\n').map_or((rest.trim(), ""), |(a, b)| (a.trim(), b)),
        None => ("", text),
    }
}

/// A contact on one line, as HTML: a phone calls, and writes.
pub fn contact(contact: &contract::SurveyContact) -> String {
    let mut line = format!("<bdi>{}</bdi>", escape(&contact.name));
    if let Some(phone) = &contact.phone {
        let digits: String = phone.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect();
        line.push_str(&format!(", <a href=\"tel:{digits}\">{}</a>", escape(phone)));
    }
    if let Some(email) = &contact.email {
        let email = escape(email);
        line.push_str(&format!(", <a href=\"mailto:{email}\">{email}</a>"));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_parted_from_its_heading() {
        assert_eq!(split_heading("\n# What *it* is\r\n\nA."), ("What *it* is", "\nA."));
        assert_eq!(split_heading("# Alone"), ("Alone", ""));
        for other in ["", "A.\n# Later", "## Second level", "#None"] {
            assert_eq!(split_heading(other), ("", other));
        }
    }
}
