//! Signing in by the printed code, and out.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use cookie::{Cookie, SameSite, time};

use super::{
    code_wait::wait_text,
    message_form::MessageDraft,
    registration,
    sign_in_page::{Shown, page, safe_target},
    state::DeviceWeb,
    submission::{Submitted, read_form},
    visitor::Visitor,
};
use crate::kit::{
    code::Tried,
    page::{encode, lead_with},
};

/// `GET /`.
pub async fn show(State(web): State<Arc<DeviceWeb>>, visitor: Visitor) -> Response {
    if visitor.session.is_some() {
        return lead_with(visitor.preferences.cookies(), "/today");
    }
    let language = visitor.language();
    let asked = |name| visitor.preferences.get(name).is_some();
    let note = if asked("ended") {
        Some(language.say("session-ended"))
    } else if asked("cookies") {
        Some(language.say("cookies-off"))
    } else if asked("out") {
        Some(language.say("signed-out"))
    } else if !web.parts.clock.synchronised() {
        Some(language.say("clock-not-set"))
    } else {
        None
    };
    let next = visitor.preferences.get("next").unwrap_or_default().to_owned();
    page(&web, &visitor, StatusCode::OK, Shown { note, next, ..Shown::default() })
}

/// `POST /sign-in`.
pub async fn sign_in(
    State(web): State<Arc<DeviceWeb>>,
    visitor: Visitor,
    request: Request,
) -> Response {
    let fields = match read_form(request, &visitor).await {
        Ok(fields) => fields,
        Err(response) => return response,
    };
    let get = |name: &str| fields.get(name);
    let next = get("next").to_owned();
    let draft = MessageDraft::of_fields(&fields);
    let refused = |fault: Option<String>| {
        let (next, draft) = (next.clone(), draft.clone());
        Shown { fault, next, draft, ..Shown::default() }
    };
    let Some(hash) = web.code_hash() else {
        return page(&web, &visitor, StatusCode::SERVICE_UNAVAILABLE, refused(None));
    };
    // The language was switched: no code is tried.
    if !get("do").is_empty() {
        let language = visitor.language();
        let note = draft.as_ref().map(|_| language.say("session-ended-draft"));
        let fault = (get("do") == "fault").then(|| language.say("code-wrong"));
        return page(&web, &visitor, StatusCode::OK, Shown { note, ..refused(fault) });
    }
    match web.codes.verify(&hash, get("code"), || web.since_boot()).await {
        Tried::Right => {
            let stays = get("stay") == "yes";
            // One session a browser: the one that it had is over.
            visitor.token.iter().for_each(|token| web.sessions.end(token));
            let Ok(token) = web.sessions.begin(web.since_boot(), stays) else {
                return StatusCode::INTERNAL_SERVER_ERROR.into_response();
            };
            if stays {
                web.store_sessions();
            }
            let lasts = stays.then_some(web.parts.limits.looking);
            let response = match draft {
                Some(draft) => with_draft_again(&web, &visitor, token.as_str(), draft).await,
                None => {
                    let target = format!("/signed-in?next={}", encode(safe_target(&next)));
                    Redirect::to(&target).into_response()
                }
            };
            with_cookie(&web, token.as_str(), lasts, response)
        }
        Tried::Wrong { wait } if wait.is_zero() => {
            let fault = Some(visitor.language().say("code-wrong"));
            page(&web, &visitor, StatusCode::UNPROCESSABLE_ENTITY, refused(fault))
        }
        Tried::Wrong { wait } | Tried::TooEarly { wait } => {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            let fault = Some(wait_text(&visitor, seconds));
            let mut response = page(&web, &visitor, StatusCode::TOO_MANY_REQUESTS, refused(fault));
            if let Ok(value) = HeaderValue::from_str(&seconds.to_string()) {
                response.headers_mut().insert(header::RETRY_AFTER, value);
            }
            response
        }
    }
}

/// The message's form by the new session, with what was written before.
async fn with_draft_again(
    web: &Arc<DeviceWeb>,
    visitor: &Visitor,
    token: &str,
    draft: MessageDraft,
) -> Response {
    let mut now = visitor.clone();
    now.session = web.sessions.find(token, web.since_boot(), true);
    now.token = Some(token.to_owned());
    now.preferences.path = "/registration".to_owned();
    registration::show_draft(web, &now, draft).await
}

/// `GET /signed-in`: whether the browser kept the cookie.
pub async fn arrive(visitor: Visitor) -> Response {
    let next = visitor.preferences.get("next").unwrap_or_default();
    let target = if visitor.session.is_some() { safe_target(next) } else { "/?cookies=off" };
    Redirect::to(target).into_response()
}

/// `POST /sign-out`.
pub async fn sign_out(State(web): State<Arc<DeviceWeb>>, form: Submitted) -> Response {
    form.visitor.token.iter().for_each(|token| web.sessions.end(token));
    if form.session.is_looking {
        web.store_sessions();
    }
    with_cookie(&web, "", Some(Duration::ZERO), Redirect::to("/?out=1").into_response())
}

fn with_cookie(
    web: &Arc<DeviceWeb>,
    value: &str,
    lasts: Option<Duration>,
    mut response: Response,
) -> Response {
    let mut cookie = Cookie::build((web.session_cookie(), value.to_owned()))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Strict)
        .build();
    if let Some(lasts) = lasts {
        cookie.set_max_age(time::Duration::try_from(lasts).ok());
    }
    if let Ok(value) = HeaderValue::from_str(&cookie.to_string()) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}
