//! The server: its state, jobs, and who is signed in.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Path, State},
    response::Response,
};
use ebp_core::{contract::WebSession, scope::Group};
use ebp_survey::{BackupState, GroupCaller, StoreError, SurveyError};
use jiff::SignedDuration;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use super::address::{done, until, up_to};
use crate::{
    cloud::{Administrator, AdministratorForm, CloudWeb, Visitor},
    status::{
        confirm::Confirm,
        server::{MOST_ERRORS, PAGE, Readiness, ServerFacts, ServerPage, SessionRow},
    },
};

/// Where the page is.
const SERVER: &str = "/status/server";
/// How long the database may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// `GET /status/server`.
pub async fn show(
    State(web): State<Arc<CloudWeb>>,
    Administrator { visitor, caller }: Administrator,
) -> Response {
    match gather(&web, &visitor, &caller).await {
        Ok(facts) => {
            let language = visitor.language();
            let done = visitor.preferences.get("done").and_then(|done| match done {
                "cancelled" => Some(language.say("job-is-cancelled")),
                "retried" => Some(language.say("job-is-retried")),
                "not-so" => Some(language.say("job-not-so")),
                "session" => Some(language.say("session-is-ended")),
                _ => None,
            });
            let frame = visitor.frame(language.say("server-title"));
            visitor.show(&ServerPage::new(frame, &facts, done))
        }
        Err(error) => visitor.fail(error),
    }
}

async fn gather(
    web: &Arc<CloudWeb>,
    visitor: &Visitor,
    caller: &GroupCaller,
) -> Result<ServerFacts, SurveyError> {
    let begun = Instant::now();
    let answered = timeout(PATIENCE, caller.ping()).await;
    let took = SignedDuration::try_from(begun.elapsed()).unwrap_or_default();
    let fault = match answered {
        Ok(Ok(())) => web.server.fault(),
        Ok(Err(_)) | Err(_) => Some(visitor.language().say("server-away")),
    };
    let figures = match &fault {
        Some(_) => None,
        None => Some(caller.figures().await?),
    };
    let server = Arc::clone(&web.server);
    let files = tokio::task::spawn_blocking(move || (server.backup(), server.errors())).await;
    let (backups, errors) = files.unwrap_or((BackupState::Unknown, Vec::new()));
    let jobs = caller.latest_jobs(until(&visitor.preferences), PAGE).await?;
    let own = visitor.session.as_ref().map(|session| session.uuid);
    let mut sessions = caller.sessions().await?;
    sessions.reverse();
    Ok(ServerFacts {
        readiness: Readiness { fault, took },
        figures,
        backups,
        errors,
        device_errors: caller.error_groups(MOST_ERRORS).await?,
        jobs: jobs.items,
        older: jobs.older.map(|place| up_to(SERVER, place)),
        sessions: sessions.into_iter().map(|session| row(session, own)).collect(),
    })
}

fn row(session: WebSession, own: Option<Uuid>) -> SessionRow {
    let WebSession { uuid, group, label, browser, began_at, seen_at } = session;
    SessionRow {
        identifier: uuid.to_string(),
        is_administrator: group == Group::Administrators,
        label,
        browser,
        began_at,
        seen_at,
        is_own: own == Some(uuid),
    }
}

/// To the page, which says what was done, or that the job is in another state by now.
fn after(visitor: &Visitor, changed: Result<(), SurveyError>, what: &str) -> Response {
    match changed {
        Ok(()) => done(SERVER, what),
        Err(SurveyError::Store(StoreError::JobState(_) | StoreError::JobErased)) => {
            done(SERVER, "not-so")
        }
        Err(error) => visitor.fail(error),
    }
}

/// `POST /status/server/job/{job}/cancel`.
pub async fn cancel(
    Path(job): Path<String>,
    AdministratorForm { visitor, caller, .. }: AdministratorForm,
) -> Response {
    let Ok(job) = job.parse() else { return visitor.not_found() };
    let cancelled = caller.cancel_any_job(job).await;
    after(&visitor, cancelled.map(drop), "cancelled")
}

/// `POST /status/server/job/{job}/retry`.
pub async fn retry(
    State(web): State<Arc<CloudWeb>>,
    Path(job): Path<String>,
    AdministratorForm { visitor, caller, .. }: AdministratorForm,
) -> Response {
    let Ok(job) = job.parse() else { return visitor.not_found() };
    let retried = caller.retry_report(job, &*web.server).await;
    after(&visitor, retried.map(drop), "retried")
}

/// `GET /status/server/session/{session}`.
pub async fn confirm_end(
    Administrator { visitor, caller }: Administrator,
    Path(session): Path<String>,
) -> Response {
    let Ok(session) = session.parse::<Uuid>() else { return visitor.not_found() };
    match caller.sessions().await {
        Ok(sessions) if sessions.iter().any(|open| open.uuid == session) => {}
        Ok(_) => return visitor.not_found(),
        Err(error) => return visitor.fail(error),
    }
    let language = visitor.language();
    visitor.show(&Confirm {
        frame: visitor.frame(language.say("session-end-title")),
        sentences: vec![language.say("session-end-what")],
        action: format!("{SERVER}/session/{session}"),
        button: language.say("session-end"),
        back: SERVER.to_owned(),
    })
}

/// `POST /status/server/session/{session}`.
pub async fn end_session(
    Path(session): Path<String>,
    AdministratorForm { visitor, caller, .. }: AdministratorForm,
) -> Response {
    let Ok(session) = session.parse() else { return visitor.not_found() };
    after(&visitor, caller.end_session(session).await, "session")
}
