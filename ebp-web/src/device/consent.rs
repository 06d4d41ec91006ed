//! Granting and revoking consent: the same steps for both.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use ebp_core::{
    contract::{Consent, ConsentGrant, GrantChannel},
    model::ConsentState,
};
use jiff::Timestamp;

use super::{
    cloud::{Cloud, CloudError},
    consent_copy::has_copy,
    problem,
    purpose::{self, ShownPurpose},
    state::DeviceWeb,
    submission::{CodeInForm, Submitted},
    survey_text::{SurveyTexts, contact, contract_language, survey_texts},
    visitor::{SignedIn, Visitor},
};
use crate::kit::{
    defence::Defence,
    frame::{Frame, SwitchForm},
    request_id,
};

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Grant,
    Revoke,
}

impl Step {
    const fn name(self) -> &'static str {
        match self {
            Self::Grant => "grant",
            Self::Revoke => "revoke",
        }
    }

    /// The state that it leads to.
    const fn target(self) -> ConsentState {
        match self {
            Self::Grant => ConsentState::Granted,
            Self::Revoke => ConsentState::Revoked,
        }
    }
}

#[derive(Template)]
#[template(path = "device/consent.html")]
struct Page {
    frame: Frame,
    state: String,
    /// By which way it was granted.
    way: Option<String>,
    note: Option<String>,
    is_good: bool,
    fault: Option<String>,
    step: &'static str,
    /// What the survey's own text begins with, if that is a heading.
    heading: String,
    summary: String,
    details: String,
    controller: String,
    contacts: Vec<String>,
    text_version: String,
    /// Whether what was agreed to can be saved.
    has_copy: bool,
    /// The text is not the one that was agreed to.
    is_newer: bool,
    /// Further purposes: ticks before consent is granted, a button for each afterwards.
    purposes: Vec<ShownPurpose>,
    /// Whether their buttons ask for the code.
    needs_code: bool,
}

#[derive(Template)]
#[template(path = "device/confirm.html")]
struct Confirm {
    frame: Frame,
    step: &'static str,
    needs_code: bool,
    fault: Option<String>,
    text_version: String,
    /// The further purposes that are ticked.
    purposes: Vec<ShownPurpose>,
}

#[derive(Template)]
#[template(path = "device/unknown.html")]
struct Unknown {
    frame: Frame,
    text: String,
    /// By which the log's lines about this request are found.
    request: String,
}

/// `GET /consent`.
pub async fn show(State(web): State<Arc<DeviceWeb>>, SignedIn(visitor, _): SignedIn) -> Response {
    let language = visitor.language();
    let (note, is_good) = match visitor.preferences.get("done") {
        None => (None, true),
        Some("purpose") => (Some(language.say("purpose-done")), true),
        Some("in-part") => (Some(language.say("purposes-not-stored")), false),
        Some(_) => (Some(language.say("granted-now")), true),
    };
    page(&web, &visitor, StatusCode::OK, Said { note, is_good, ..Said::default() }).await
}

/// What is said on the page of consent, and what was ticked.
struct Said {
    note: Option<String>,
    is_good: bool,
    fault: Option<String>,
    /// Purposes that are ticked.
    ticked: Vec<String>,
    /// What a switch of the language asks for.
    asks: &'static str,
}

impl Default for Said {
    fn default() -> Self {
        Self { note: None, is_good: true, fault: None, ticked: Vec::new(), asks: "show" }
    }
}

async fn page(web: &Arc<DeviceWeb>, visitor: &Visitor, status: StatusCode, said: Said) -> Response {
    let Said { note, is_good, fault, ticked, asks } = said;
    let consent = match web.ask(|cloud| cloud.consent()).await {
        Ok(consent) => consent,
        Err(error) => return problem::cloud(visitor, error),
    };
    let survey = web.survey().await.unwrap_or_default();
    let action = "/consent/confirm".to_owned();
    let switch = SwitchForm { id: "decide-form", action, asks, enter: ("", "") };
    let frame = visitor.frame(visitor.language().say("menu-consent")).switched_by(switch);
    let SurveyTexts { heading, summary, details } = survey_texts(visitor.language(), &survey);
    let has_copy = has_copy(&consent, &survey);
    let page = Page {
        has_copy,
        // A survey that does not answer now has no other text for that.
        is_newer: consent.state == ConsentState::Granted
            && !has_copy
            && survey.text_version.is_some(),
        state: describe(&frame, &consent),
        way: consent.granted_through.map(|way| describe_way(&frame, way)),
        note,
        is_good,
        fault,
        step: step_from(consent.state).name(),
        heading,
        summary,
        details,
        controller: survey.controller.clone().unwrap_or_default(),
        contacts: survey.contacts.iter().map(contact).collect(),
        text_version: survey.text_version.map(|version| version.to_string()).unwrap_or_default(),
        purposes: purpose::purposes(&frame, &survey, &consent, &ticked),
        needs_code: visitor.session.as_ref().is_some_and(|own| own.is_looking && !own.is_fresh),
        frame,
    };
    visitor.show_with(status, &page)
}

const fn step_from(state: ConsentState) -> Step {
    match state {
        ConsentState::NotGranted => Step::Grant,
        ConsentState::Granted | ConsentState::Revoked => Step::Revoke,
    }
}

fn describe(frame: &Frame, consent: &Consent) -> String {
    match (consent.state, consent.granted_at) {
        (ConsentState::Granted, Some(at)) => {
            frame.say_one("consent-granted-on", "when", frame.moments.instant(at, frame.now))
        }
        (ConsentState::Granted, None) => frame.say("consent-granted"),
        (ConsentState::NotGranted, _) => frame.say("consent-not-granted"),
        (ConsentState::Revoked, _) => frame.say("ended-title"),
    }
}

fn describe_way(frame: &Frame, way: GrantChannel) -> String {
    match way {
        GrantChannel::Page => frame.say("granted-by-page"),
        GrantChannel::Device => frame.say("granted-by-device"),
        GrantChannel::Certificate => frame.say("granted-by-certificate"),
        GrantChannel::Token => frame.say("granted-by-token"),
    }
}

/// `POST /consent/confirm`: the page before the last step.
pub async fn confirm(State(web): State<Arc<DeviceWeb>>, form: Submitted) -> Response {
    let visitor = &form.visitor;
    let language = visitor.language();
    let ticked = || purpose::ticked_names(&form);
    let said = || Said { is_good: false, ticked: ticked(), ..Said::default() };
    // The language was switched on the page of consent, or on the one before the last step. Whoever
    // reads the other language ticks that they have read it.
    match form.get("do") {
        "" | "confirm" => {}
        "text-changed" => {
            let note = Some(language.say("text-changed"));
            let said = Said { note, asks: "text-changed", ..said() };
            return page(&web, visitor, StatusCode::OK, said).await;
        }
        "not-done" => {
            let said = Said { note: Some(language.say("not-done")), asks: "not-done", ..said() };
            return page(&web, visitor, StatusCode::OK, said).await;
        }
        _ => return page(&web, visitor, StatusCode::OK, said()).await,
    }
    if form.get("read") != "yes" {
        let fault = Some(language.say("tick-first"));
        let said = Said { fault, ..said() };
        return page(&web, visitor, StatusCode::UNPROCESSABLE_ENTITY, said).await;
    }
    let step = if form.get("step") == "revoke" { Step::Revoke } else { Step::Grant };
    ask_to_confirm(&web, &form, step, StatusCode::OK, None).await
}

async fn ask_to_confirm(
    web: &Arc<DeviceWeb>,
    form: &Submitted,
    step: Step,
    status: StatusCode,
    fault: Option<String>,
) -> Response {
    let visitor = &form.visitor;
    let language = visitor.language();
    let title = match step {
        Step::Grant => language.say("confirm-grant-title"),
        Step::Revoke => language.say("confirm-revoke-title"),
    };
    let version: String =
        form.get("text_version").chars().filter(char::is_ascii_digit).take(10).collect();
    let action = "/consent/confirm".to_owned();
    let switch = SwitchForm { id: "confirm-form", action, asks: "confirm", enter: ("", "") };
    let page = Confirm {
        frame: visitor.frame(title).switched_by(switch),
        step: step.name(),
        needs_code: !form.session.is_fresh,
        fault,
        text_version: version,
        purposes: match step {
            Step::Grant => purpose::ticked(form, &web.survey().await.unwrap_or_default()),
            Step::Revoke => Vec::new(),
        },
    };
    visitor.show_with(status, &page)
}

/// `POST /consent/grant`.
pub async fn grant(State(web): State<Arc<DeviceWeb>>, form: Submitted) -> Response {
    let text_version: Option<u32> = form.get("text_version").parse().ok();
    let language = text_version.map(|_| contract_language(form.visitor.language()));
    let grant = ConsentGrant { text_version, language };
    carry_out(&web, &form, Step::Grant, move |cloud| cloud.grant(&grant)).await
}

/// `POST /consent/revoke`.
pub async fn revoke(State(web): State<Arc<DeviceWeb>>, form: Submitted) -> Response {
    carry_out(&web, &form, Step::Revoke, |cloud| cloud.revoke()).await
}

async fn carry_out(
    web: &Arc<DeviceWeb>,
    form: &Submitted,
    step: Step,
    change: impl FnOnce(&dyn Cloud) -> Result<Consent, CloudError> + Send + 'static,
) -> Response {
    // Where the code was entered too long ago, it is asked for again.
    if !form.session.is_fresh {
        match form.check_code(web).await {
            CodeInForm::Right => {}
            CodeInForm::Wrong(status, fault) => {
                return ask_to_confirm(web, form, step, status, Some(fault)).await;
            }
            CodeInForm::NotEnrolled => {
                return problem::cloud(&form.visitor, CloudError::NotAccepted);
            }
        }
    }
    let visitor = &form.visitor;
    let language = visitor.language();
    match web.ask(change).await {
        Ok(consent) => done(web, form, step, consent.revoked_at).await,
        Err(CloudError::TextChanged) => {
            let note = Some(language.say("text-changed"));
            let said = Said { note, is_good: false, asks: "text-changed", ..Said::default() };
            page(web, visitor, StatusCode::CONFLICT, said).await
        }
        Err(CloudError::NotAccepted) => problem::cloud(visitor, CloudError::NotAccepted),
        Err(CloudError::Away) if !Defence::AskAgain.is_on() => done(web, form, step, None).await,
        // Whether it was carried out, only the state says: the answer may have been lost, or another
        // tab was quicker.
        Err(_) => match web.ask(|cloud| cloud.consent()).await {
            Ok(consent) if consent.state == step.target() => {
                done(web, form, step, consent.revoked_at).await
            }
            Ok(_) => {
                let note = Some(language.say("not-done"));
                let said = Said { note, is_good: false, asks: "not-done", ..Said::default() };
                page(web, visitor, StatusCode::SERVICE_UNAVAILABLE, said).await
            }
            Err(_) => {
                let text = match step {
                    Step::Grant => language.say("unknown-grant"),
                    Step::Revoke => language.say("unknown-revoke"),
                };
                let frame = visitor.frame(language.say("unknown-title"));
                let unknown = Unknown { frame, text, request: request_id::current() };
                visitor.show_with(StatusCode::SERVICE_UNAVAILABLE, &unknown)
            }
        },
    }
}

async fn done(
    web: &Arc<DeviceWeb>,
    form: &Submitted,
    step: Step,
    revoked_at: Option<Timestamp>,
) -> Response {
    match step {
        Step::Grant if !purpose::give_ticked(web, form).await => {
            Redirect::to("/consent?done=in-part").into_response()
        }
        Step::Grant => Redirect::to("/consent?done=granted").into_response(),
        Step::Revoke => {
            // The final page takes the place of this answer.
            web.end(revoked_at.unwrap_or(form.visitor.now));
            Redirect::to("/").into_response()
        }
    }
}
