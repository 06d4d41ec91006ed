//! Roll-outs of versions of the program: what devices are to run, and what administrators do.

use std::collections::BTreeMap;

use ebp_core::contract::{
    DeviceUpdate, NewRollout, ROLLOUT_DEVICES_LISTED, Rollout, RolloutAction, RolloutDevice,
    RolloutDeviceState, RolloutReport, RolloutState, UpdateWish,
};
use ebp_store::{
    Faults, RolloutFacts, RolloutRefusal, RolloutView, StoreError, judge_device, judge_rollout,
    steer_rollout,
};
use jiff::Timestamp;
use uuid::Uuid;

use crate::{ReleaseState, Survey};

/// The devices of the fleet by how far their updates are, for figures.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RolloutFigures {
    /// Devices by state in the latest roll-out; empty if there never was one.
    pub devices: BTreeMap<&'static str, u64>,
    /// Devices by the version that they report.
    pub versions: BTreeMap<String, u64>,
    /// Whether a roll-out is halted.
    pub is_halted: bool,
}

/// Versions that figures name; those with the fewest devices are counted as `other`.
const VERSIONS_COUNTED: usize = 20;

impl Survey {
    /// Stores what a device says of its updates, and returns what it is to run.
    ///
    /// # Errors
    /// Returns [`StoreError::Registration`] with every fault, [`StoreError::NotFound`] if there is no
    /// such device, [`StoreError::ConsentRevoked`].
    pub async fn report_update(
        &self,
        device: Uuid,
        update: DeviceUpdate,
    ) -> Result<UpdateWish, StoreError> {
        let mut faults = Faults::default();
        update.faults().into_iter().for_each(|fault| {
            faults.check(false, fault.pointer, &fault.detail);
        });
        if !faults.is_empty() {
            return Err(StoreError::Registration(faults));
        }
        self.store().report_update(device, update, self.clock().now()).await
    }

    /// Begins a roll-out.
    ///
    /// # Errors
    /// Returns [`StoreError::Registration`] with every fault, such as a version that nobody has
    /// published, [`StoreError::RolloutState`] if another one is under way, [`StoreError::NotFound`] if
    /// a device that it names is not there.
    pub async fn begin_rollout(&self, new: NewRollout, by: String) -> Result<Rollout, StoreError> {
        let mut faults = Faults::default();
        new.faults().into_iter().for_each(|fault| {
            faults.check(false, fault.pointer, &fault.detail);
        });
        if faults.is_empty()
            && let Some(fault) = self.release_state(&new.version).await.fault()
        {
            faults.check(false, "/version", fault);
        }
        if !faults.is_empty() {
            return Err(StoreError::Registration(faults));
        }
        self.store().begin_rollout(Uuid::new_v4(), new, by, self.clock().now()).await
    }

    /// What is known of a version: that it is published, too, where releases are not known.
    pub async fn release_state(&self, version: &str) -> ReleaseState {
        let Some(releases) = self.releases().cloned() else { return ReleaseState::Published };
        let version = version.to_owned();
        let looked = tokio::task::spawn_blocking(move || releases.state(&version)).await;
        looked.unwrap_or(ReleaseState::Unreadable)
    }

    /// A roll-out with its devices.
    ///
    /// # Errors
    /// Returns [`StoreError::NotFound`].
    pub async fn rollout(&self, uuid: Uuid) -> Result<RolloutReport, StoreError> {
        let view = self.store().rollout(uuid).await?;
        Ok(report(view, self.clock().now()))
    }

    /// The roll-out that began last with its devices, if there ever was one.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn latest_rollout(&self) -> Result<Option<RolloutReport>, StoreError> {
        match self.store().latest_rollout().await? {
            Some(rollout) => self.rollout(rollout.uuid).await.map(Some),
            None => Ok(None),
        }
    }

    /// Does that to a roll-out: only of one of these revisions, or of any if none are given.
    ///
    /// # Errors
    /// Returns [`StoreError::NotFound`], [`StoreError::RolloutState`] if its state does not permit it,
    /// [`StoreError::Changed`] if somebody has changed it.
    pub async fn steer_rollout(
        &self,
        uuid: Uuid,
        action: RolloutAction,
        expected: Option<&[u64]>,
        by: String,
    ) -> Result<RolloutReport, StoreError> {
        let RolloutView { rollout, facts, .. } = self.store().rollout(uuid).await?;
        if expected.is_some_and(|expected| !expected.contains(&rollout.revision)) {
            return Err(StoreError::Changed);
        }
        let now = self.clock().now();
        let write = steer_rollout(&rollout, &facts, action, now)
            .map_err(|RolloutRefusal(state)| StoreError::RolloutState(state))?;
        self.store().write_rollout(uuid, rollout.revision, write, Some(by), now).await?;
        self.rollout(uuid).await
    }

    /// Stores what follows of what is known now of the roll-out that is under way. Returns whether more
    /// may follow at once.
    ///
    /// # Errors
    /// Those of the database. That somebody else has changed the roll-out meanwhile is none.
    pub async fn judge_rollout(&self) -> Result<bool, StoreError> {
        let Some(latest) = self.store().latest_rollout().await? else { return Ok(false) };
        if !matches!(latest.state, RolloutState::Running | RolloutState::Halted) {
            return Ok(false);
        }
        let RolloutView { rollout, facts, .. } = self.store().rollout(latest.uuid).await?;
        let now = self.clock().now();
        let write = judge_rollout(&rollout, &facts, now);
        if write.is_empty() {
            return Ok(false);
        }
        if let Some(place) = write.place {
            tracing::info!(
                version = rollout.version, state = %place.state, step = place.step,
                "the roll-out goes on"
            );
        }
        match self.store().write_rollout(rollout.uuid, rollout.revision, write, None, now).await {
            Ok(()) | Err(StoreError::Changed) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// How far the fleet's updates are.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn rollout_figures(&self) -> Result<RolloutFigures, StoreError> {
        let Some(latest) = self.store().latest_rollout().await? else {
            return Ok(RolloutFigures::default());
        };
        let RolloutView { rollout, facts, .. } = self.store().rollout(latest.uuid).await?;
        let now = self.clock().now();
        let mut devices: BTreeMap<_, _> =
            RolloutDeviceState::ALL.iter().map(|state| (state.name(), 0)).collect();
        let mut versions: BTreeMap<String, u64> = BTreeMap::new();
        for facts in facts {
            *devices.entry(judge_device(&rollout, &facts, now).name()).or_default() += 1;
            if let Some(version) = facts.running {
                *versions.entry(version).or_default() += 1;
            }
        }
        let is_halted = rollout.state == RolloutState::Halted;
        Ok(RolloutFigures { devices, versions: bound(versions), is_halted })
    }
}

/// The most frequent versions, and how many devices report another one.
fn bound(versions: BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let mut ordered: Vec<_> = versions.into_iter().collect();
    ordered.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let rest = ordered.split_off(ordered.len().min(VERSIONS_COUNTED));
    let mut bounded: BTreeMap<_, _> = ordered.into_iter().collect();
    if !rest.is_empty() {
        bounded.insert("other".to_owned(), rest.into_iter().map(|(_, count)| count).sum());
    }
    bounded
}

fn report(view: RolloutView, now: Timestamp) -> RolloutReport {
    let RolloutView { rollout, facts, events } = view;
    let describe = |facts: RolloutFacts| {
        let state = judge_device(&rollout, &facts, now);
        let said = facts.update.map(|reported| reported.update);
        let reason = match state {
            RolloutDeviceState::Failed | RolloutDeviceState::Excused => {
                said.and_then(|said| said.reverted).map(|reverted| reverted.reason)
            }
            RolloutDeviceState::Offered | RolloutDeviceState::SetAside => {
                said.and_then(|said| said.hindrance)
            }
            _ => None,
        };
        let step = facts.offer.map(|offer| offer.step);
        let (version, last_report) = (facts.running, facts.last_report);
        RolloutDevice { device: facts.device, state, step, version, last_report, reason }
    };
    let mut devices: Vec<_> = facts.into_iter().map(describe).collect();
    devices.sort_by_key(|device| (device.state, device.device));
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for device in &devices {
        *counts.entry(device.state.name().to_owned()).or_default() += 1;
    }
    devices.truncate(ROLLOUT_DEVICES_LISTED);
    RolloutReport { rollout, counts, devices, events }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_name_no_more_versions_than_they_may() {
        let versions = (0..30).map(|i| (format!("1.0.{i}"), i + 1)).collect();
        let bounded = bound(versions);
        assert_eq!(bounded.len(), VERSIONS_COUNTED + 1);
        assert_eq!(bounded["other"], (1..=10).sum::<u64>());
        assert_eq!(bounded["1.0.29"], 30);
    }
}
