//! Remote access: who is and was connected to this device, and the household's switch.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use ebp_fleet::tunnel::{
    TunnelAccess,
    local::{LoggedSession, SessionEnd, Status},
};
use jiff::{SignedDuration, Timestamp, ToSpan, civil::Date};

use super::{
    cloud::CloudError,
    problem,
    state::DeviceWeb,
    submission::{CodeInForm, Submitted},
    tunnelside::TunnelsideError,
    visitor::{SignedIn, Visitor},
};
use crate::kit::frame::{Frame, SwitchForm};

/// So many sessions are shown.
const SHOWN: u32 = 50;
/// The most days for which access can be switched on.
const MOST_DAYS: i32 = 366;

#[derive(Template)]
#[template(path = "device/remote_access.html")]
struct Page {
    frame: Frame,
    note: Option<String>,
    state: String,
    /// Whether the device can be reached now.
    connection: String,
    services: String,
    now: Vec<String>,
    /// The switch; absent where there is nothing to choose.
    switch: Option<Switch>,
    sessions: Vec<Row>,
}

/// The form.
struct Switch {
    fault: Option<String>,
    needs_code: bool,
    first: Date,
    last: Date,
    until: String,
    is_on: bool,
    has_chosen: bool,
    /// What the configuration says without a choice.
    standard: String,
}

struct Row {
    who: String,
    service: String,
    from: String,
    lasted: String,
    end: String,
}

/// What is wrong with a form, and what was typed.
#[derive(Default)]
struct Wrong {
    status: StatusCode,
    fault: Option<String>,
    until: String,
}

/// `GET /remote-access`.
pub async fn show(
    State(web): State<Arc<DeviceWeb>>,
    SignedIn(visitor, session): SignedIn,
) -> Response {
    let needs_code = session.is_looking && !session.is_fresh;
    page(&web, &visitor, needs_code, Wrong::default()).await
}

/// `POST /remote-access`: the switch.
pub async fn set(State(web): State<Arc<DeviceWeb>>, form: Submitted) -> Response {
    let visitor = &form.visitor;
    let language = visitor.language();
    let needs_code = form.session.is_looking && !form.session.is_fresh;
    let typed = form.get("until");
    let typed: String = typed.chars().filter(char::is_ascii_graphic).take(10).collect();
    let wrong = |status, fault: String| Wrong { status, fault: Some(fault), until: typed.clone() };
    // The language was switched.
    if !form.get("do").is_empty() {
        let kept = Wrong { until: typed, ..Wrong::default() };
        return page(&web, visitor, needs_code, kept).await;
    }
    let until = match form.get("choice") {
        "standard" => None,
        // Long ago, so that a clock that is set back does not switch it on.
        "off" => Some(Timestamp::UNIX_EPOCH),
        "until" => match end_of_day(visitor, &typed) {
            Some(until) => Some(until),
            None => {
                let fault = language.say("remote-day-wrong");
                let wrong = wrong(StatusCode::UNPROCESSABLE_ENTITY, fault);
                return page(&web, visitor, needs_code, wrong).await;
            }
        },
        _ => return problem::refuse_form(visitor),
    };
    if needs_code {
        match form.check_code(&web).await {
            CodeInForm::Right => {}
            CodeInForm::Wrong(status, fault) => {
                return page(&web, visitor, needs_code, wrong(status, fault)).await;
            }
            CodeInForm::NotEnrolled => return problem::cloud(visitor, CloudError::NotAccepted),
        }
    }
    match web.ask_tunnelside(move |tunnel| tunnel.set_access(until)).await {
        Some(Ok(_)) => Redirect::to("/remote-access?done=1").into_response(),
        // The page tells that there is none, or that it is away.
        None | Some(Err(_)) => {
            let fault = language.say("remote-not-set");
            let wrong = wrong(StatusCode::SERVICE_UNAVAILABLE, fault);
            page(&web, visitor, needs_code, wrong).await
        }
    }
}

/// The end of that day, if access may be switched on for so long.
fn end_of_day(visitor: &Visitor, day: &str) -> Option<Timestamp> {
    let day: Date = day.parse().ok()?;
    let (first, last) = days(visitor);
    if day < first || day > last {
        return None;
    }
    visitor.web.parts.zone.to_timestamp(day.tomorrow().ok()?.into()).ok()
}

/// The first and the last day until which access can be switched on.
fn days(visitor: &Visitor) -> (Date, Date) {
    let today = visitor.moments().day_of(visitor.now);
    (today, today.saturating_add(MOST_DAYS.days()))
}

async fn page(web: &Arc<DeviceWeb>, visitor: &Visitor, needs_code: bool, wrong: Wrong) -> Response {
    let asked = web.ask_tunnelside(|tunnel| Ok((tunnel.status()?, tunnel.sessions(SHOWN)?))).await;
    let frame = visitor.frame(visitor.language().say("remote-access"));
    let status = asked.as_ref().map(|asked| asked.as_ref().map(|(status, _)| status));
    let mut page = Page {
        note: visitor.preferences.get("done").map(|_| frame.say("remote-done")),
        state: describe(&frame, status),
        connection: String::new(),
        services: String::new(),
        now: Vec::new(),
        switch: None,
        sessions: Vec::new(),
        frame,
    };
    let status_code = wrong.status;
    match &asked {
        Some(Ok((status, sessions))) => {
            let frame = &page.frame;
            page.connection = match status.connected_since {
                Some(since) => {
                    let time = frame.moments.instant(since, frame.now);
                    frame.say_one("remote-reachable", "time", time)
                }
                None => frame.say("remote-not-reachable"),
            };
            page.services = status.services.join(", ");
            page.now = status.connected.iter().map(|session| connected(frame, session)).collect();
            page.sessions = sessions.iter().map(|session| row(frame, session)).collect();
            if status.access == TunnelAccess::Never {
                page.note = wrong.fault;
            } else {
                let action = "/remote-access".to_owned();
                let form = SwitchForm {
                    id: "switch-form",
                    action,
                    asks: "show",
                    enter: ("choice", "until"),
                };
                page.switch = Some(switch(visitor, status, needs_code, wrong));
                page.frame = page.frame.switched_by(form);
            }
        }
        None | Some(Err(_)) => page.note = wrong.fault,
    }
    visitor.show_with(status_code, &page)
}

fn switch(visitor: &Visitor, status: &Status, needs_code: bool, wrong: Wrong) -> Switch {
    let language = visitor.language();
    let (first, last) = days(visitor);
    let week = first.saturating_add(7.days()).to_string();
    Switch {
        fault: wrong.fault,
        needs_code,
        first,
        last,
        until: if wrong.until.is_empty() { week } else { wrong.until },
        is_on: status.permitted,
        has_chosen: status.access_until.is_some(),
        standard: match status.access {
            TunnelAccess::Always => language.say("remote-standard-on"),
            TunnelAccess::UntilSwitchedOn | TunnelAccess::Never => {
                language.say("remote-standard-off")
            }
        },
    }
}

/// Whether administrators are let in, in one sentence.
pub fn describe(frame: &Frame, status: Option<Result<&Status, &TunnelsideError>>) -> String {
    let status = match status {
        None => return frame.say("remote-none"),
        Some(Err(_)) => return frame.say("remote-missing"),
        Some(Ok(status)) => status,
    };
    match (status.access, status.permitted, status.access_until) {
        (TunnelAccess::Never, ..) => frame.say("remote-never"),
        (_, true, Some(until)) => {
            frame.say_one("remote-until", "time", frame.moments.instant(until, frame.now))
        }
        (_, true, None) => frame.say("remote-permitted"),
        (_, false, Some(_)) => frame.say("remote-switched-off"),
        (_, false, None) => frame.say("remote-off"),
    }
}

/// Who is connected now, and since when.
pub fn connected(frame: &Frame, session: &LoggedSession) -> String {
    let time = frame.moments.instant(session.began_at, frame.now);
    let texts = [
        ("who", session.administrator.clone().into()),
        ("service", session.service.clone().into()),
        ("time", time.into()),
    ];
    frame.language().say_with("remote-connected", texts)
}

fn row(frame: &Frame, session: &LoggedSession) -> Row {
    let until = session.ended_at.unwrap_or(frame.now);
    Row {
        who: session.administrator.clone(),
        service: session.service.clone(),
        from: frame.when(session.began_at),
        lasted: lasted(until.duration_since(session.began_at)),
        end: match session.end {
            None => frame.say("remote-goes-on"),
            Some(SessionEnd::Closed) => frame.say("remote-closed"),
            Some(SessionEnd::Broken) => frame.say("remote-broken"),
            Some(SessionEnd::Idle) => frame.say("remote-idle"),
            Some(SessionEnd::TooLong) => frame.say("remote-too-long"),
            Some(SessionEnd::SwitchedOff) => frame.say("remote-ended-by-you"),
            Some(SessionEnd::Interrupted) => frame.say("remote-interrupted"),
        },
    }
}

/// `1 h 05 min`: the same in both languages.
fn lasted(length: SignedDuration) -> String {
    let minutes = length.as_mins().max(0);
    match (minutes / 60, minutes % 60) {
        (0, 0) => "< 1\u{a0}min".to_owned(),
        (0, minutes) => format!("{minutes}\u{a0}min"),
        (hours, minutes) => format!("{hours}\u{a0}h {minutes:02}\u{a0}min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long() {
        for (seconds, expected) in [
            (-5, "< 1\u{a0}min"),
            (59, "< 1\u{a0}min"),
            (60, "1\u{a0}min"),
            (3_900, "1\u{a0}h 05\u{a0}min"),
            (90_000, "25\u{a0}h 00\u{a0}min"),
        ] {
            assert_eq!(lasted(SignedDuration::from_secs(seconds)), expected);
        }
    }
}
