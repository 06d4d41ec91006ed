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

/// The survey's texts in the visitor's language; those of the program where the survey has none.
#[must_use]
pub fn survey_texts(language: Language, survey: &SurveyInformation) -> (String, String) {
    let own = contract_language(language);
    let found = survey.texts.iter().find(|text| text.language == own).or(survey.texts.first());
    match found {
        Some(text) => (markdown::html(&text.summary, 3), markdown::html(&text.details, 3)),
        None => (markdown::html(&language.say("consent-text"), 3), String::new()),
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
