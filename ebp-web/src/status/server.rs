//! The server: whether it answers, what it counts, its jobs, and who is signed in.

use askama::Template;
use ebp_core::contract::{FleetErrorGroup, FleetVersion, Job, JobState};
use ebp_survey::{BackupState, DeviceCounts, ErrorGroup, SurveyFigures};
use jiff::{SignedDuration, Timestamp};

use super::brief::{brief, short};
use crate::cloud::job_fault;
use crate::kit::{frame::Frame, language::Language};

/// Jobs on a page.
pub const PAGE: usize = 20;
/// From this age on a backup is old.
const OLD_BACKUP: SignedDuration = SignedDuration::from_hours(26);

/// For so long an error is new.
const NEW_ERROR: SignedDuration = SignedDuration::from_hours(24);
/// Groups of errors on the page, of the server and of devices.
pub const MOST_ERRORS: usize = 50;

/// Whether the server answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    /// Why requests would not be answered.
    pub fault: Option<String>,
    /// How long the database took to answer.
    pub took: SignedDuration,
}

/// Somebody who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// By what it is ended.
    pub identifier: String,
    /// Whether they are an administrator.
    pub is_administrator: bool,
    /// Their initials, or the name of their certificate.
    pub label: Option<String>,
    /// The browser's family.
    pub browser: Option<String>,
    /// When they signed in.
    pub began_at: Timestamp,
    /// When they asked for something last.
    pub seen_at: Timestamp,
    /// Whether it is the session that looks.
    pub is_own: bool,
}

/// What is known of the server.
pub struct ServerFacts {
    /// Whether it answers.
    pub readiness: Readiness,
    /// Figures; none if the database does not answer.
    pub figures: Option<SurveyFigures>,
    /// Backups.
    pub backups: BackupState,
    /// Errors of the server's program, the latest first.
    pub errors: Vec<ErrorGroup>,
    /// Errors of devices, the latest first.
    pub device_errors: Vec<FleetErrorGroup>,
    /// Jobs, the latest first.
    pub jobs: Vec<Job>,
    /// Where the older ones are.
    pub older: Option<String>,
    /// Sessions, the latest first.
    pub sessions: Vec<SessionRow>,
}

/// The page.
#[derive(Template)]
#[template(path = "status/server.html")]
pub struct ServerPage {
    frame: Frame,
    done: Option<String>,
    fault: Option<String>,
    took: String,
    figures: Vec<String>,
    backup: String,
    is_backup_bad: bool,
    errors: Vec<ErrorView>,
    has_new_error: bool,
    device_errors: Vec<DeviceErrorView>,
    has_new_device_error: bool,
    jobs: Vec<JobView>,
    older: Option<String>,
    sessions: Vec<SessionView>,
}

struct JobView {
    uuid: String,
    short: String,
    kind: String,
    group: String,
    state: String,
    asked: String,
    ended: String,
    error: String,
    may_cancel: bool,
    may_retry: bool,
}

struct ErrorView {
    types: String,
    place: String,
    component: &'static str,
    count: u64,
    first: String,
    last: String,
    is_new: bool,
}

struct DeviceErrorView {
    types: String,
    place: String,
    component: String,
    devices: u64,
    /// Each with the number of devices that run it.
    versions: String,
    count: u64,
    first: String,
    last: String,
    is_new: bool,
}

struct SessionView {
    identifier: String,
    group: String,
    label: String,
    browser: String,
    began: String,
    seen: String,
    is_own: bool,
}

impl ServerPage {
    /// Of what is known; `done` says what was just done.
    #[must_use]
    pub fn new(frame: Frame, facts: &ServerFacts, done: Option<String>) -> Self {
        let ServerFacts {
            readiness,
            figures,
            backups,
            errors,
            device_errors,
            jobs,
            older,
            sessions,
        } = facts;
        let (backup, is_backup_bad) = match backups {
            BackupState::Unknown => (frame.say("backup-unknown"), false),
            BackupState::Missing => (frame.say("backup-missing"), true),
            BackupState::Newest(at) => (
                frame.say_one("backup-newest", "ago", frame.ago(*at)),
                frame.now.duration_since(*at) > OLD_BACKUP,
            ),
        };
        Self {
            done,
            fault: readiness.fault.clone(),
            took: frame.say_one("server-took", "count", milliseconds(readiness.took)),
            figures: figures.as_ref().map(|it| describe(&frame, it)).unwrap_or_default(),
            backup,
            is_backup_bad,
            errors: errors.iter().take(MOST_ERRORS).map(|it| error_view(&frame, it)).collect(),
            has_new_error: errors.iter().any(|it| is_new(&frame, it.first_seen)),
            device_errors: device_errors.iter().map(|it| device_error_view(&frame, it)).collect(),
            has_new_device_error: device_errors.iter().any(|it| is_new(&frame, it.known_at)),
            jobs: jobs.iter().map(|job| job_view(&frame, job)).collect(),
            older: older.clone(),
            sessions: sessions.iter().map(|session| session_view(&frame, session)).collect(),
            frame,
        }
    }
}

fn is_new(frame: &Frame, since: Timestamp) -> bool {
    frame.now.duration_since(since) < NEW_ERROR
}

fn device_error_view(frame: &Frame, group: &FleetErrorGroup) -> DeviceErrorView {
    let version = |it: &FleetVersion| format!("{} ({})", it.version, it.devices);
    DeviceErrorView {
        types: group.types.join(" < "),
        place: group.place.clone(),
        component: group.component.clone(),
        devices: group.devices,
        versions: group.versions.iter().map(version).collect::<Vec<_>>().join(", "),
        count: group.count,
        first: brief(frame, group.first_seen),
        last: brief(frame, group.last_seen),
        is_new: is_new(frame, group.known_at),
    }
}

fn error_view(frame: &Frame, group: &ErrorGroup) -> ErrorView {
    ErrorView {
        types: group.types.clone(),
        place: group.place.clone(),
        component: group.component,
        count: group.count,
        first: brief(frame, group.first_seen),
        last: brief(frame, group.last_seen),
        is_new: is_new(frame, group.first_seen),
    }
}

fn milliseconds(duration: SignedDuration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(0)
}

/// Figures as sentences.
fn describe(frame: &Frame, figures: &SurveyFigures) -> Vec<String> {
    let language = frame.language();
    let DeviceCounts { active, silent, never, revoked, .. } = figures.devices;
    let mut sentences = vec![language.say_with(
        "figures-devices",
        [
            ("active", active.into()),
            ("silent", silent.into()),
            ("never", never.into()),
            ("revoked", revoked.into()),
        ],
    )];
    let open: u64 = figures.alerts.open.iter().map(|(_, count)| count).sum();
    sentences.push(language.say_with(
        "figures-alerts",
        [("open", open.into()), ("pending", figures.alerts.pending.into())],
    ));
    let jobs = |of: JobState| -> u64 {
        figures.jobs.iter().filter(|(state, _)| *state == of).map(|(_, count)| count).sum()
    };
    sentences.push(language.say_with(
        "figures-jobs",
        [
            ("waiting", jobs(JobState::Waiting).into()),
            ("running", jobs(JobState::Running).into()),
            ("failed", jobs(JobState::Failed).into()),
        ],
    ));
    if let Some(pool) = &figures.pool {
        let count = |value: usize| u64::try_from(value).unwrap_or(u64::MAX);
        sentences.push(language.say_with(
            "figures-pool",
            [
                ("used", count(pool.used).into()),
                ("most", count(pool.most).into()),
                ("waiting", count(pool.waiting).into()),
            ],
        ));
    }
    sentences
}

fn job_view(frame: &Frame, job: &Job) -> JobView {
    let language = frame.language();
    let state = job_state(language, job.state);
    let progress = match (job.state, job.total) {
        (JobState::Running, Some(total)) => format!(" ({}/{total})", job.progress),
        _ => String::new(),
    };
    JobView {
        uuid: job.uuid.to_string(),
        short: short(job.uuid),
        kind: match job.kind.as_str() {
            "risk-report" => frame.say("job-risk-report"),
            "household-import" => frame.say("job-household-import"),
            "export" => frame.say("job-export"),
            other => other.to_owned(),
        },
        group: group_name(language, job.created_by == "administrators"),
        state: format!("{state}{progress}"),
        asked: brief(frame, job.created_at),
        ended: job.ended_at.map(|at| brief(frame, at)).unwrap_or_default(),
        error: job_fault(language, job).unwrap_or_default(),
        may_cancel: !job.state.is_final() && !job.cancel_requested,
        // Administrators ask for reports only; imports are the researchers'.
        may_retry: job.kind == "risk-report"
            && (matches!(job.state, JobState::Failed | JobState::Cancelled) || job.erased),
    }
}

fn job_state(language: Language, state: JobState) -> String {
    match state {
        JobState::Waiting => language.say("job-waiting"),
        JobState::Running => language.say("job-running"),
        JobState::Succeeded => language.say("job-succeeded"),
        JobState::Failed => language.say("job-failed"),
        JobState::Cancelled => language.say("job-cancelled"),
    }
}

fn group_name(language: Language, is_administrator: bool) -> String {
    match is_administrator {
        true => language.say("group-administrators"),
        false => language.say("group-researchers"),
    }
}

fn session_view(frame: &Frame, session: &SessionRow) -> SessionView {
    SessionView {
        identifier: session.identifier.clone(),
        group: group_name(frame.language(), session.is_administrator),
        label: session.label.clone().unwrap_or_default(),
        browser: session.browser.clone().unwrap_or_default(),
        began: brief(frame, session.began_at),
        seen: brief(frame, session.seen_at),
        is_own: session.is_own,
    }
}
