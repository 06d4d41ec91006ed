//! Messages of households: open and closed ones, answered or closed here.

use askama::Template;
use axum::{
    extract::Path,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use ebp_core::contract::{Message, MessageAbout, MessageAnswer, MessageText};
use ebp_survey::{Faults, ListCursor, ListQuery};
use uuid::Uuid;

use super::edit::page_of;
use crate::{
    cloud::{Researcher, ResearcherForm},
    kit::{frame::Frame, language::Language},
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
    /// Whether it waits for an answer.
    pub is_open: bool,
    /// The household's page.
    pub page: String,
}

impl Shown {
    /// A message.
    pub fn of_message(frame: &Frame, message: &Message, subject: String) -> Self {
        Self {
            uuid: message.uuid,
            household: message.household,
            subject,
            when: frame.when(message.written_at),
            text: message.text.clone(),
            answer: message.answer.clone(),
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
    let is_open = visitor.preferences.get("closed").is_none();
    let after = visitor.preferences.get("after").and_then(cursor);
    let query = ListQuery { after, limit: PAGE };
    let found = match caller.messages(Some(is_open), query).await {
        Ok(found) => found,
        Err(error) => return visitor.fail(error),
    };
    let frame = visitor.frame(visitor.language().say("menu-messages"));
    let shown = |message: &Message| {
        Shown::of_message(&frame, message, subject_text(frame.language(), message.about))
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
    let Ok(message) = message.parse() else { return visitor.not_found() };
    let household = fields.get("household").parse::<Uuid>();
    // Browsers send line ends as two characters.
    let text = fields.get("text").replace("\r\n", "\n").trim().to_owned();
    let answer = (fields.get("do") != "close").then_some(text);
    let is_wrong = |text: &String| {
        let answer = MessageAnswer { text: MessageText(text.clone()) };
        !Faults::against_schema(&answer).is_empty()
    };
    if let Some(text) = answer.as_ref().filter(|text| is_wrong(text)) {
        let frame = visitor.frame(visitor.language().say("reg-answer-title"));
        let fault = visitor.language().say("reg-fault-answer");
        let household = fields.get("household").to_owned();
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
