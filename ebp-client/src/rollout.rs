//! What administrators ask of roll-outs.

use ebp_core::contract::{
    Listing, NewRollout, Rollout, RolloutAction, RolloutChange, RolloutReport, paths,
};
use reqwest::Method;
use uuid::Uuid;

use crate::{ClientError, Manager};

impl Manager {
    /// Roll-outs, in the order in which they began.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn rollouts(&self, cursor: Option<&str>) -> Result<Listing<Rollout>, ClientError> {
        let query = cursor.map(|cursor| format!("?cursor={cursor}")).unwrap_or_default();
        self.client.get(&format!("{}{query}", paths::MANAGEMENT_ROLLOUT))
    }

    /// A roll-out with its devices.
    ///
    /// # Errors
    /// [`ClientError`]; a problem of status 404 if there is none.
    pub fn rollout(&self, rollout: Uuid) -> Result<RolloutReport, ClientError> {
        self.client.get(&path(rollout))
    }

    /// Begins a roll-out.
    ///
    /// # Errors
    /// [`ClientError`]; a problem of status 409 if another one is under way.
    pub fn begin_rollout(&self, new: &NewRollout) -> Result<Rollout, ClientError> {
        self.send(Method::POST, paths::MANAGEMENT_ROLLOUT, new)
    }

    /// Does that to a roll-out; only of the version that was given, if one was
    /// ([`Self::with_version`]).
    ///
    /// # Errors
    /// [`ClientError`]; a problem of status 409 if its state does not permit it, 412 if it has changed.
    pub fn steer_rollout(
        &self,
        rollout: Uuid,
        action: RolloutAction,
    ) -> Result<RolloutReport, ClientError> {
        self.send(Method::PATCH, &path(rollout), &RolloutChange { action })
    }
}

fn path(rollout: Uuid) -> String {
    paths::MANAGED_ROLLOUT.replace("{uuid}", &rollout.to_string())
}
