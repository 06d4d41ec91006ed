//! A device's page, and what is changed there.

use axum::{
    extract::Path,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use ebp_core::{
    contract::{FleetSort, NewSilence},
    plain_text::find_hidden,
};
use ebp_survey::{
    FleetQuery, GroupCaller, ListQuery, RegisterEntry, Serial, StoreError, SurveyError,
};
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use uuid::Uuid;

use super::address::done;
use crate::{
    cloud::{Administrator, AdministratorForm, Visitor},
    kit::{form::Fields, frame::SwitchForm},
    status::{
        brief::short,
        confirm::{Confirm, TokenPage, shown_again},
        device::{DAYS, DeviceFacts, DevicePage, SilenceDraft},
        timeline::{asked_days, timelines},
    },
};

/// Certificates that are listed, at most.
const CERTIFICATES: usize = 200;
/// Sessions that are listed.
const SESSIONS: usize = 20;
/// How long a silence may be: the day itself counts.
const LONGEST_SILENCE: SignedDuration = SignedDuration::from_hours(400 * 24);

/// `GET /status/device/{device}`.
pub async fn show(
    Administrator { visitor, caller }: Administrator,
    Path(device): Path<String>,
) -> Response {
    page(&visitor, &caller, &device, StatusCode::OK, SilenceDraft::default()).await
}

async fn page(
    visitor: &Visitor,
    caller: &GroupCaller,
    device: &str,
    status: StatusCode,
    draft: SilenceDraft,
) -> Response {
    let Ok(device) = device.parse() else { return visitor.not_found() };
    match gather(visitor, caller, device).await {
        Ok(facts) => {
            let language = visitor.language();
            let done = visitor.preferences.get("done").and_then(|done| match done {
                "silenced" => Some(language.say("silence-begun")),
                "ended" => Some(language.say("silence-ended")),
                "gone" => Some(language.say("silence-gone")),
                "session" => Some(language.say("tunnel-session-ends")),
                "revoked" => Some(language.say("certificate-is-revoked")),
                _ => {
                    let count = done.strip_prefix("revoked-")?.parse::<u64>().ok()?;
                    Some(language.say_with("certificates-are-revoked", [("count", count.into())]))
                }
            });
            let title = language.say_with("device-title", [("device", short(device).into())]);
            let switch = SwitchForm {
                id: "silence-form",
                action: format!("{}/silence", path(device)),
                asks: if draft.fault.is_empty() { "show" } else { "check" },
                enter: ("", ""),
            };
            let mut frame = visitor.frame(title);
            if DevicePage::may_be_silenced(&facts) {
                frame = frame.switched_by(switch);
            }
            let page = DevicePage::new(frame, &facts, draft, done);
            visitor.show_with(status, &page)
        }
        Err(error) => visitor.fail(error),
    }
}

async fn gather(
    visitor: &Visitor,
    caller: &GroupCaller,
    device: Uuid,
) -> Result<DeviceFacts, SurveyError> {
    let query = FleetQuery {
        state: None,
        version: None,
        search: Some(device.to_string()),
        sort: FleetSort::default(),
        descending: false,
        after: None,
        limit: 1,
    };
    let mut items = caller.fleet(query).await?.page.items;
    items.retain(|found| found.uuid == device);
    let row = items.pop().ok_or(StoreError::NotFound)?;
    let zone = visitor.moments().zone;
    let (from, days) = asked_days(visitor.now, &zone, DAYS);
    let coverage = unless_revoked(caller.coverage(device, from, days).await)?;
    let timelines = coverage
        .map(|coverage| timelines(&coverage, &zone, visitor.now, row.last_report, DAYS))
        .unwrap_or_default();
    let (tunnel, sessions) = caller.tunnel(device, SESSIONS).await?;
    Ok(DeviceFacts {
        timelines,
        history: unless_revoked(caller.device_history(device).await)?,
        managed: unless_revoked(caller.device(device).await)?,
        certificates: certificates(caller, device).await?,
        tunnel,
        sessions,
        device: row,
    })
}

async fn certificates(
    caller: &GroupCaller,
    device: Uuid,
) -> Result<Vec<RegisterEntry>, SurveyError> {
    let query = ListQuery { after: None, limit: CERTIFICATES };
    match caller.certificates(device, query).await {
        Ok(page) => Ok(page.items),
        // A revoked household's device has no owner.
        Err(SurveyError::Store(StoreError::NotFound | StoreError::ConsentRevoked)) => {
            Ok(Vec::new())
        }
        Err(error) => Err(error),
    }
}

/// Nothing is known of a device whose household revoked its consent.
fn unless_revoked<T>(answer: Result<T, SurveyError>) -> Result<Option<T>, SurveyError> {
    match answer {
        Err(SurveyError::Store(StoreError::ConsentRevoked | StoreError::NotFound)) => Ok(None),
        answer => answer.map(Some),
    }
}

fn path(device: Uuid) -> String {
    format!("/status/device/{device}")
}

/// `POST /status/device/{device}/silence`.
pub async fn silence(
    Path(given): Path<String>,
    AdministratorForm { visitor, caller, fields }: AdministratorForm,
) -> Response {
    let Ok(device) = given.parse::<Uuid>() else { return visitor.not_found() };
    let mut draft = SilenceDraft {
        fault: String::new(),
        reason: fields.get("reason").trim().to_owned(),
        until: fields.get("until").trim().to_owned(),
        holds: fields.get("holds") == "yes",
    };
    let language = visitor.language();
    let is_shown = fields.get("do") == "show";
    // The language was switched: what was wrong is said again.
    if is_shown || fields.get("do") == "check" {
        if !is_shown {
            draft.fault = new_silence(&draft, &visitor, &fields).err().unwrap_or_default();
        }
        return page(&visitor, &caller, &given, StatusCode::OK, draft).await;
    }
    match new_silence(&draft, &visitor, &fields) {
        Ok(silence) => match caller.silence_device(device, silence).await {
            Ok(_) => return done(&path(device), "silenced"),
            Err(SurveyError::Store(StoreError::Registration(_))) => {
                draft.fault = language.say("silence-no-end");
            }
            Err(error) => return visitor.fail(error),
        },
        Err(fault) => draft.fault = fault,
    }
    page(&visitor, &caller, &given, StatusCode::UNPROCESSABLE_ENTITY, draft).await
}

/// The silence, or what is wrong with it.
fn new_silence(
    draft: &SilenceDraft,
    visitor: &Visitor,
    fields: &Fields,
) -> Result<NewSilence, String> {
    let language = visitor.language();
    let reason = draft.reason.clone();
    let length = reason.chars().count();
    if !(1..=200).contains(&length) || find_hidden(fields.get("reason")).is_some() {
        return Err(language.say("silence-no-reason"));
    }
    let wrong = || language.say("silence-no-end");
    let ends_at = match draft.until.as_str() {
        "" => None,
        day => Some(end_of(day, &visitor.moments().zone, visitor.now).ok_or_else(wrong)?),
    };
    if ends_at.is_none() && draft.holds {
        return Err(wrong());
    }
    Ok(NewSilence { reason, ends_at, until_recovery: !draft.holds })
}

/// When that day ends, if it is none of the past and not too far away.
fn end_of(day: &str, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
    let day: Date = day.parse().ok()?;
    let end = zone.to_timestamp(day.tomorrow().ok()?.at(0, 0, 0, 0)).ok()?;
    let length = end.duration_since(now);
    (SignedDuration::ZERO < length && length <= LONGEST_SILENCE).then_some(end)
}

/// `POST /status/device/{device}/silence/end`.
pub async fn end_silence(
    Path(device): Path<String>,
    AdministratorForm { visitor, caller, .. }: AdministratorForm,
) -> Response {
    let Ok(device) = device.parse::<Uuid>() else { return visitor.not_found() };
    match caller.end_silence(device).await {
        Ok(()) => done(&path(device), "ended"),
        // It ended by itself meanwhile, or the device is gone, which its page says.
        Err(SurveyError::Store(StoreError::NotFound)) => done(&path(device), "gone"),
        Err(error) => visitor.fail(error),
    }
}

/// `POST /status/device/{device}/token`: the answer shows it, once.
pub async fn make_token(
    Path(device): Path<String>,
    AdministratorForm { visitor, caller, fields }: AdministratorForm,
) -> Response {
    let Ok(device) = device.parse::<Uuid>() else { return visitor.not_found() };
    let title = visitor.language().say("token-title");
    if let Some(shown) = shown_again(device, &fields) {
        return visitor.show(&TokenPage::new(visitor.frame(title), &shown));
    }
    match caller.create_enrolment(device, None, None).await {
        Ok(made) => visitor.show(&TokenPage::new(visitor.frame(title), &made)),
        Err(error) => visitor.fail(error),
    }
}

/// `POST /status/device/{device}/session/{session}/end`: of the tunnel.
pub async fn end_session(
    Path((device, session)): Path<(String, String)>,
    AdministratorForm { visitor, caller, .. }: AdministratorForm,
) -> Response {
    let (Ok(device), Ok(session)) = (device.parse::<Uuid>(), session.parse::<Uuid>()) else {
        return visitor.not_found();
    };
    match caller.end_tunnel_session(device, session).await {
        Ok(()) => done(&path(device), "session"),
        Err(error) => visitor.fail(error),
    }
}

/// `GET /status/device/{device}/certificate/{serial}`.
pub async fn confirm(
    Administrator { visitor, caller }: Administrator,
    Path((device, serial)): Path<(String, String)>,
) -> Response {
    let (Ok(device), Ok(serial)) = (device.parse::<Uuid>(), serial.parse::<Serial>()) else {
        return visitor.not_found();
    };
    let found = match certificates(&caller, device).await {
        Ok(certificates) => certificates.into_iter().find(|entry| entry.serial == serial),
        Err(error) => return visitor.fail(error),
    };
    if found.is_none_or(|entry| entry.revoked_at.is_some()) {
        return visitor.not_found();
    }
    let language = visitor.language();
    let what = [("serial", serial.to_string().into())];
    visitor.show(&Confirm {
        frame: visitor.frame(language.say("certificate-revoke-title")),
        sentences: vec![
            language.say_with("certificate-revoke-what", what),
            language.say("certificate-revoke-final"),
        ],
        action: format!("{}/certificate/{serial}", path(device)),
        button: language.say("certificate-revoke"),
        back: path(device),
    })
}

/// `POST /status/device/{device}/certificate/{serial}`.
pub async fn revoke(
    Path((device, serial)): Path<(String, String)>,
    AdministratorForm { visitor, caller, .. }: AdministratorForm,
) -> Response {
    let (Ok(device), Ok(serial)) = (device.parse::<Uuid>(), serial.parse::<Serial>()) else {
        return visitor.not_found();
    };
    match caller.revoke_certificate(device, serial).await {
        Ok(_) => done(&path(device), "revoked"),
        Err(error) => visitor.fail(error),
    }
}

/// `GET /status/device/{device}/certificate/all`.
pub async fn confirm_all(
    Administrator { visitor, caller }: Administrator,
    Path(device): Path<String>,
) -> Response {
    let Ok(device) = device.parse::<Uuid>() else { return visitor.not_found() };
    match certificates(&caller, device).await {
        Ok(certificates) if certificates.is_empty() => return visitor.not_found(),
        Ok(_) => {}
        Err(error) => return visitor.fail(error),
    }
    let language = visitor.language();
    visitor
        .show(&Confirm {
            frame: visitor.frame(language.say("certificate-revoke-all-title")),
            sentences: vec![
                language.say("certificate-revoke-all-what"),
                language.say("certificate-revoke-final"),
            ],
            action: format!("{}/certificate/all", path(device)),
            button: language.say("certificate-revoke-all"),
            back: path(device),
        })
        .into_response()
}

/// `POST /status/device/{device}/certificate/all`.
pub async fn revoke_all(
    Path(device): Path<String>,
    AdministratorForm { visitor, caller, .. }: AdministratorForm,
) -> Response {
    let Ok(device) = device.parse::<Uuid>() else { return visitor.not_found() };
    match caller.revoke_certificates(device).await {
        Ok(revoked) => done(&path(device), &format!("revoked-{revoked}")),
        Err(error) => visitor.fail(error),
    }
}
