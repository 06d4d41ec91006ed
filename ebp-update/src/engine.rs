//! The engine: a state machine that its caller steps.
//!
//! Enters: the state, the desired release and its bytes, what services and the device are seen to do.
//! Leaves: versions on the disk, `current`, the state, events. Absent: waiting, and reading a clock:
//! both are the caller's.

mod download;
mod fetching;
mod switching;
#[cfg(test)]
mod tests;

use std::time::Duration;

use ebp_core::clock::DeviceClock;

use crate::{
    disk::Disk,
    error::UpdateError,
    event::{Event, Next},
    layout,
    limits::Limits,
    programs::Programs,
    proof::Witness,
    release::{Release, Supply},
    services::Services,
    state::{Ended, Loaded, Phase, RevertReason, Reverted, State},
    version::Version,
};
use download::Download;

/// A device's updates.
pub struct Updater<'a> {
    disk: &'a mut dyn Disk,
    supply: &'a mut dyn Supply,
    programs: &'a mut dyn Programs,
    services: &'a mut dyn Services,
    witness: &'a mut dyn Witness,
    clock: &'a dyn DeviceClock,
    limits: Limits,
    architecture: &'a str,
    state: State,
    download: Option<Download>,
    events: Vec<Event>,
    /// Whether a round's first look at the supply is over.
    asked: bool,
    /// How long the machine had run in the trial when the state was written last.
    saved_at: Duration,
    /// The release that has passed its tests: they take a device's cores from what it measures with,
    /// and are not repeated while a good moment for the switch is waited for.
    passed: Option<Release>,
    /// Since when a good moment is waited for, by the time since the machine's start.
    waiting_since: Option<Duration>,
    /// What was last told of services.
    services_failure: Option<String>,
}

/// What an engine works with.
pub struct Parts<'a> {
    /// The updates' folder.
    pub disk: &'a mut dyn Disk,
    /// Where releases come from.
    pub supply: &'a mut dyn Supply,
    /// How programs are tried.
    pub programs: &'a mut dyn Programs,
    /// What runs the program.
    pub services: &'a mut dyn Services,
    /// Who sees what works.
    pub witness: &'a mut dyn Witness,
    /// The machine's clocks.
    pub clock: &'a dyn DeviceClock,
    /// This machine's architecture, as Rust names it.
    pub architecture: &'a str,
}

impl<'a> Updater<'a> {
    /// Goes on from where the state says it was. The caller holds the folder's lock.
    ///
    /// # Errors
    /// Returns [`UpdateError::Disk`] when the folder cannot be read or, where its state is unreadable,
    /// written.
    pub fn open(parts: Parts<'a>, limits: Limits) -> Result<Self, UpdateError> {
        let Parts { disk, supply, programs, services, witness, clock, architecture } = parts;
        let (state, lost) = match State::load(disk)? {
            Loaded::Whole(state) => (*state, None),
            Loaded::Unreadable(reason) => (State::default(), Some(reason)),
        };
        let mut updater = Self {
            disk,
            supply,
            programs,
            services,
            witness,
            clock,
            limits,
            architecture,
            state,
            download: None,
            events: Vec::new(),
            asked: false,
            saved_at: Duration::ZERO,
            passed: None,
            waiting_since: None,
            services_failure: None,
        };
        if let Some(reason) = lost {
            // What runs is not known to be whole without it: the floor is.
            updater.disk.rename(layout::STATE, layout::STATE_ASIDE)?;
            updater.point_at(None)?;
            updater.state.save(updater.disk)?;
            updater.events.push(Event::StateLost(reason));
            updater.restart();
        }
        Ok(updater)
    }

    /// The state.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// What happened since the last call.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// Does what is due now.
    ///
    /// # Errors
    /// Returns [`UpdateError`] when the disk fails or is full, or the supply has nothing to give. The
    /// state is kept, and the next round goes on.
    pub fn step(&mut self) -> Result<Next, UpdateError> {
        match self.state.phase {
            Phase::Idle => self.look_for_release(),
            Phase::Fetching { .. } => self.fetch(),
            Phase::Staged { .. } => self.check_staged(),
            Phase::Trying(_) => self.try_out(),
            Phase::Returning { .. } => self.go_back(),
        }
    }

    /// The version that services run while nothing is tried out, if it is known.
    fn running(&self) -> Option<&Version> {
        self.state.committed.as_ref().map(|release| &release.version).or(self.state.floor.as_ref())
    }

    fn save(&mut self) -> Result<(), UpdateError> {
        Ok(self.state.save(self.disk)?)
    }

    fn look_for_release(&mut self) -> Result<Next, UpdateError> {
        self.look_at_what_runs()?;
        let Some(release) = self.supply.desired()? else { return Ok(Next::NextRound) };
        self.asked = true;
        let version = release.version.clone();
        if self.running() == Some(&version) {
            return Ok(Next::NextRound);
        }
        if let Some(reason) = self.state.refused.get(&version) {
            self.events.push(Event::Refused(version, reason.clone()));
            return Ok(Next::NextRound);
        }
        if release.architecture != self.architecture {
            let architecture = release.architecture.clone();
            return self.give_up(version, RevertReason::Architecture { architecture });
        }
        self.state.phase = Phase::Fetching { release, damaged: 0 };
        self.save()?;
        Ok(Next::Now)
    }

    /// The floor runs where the package brought another one, or where the committed release is gone;
    /// `current` says what is committed.
    fn look_at_what_runs(&mut self) -> Result<(), UpdateError> {
        let floor = self.programs.version(None).ok();
        let changed = floor.filter(|floor| self.state.floor.as_ref() != Some(floor));
        let mut lost = None;
        if let Some(release) = &self.state.committed {
            let is_there =
                self.disk.length(&layout::program(&release.version))? == Some(release.length);
            if !is_there {
                lost = Some(Event::ReleaseLost(release.version.clone()));
            } else if let (Some(_), Some(new)) = (&self.state.floor, &changed) {
                lost = Some(Event::FloorChanged(new.clone()));
            }
        }
        if lost.is_some() {
            self.state.committed = None;
        }
        if changed.is_some() || lost.is_some() {
            self.state.floor = changed.or(self.state.floor.take());
            self.save()?;
        }
        let moved = self.point_at_committed()?;
        if lost.is_some() || moved {
            self.restart();
        }
        self.events.extend(lost);
        Ok(())
    }

    /// Whether a release of an earlier round is still wanted; if not, nothing is done any more.
    fn is_still_wanted(&mut self, release: &Release) -> Result<bool, UpdateError> {
        if self.asked {
            return Ok(true);
        }
        let desired = self.supply.desired()?;
        self.asked = true;
        let is_wanted = desired.as_ref() == Some(release);
        if !is_wanted {
            self.state.phase = Phase::Idle;
            self.save()?;
        }
        Ok(is_wanted)
    }

    /// Refuses a release that no service has run.
    fn give_up(&mut self, version: Version, reason: RevertReason) -> Result<Next, UpdateError> {
        let at = self.clock.now();
        let reverted =
            Reverted { version: version.clone(), at, reason: reason.clone(), no_better: None };
        self.state.refuse(version, reason);
        self.state.phase = Phase::Idle;
        self.state.last = Some(Ended::Reverted(reverted.clone()));
        self.save()?;
        self.download = None;
        self.clean(None)?;
        self.events.push(Event::Reverted(reverted));
        Ok(Next::NextRound)
    }

    /// Removes every version but the committed one and that.
    fn clean(&mut self, keep: Option<&Version>) -> Result<(), UpdateError> {
        let committed = self.state.committed.as_ref().map(|release| release.version.clone());
        for name in self.disk.list(layout::VERSIONS)? {
            let version = name.parse::<Version>().ok();
            if version.is_some() && (version.as_ref() == keep || version == committed) {
                continue;
            }
            let folder = format!("{}/{name}", layout::VERSIONS);
            for file in self.disk.list(&folder)? {
                self.disk.remove(&format!("{folder}/{file}"))?;
            }
            self.disk.remove_folder(&folder)?;
        }
        Ok(())
    }
}
