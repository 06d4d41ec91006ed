//! Signing in by the group's secret or by a link, and out.

use std::{sync::Arc, time::Duration};

use askama::Template;
use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use cookie::{Cookie, SameSite, time};
use ebp_core::scope::Group;
use ebp_survey::{SignInError, WebToken};

use super::{
    draft::{Draft, NotRead},
    problem, site,
    state::CloudWeb,
    visitor::Visitor,
};
use crate::kit::{
    defence::Defence,
    form::{Fields, FormFault},
    frame::{Frame, SwitchForm},
    page::{encode, lead_with},
    session::{form_token, is_same},
};

#[derive(Template)]
#[template(path = "cloud/sign_in.html")]
struct Page {
    frame: Frame,
    /// What has to be said before the form.
    note: Option<String>,
    /// What is wrong.
    fault: Option<String>,
    next: String,
    group: Group,
    label: String,
    draft: Option<Draft>,
}

#[derive(Template)]
#[template(path = "cloud/draft.html")]
struct DraftPage {
    frame: Frame,
    action: String,
    /// All fields, as the switch of the language sends them.
    body: String,
    fields: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "cloud/again.html")]
struct AgainPage {
    frame: Frame,
    address: String,
}

/// `GET /`.
pub async fn begin(visitor: Visitor) -> Response {
    let home = visitor.session.as_ref().map_or("/sign-in", |session| site::home(session.group));
    lead_with(visitor.preferences.cookies(), home)
}

/// `GET /sign-in`.
pub async fn show(visitor: Visitor) -> Response {
    let language = visitor.language();
    let asked = |name| visitor.preferences.get(name).is_some();
    let note = if asked("ended") {
        Some(language.say("cloud-session-ended"))
    } else if asked("cookies") {
        Some(language.say("cloud-cookies-off"))
    } else if asked("out") {
        Some(language.say("cloud-signed-out"))
    } else {
        None
    };
    let group = visitor.preferences.get("group").and_then(|name| name.parse().ok());
    let group = group.unwrap_or(Group::Researchers);
    let next = visitor.preferences.get("next").unwrap_or_default().to_owned();
    page(&visitor, StatusCode::OK, Shown { note, next, group, ..Shown::default() })
}

/// What a sign-in page shows besides its form.
struct Shown {
    note: Option<String>,
    fault: Option<String>,
    next: String,
    group: Group,
    label: String,
    draft: Option<Draft>,
}

impl Default for Shown {
    fn default() -> Self {
        Self {
            note: None,
            fault: None,
            next: String::new(),
            group: Group::Researchers,
            label: String::new(),
            draft: None,
        }
    }
}

fn page(visitor: &Visitor, status: StatusCode, shown: Shown) -> Response {
    let Shown { note, fault, next, group, label, draft } = shown;
    let title = visitor.language().say("cloud-sign-in-title");
    // Whoever signs in anew does so as somebody else.
    let stranger = Visitor { session: None, ..visitor.clone() };
    let next = safe_target(&next, group).to_owned();
    let mut frame = stranger.frame(title);
    if draft.is_some() || fault.is_some() {
        let asks = if fault.is_some() { "fault" } else { "show" };
        let action = "/sign-in".to_owned();
        frame = frame.switched_by(SwitchForm { id: "sign-in", action, asks, enter: ("", "") });
    }
    visitor.show_with(status, &Page { frame, note, fault, next, group, label, draft })
}

/// The sign-in page for somebody whose session ended before they sent a form: what they entered is
/// kept, unless it is too long.
pub fn with_draft(visitor: &Visitor, group: Group, path: &str, draft: Option<Draft>) -> Response {
    let language = visitor.language();
    let (note, next) = match draft {
        Some(_) => (language.say("cloud-session-ended-draft"), ""),
        // The page that leads to the form.
        None => {
            let above = path.rsplit_once('/').map_or("", |(above, _)| above);
            (language.say("cloud-session-ended-long"), above)
        }
    };
    let (note, next) = (Some(note), next.to_owned());
    let shown = Shown { note, next, group, draft, ..Shown::default() };
    page(visitor, StatusCode::UNAUTHORIZED, shown)
}

/// A page that asks for itself at once: the browser left its cookie out, as the link was on another
/// site, and sends it then.
pub fn ask_again(visitor: &Visitor) -> Response {
    let preferences = &visitor.preferences;
    let query: Vec<String> = preferences
        .query
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    let address = match query.is_empty() {
        true => preferences.path.clone(),
        false => format!("{}?{}", preferences.path, query.join("&")),
    };
    let frame = visitor.frame(visitor.language().say("cloud-again-title"));
    let mut response = visitor.show(&AgainPage { frame, address });
    let refresh = HeaderName::from_static("refresh");
    response.headers_mut().insert(refresh, HeaderValue::from_static("0"));
    response
}

/// Where to go after signing in: a page of the group, else its first one.
fn safe_target(next: &str, group: Group) -> &str {
    let path = next.split('?').next().unwrap_or_default();
    let rest = path.strip_prefix(site::home(group));
    let is_ours = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        && next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_ours || !Defence::OwnTargets.is_on() { next } else { site::home(group) }
}

/// `POST /sign-in`.
pub async fn sign_in(
    State(web): State<Arc<CloudWeb>>,
    visitor: Visitor,
    request: Request,
) -> Response {
    // Held until the answer is made.
    let _admitted = match web.long_forms.admit(&request) {
        Ok(admitted) => admitted,
        Err(NotRead::TooLong) => return visitor.too_long(),
        Err(NotRead::Busy) => return problem::busy(&visitor),
    };
    let fields = match read_form(request, &visitor).await {
        Ok(fields) => fields,
        Err(response) => return response,
    };
    let get = |name: &str| fields.get(name).to_owned();
    let group = get("group").parse().unwrap_or(Group::Researchers);
    let draft =
        (!get("action").is_empty()).then(|| Draft { action: get("action"), body: get("draft") });
    let (label, next) = (get("label"), get("next"));
    // The language was switched: no secret is tried.
    if !get("do").is_empty() {
        let language = visitor.language();
        let note = draft.as_ref().map(|_| language.say("cloud-session-ended-draft"));
        let fault = (get("do") == "fault").then(|| language.say("cloud-secret-wrong"));
        return page(&visitor, StatusCode::OK, Shown { note, fault, next, group, label, draft });
    }
    let verified = web.secrets.verify_secret(group, fields.get("secret"), visitor.source).await;
    let shown = |fault: String, draft| Shown {
        fault: Some(fault),
        next: next.clone(),
        group,
        label: label.clone(),
        draft,
        ..Shown::default()
    };
    match verified {
        Ok(()) => {}
        Err(SignInError::Wrong) => {
            let fault = visitor.language().say("cloud-secret-wrong");
            return page(&visitor, StatusCode::UNPROCESSABLE_ENTITY, shown(fault, draft));
        }
        Err(SignInError::Wait(seconds)) => {
            let fault = wait_text(&visitor, seconds);
            let mut response = page(&visitor, StatusCode::TOO_MANY_REQUESTS, shown(fault, draft));
            if let Ok(value) = HeaderValue::from_str(&seconds.to_string()) {
                response.headers_mut().insert(header::RETRY_AFTER, value);
            }
            return response;
        }
        Err(SignInError::Unavailable(error)) => {
            tracing::error!(%error, "nobody can sign in");
            let fault = visitor.language().say("cloud-sign-in-unavailable");
            return page(&visitor, StatusCode::SERVICE_UNAVAILABLE, shown(fault, draft));
        }
    }
    let label = Some(label).filter(|label| !label.trim().is_empty());
    end_before(&web, &visitor).await;
    let begun = web.survey.begin_web_session(group, label, visitor.browser.clone()).await;
    let token = match begun {
        Ok(token) => token,
        Err(error) => return problem::failed(&visitor, error),
    };
    let response = match draft {
        Some(draft) => with_draft_again(&web, &visitor, &token, draft, group).await,
        None => arrived_at(safe_target(&next, group)),
    };
    with_cookie(&web, token.as_str(), None, response)
}

/// One session a browser: the one that it had is over.
pub(super) async fn end_before(web: &CloudWeb, visitor: &Visitor) {
    if let Some(before) = &visitor.token
        && let Err(error) = web.survey.sign_out(before).await
    {
        tracing::warn!(%error, "a session could not be ended");
    }
}

pub(super) fn arrived_at(target: &str) -> Response {
    Redirect::to(&format!("/signed-in?next={}", encode(target))).into_response()
}

/// What was entered before, to be sent by the new session.
async fn with_draft_again(
    web: &CloudWeb,
    visitor: &Visitor,
    token: &WebToken,
    draft: Draft,
    group: Group,
) -> Response {
    let session = match web.survey.web_session(token.as_str(), true).await {
        Ok(session) => session,
        Err(error) => return problem::failed(visitor, error),
    };
    let now = Visitor { session, token: Some(token.as_str().to_owned()), ..visitor.clone() };
    show_draft(&now, &draft, group)
}

/// The page that sends a form again. A switch of its language sends it nowhere.
fn show_draft(visitor: &Visitor, draft: &Draft, group: Group) -> Response {
    let switch = "/signed-in".to_owned();
    let switch = SwitchForm { id: "draft", action: switch, asks: "show", enter: ("", "") };
    let frame = visitor.frame(visitor.language().say("cloud-draft-title")).switched_by(switch);
    let action = safe_target(&draft.action, group).to_owned();
    let fields = draft.fields();
    let body = draft.body.clone();
    visitor.show(&DraftPage { frame, action, body, fields })
}

/// `POST /signed-in`: what was entered before, in the other language.
pub async fn arrive_with_draft(visitor: Visitor, request: Request) -> Response {
    let fields = match read_form(request, &visitor).await {
        Ok(fields) => fields,
        Err(response) => return response,
    };
    let Some(session) = &visitor.session else { return Redirect::to("/sign-in").into_response() };
    if !visitor.is_own_form(fields.get("token")) {
        return problem::refuse_form(&visitor);
    }
    let field = |name: &str| fields.get(name).to_owned();
    let draft = Draft { action: field("draft-action"), body: field("draft-body") };
    show_draft(&visitor, &draft, session.group)
}

/// Until when no secret is looked at.
fn wait_text(visitor: &Visitor, seconds: u64) -> String {
    let language = visitor.language();
    if seconds < 60 {
        return language.say_with("cloud-wait-seconds", [("count", seconds.into())]);
    }
    // Rounded up to the next minute: at that time it is over for sure.
    let wait = i64::try_from(seconds).unwrap_or(900) + 59;
    let at = visitor.now.checked_add(jiff::SignedDuration::from_secs(wait)).unwrap_or(visitor.now);
    language.say_with("cloud-wait-until", [("time", visitor.moments().time(at).into())])
}

/// `GET /signed-in`: whether the browser kept the cookie.
pub async fn arrive(visitor: Visitor) -> Response {
    let next = visitor.preferences.get("next").unwrap_or_default();
    let target = match &visitor.session {
        Some(session) => safe_target(next, session.group),
        None => "/sign-in?cookies=off",
    };
    Redirect::to(target).into_response()
}

/// `POST /sign-out`.
pub async fn sign_out(
    State(web): State<Arc<CloudWeb>>,
    visitor: Visitor,
    request: Request,
) -> Response {
    let fields = match read_form(request, &visitor).await {
        Ok(fields) => fields,
        Err(response) => return response,
    };
    let out = Redirect::to("/sign-in?out=1").into_response();
    let Some(token) = &visitor.token else { return out };
    let is_own = is_same(fields.get("token"), &form_token(token));
    if visitor.session.is_some() && !is_own && Defence::FormToken.is_on() {
        return problem::refuse_form(&visitor);
    }
    if Defence::SessionEnd.is_on()
        && let Err(error) = web.survey.sign_out(token).await
    {
        return problem::failed(&visitor, error);
    }
    with_cookie(&web, "", Some(Duration::ZERO), out)
}

async fn read_form(request: Request, visitor: &Visitor) -> Result<Fields, Response> {
    Fields::read(request).await.map_err(|fault| match fault {
        FormFault::NoForm => problem::refuse_form(visitor),
        FormFault::TooLong => problem::too_long(visitor),
    })
}

pub(super) fn with_cookie(
    web: &CloudWeb,
    value: &str,
    lasts: Option<Duration>,
    mut response: Response,
) -> Response {
    let mut cookie = Cookie::build((web.session_cookie(), value.to_owned()))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(web.is_secure())
        .build();
    if let Some(lasts) = lasts {
        cookie.set_max_age(time::Duration::try_from(lasts).ok());
    }
    if let Ok(value) = HeaderValue::from_str(&cookie.to_string()) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_elsewhere() {
        let target = |next| safe_target(next, Group::Researchers);
        assert_eq!(target("/registration"), "/registration");
        assert_eq!(target("/registration/messages?open=1"), "/registration/messages?open=1");
        for next in [
            "",
            "//evil",
            "/\\evil",
            "/registration/\\evil",
            "http:evil",
            "https://evil/registration",
            "/registrations",
            "/status",
            "/sign-out",
            "/registration\r\nx: y",
            "/registration?\u{e9}",
        ] {
            assert_eq!(target(next), "/registration", "{next}");
        }
        assert_eq!(safe_target("/registration", Group::Administrators), "/status");
    }
}
