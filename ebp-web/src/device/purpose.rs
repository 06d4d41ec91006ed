//! Further purposes of consent: a tick, a state and a button for each, apart from all others.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use ebp_core::contract::{self, Consent, PurposeText, SurveyInformation, SurveyPurpose};

use super::{
    cloud::CloudError,
    problem,
    state::DeviceWeb,
    submission::{CodeInForm, Submitted},
    survey_text::contract_language,
};
use crate::kit::{frame::Frame, language::Language};

/// A purpose as it is shown.
pub struct ShownPurpose {
    /// Its name, for forms.
    pub name: String,
    /// What is agreed to.
    pub text: String,
    /// Whether it was given or withdrawn, and when.
    pub state: String,
    /// Whether it is agreed to.
    pub is_given: bool,
    /// Whether it is ticked in the form.
    pub is_ticked: bool,
}

/// A purpose's text in the visitor's language, else in another one.
fn text_in(language: Language, purpose: &SurveyPurpose) -> Option<&PurposeText> {
    let own = contract_language(language);
    let found = purpose.texts.iter().find(|text| text.language == own);
    found.or(purpose.texts.first())
}

/// The survey's purposes, and those that were agreed to before the survey gave them up.
#[must_use]
pub fn purposes(
    frame: &Frame,
    survey: &SurveyInformation,
    consent: &Consent,
    ticked: &[String],
) -> Vec<ShownPurpose> {
    let mut shown = Vec::new();
    for purpose in &survey.purposes {
        let given = consent.purposes.iter().find(|given| given.name == purpose.name);
        let is_given = given.is_some_and(|given| given.withdrawn_at.is_none());
        // What was agreed to stands there as it was then.
        let agreed = given.filter(|_| is_given).map(|given| given.text.clone());
        let offered = text_in(frame.language(), purpose).map(|text| text.text.clone());
        let Some(text) = agreed.or(offered) else { continue };
        shown.push(ShownPurpose {
            name: purpose.name.clone(),
            text,
            state: given
                .map_or_else(|| frame.say("purpose-not-given"), |given| state(frame, given)),
            is_given,
            is_ticked: ticked.contains(&purpose.name),
        });
    }
    let is_known = |name: &String| survey.purposes.iter().any(|purpose| purpose.name == *name);
    let former = consent.purposes.iter().filter(|given| given.withdrawn_at.is_none());
    shown.extend(former.filter(|given| !is_known(&given.name)).map(|given| ShownPurpose {
        name: given.name.clone(),
        text: given.text.clone(),
        state: state(frame, given),
        is_given: true,
        is_ticked: false,
    }));
    shown
}

fn state(frame: &Frame, given: &contract::GivenPurpose) -> String {
    let time = |at| frame.moments.instant(at, frame.now);
    match given.withdrawn_at {
        None => frame.say_one("purpose-given", "when", time(given.given_at)),
        Some(at) => frame.say_one("purpose-withdrawn", "when", time(at)),
    }
}

/// The names of purposes that are ticked in a form.
#[must_use]
pub fn ticked_names(form: &Submitted) -> Vec<String> {
    let ticked = form.fields().filter(|(_, value)| *value == "yes");
    ticked.filter_map(|(name, _)| Some(name.strip_prefix("purpose-")?.to_owned())).collect()
}

/// The purposes that are ticked in a form, with their texts.
#[must_use]
pub fn ticked(form: &Submitted, survey: &SurveyInformation) -> Vec<ShownPurpose> {
    let language = form.visitor.language();
    let is_ticked =
        |purpose: &&SurveyPurpose| form.get(&format!("purpose-{}", purpose.name)) == "yes";
    let ticked = survey.purposes.iter().filter(is_ticked);
    ticked
        .filter_map(|purpose| {
            Some(ShownPurpose {
                name: purpose.name.clone(),
                text: text_in(language, purpose)?.text.clone(),
                state: String::new(),
                is_given: false,
                is_ticked: true,
            })
        })
        .collect()
}

/// Agrees to the purposes that are ticked in a form. Says whether all are stored.
pub async fn give_ticked(web: &Arc<DeviceWeb>, form: &Submitted) -> bool {
    let survey = web.survey().await.unwrap_or_default();
    let mut all = true;
    for purpose in ticked(form, &survey) {
        all &= give(web, form.visitor.language(), &survey, purpose.name).await.is_ok();
    }
    all
}

async fn give(
    web: &Arc<DeviceWeb>,
    language: Language,
    survey: &SurveyInformation,
    name: String,
) -> Result<Consent, CloudError> {
    let purpose = survey.purposes.iter().find(|purpose| purpose.name == name);
    let text = purpose.and_then(|purpose| text_in(language, purpose));
    let read = text.ok_or(CloudError::Refused(404))?.language;
    web.ask(move |cloud| cloud.change_purpose(&name, Some(read))).await
}

/// `POST /consent/purpose`: one purpose, given or withdrawn.
pub async fn change(State(web): State<Arc<DeviceWeb>>, form: Submitted) -> Response {
    let visitor = &form.visitor;
    if form.session.is_looking && !form.session.is_fresh {
        match form.check_code(&web).await {
            CodeInForm::Right => {}
            CodeInForm::Wrong(status, fault) => return problem::wrong_code(visitor, status, fault),
            CodeInForm::NotEnrolled => return problem::cloud(visitor, CloudError::NotAccepted),
        }
    }
    let name = form.get("name").to_owned();
    let changed = match form.get("choice") {
        "give" => {
            let survey = web.survey().await.unwrap_or_default();
            give(&web, visitor.language(), &survey, name).await
        }
        "withdraw" if is_name(&name) => {
            web.ask(move |cloud| cloud.change_purpose(&name, None)).await
        }
        _ => return problem::refuse_form(visitor),
    };
    match changed {
        Ok(_) => Redirect::to("/consent?done=purpose").into_response(),
        Err(error) => problem::cloud(visitor, error),
    }
}

/// Whether it can be a part of an address of the Data API.
fn is_name(name: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=32).contains(&name.len()) && name.bytes().all(is_letter)
}
