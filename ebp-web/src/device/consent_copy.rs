//! A copy of what was agreed to, as one file to keep or to print.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::Response,
};
use ebp_core::{
    contract::{self, Consent, SurveyInformation},
    model::ConsentState,
};

use super::{
    problem,
    purpose::{ShownPurpose, purposes},
    state::DeviceWeb,
    survey_text::{SurveyTexts, contact, survey_texts},
    visitor::SignedIn,
};
use crate::kit::{frame::Frame, language::Language};

#[derive(Template)]
#[template(path = "device/consent_copy.html")]
struct Copy {
    frame: Frame,
    survey: String,
    granted: String,
    version: String,
    /// What the text begins with, if that is a heading.
    heading: String,
    summary: String,
    details: String,
    controller: String,
    contacts: Vec<String>,
    /// Further purposes, each with its state.
    purposes: Vec<ShownPurpose>,
}

/// Whether the survey's text is still the one that was agreed to: only then is there a copy of it.
#[must_use]
pub fn has_copy(consent: &Consent, survey: &SurveyInformation) -> bool {
    let agreed = consent.text.map(|text| text.version);
    consent.state == ConsentState::Granted && agreed == survey.text_version
}

/// `GET /consent/copy`: in the language in which it was agreed to.
pub async fn show(
    State(web): State<Arc<DeviceWeb>>,
    SignedIn(mut visitor, _): SignedIn,
) -> Response {
    let consent = match web.ask(|cloud| cloud.consent()).await {
        Ok(consent) => consent,
        Err(error) => return problem::cloud(&visitor, error),
    };
    let survey = web.survey().await.unwrap_or_default();
    if !has_copy(&consent, &survey) {
        return problem::not_found(&visitor);
    }
    match consent.text.and_then(|text| text.language) {
        Some(contract::Language::De) => visitor.preferences.language = Language::De,
        Some(contract::Language::En) => visitor.preferences.language = Language::En,
        None => {}
    }
    let frame = visitor.frame(visitor.language().say("copy-title"));
    let SurveyTexts { heading, summary, details } = survey_texts(visitor.language(), &survey);
    let granted = consent.granted_at.map_or_else(String::new, |at| {
        let moments = &frame.moments;
        // The day and the time, whatever day it is; and UTC, which everybody can compute with.
        format!("{}, {} ({at})", moments.day(moments.day_of(at)), moments.time(at))
    });
    let copy = Copy {
        survey: survey.name.clone().unwrap_or_default(),
        granted,
        version: survey.text_version.map(|version| version.to_string()).unwrap_or_default(),
        heading,
        summary,
        details,
        controller: survey.controller.clone().unwrap_or_default(),
        contacts: survey.contacts.iter().map(contact).collect(),
        purposes: purposes(&frame, &survey, &consent, &[]),
        frame,
    };
    let mut response = visitor.show(&copy);
    let name = HeaderValue::from_static("attachment; filename=\"ebp-consent.html\"");
    response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    response
}
