//! Messages of households: open and closed ones, answered or closed here.

use askama::Template;
use axum::{
    extract::Path,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use ebp_core::contract::{Message, MessageAbout, MessageAnswer, MessageText};
use ebp_survey::{Faults, GroupCaller, ListCursor, ListQuery};
use uuid::Uuid;

use super::edit::page_of;
use crate::{
    cloud::{Researcher, ResearcherForm, Visitor},
    kit::{
        form::Fields,
        frame::{Frame, SwitchForm},
        language::Language,
    },
};

/// Messages on a page.
const PAGE: usize = 50;

/// A message, as pages show it.
pub struct Shown {
    /// Its identifier.
    pub uuid: Uuid,
    /// The household's.
    pub household: Uuid,
    /// What it is about.
    pub subject: String,
    /// When it was written.
    pub when: String,
    /// What it says.
    pub text: String,
    /// What was answered.
    pub answer: Option<String>,
    /// What is typed as an answer so far.
    pub draft: String,
    /// Whether it waits for an answer.
    pub is_open: bool,
    /// The household's page.
    pub page: String,
}

impl Shown {
    /// A message.
    pub fn of_message(frame: &Frame, message: &Message, subject: String, typed: &Fields) -> Self {
        Self {
            uuid: message.uuid,
            household: message.household,
            subject,
            when: frame.when(message.written_at),
            text: message.text.clone(),
            answer: message.answer.clone(),
            draft: typed.get(&field_of(message.uuid)).to_owned(),
            is_open: message.closed_at.is_none(),
            page: page_of(message.household),
        }
    }
}

#[derive(Template)]
#[template(path = "registration/messages.html")]
struct Page {
    frame: Frame,
    is_open: bool,
    messages: Vec<Shown>,
    next: Option<String>,
}

/// The name of the field in which a message is answered.
fn field_of(message: Uuid) -> String {
    format!("text-{message}")
}

/// The form of all answers on a page, which a switch of the language sends.
pub fn switch(action: String) -> SwitchForm {
    SwitchForm { id: "answers", action, asks: "show", enter: ("", "") }
}

/// What a message is about.
pub fn subject_text(language: Language, about: MessageAbout) -> String {
    match about {
        MessageAbout::Contact => language.say("reg-contact"),
        MessageAbout::Address => language.say("reg-address"),
        MessageAbout::Answers => language.say("reg-answers"),
        MessageAbout::Meter => language.say("reg-meters"),
        MessageAbout::PvSystem => language.say("reg-systems"),
        MessageAbout::Device => language.say("reg-devices"),
        MessageAbout::Measurements => language.say("reg-measurements"),
        MessageAbout::Consent => language.say("reg-consent"),
        MessageAbout::Other => language.say("reg-other"),
    }
}

/// `GET /registration/messages?closed&after`.
pub async fn show(Researcher { visitor, caller }: Researcher) -> Response {
    list(&visitor, &caller, &Fields::from_pairs(Vec::new())).await
}

/// `POST /registration/messages`: the same with answers that are typed so far, in the other language.
pub async fn show_typed(ResearcherForm { visitor, caller, fields }: ResearcherForm) -> Response {
    list(&visitor, &caller, &fields).await
}

async fn list(visitor: &Visitor, caller: &GroupCaller, typed: &Fields) -> Response {
    let is_open = visitor.preferences.get("closed").is_none();
    let after = visitor.preferences.get("after").and_then(cursor);
    let query = ListQuery { after, limit: PAGE };
    let found = match caller.messages(Some(is_open), query).await {
        Ok(found) => found,
        Err(error) => return visitor.fail(error),
    };
    let mut frame = visitor.frame(visitor.language().say("menu-messages"));
    if found.items.iter().any(|message| message.closed_at.is_none()) {
        frame = frame.switched_by(switch("/registration/messages".to_owned()));
    }
    let shown = |message: &Message| {
        let subject = subject_text(frame.language(), message.about);
        Shown::of_message(&frame, message, subject, typed)
    };
    let page = Page {
        is_open,
        messages: found.items.iter().map(shown).collect(),
        next: found.next.map(|next| {
            let closed = if is_open { "" } else { "closed=1&" };
            let after = format!("{}-{}", next.registered_at, next.uuid);
            format!("/registration/messages?{closed}after={after}")
        }),
        frame,
    };
    visitor.show(&page)
}

fn cursor(text: &str) -> Option<ListCursor> {
    let (at, uuid) = text.split_once('-')?;
    Some(ListCursor { registered_at: at.parse().ok()?, uuid: uuid.parse().ok()? })
}

#[derive(Template)]
#[template(path = "registration/answer.html")]
struct AnswerPage {
    frame: Frame,
    message: Uuid,
    household: String,
    text: String,
    fault: String,
}

/// `POST /registration/message/{message}`: answers or closes it.
pub async fn answer(
    Path(message): Path<String>,
    ResearcherForm { visitor, caller, fields }: ResearcherForm,
) -> Response {
    let Ok(message) = message.parse::<Uuid>() else { return visitor.not_found() };
    let household = fields.get(&format!("household-{message}")).parse::<Uuid>();
    // Browsers send line ends as two characters.
    let text = fields.get(&field_of(message)).replace("\r\n", "\n").trim().to_owned();
    let answer = (fields.get("do") != "close").then_some(text);
    let is_wrong = |text: &String| {
        let answer = MessageAnswer { text: MessageText(text.clone()) };
        !Faults::against_schema(&answer).is_empty()
    };
    // The language was switched: what is typed is shown, and what is wrong is said again.
    let is_asked = fields.get("do") == "show";
    if let Some(text) = answer.as_ref().filter(|text| is_asked || is_wrong(text)) {
        let action = format!("/registration/message/{message}");
        let switch = SwitchForm { id: "answer", action, asks: "show", enter: ("do", "answer") };
        let frame = visitor.frame(visitor.language().say("reg-answer-title")).switched_by(switch);
        let fault = visitor.language().say("reg-fault-answer");
        let household = household.map(|household| household.to_string()).unwrap_or_default();
        let page = AnswerPage { frame, message, household, text: text.clone(), fault };
        return visitor.show_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    match caller.close_message(message, answer).await {
        Ok(_) => {
            let target = match household {
                Ok(household) => format!("{}?note=answered#messages", page_of(household)),
                Err(_) => "/registration/messages".to_owned(),
            };
            Redirect::to(&target).into_response()
        }
        Err(error) => visitor.fail(error),
    }
}
