//! The neighbours of the demo's households: registered some days before the past ends, each with a
//! trouble that administrators see on their page.
//!
//! Their devices do not run beside the demo: what is seen of them is what the server knows of their
//! past.

use jiff::{SignedDuration, Timestamp};

use super::{devices::Devices, world::World};
use crate::{
    command::demo::{
        certificates,
        households::{DemoHousehold, Fate, registration},
    },
    exit::{CommandResult, device, server},
};
use ebp_survey::Survey;

/// So long before the past ends they are registered.
const COME: SignedDuration = SignedDuration::from_hours(3 * 24);
/// So long before it one of them revokes its consent.
const REVOKES: SignedDuration = SignedDuration::from_hours(26);

/// The neighbours, and what is still to happen.
pub struct Neighbours {
    all: Vec<(DemoHousehold, Fate)>,
    end: Timestamp,
    come: Option<Timestamp>,
    revokes: Option<Timestamp>,
}

impl Neighbours {
    /// Of a past that ends then.
    pub fn new(all: Vec<(DemoHousehold, Fate)>, end: Timestamp) -> Self {
        let some = !all.is_empty();
        Self { all, end, come: some.then(|| end - COME), revokes: some.then(|| end - REVOKES) }
    }

    /// When something happens next.
    pub fn next(&self) -> Option<Timestamp> {
        self.come.into_iter().chain(self.revokes).min()
    }

    /// What is due happens.
    ///
    /// # Errors
    /// Returns an error if the server refuses what it should not.
    pub fn live(
        &mut self,
        world: &World<'_>,
        devices: &mut Devices<'_>,
        at: Timestamp,
    ) -> CommandResult {
        if self.come.take_if(|come| *come <= at).is_some() {
            for neighbour in &self.all {
                self.register(world, &neighbour.0)?;
                world.grant_consent(&neighbour.0)?;
                if neighbour.1 != Fate::NeverSpoke {
                    devices.put_up_neighbour(neighbour, &world.ca, at, self.end)?;
                }
            }
        }
        if self.revokes.take_if(|revokes| *revokes <= at).is_some() {
            for (household, _) in self.all.iter().filter(|(_, fate)| *fate == Fate::Revoked) {
                world.client(household)?.revoke_consent().map_err(device::client)?;
            }
        }
        Ok(())
    }

    fn register(&self, world: &World<'_>, household: &DemoHousehold) -> CommandResult {
        let registration = registration(household);
        let survey = Survey::new(world.store.clone(), world.clock.clone());
        let registered = survey.register(registration.clone(), false, None);
        let registered = world.runtime.block_on(registered).map_err(server::survey)?.registered;
        let participant = Some(registered.participant);
        certificates::issue(world.authority, household, &registration, participant)
    }
}
