//! A meter that speaks SML or IEC 62056-21 and is unlocked by light, as its profile says; without a
//! profile, one that can only be read.

use std::{sync::Arc, time::Duration};

use super::{Environment, MeterInterface, Model, Site};
use crate::{
    diagnosis::Cause,
    port::{LineSettings, PortError, PortName},
    profile::Profile,
    readout::{Protocol, Readout},
    session::{Progress as AnswerProgress, RawTap, Session, SessionEvent, Wrapping},
    unlock::{
        AskItem, Attempt, Head, OnPort, Pin, Plan, PlanError, Progress, Stepped, UnlockError,
        UnlockOptions, Unlocked, Variant, execute, is_detailed,
    },
};

/// A meter at a [`Session`].
pub struct SessionMeter {
    session: Session,
    known: Option<(Arc<Profile>, Arc<Model>)>,
    site: Site,
    environment: Environment,
}

impl SessionMeter {
    /// A meter of which no model is known.
    ///
    /// # Errors
    /// Those of opening the port.
    pub fn unknown(site: &Site, environment: &Environment) -> Result<Self, PortError> {
        Self::with(None, site, environment)
    }

    pub(super) fn for_profile(
        known: (Arc<Profile>, Arc<Model>),
        site: &Site,
        environment: &Environment,
    ) -> Result<Self, PortError> {
        Self::with(Some(known), site, environment)
    }

    fn with(
        known: Option<(Arc<Profile>, Arc<Model>)>,
        site: &Site,
        environment: &Environment,
    ) -> Result<Self, PortError> {
        let session = environment.session(site)?;
        Ok(Self { session, known, site: site.clone(), environment: environment.clone() })
    }

    /// The session, for finding the timing of a model that nobody has described yet.
    pub const fn session_mut(&mut self) -> &mut Session {
        &mut self.session
    }

    /// Does something with an attempt to unlock and the meter that it is for.
    fn attempt<T>(
        &mut self,
        options: &UnlockOptions,
        run: impl FnOnce(&Attempt<'_>, &mut Session) -> Result<T, UnlockError>,
    ) -> Result<T, UnlockError> {
        let (profile, around) = (self.profile()?, &self.environment);
        let attempt = Attempt {
            profile: &profile,
            tries: &around.tries,
            clock: &*around.clock,
            pace: &*around.pace(),
            head: self.head(&profile),
            options,
            stop: &around.stop,
        };
        run(&attempt, &mut self.session)
    }

    fn profile(&self) -> Result<Arc<Profile>, UnlockError> {
        match &self.known {
            Some((profile, _)) => Ok(Arc::clone(profile)),
            None => Err(PlanError::NoLock { model: self.model_name() }.into()),
        }
    }

    fn head(&self, profile: &Profile) -> Head {
        let Site { method, inverted, .. } = self.site;
        Head { method, inverted, line: profile.line.settings() }
    }
}

impl MeterInterface for SessionMeter {
    fn model(&self) -> Option<&Model> {
        self.known.as_ref().map(|(_, model)| &**model)
    }

    fn port_name(&self) -> &PortName {
        self.session.name()
    }

    fn next(&mut self, wait: Duration) -> Result<SessionEvent, PortError> {
        self.session.next(wait)
    }

    fn received(&self) -> u64 {
        self.session.received()
    }

    fn reopen(&mut self) -> Result<(), PortError> {
        let line = self.session.present_line();
        let port = (self.environment.open)(&self.site.port, line)?;
        self.session.go_on_at(port);
        Ok(())
    }

    fn set_raw_tap(&mut self, tap: RawTap) {
        self.session.set_raw_tap(tap);
    }

    fn enable_detailed_readout(
        &mut self,
        pin: &Pin,
        options: &UnlockOptions,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Unlocked, UnlockError> {
        self.attempt(options, |attempt, session| attempt.run(session, pin, progress))
    }

    fn enable_with_owner(
        &mut self,
        pin: &Pin,
        options: &UnlockOptions,
        owner: &mut dyn AskItem,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Stepped, UnlockError> {
        self.attempt(options, |attempt, session| {
            attempt.run_with_owner(session, pin, owner, progress)
        })
    }

    fn keep_open(&mut self) -> Result<(), UnlockError> {
        let profile = self.profile()?;
        let plan = Plan::keep_alive(&profile, Variant::Normal)?;
        let (head, pace) = (self.head(&profile), self.environment.pace());
        let port = self.session.port_mut();
        port.set_line(profile.line.settings())?;
        execute(&plan, &mut OnPort(port), &head, &*pace)?;
        Ok(())
    }

    fn is_detailed(&self, readout: &Readout) -> bool {
        match &self.known {
            Some((profile, _)) => is_detailed(profile, readout),
            None => readout.is_detailed(),
        }
    }

    fn is_live(&self) -> bool {
        self.session.is_live()
    }

    fn line(&self) -> Option<LineSettings> {
        self.session.line()
    }

    fn protocol(&self) -> Option<Protocol> {
        self.session.protocol()
    }

    fn over_within(&self, readout: &Readout) -> Duration {
        self.session.over_within(readout)
    }

    fn answering(&self) -> Option<AnswerProgress> {
        self.session.answering()
    }

    fn cause(&self) -> Option<Cause> {
        self.session.cause()
    }

    fn wrapping(&self) -> Option<Wrapping> {
        self.session.wrapping()
    }
}
