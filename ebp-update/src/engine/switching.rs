//! Switching to a release, judging it, and going back.

use std::{collections::BTreeMap, time::Duration};

use super::Updater;
use crate::{
    error::UpdateError,
    event::{Event, Next},
    layout,
    proof::{Verdict, Watch},
    release::Release,
    state::{CommittedOn, Ended, Phase, RevertReason, Reverted, Trial},
    version::Version,
};

/// How long a good moment for the switch is waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(2 * 3600);

impl Updater<'_> {
    pub(super) fn begin_trial(&mut self, release: Release) -> Result<Next, UpdateError> {
        let is_good = self.witness.is_good_moment();
        let now = self.clock.moment();
        // A look takes time itself: looks are not counted.
        let since = *self.waiting_since.get_or_insert(now.since_boot);
        if !is_good && now.since_boot.saturating_sub(since) < LONGEST_WAIT {
            return Ok(Next::In(self.limits.look));
        }
        (self.passed, self.waiting_since) = (None, None);
        let before = self.witness.observe();
        let watch = Watch::begin(&before, before.working(), &now);
        self.state.phase = Phase::Trying(Trial {
            release,
            since: now.at,
            restarted: false,
            restarts: BTreeMap::new(),
            watch,
        });
        self.save()?;
        Ok(Next::Now)
    }

    pub(super) fn try_out(&mut self) -> Result<Next, UpdateError> {
        let Phase::Trying(mut trial) = self.state.phase.clone() else { return Ok(Next::Now) };
        let version = trial.release.version.clone();
        if self.point_at(Some(&version))? {
            // Services run what they ran before, whatever the state says.
            trial.restarted = false;
        }
        let boots = trial.watch.boots.len();
        let passed = trial.watch.tick(&self.clock.moment());
        let mut is_new = trial.watch.boots.len() > boots;
        if is_new {
            // Restarts are counted from zero.
            trial.restarts.clear();
        }
        if !trial.restarted && self.restart() {
            trial.restarted = true;
            trial.restarts = self.restarts();
            trial.watch.begin_anew();
            is_new = true;
            self.events.push(Event::Trying(version.clone(), trial.watch.demands.clone()));
        }
        if trial.watch.boots.len() > self.limits.boots {
            let times = u32::try_from(trial.watch.boots.len()).unwrap_or(u32::MAX);
            return self.revert(trial, RevertReason::Boots { times });
        }
        for (service, restarts) in self.restarts() {
            // A start on purpose begins to count from zero.
            let before = trial.restarts.entry(service.clone()).or_default();
            *before = restarts.min(*before);
            let times = restarts - *before;
            if times > self.limits.restarts {
                return self.revert(trial, RevertReason::Restarted { service, times });
            }
        }
        let seen = self.witness.observe();
        let counted = trial.watch.counted();
        let has_proved = trial.restarted && trial.watch.see(&seen, Some(&version));
        // A first reading is kept at once, too: the judge may be killed before it sees the second.
        is_new |= trial.watch.counted() > counted;
        if has_proved {
            is_new = true;
            self.events.push(Event::Proved(version.clone(), trial.watch.missing()));
        }
        let mut reached = false;
        if trial.watch.wants_probe(&self.limits) {
            reached = self.witness.reaches_server();
            trial.watch.probed(reached, passed.min(self.limits.look * 2));
        }
        match trial.watch.judge(&self.limits, reached, trial.restarted) {
            Verdict::Proven => self.commit(trial, CommittedOn::Everything),
            Verdict::ProvenWithoutServer => self.commit(trial, CommittedOn::MetersAlone),
            Verdict::Failed(missing) => self.revert(trial, RevertReason::Unproven { missing }),
            Verdict::Wait => {
                self.keep_trial(Phase::Trying(trial), is_new)?;
                Ok(Next::In(self.limits.look))
            }
            Verdict::WaitForServer => {
                self.keep_trial(Phase::Trying(trial), true)?;
                self.events.push(Event::WaitingForServer(version));
                Ok(Next::NextRound)
            }
        }
    }

    /// Keeps what was seen; on the disk if it is news, or now and then.
    fn keep_trial(&mut self, phase: Phase, is_new: bool) -> Result<(), UpdateError> {
        let ran = match &phase {
            Phase::Trying(trial) | Phase::Returning { trial, .. } => trial.watch.ran,
            _ => Duration::ZERO,
        };
        self.state.phase = phase;
        if is_new || ran >= self.saved_at.saturating_add(self.limits.save) {
            self.save()?;
            self.saved_at = ran;
        }
        Ok(())
    }

    fn commit(&mut self, trial: Trial, on: CommittedOn) -> Result<Next, UpdateError> {
        let version = trial.release.version.clone();
        self.state.committed = Some(trial.release);
        // A package that came during the trial does not undo it.
        self.state.floor = self.programs.version(None).ok().or(self.state.floor.take());
        self.state.phase = Phase::Idle;
        let at = self.clock.now();
        self.state.last = Some(Ended::Committed { version: version.clone(), at, on });
        self.save()?;
        self.events.push(Event::Committed(version, on));
        // What was run before is removed with the next release: it may still be running somewhere.
        Ok(Next::NextRound)
    }

    /// The release did not prove itself: services go back, and the same is watched there.
    fn revert(&mut self, mut trial: Trial, reason: RevertReason) -> Result<Next, UpdateError> {
        let version = trial.release.version.clone();
        let seen = self.witness.observe();
        let demands = std::mem::take(&mut trial.watch.demands);
        trial.watch = Watch::begin(&seen, demands, &self.clock.moment());
        trial.restarted = false;
        self.state.refuse(version.clone(), reason.clone());
        self.state.phase = Phase::Returning { trial, reason: reason.clone() };
        self.save()?;
        self.saved_at = Duration::ZERO;
        self.events.push(Event::Returning(version, reason));
        Ok(Next::Now)
    }

    pub(super) fn go_back(&mut self) -> Result<Next, UpdateError> {
        let Phase::Returning { mut trial, reason } = self.state.phase.clone() else {
            return Ok(Next::Now);
        };
        if self.point_at_committed()? {
            trial.restarted = false;
        }
        let mut is_new = false;
        if !trial.restarted && self.restart() {
            trial.restarted = true;
            trial.watch.begin_anew();
            is_new = true;
        }
        trial.watch.tick(&self.clock.moment());
        let seen = self.witness.observe();
        let running = self.running().cloned();
        is_new |= trial.watch.see(&seen, running.as_ref());
        let missing = trial.watch.missing();
        let is_settled = trial.restarted && missing.is_empty();
        if !is_settled && trial.watch.ran < self.limits.back {
            self.keep_trial(Phase::Returning { trial, reason }, is_new)?;
            return Ok(Next::In(self.limits.look));
        }
        let version = trial.release.version;
        let (at, no_better) = (self.clock.now(), Some(missing));
        let reverted = Reverted { version, at, reason, no_better };
        self.state.phase = Phase::Idle;
        self.state.last = Some(Ended::Reverted(reverted.clone()));
        self.save()?;
        self.clean(None)?;
        self.events.push(Event::Reverted(reverted));
        Ok(Next::NextRound)
    }

    /// Lets `current` say what is committed. Returns whether it said something else.
    pub(super) fn point_at_committed(&mut self) -> Result<bool, UpdateError> {
        let committed = self.committed_version();
        self.point_at(committed.as_ref())
    }

    /// Lets `current` point at a version, or be missing, by one rename. Returns whether it did not.
    pub(super) fn point_at(&mut self, version: Option<&Version>) -> Result<bool, UpdateError> {
        let wanted = version.map(layout::folder);
        let now = self.disk.read_link(layout::CURRENT)?;
        if now == wanted {
            return Ok(false);
        }
        match wanted {
            Some(folder) => {
                self.disk.remove(layout::CURRENT_NEW)?;
                self.disk.link(&folder, layout::CURRENT_NEW)?;
                self.disk.rename(layout::CURRENT_NEW, layout::CURRENT)?;
            }
            None => self.disk.remove(layout::CURRENT)?,
        }
        self.disk.sync_folder("")?;
        Ok(true)
    }

    /// Restarts the services. Returns whether that worked; if not, that is an event.
    pub(super) fn restart(&mut self) -> bool {
        match self.services.restart() {
            Ok(()) => true,
            Err(error) => {
                self.tell_services(error.to_string());
                false
            }
        }
    }

    /// Tells a failure of services, and again only if it is another.
    fn tell_services(&mut self, failure: String) {
        if self.services_failure.as_ref() != Some(&failure) {
            self.events.push(Event::ServicesFailed(failure.clone()));
            self.services_failure = Some(failure);
        }
    }

    /// How often each service was restarted by itself.
    fn restarts(&mut self) -> BTreeMap<String, u32> {
        match self.services.states() {
            Ok(states) => states.into_iter().map(|(name, state)| (name, state.restarts)).collect(),
            Err(error) => {
                self.tell_services(error.to_string());
                BTreeMap::new()
            }
        }
    }
}
