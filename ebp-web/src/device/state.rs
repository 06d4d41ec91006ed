//! What all pages share.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use ebp_core::{clock::DeviceClock, contract::SurveyInformation};
use jiff::{Timestamp, tz::TimeZone};

use super::{
    cloud::{Cloud, CloudError},
    ended::{End, Ended},
    meterside::{Meterside, MetersideError},
};
use crate::kit::{
    code::{CodeCheck, CodeHash},
    session::{SessionLimits, Sessions},
};

/// What a page is made of.
pub struct Parts {
    /// The survey's server.
    pub cloud: Arc<dyn Cloud>,
    /// The measuring daemon.
    pub meterside: Arc<dyn Meterside>,
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

/// The participant's page.
pub struct DeviceWeb {
    /// What it is made of.
    pub parts: Parts,
    /// Who is signed in.
    pub sessions: Sessions,
    /// The check of sign-in codes.
    pub codes: CodeCheck,
    away_since: Mutex<Option<Timestamp>>,
    survey: Mutex<Option<SurveyInformation>>,
}

impl DeviceWeb {
    /// The page, with nobody signed in.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let sessions = Sessions::new(parts.limits);
        let (away_since, survey) = (Mutex::default(), Mutex::default());
        Self { parts, sessions, codes: CodeCheck::new(), away_since, survey }
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
        *self.away_since.lock().unwrap_or_else(PoisonError::into_inner)
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
        let asked = tokio::task::spawn_blocking(move || ask(&*cloud)).await;
        let answer = asked.unwrap_or(Err(CloudError::Away));
        self.note(answer.as_ref().err().copied());
        answer
    }

    /// Notes how a request ended.
    pub fn note(&self, error: Option<CloudError>) {
        let mut away = self.away_since.lock().unwrap_or_else(PoisonError::into_inner);
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

    /// Consent was revoked: nobody is signed in any more, and nothing of the household is shown.
    pub fn end(&self, revoked_at: Timestamp) {
        let survey = self.survey.lock().unwrap_or_else(PoisonError::into_inner);
        let contacts = survey.as_ref().map(|survey| survey.contacts.clone()).unwrap_or_default();
        self.parts.ended.set(End { revoked_at, contacts });
        self.sessions.end_all();
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

    /// What the survey says of itself; what it said last if the server is away.
    pub async fn survey(self: &Arc<Self>) -> Option<SurveyInformation> {
        let asked = self.ask(|cloud| cloud.survey()).await;
        let mut known = self.survey.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(survey) = asked {
            *known = Some(survey);
        }
        known.clone()
    }
}
