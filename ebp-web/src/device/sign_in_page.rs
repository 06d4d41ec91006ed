//! The page on which a visitor signs in, with what is kept over it.
//!
//! Enters: why it is shown, and what was written before. Leaves: the page. Absent: whether a code is
//! right, and sessions (`sign_in.rs`).

use std::sync::Arc;

use askama::Template;
use axum::{http::StatusCode, response::Response};

use super::{message_form::MessageDraft, state::DeviceWeb, survey_text::contact, visitor::Visitor};
use crate::kit::{
    defence::Defence,
    form::Fields,
    frame::{Frame, SwitchForm},
};

/// The pages that a visitor may be led to after signing in.
const PAGES: [&str; 9] = [
    "/today",
    "/measurements",
    "/pending",
    "/live",
    "/registration",
    "/devices",
    "/consent",
    "/data",
    "/remote-access",
];

#[derive(Template)]
#[template(path = "device/sign_in.html")]
struct Page {
    frame: Frame,
    /// What has to be said before the form.
    note: Option<String>,
    /// What is wrong with the code.
    fault: Option<String>,
    is_enrolled: bool,
    next: String,
    contacts: Vec<String>,
    draft: Option<MessageDraft>,
}

/// What a sign-in page shows besides its form.
#[derive(Default)]
pub struct Shown {
    /// What has to be said before the form.
    pub note: Option<String>,
    /// What is wrong with the code.
    pub fault: Option<String>,
    /// Where to go afterwards.
    pub next: String,
    /// A message that was written when the session had ended; it is kept over signing in.
    pub draft: Option<MessageDraft>,
}

/// The sign-in page for somebody whose session ended before they sent a message; none if the form
/// has none.
pub fn with_draft(web: &Arc<DeviceWeb>, visitor: &Visitor, fields: &Fields) -> Option<Response> {
    let draft = Some(MessageDraft::of_fields(fields)?);
    let note = Some(visitor.language().say("session-ended-draft"));
    let shown = Shown { note, draft, next: "/registration".to_owned(), ..Shown::default() };
    Some(page(web, visitor, StatusCode::UNAUTHORIZED, shown))
}

/// The page, with that status.
pub fn page(web: &Arc<DeviceWeb>, visitor: &Visitor, status: StatusCode, shown: Shown) -> Response {
    let Shown { note, fault, next, draft } = shown;
    let title = visitor.language().say("sign-in-title");
    let mut frame = visitor.frame(title);
    let is_enrolled = web.code_hash().is_some();
    if is_enrolled && (draft.is_some() || fault.is_some()) {
        let asks = if fault.is_some() { "fault" } else { "show" };
        let action = "/sign-in".to_owned();
        frame = frame.switched_by(SwitchForm { id: "sign-in", action, asks, enter: ("", "") });
    }
    let contacts = web.known_survey().map(|survey| survey.contacts).unwrap_or_default();
    let page = Page {
        frame,
        note,
        fault,
        is_enrolled,
        next: safe_target(&next).to_owned(),
        contacts: contacts.iter().map(contact).collect(),
        draft,
    };
    visitor.show_with(status, &page)
}

/// Where to go after signing in: a page of ours, else the first one.
pub fn safe_target(next: &str) -> &str {
    let path = next.split('?').next().unwrap_or_default();
    let is_ours = PAGES.contains(&path) && next.bytes().all(|byte| byte.is_ascii_graphic());
    if is_ours || !Defence::OwnTargets.is_on() { next } else { "/today" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_elsewhere() {
        assert_eq!(safe_target("/consent"), "/consent");
        assert_eq!(safe_target("/measurements?period=day"), "/measurements?period=day");
        for next in [
            "",
            "//evil",
            "/\\evil",
            "http:evil",
            "https://evil/today",
            "/today/../x",
            "/sign-out",
            "/today\r\nx: y",
            "/today?\u{e9}",
        ] {
            assert_eq!(safe_target(next), "/today", "{next}");
        }
    }
}
