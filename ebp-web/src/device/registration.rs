//! What is registered, and a way to say that it is wrong.

use std::sync::Arc;

use askama::Template;
use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use ebp_core::{
    contract::{Account, Household, Message, MessageAbout},
    model::{Battery, Metadata, Meter, MeterType, MeteringConcept, PvSystem},
};

use super::{
    cloud::CloudError,
    message_form::{FieldFaults, MessageDraft},
    problem,
    state::DeviceWeb,
    submission::Submitted,
    visitor::{SignedIn, Visitor},
};
use crate::{
    kit::{
        frame::{Frame, SwitchForm},
        language::Language,
        number,
    },
    outlines::MapView,
};

#[derive(Template)]
#[template(path = "device/registration.html")]
struct Page {
    frame: Frame,
    blocks: Vec<Block>,
    messages: Vec<Shown>,
    subjects: Vec<Subject>,
    /// Where the household lies.
    map: Option<MapView>,
    /// Whose data the map is made of.
    map_notices: Vec<String>,
    said: Said,
    was_sent: bool,
}

/// What is said of a message that was not sent, and what was typed.
#[derive(Default)]
struct Said {
    draft: String,
    /// What has to be known before it is sent.
    note: Option<String>,
    /// Why the server did not get it.
    fault: Option<String>,
    /// What is wrong with it.
    faults: FieldFaults,
}

struct Block {
    title: String,
    about: &'static str,
    pairs: Vec<(String, String)>,
}

struct Subject {
    name: &'static str,
    text: String,
    is_chosen: bool,
}

struct Shown {
    about: String,
    text: String,
    when: String,
    answer: Option<String>,
    is_open: bool,
}

/// What the server knows.
struct Answers {
    account: Account,
    household: Household,
    meters: Vec<Meter>,
    systems: Vec<PvSystem>,
    messages: Vec<Message>,
}

/// `GET /registration`.
pub async fn show(State(web): State<Arc<DeviceWeb>>, SignedIn(visitor, _): SignedIn) -> Response {
    let about = visitor.preferences.get("about").and_then(|name| name.parse().ok());
    answer(&web, &visitor, StatusCode::OK, about, Said::default()).await
}

/// The page for somebody who signed in again, with what they had written before.
pub async fn show_draft(web: &Arc<DeviceWeb>, visitor: &Visitor, draft: MessageDraft) -> Response {
    let note = Some(visitor.language().say("message-kept"));
    let about = draft.subject();
    let said = Said { note, draft: draft.text, ..Said::default() };
    answer(web, visitor, StatusCode::OK, about, said).await
}

async fn answer(
    web: &Arc<DeviceWeb>,
    visitor: &Visitor,
    status: StatusCode,
    about: Option<MessageAbout>,
    mut said: Said,
) -> Response {
    let answers = web.ask(|cloud| {
        Ok(Answers {
            account: cloud.account()?,
            household: cloud.household()?,
            meters: cloud.meters()?,
            systems: cloud.pv_systems()?,
            messages: cloud.messages()?,
        })
    });
    let form = SwitchForm {
        id: "message-form",
        action: "/registration".to_owned(),
        asks: if said.faults.is_empty() { "show" } else { "check" },
        enter: ("", ""),
    };
    let frame = visitor.frame(visitor.language().say("menu-registration")).switched_by(form);
    let language = visitor.language();
    let subjects = MessageAbout::ALL.into_iter().map(|subject| Subject {
        name: subject.name(),
        text: subject_text(language, subject),
        is_chosen: Some(subject) == about,
    });
    let subjects = subjects.collect();
    let was_sent = visitor.preferences.get("sent").is_some();
    match answers.await {
        Ok(answers) => {
            let blocks = blocks(&frame, &answers);
            let messages = answers.messages.iter().rev().map(|message| shown(&frame, message));
            let messages = messages.collect();
            let location = answers.household.location.as_ref();
            let outlines = if location.is_some() { web.outlines().await } else { None };
            let map_notices = outlines.iter().flat_map(|outlines| outlines.notices()).collect();
            let map = outlines.zip(location).and_then(|(outlines, at)| outlines.place(at));
            let page = Page { blocks, messages, subjects, map, map_notices, said, was_sent, frame };
            visitor.show_with(status, &page)
        }
        // What was typed stays in the form.
        Err(error) if !said.draft.is_empty() => {
            if said.faults.is_empty() && said.note.is_none() {
                said.fault = said.fault.or_else(|| Some(frame.say("message-not-sent")));
            }
            let (blocks, messages) = (Vec::new(), Vec::new());
            let was_sent = false;
            let page = Page {
                blocks,
                messages,
                subjects,
                map: None,
                map_notices: Vec::new(),
                said,
                was_sent,
                frame,
            };
            let status =
                if error == CloudError::Away { StatusCode::SERVICE_UNAVAILABLE } else { status };
            visitor.show_with(status, &page)
        }
        Err(error) => problem::cloud(visitor, error),
    }
}

/// `POST /registration/check`: the faults of a message that is being typed.
pub async fn check(form: Submitted) -> Response {
    let mut faults = MessageDraft::read(|name| form.get(name))
        .message(form.visitor.language())
        .err()
        .unwrap_or_default();
    // Nothing is missing before the form is sent.
    faults.retain(|name, _| !form.get(name).trim().is_empty());
    Json(faults).into_response()
}

/// `POST /registration`: a message to the researchers.
pub async fn send(State(web): State<Arc<DeviceWeb>>, form: Submitted) -> Response {
    let (visitor, draft) = (&form.visitor, MessageDraft::read(|name| form.get(name)));
    let about = draft.subject();
    let (status, fault, faults) = match draft.message(visitor.language()) {
        // The language was switched: what is wrong is said again if it was said.
        Err(faults) if form.get("do") == "check" => (StatusCode::OK, None, faults),
        _ if !form.get("do").is_empty() => (StatusCode::OK, None, FieldFaults::new()),
        Ok(message) => match web.ask(move |cloud| cloud.write_message(&message)).await {
            Ok(()) => return Redirect::to("/registration?sent=1").into_response(),
            Err(CloudError::Refused(409)) => {
                let fault = visitor.language().say("message-too-many");
                (StatusCode::CONFLICT, Some(fault), FieldFaults::new())
            }
            Err(_) => {
                let fault = visitor.language().say("message-not-sent");
                (StatusCode::SERVICE_UNAVAILABLE, Some(fault), FieldFaults::new())
            }
        },
        Err(faults) => (StatusCode::UNPROCESSABLE_ENTITY, None, faults),
    };
    let said = Said { draft: draft.text, fault, faults, ..Said::default() };
    answer(&web, visitor, status, about, said).await
}

fn subject_text(language: Language, about: MessageAbout) -> String {
    match about {
        MessageAbout::Contact => language.say("about-contact"),
        MessageAbout::Address => language.say("about-address"),
        MessageAbout::Answers => language.say("about-answers"),
        MessageAbout::Meter => language.say("about-meter"),
        MessageAbout::PvSystem => language.say("about-pv-system"),
        MessageAbout::Device => language.say("about-device"),
        MessageAbout::Measurements => language.say("about-measurements"),
        MessageAbout::Consent => language.say("about-consent"),
        MessageAbout::Other => language.say("about-other"),
    }
}

fn shown(frame: &Frame, message: &Message) -> Shown {
    Shown {
        about: subject_text(frame.language(), message.about),
        text: message.text.clone(),
        when: frame.when(message.written_at),
        answer: message.answer.clone(),
        is_open: message.closed_at.is_none(),
    }
}

fn blocks(frame: &Frame, answers: &Answers) -> Vec<Block> {
    let language = frame.language();
    let block =
        |title: String, about: MessageAbout, pairs| Block { title, about: about.name(), pairs };
    let Answers { account, household, meters, systems, .. } = answers;
    let mut blocks = vec![block(
        language.say("about-contact"),
        MessageAbout::Contact,
        vec![
            (language.say("name"), account.name.clone()),
            (language.say("email"), account.email.clone()),
        ],
    )];
    if let Some(address) = &household.address {
        let mut pairs = vec![
            (language.say("street"), address.street.clone()),
            (language.say("city"), format!("{} {}", address.postal_code, address.city)),
        ];
        if let Some(location) = &household.location {
            let degrees = |value: f64| {
                let text = format!("{value:.4}");
                if language == Language::De { text.replace('.', ",") } else { text }
            };
            let place =
                format!("{}°, {}°", degrees(location.latitude), degrees(location.longitude));
            pairs.push((language.say("location"), place));
        }
        blocks.push(block(language.say("about-address"), MessageAbout::Address, pairs));
    }
    if let Some(answers) = &household.metadata {
        let yes = |is: bool| if is { language.say("yes") } else { language.say("no") };
        let pairs = vec![
            (language.say("adults"), answers.adults.to_string()),
            (language.say("adults-with-job"), answers.adults_with_job.to_string()),
            (language.say("children"), answers.children.to_string()),
            (language.say("ev-charger"), yes(answers.electric_vehicle_charger)),
            (language.say("heat-pump"), yes(answers.heat_pump)),
            (language.say("home-battery"), battery_text(language, answers)),
            (language.say("metering-concept"), concept_text(language, answers.metering_concept)),
        ];
        blocks.push(block(language.say("about-answers"), MessageAbout::Answers, pairs));
    }
    let pairs = meters.iter().map(|meter| (meter_kind(language, meter), meter.model.clone()));
    blocks.push(block(language.say("about-meter"), MessageAbout::Meter, pairs.collect()));
    if !systems.is_empty() {
        let mut pairs = Vec::new();
        for system in systems {
            let power = number::quantity(language, system.nominal_power, 2, "kWp");
            pairs.push((language.say("nominal-power"), power));
            pairs.push((
                language.say("azimuth"),
                format!("{}°", number::number(language, system.azimuth, 0)),
            ));
            pairs.push((
                language.say("tilt"),
                format!("{}°", number::number(language, system.tilt, 0)),
            ));
            pairs.push((language.say("installed"), frame.moments.day(system.installed_on)));
        }
        blocks.push(block(language.say("about-pv-system"), MessageAbout::PvSystem, pairs));
    }
    blocks
}

fn battery_text(language: Language, answers: &Metadata) -> String {
    match (answers.home_battery, answers.battery) {
        (false, _) => language.say("no"),
        (true, Battery::Ac) => language.say("battery-ac"),
        (true, Battery::Dc) => language.say("battery-dc"),
        (true, Battery::None | Battery::Unknown) => language.say("yes"),
    }
}

fn concept_text(language: Language, concept: MeteringConcept) -> String {
    match concept {
        MeteringConcept::SurplusFeedIn => language.say("concept-surplus"),
        MeteringConcept::FullFeedIn => language.say("concept-full"),
        MeteringConcept::Cascade => language.say("concept-cascade"),
        MeteringConcept::NoSystem => language.say("concept-none"),
        MeteringConcept::Unknown => language.say("concept-unknown"),
    }
}

/// What a meter counts, for people.
pub fn meter_kind(language: Language, meter: &Meter) -> String {
    match meter.kind {
        MeterType::Electricity => language.say("meter-grid"),
        MeterType::PvGeneration => language.say("meter-generation"),
    }
}
