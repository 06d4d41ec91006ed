//! Bodies under `/management/rollout`: a version that devices go over to in steps.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    device_update::{is_program_version, names},
    problem::Fault,
};

/// How long a step is looked at after its last device has gone over, seconds, unless it is said: a
/// day.
pub const USUAL_SOAK: u64 = 86_400;

/// The longest soak, seconds: 30 days.
pub const LONGEST_SOAK: u64 = 30 * 86_400;

/// The shares of a roll-out's steps, in percent, unless they are said.
pub const USUAL_STEPS: [u8; 3] = [5, 25, 100];

/// Devices that may be named to go first.
pub const MOST_FIRST: usize = 20;

/// Devices that a report of a roll-out lists.
pub const ROLLOUT_DEVICES_LISTED: usize = 500;

/// A roll-out that is to begin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewRollout {
    /// The version that devices are to run.
    #[cfg_attr(
        feature = "openapi",
        schema(pattern = "^[0-9][0-9A-Za-z.+~-]{0,47}$", examples("1.4.2"))
    )]
    pub version: String,
    /// The devices that go over first, in a step of their own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(max_items = 20))]
    pub first: Vec<Uuid>,
    /// Up to which share of all devices each step goes, in percent: rising, and 100 at last. 5, 25 and
    /// 100 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(schema_with = steps_schema, required = false))]
    pub steps: Option<Vec<u8>>,
    /// How long a step is looked at after its last device has gone over, seconds; a day if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 2_592_000))]
    pub soak: Option<u64>,
}

/// Shares, each bounded.
#[cfg(feature = "openapi")]
fn steps_schema() -> utoipa::openapi::schema::Array {
    use utoipa::openapi::{ArrayBuilder, ObjectBuilder, Type, schema::SchemaType};
    let share = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(100));
    ArrayBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Array, Type::Null]))
        .description(Some(
            "Up to which share of all devices each step goes, in percent: rising, and 100 at last. 5, 25 \
             and 100 if absent",
        ))
        .items(share)
        .min_items(Some(1))
        .max_items(Some(10))
        .build()
}

impl NewRollout {
    /// What is wrong with it, by the place of each.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut check = |holds: bool, pointer: &str, detail: &str| {
            if !holds {
                faults.push(Fault { pointer: pointer.to_owned(), detail: detail.to_owned() });
            }
        };
        check(is_program_version(&self.version), "/version", "is no version");
        let mut first = self.first.clone();
        first.sort_unstable();
        first.dedup();
        check(first.len() == self.first.len(), "/first", "names a device twice");
        check(first.len() <= MOST_FIRST, "/first", "must name 20 devices at most");
        let steps = self.steps.as_deref().unwrap_or(&USUAL_STEPS);
        let is_rising = steps.is_sorted_by(|one, next| one < next);
        let ends = steps.first().is_some_and(|share| *share > 0) && steps.last() == Some(&100);
        let are_few = steps.len() <= 10;
        let detail = "must be 1 to 10 rising shares from 1 to 100, the last of them 100";
        check(is_rising && ends && are_few, "/steps", detail);
        check(
            self.soak.is_none_or(|soak| soak <= LONGEST_SOAK),
            "/soak",
            "must be 2592000 s at most",
        );
        faults
    }
}

/// Where a roll-out stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum RolloutState {
    /// It goes on by itself.
    Running,
    /// Nothing more is offered until an administrator says so.
    Halted,
    /// All devices that could be expected have gone over; others follow when they come back.
    Finished,
    /// An administrator ended it.
    Ended,
}
names!(RolloutState {
    Running "running", Halted "halted", Finished "finished", Ended "ended",
});

/// What is done to a roll-out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum RolloutAction {
    /// Go on with the next step; devices that failed are excused.
    Advance,
    /// Offer nothing more.
    Halt,
    /// Go on after a halt; devices that failed are excused.
    Resume,
    /// End it for good.
    End,
}
names!(RolloutAction { Advance "advance", Halt "halt", Resume "resume", End "end" });

/// A change of a roll-out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RolloutChange {
    /// What is to be done.
    pub action: RolloutAction,
}

/// Why a roll-out halted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum RolloutHalt {
    /// Too many devices of a step failed.
    Failures,
    /// A device of the first step says nothing any more.
    Silence,
    /// An administrator said so.
    Administrator,
}
names!(RolloutHalt {
    Failures "failures", Silence "silence", Administrator "administrator",
});

/// A roll-out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Rollout {
    /// Its identifier.
    pub uuid: Uuid,
    /// The version that devices are to run.
    pub version: String,
    /// Up to which share of all devices each step goes, in percent; 0 for the devices that were named.
    pub steps: Vec<u8>,
    /// How long a step is looked at after its last device has gone over, seconds.
    pub soak: u64,
    /// Where it stands.
    pub state: RolloutState,
    /// Why it is halted, if it is.
    pub halt: Option<RolloutHalt>,
    /// The step that it is in, from 0.
    pub step: u8,
    /// Since when.
    pub step_since: Timestamp,
    /// How often it was changed, from 1: the version that a change is meant for.
    pub revision: u64,
    /// When it began.
    pub created_at: Timestamp,
}

impl Rollout {
    /// Up to which share of all devices its step goes, in percent; 0 for the devices that were named.
    #[must_use]
    pub fn share(&self) -> u8 {
        self.steps.get(usize::from(self.step)).copied().unwrap_or(100)
    }

    /// Whether no step follows.
    #[must_use]
    pub fn is_last_step(&self) -> bool {
        usize::from(self.step) + 1 >= self.steps.len()
    }
}

/// Where a device stands in a roll-out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum RolloutDeviceState {
    /// It went back to the version before, or runs another one than it says.
    Failed,
    /// It reported regularly, took the version, and says nothing any more.
    Silent,
    /// Its services run the version, which has yet to prove itself.
    Trying,
    /// The version is offered to it.
    Offered,
    /// It did not try the version within a day: others go before it.
    SetAside,
    /// Its failure is known to an administrator, who went on.
    Excused,
    /// It runs the version, by its own report.
    GoneOver,
    /// Its turn has not come.
    Waiting,
    /// It did not ask what it should run for a day, or never did.
    Absent,
    /// Its own configuration says which version it runs.
    Pinned,
    /// Flux updates it.
    Flux,
}
names!(RolloutDeviceState {
    Failed "failed", Silent "silent", Trying "trying", Offered "offered", SetAside "set-aside",
    Excused "excused", GoneOver "gone-over", Waiting "waiting", Absent "absent",
    Pinned "pinned", Flux "flux",
});

/// A device in a roll-out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RolloutDevice {
    /// The device.
    pub device: Uuid,
    /// Where it stands.
    pub state: RolloutDeviceState,
    /// In which step the version was offered to it, from 0; absent if it was not.
    pub step: Option<u8>,
    /// The version that it last reported to run.
    pub version: Option<String>,
    /// When it last reported.
    pub last_report: Option<Timestamp>,
    /// Why it failed or does not get any further, as it says itself.
    pub reason: Option<String>,
}

/// What was done to a roll-out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RolloutEvent {
    /// The roll-out's revision from then on.
    pub revision: u64,
    /// When.
    pub at: Timestamp,
    /// The state from then on.
    pub state: RolloutState,
    /// The step from then on.
    pub step: u8,
    /// Who did it: an administrator's initials, `shared` without them; absent if the server did.
    pub by: Option<String>,
}

/// A roll-out with its devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RolloutReport {
    /// The roll-out.
    pub rollout: Rollout,
    /// How many devices are in each state.
    pub counts: BTreeMap<String, u64>,
    /// Devices, those that failed first; 500 at most.
    pub devices: Vec<RolloutDevice>,
    /// What was done to it, the latest first.
    pub events: Vec<RolloutEvent>,
}

impl RolloutReport {
    /// How many devices are in that state.
    #[must_use]
    pub fn count(&self, state: RolloutDeviceState) -> u64 {
        self.counts.get(state.name()).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_name_their_places() {
        let good = NewRollout {
            version: "1.4.2".to_owned(),
            first: vec![Uuid::from_u128(1)],
            steps: None,
            soak: None,
        };
        assert_eq!(good.faults(), Vec::new());
        let place = |rollout: NewRollout| {
            let faults = rollout.faults();
            assert_eq!(faults.len(), 1, "{rollout:?}");
            faults[0].pointer.clone()
        };
        for steps in [vec![], vec![5, 5, 100], vec![0, 100], vec![5, 25], vec![25, 5, 100]] {
            assert_eq!(place(NewRollout { steps: Some(steps), ..good.clone() }), "/steps");
        }
        let twice = vec![Uuid::from_u128(1); 2];
        assert_eq!(place(NewRollout { first: twice, ..good.clone() }), "/first");
        assert_eq!(place(NewRollout { version: "latest".into(), ..good.clone() }), "/version");
        assert_eq!(place(NewRollout { soak: Some(LONGEST_SOAK + 1), ..good }), "/soak");
    }

    #[test]
    fn names_are_those_of_json() {
        for state in RolloutDeviceState::ALL {
            assert_eq!(serde_json::to_string(state).unwrap(), format!("\"{state}\""));
            assert_eq!(RolloutDeviceState::named(state.name()), Some(*state));
        }
        for action in RolloutAction::ALL {
            assert_eq!(serde_json::to_string(action).unwrap(), format!("\"{action}\""));
        }
        for (state, halt) in RolloutState::ALL.iter().zip(RolloutHalt::ALL) {
            assert_eq!(serde_json::to_string(state).unwrap(), format!("\"{state}\""));
            assert_eq!(serde_json::to_string(halt).unwrap(), format!("\"{halt}\""));
        }
    }
}
