//! What all pages share.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ebp_core::{
    clock::DeviceClock,
    contract::{EnergySeries, EnergySummary, SurveyContact, SurveyInformation},
};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use ring::digest::{SHA256, digest};

use super::{
    cloud::{Cloud, CloudError},
    ended::{End, Ended},
    meterside::{Meterside, MetersideError},
    stored_sessions::SessionFile,
    tunnelside::{Tunnelside, TunnelsideError},
};
use crate::kit::{
    code::{CodeCheck, CodeHash},
    session::{SessionLimits, Sessions},
};
use crate::outlines::Outlines;

/// What a page is made of.
pub struct Parts {
    /// The survey's server.
    pub cloud: Arc<dyn Cloud>,
    /// The measuring daemon.
    pub meterside: Arc<dyn Meterside>,
    /// The tunnel, if this device has one.
    pub tunnelside: Option<Arc<dyn Tunnelside>>,
    /// The clocks.
    pub clock: Arc<dyn DeviceClock>,
    /// The zone of times and days.
    pub zone: TimeZone,
    /// The file with the hash of the sign-in code; it is read at each sign-in, so that a code can be
    /// replaced while the page is served.
    pub sign_in_hash: PathBuf,
    /// Whether consent was revoked.
    pub ended: Ended,
    /// The port that is listened at, for the session cookie's name.
    pub port: u16,
    /// The limits of sessions.
    pub limits: SessionLimits,
}

/// How long what the survey says of itself is not asked for again by pages that only name contacts.
const SURVEY_HOLDS: Duration = Duration::from_secs(600);

/// The participant's page.
pub struct DeviceWeb {
    /// What it is made of.
    pub parts: Parts,
    /// Who is signed in.
    pub sessions: Sessions,
    /// The check of sign-in codes.
    pub codes: CodeCheck,
    away_since: Mutex<Option<Timestamp>>,
    survey: Mutex<Survey>,
    outlines: Mutex<Option<Arc<Outlines>>>,
    /// Today's figures as they were answered last, for when the server is away.
    today: Mutex<Option<Arc<TodaysFigures>>>,
    session_file: SessionFile,
    /// Which code people signed in by.
    code: Mutex<Option<String>>,
}

#[derive(Default)]
struct Survey {
    known: Option<SurveyInformation>,
    asked: Option<Duration>,
}

/// A day's figures, in memory only.
pub struct TodaysFigures {
    /// When they were asked for.
    pub asked_at: Timestamp,
    /// The day.
    pub day: Date,
    /// The figures.
    pub summary: EnergySummary,
    /// The quarter hours.
    pub series: EnergySeries,
}

impl DeviceWeb {
    /// The page. Who stayed signed in still is.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let web = Self {
            sessions: Sessions::new(parts.limits),
            codes: CodeCheck::new(),
            away_since: Mutex::default(),
            survey: Mutex::default(),
            outlines: Mutex::default(),
            today: Mutex::default(),
            session_file: SessionFile::new(parts.ended.folder()),
            code: Mutex::default(),
            parts,
        };
        if let Some(code) = web.read_code() {
            web.sessions.restore(&web.session_file.load(&code, web.now()), web.since_boot());
            *lock(&web.code) = Some(code);
        }
        web
    }

    /// The SHA-256 of the file with the hash of the sign-in code.
    fn read_code(&self) -> Option<String> {
        let text = std::fs::read(&self.parts.sign_in_hash).ok()?;
        Some(URL_SAFE_NO_PAD.encode(digest(&SHA256, &text)))
    }

    /// Ends all sessions if the sign-in code was replaced.
    pub fn watch_code(&self) {
        let Some(code) = self.read_code() else { return };
        let mut known = lock(&self.code);
        if known.as_ref() != Some(&code) {
            if known.is_some() {
                self.sessions.end_all();
                self.session_file.remove();
            }
            *known = Some(code);
        }
    }

    /// Stores who stays signed in.
    pub fn store_sessions(&self) {
        if let Some(code) = lock(&self.code).clone() {
            let sessions = self.sessions.to_store(self.since_boot());
            self.session_file.store(&code, &sessions, self.now());
        }
    }

    /// The time of day.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }

    /// The time since the machine's start.
    #[must_use]
    pub fn since_boot(&self) -> Duration {
        self.parts.clock.since_boot()
    }

    /// The name of the session's cookie: other ports of this host share its cookies.
    #[must_use]
    pub fn session_cookie(&self) -> String {
        format!("ebp_session_{}", self.parts.port)
    }

    /// The hash of the sign-in code; `None` before the device is enrolled.
    #[must_use]
    pub fn code_hash(&self) -> Option<CodeHash> {
        let text = std::fs::read_to_string(&self.parts.sign_in_hash).ok()?;
        match CodeHash::parse(text.trim()) {
            Ok(hash) => Some(hash),
            Err(error) => {
                tracing::error!("{}: {error}", self.parts.sign_in_hash.display());
                None
            }
        }
    }

    /// Since when the server cannot be reached, if it cannot.
    #[must_use]
    pub fn away_since(&self) -> Option<Timestamp> {
        *lock(&self.away_since)
    }

    /// Asks the server on a thread that may block. That consent is revoked ends everything, whatever
    /// was asked.
    ///
    /// # Errors
    /// Returns the error of what was asked.
    pub async fn ask<T: Send + 'static>(
        self: &Arc<Self>,
        ask: impl FnOnce(&dyn Cloud) -> Result<T, CloudError> + Send + 'static,
    ) -> Result<T, CloudError> {
        let cloud = Arc::clone(&self.parts.cloud);
        let span = tracing::Span::current();
        let asked = tokio::task::spawn_blocking(move || span.in_scope(|| ask(&*cloud))).await;
        let answer = asked.unwrap_or(Err(CloudError::Away));
        self.note(answer.as_ref().err().copied());
        answer
    }

    /// Notes how a request ended.
    pub fn note(&self, error: Option<CloudError>) {
        let mut away = lock(&self.away_since);
        if error == Some(CloudError::Away) {
            away.get_or_insert_with(|| self.now());
        } else {
            *away = None;
        }
        drop(away);
        if error == Some(CloudError::Revoked) {
            self.end(self.now());
        }
    }

    /// Consent was revoked: nobody is signed in any more, and nothing of the household is shown or
    /// known.
    pub fn end(&self, revoked_at: Timestamp) {
        let contacts = self.contacts();
        self.parts.ended.set(End { revoked_at, contacts });
        self.sessions.end_all();
        self.session_file.remove();
        *lock(&self.today) = None;
    }

    /// Today's figures as they were answered last.
    #[must_use]
    pub fn todays_figures(&self) -> Option<Arc<TodaysFigures>> {
        lock(&self.today).clone()
    }

    /// Keeps today's figures in memory.
    pub fn keep_todays_figures(&self, figures: Arc<TodaysFigures>) {
        *lock(&self.today) = Some(figures);
    }

    /// Asks the measuring daemon on a thread that may block.
    ///
    /// # Errors
    /// Returns the error of what was asked.
    pub async fn ask_meterside<T: Send + 'static>(
        self: &Arc<Self>,
        ask: impl FnOnce(&dyn Meterside) -> Result<T, MetersideError> + Send + 'static,
    ) -> Result<T, MetersideError> {
        let meterside = Arc::clone(&self.parts.meterside);
        let asked = tokio::task::spawn_blocking(move || ask(&*meterside)).await;
        asked.unwrap_or(Err(MetersideError::Missing))
    }

    /// Asks the tunnel on a thread that may block. `None` if this device has none.
    pub async fn ask_tunnelside<T: Send + 'static>(
        self: &Arc<Self>,
        ask: impl FnOnce(&dyn Tunnelside) -> Result<T, TunnelsideError> + Send + 'static,
    ) -> Option<Result<T, TunnelsideError>> {
        let tunnelside = self.parts.tunnelside.clone()?;
        let asked = tokio::task::spawn_blocking(move || ask(&*tunnelside)).await;
        Some(asked.unwrap_or(Err(TunnelsideError::Missing)))
    }

    /// The outlines of all regions, which are asked for once. `None` if the server has none, or is away.
    pub async fn outlines(self: &Arc<Self>) -> Option<Arc<Outlines>> {
        if let Some(known) = lock(&self.outlines).clone() {
            return Some(known);
        }
        let svg = self.ask(|cloud| cloud.regions()).await.ok()?;
        let outlines = Arc::new(Outlines::parse(svg)?);
        *lock(&self.outlines) = Some(Arc::clone(&outlines));
        Some(outlines)
    }

    /// What the survey says of itself; what it said last if the server is away.
    pub async fn survey(self: &Arc<Self>) -> Option<SurveyInformation> {
        lock(&self.survey).asked = Some(self.since_boot());
        let asked = self.ask(|cloud| cloud.survey()).await;
        let mut survey = lock(&self.survey);
        if let Ok(asked) = asked {
            survey.known = Some(asked);
        }
        survey.known.clone()
    }

    /// What is known of the survey. It is asked for again after a while, without waiting for it, as
    /// people who have not signed in may ask.
    #[must_use]
    pub fn known_survey(self: &Arc<Self>) -> Option<SurveyInformation> {
        let now = self.since_boot();
        let mut survey = lock(&self.survey);
        if survey.asked.is_none_or(|asked| now.saturating_sub(asked) > SURVEY_HOLDS) {
            survey.asked = Some(now);
            let web = Arc::clone(self);
            tokio::spawn(async move { web.survey().await });
        }
        survey.known.clone()
    }

    /// Whom to ask, as far as it is known.
    fn contacts(&self) -> Vec<SurveyContact> {
        let survey = lock(&self.survey);
        survey.known.as_ref().map(|survey| survey.contacts.clone()).unwrap_or_default()
    }
}

fn lock<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}
