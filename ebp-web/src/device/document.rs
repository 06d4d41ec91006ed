//! Pages that explain: help, privacy, accessibility, and the final one.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};

use super::{ended::End, site::FINAL, state::DeviceWeb, survey_text::contact, visitor::Visitor};
use crate::kit::{frame::Frame, markdown};

#[derive(Template)]
#[template(path = "device/document.html")]
struct Page {
    frame: Frame,
    html: String,
    contacts: Vec<String>,
    controller: String,
}

async fn document(web: &Arc<DeviceWeb>, visitor: &Visitor, title: String, text: &str) -> Response {
    let survey = web.known_survey().unwrap_or_default();
    let page = Page {
        frame: visitor.frame(title),
        html: markdown::html(text, 2),
        contacts: survey.contacts.iter().map(contact).collect(),
        controller: survey.controller.unwrap_or_default(),
    };
    visitor.show(&page)
}

/// `GET /help`.
pub async fn help(State(web): State<Arc<DeviceWeb>>, visitor: Visitor) -> Response {
    let language = visitor.language();
    document(&web, &visitor, language.say("help-title"), &language.say("help-text")).await
}

/// `GET /privacy`.
pub async fn privacy(State(web): State<Arc<DeviceWeb>>, visitor: Visitor) -> Response {
    let language = visitor.language();
    document(&web, &visitor, language.say("privacy-title"), &language.say("privacy-text")).await
}

/// `GET /accessibility`.
pub async fn accessibility(State(web): State<Arc<DeviceWeb>>, visitor: Visitor) -> Response {
    let language = visitor.language();
    let (title, text) = (language.say("accessibility-title"), language.say("accessibility-text"));
    document(&web, &visitor, title, &text).await
}

#[derive(Template)]
#[template(path = "device/ended.html")]
struct EndedPage {
    frame: Frame,
    when: String,
    html: String,
    contacts: Vec<String>,
}

/// The final page, at every address.
pub fn ended(visitor: &Visitor, end: &End) -> Response {
    let mut visitor = visitor.clone();
    visitor.session = None;
    let language = visitor.language();
    let frame = visitor.frame_of(&FINAL, language.say("ended-title"));
    let page = EndedPage {
        when: frame.when(end.revoked_at),
        html: markdown::html(&language.say("ended-text"), 2),
        contacts: end.contacts.iter().map(contact).collect(),
        frame,
    };
    visitor.show_with(StatusCode::GONE, &page)
}
