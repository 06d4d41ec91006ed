//! Roll-outs of versions of the program, and what devices say of their updates.
//!
//! Enters: roll-outs and their changes, each only of the revision that was seen; what devices say.
//! Leaves: what a device is to run, and what is known of all devices. Absent: when a step is over and
//! when a roll-out halts, which is `rule::rollout`. Revocation of consent deletes what belongs to a
//! household's devices, in its transaction.

use async_trait::async_trait;
use ebp_core::contract::{
    DeviceUpdate, NewRollout, ReportedUpdate, RevertedUpdate, Rollout, RolloutEvent, RolloutHalt,
    RolloutState, USUAL_SOAK, USUAL_STEPS, UpdateManager, UpdatePhase, UpdateWish,
};
use jiff::Timestamp;
use uuid::Uuid;

use crate::{ListPage, ListQuery, RolloutFacts, RolloutPlace, RolloutWrite, StoreError};

/// Changes of a roll-out that are shown, the latest.
pub(crate) const EVENTS_SHOWN: i64 = 100;

/// A roll-out with all that is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RolloutView {
    /// The roll-out.
    pub rollout: Rollout,
    /// What is known of each device whose household agrees.
    pub facts: Vec<RolloutFacts>,
    /// What was done to it, the latest first.
    pub events: Vec<RolloutEvent>,
}

/// Roll-outs, and what devices say of their updates.
#[async_trait]
pub trait RolloutStore: Send + Sync {
    /// Stores what a device says of its updates, and returns what it is to run by the latest roll-out. If
    /// that is its version, it is noted that the device was told so.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is no such device, [`StoreError::ConsentRevoked`].
    async fn report_update(
        &self,
        device: Uuid,
        update: DeviceUpdate,
        at: Timestamp,
    ) -> Result<UpdateWish, StoreError>;

    /// Begins a roll-out, and returns it.
    ///
    /// # Errors
    /// [`StoreError::RolloutState`] if another one is running or halted, [`StoreError::NotFound`] if a
    /// device that it names is not there.
    async fn begin_rollout(
        &self,
        uuid: Uuid,
        new: NewRollout,
        by: String,
        at: Timestamp,
    ) -> Result<Rollout, StoreError>;

    /// Roll-outs, in the order in which they began.
    async fn rollouts(&self, query: ListQuery) -> Result<ListPage<Rollout>, StoreError>;

    /// The roll-out that began last, if there ever was one.
    async fn latest_rollout(&self) -> Result<Option<Rollout>, StoreError>;

    /// A roll-out with all that is known of it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    async fn rollout(&self, uuid: Uuid) -> Result<RolloutView, StoreError>;

    /// Stores what a rule or an administrator decided of a roll-out, if it is still of that revision.
    /// Devices whose household has revoked consent are left out. Nobody is named for what the server
    /// does by itself.
    ///
    /// # Errors
    /// [`StoreError::Changed`] if somebody has changed it.
    async fn write_rollout(
        &self,
        uuid: Uuid,
        revision: u64,
        write: RolloutWrite,
        by: Option<String>,
        at: Timestamp,
    ) -> Result<(), StoreError>;
}

/// The columns of a roll-out, in the order of both schemas' queries.
pub(crate) const ROLLOUT_COLUMNS: &str =
    "uuid, version, steps, soak, state, halt, step, step_since, revision, created_at";

/// The columns of what is known of a device for a roll-out, which is the query's first parameter.
pub(crate) const FACTS: &str = "SELECT fleet.device, fleet.last_report, fleet.version,
        said.reported_at, said.managed, said.pinned, said.phase, said.kept, said.reverted_version,
        said.reverted_reason, said.hindrance,
        coalesce(own.is_first, false), own.step, own.offered_at, own.was_regular, own.taken_at,
        own.over_at, own.is_set_aside, own.is_excused
    FROM fleet_device AS fleet
    LEFT JOIN device_update AS said ON said.device = fleet.device
    LEFT JOIN rollout_device AS own ON own.device = fleet.device AND own.rollout = $1
    WHERE fleet.consent = 1 ORDER BY fleet.device";

const DAMAGED: StoreError = StoreError::Damaged("roll-out");

/// A stored roll-out, its columns as both databases have them.
pub(crate) struct RolloutRow {
    pub uuid: Uuid,
    pub version: String,
    pub steps: String,
    pub soak: i64,
    pub state: String,
    pub halt: Option<String>,
    pub step: i64,
    pub step_since: Timestamp,
    pub revision: i64,
    pub created_at: Timestamp,
}

impl RolloutRow {
    pub(crate) fn read(self) -> Result<Rollout, StoreError> {
        let halt = self.halt.map(|name| RolloutHalt::named(&name).ok_or(DAMAGED)).transpose()?;
        Ok(Rollout {
            uuid: self.uuid,
            version: self.version,
            steps: serde_json::from_str(&self.steps).map_err(|_| DAMAGED)?,
            soak: u64::try_from(self.soak).map_err(|_| DAMAGED)?,
            state: RolloutState::named(&self.state).ok_or(DAMAGED)?,
            halt,
            step: u8::try_from(self.step).map_err(|_| DAMAGED)?,
            step_since: self.step_since,
            revision: u64::try_from(self.revision).map_err(|_| DAMAGED)?,
            created_at: self.created_at,
        })
    }
}

/// A stored change.
pub(crate) fn event(
    (revision, at, state, step): (i64, Timestamp, &str, i64),
    by: Option<String>,
) -> Result<RolloutEvent, StoreError> {
    Ok(RolloutEvent {
        revision: u64::try_from(revision).map_err(|_| DAMAGED)?,
        at,
        state: RolloutState::named(state).ok_or(DAMAGED)?,
        step: u8::try_from(step).map_err(|_| DAMAGED)?,
        by,
    })
}

/// What a device said, its columns as both databases have them.
pub(crate) struct UpdateRow {
    pub reported_at: Timestamp,
    pub managed: String,
    pub pinned: bool,
    pub phase: String,
    pub kept: Option<String>,
    pub reverted_version: Option<String>,
    pub reverted_reason: Option<String>,
    pub hindrance: Option<String>,
}

impl UpdateRow {
    pub(crate) fn read(self) -> Result<ReportedUpdate, StoreError> {
        let reverted = self.reverted_version.zip(self.reverted_reason);
        let update = DeviceUpdate {
            managed: UpdateManager::named(&self.managed).ok_or(DAMAGED)?,
            pinned: self.pinned,
            phase: UpdatePhase::named(&self.phase).ok_or(DAMAGED)?,
            kept: self.kept,
            reverted: reverted.map(|(version, reason)| RevertedUpdate { version, reason }),
            hindrance: self.hindrance,
        };
        Ok(ReportedUpdate { reported_at: self.reported_at, update })
    }
}

/// What is stored of a roll-out that begins: the steps as JSON, and the soak.
pub(crate) fn plan(new: &NewRollout) -> Result<(String, i64), StoreError> {
    let first = (!new.first.is_empty()).then_some(0);
    let shares = new.steps.as_deref().unwrap_or(&USUAL_STEPS).iter().copied();
    let steps: Vec<u8> = first.into_iter().chain(shares).collect();
    let steps = serde_json::to_string(&steps).map_err(|_| DAMAGED)?;
    Ok((steps, i64::try_from(new.soak.unwrap_or(USUAL_SOAK)).unwrap_or(i64::MAX)))
}

/// A roll-out's place in its next revision, as it is stored.
pub(crate) struct StoredPlace {
    pub state: &'static str,
    pub halt: Option<&'static str>,
    pub step: i64,
    pub step_since: Timestamp,
}

impl From<RolloutPlace> for StoredPlace {
    fn from(place: RolloutPlace) -> Self {
        Self {
            state: place.state.name(),
            halt: place.halt.map(RolloutHalt::name),
            step: i64::from(place.step),
            step_since: place.step_since,
        }
    }
}

/// A revision as databases number it: none has more.
pub(crate) fn number(revision: u64) -> i64 {
    i64::try_from(revision).unwrap_or(i64::MAX - 1).min(i64::MAX - 1)
}
